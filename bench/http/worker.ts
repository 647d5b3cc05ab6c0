/**
 * The Worker under load: the app as it is deployed, reading a folder in place of R2 and KV, with an empty route on the
 * same Hono app beside it. Bundled and served by workerd.ts.
 */
import { waitUntil } from 'cloudflare:workers';
import type { Hono } from 'hono';
import { createApp } from '../../src/http/app.ts';
import { KeyRegistry } from '../../src/keys/registry.ts';
import { parseLabelLevels } from '../../src/policy/labels.ts';
import { Finder } from '../../src/serve/finder.ts';
import { Disk, DiskObjectStore, DiskSliceStore } from './disk-stores.ts';
import { COUNTERS_PATH, EMPTY_ANSWER, EMPTY_PATH } from './paths.ts';

interface BenchEnv {
  /** The folder of the store, with `objects` and `slices`. */
  readonly STORE: Fetcher;
  /** A folder with the key file, so that the benchmark's key is not put into a store that others read too. */
  readonly KEYS: Fetcher;
  readonly RINGFENCE_ADMIN_KEY: string;
}

let app: Hono | undefined;

export default {
  fetch(request, env) {
    app ??= createBenchApp(env);
    return app.fetch(request);
  },
} satisfies ExportedHandler<BenchEnv>;

/** As src/runtime.ts does it. */
function createBenchApp(env: BenchEnv): Hono {
  const now = () => Date.now();
  const log = (event: string, details: Readonly<Record<string, string | number>>) => {
    console.log(JSON.stringify({ event, ...details }));
  };
  const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const store = new Disk(env.STORE);
  const keyFile = new Disk(env.KEYS);
  const slices = new DiskSliceStore(store);
  const finder = new Finder({ objects: new DiskObjectStore(store), slices, now, background: waitUntil, delay, log });
  const keys = new KeyRegistry({
    objects: new DiskObjectStore(keyFile),
    now,
    adminKey: env.RINGFENCE_ADMIN_KEY,
    waitUntil,
    report: (error) => log('keys.unavailable', { reason: String(error) }),
    randomBytes: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    sleep: delay,
  });
  const bench = createApp({
    finder,
    labels: parseLabelLevels(undefined),
    keys,
    now,
    log,
    randomId: () => crypto.randomUUID(),
    accept: notServed,
    rollback: notServed,
    status: notServed,
    health: notServed,
  });
  const empty = JSON.stringify(EMPTY_ANSWER);
  bench.on(['GET', 'POST'], EMPTY_PATH, () => {
    return new Response(empty, { headers: { 'content-type': 'application/json' } });
  });
  bench.get(COUNTERS_PATH, (context) => context.json({ store: store.counters, keys: keyFile.counters }));
  return bench;
}

function notServed(): Promise<never> {
  return Promise.reject(new Error('the Worker of this benchmark serves lookups'));
}
