/**
 * The Worker under load: the app as it is deployed, reading a folder in place of R2 and KV, with an empty route on the
 * same Hono app beside it. Bundled and served by workerd.ts.
 */
import { waitUntil } from 'cloudflare:workers';
import { createApp, createFetch } from '../../src/http/app.ts';
import { RequestQuota } from '../../src/keys/quota.ts';
import { createRuntimeOn } from '../../src/runtime.ts';
import { COUNTERS_PATH, Disk, DiskObjectStore, DiskSliceStore, EMPTY_ANSWER, EMPTY_PATH } from './disk-stores.ts';

interface BenchEnv {
  /** The folder of the store, with `objects` and `slices`. */
  readonly STORE: Fetcher;
  /** A folder with keys and policy, so that the benchmark's are not put into a store that others read too. */
  readonly KEYS: Fetcher;
  readonly RINGFENCE_ADMIN_KEY: string;
}

/** Before the keys of what is set by hand (src/store/keys.ts). */
const CONFIGURATION = 'config/';

let answer: ((request: Request) => Response | Promise<Response>) | undefined;

export default {
  fetch(request, env) {
    answer ??= createBenchFetch(env);
    return answer(request);
  },
} satisfies ExportedHandler<BenchEnv>;

/** Built as src/runtime.ts builds it, on other stores. */
function createBenchFetch(env: BenchEnv) {
  const store = new Disk(env.STORE);
  const configuration = new Disk(env.KEYS);
  const objects = new DiskObjectStore((key) => (key.startsWith(CONFIGURATION) ? configuration : store));
  const { services } = createRuntimeOn({ objects, slices: new DiskSliceStore(store) }, env, waitUntil);
  const quota = new RequestQuota(services);
  const bench = createApp(services, quota);
  const empty = JSON.stringify(EMPTY_ANSWER);
  bench.on(['GET', 'POST'], EMPTY_PATH, () => {
    return new Response(empty, { headers: { 'content-type': 'application/json' } });
  });
  bench.get(COUNTERS_PATH, (context) => context.json({ store: store.counters, keys: configuration.counters }));
  return createFetch(services, quota, bench);
}
