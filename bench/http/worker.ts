/**
 * The Worker under load: the app as it is deployed, reading a folder in place of R2 and KV, with an empty route on the
 * same Hono app beside it. Bundled and served by workerd.ts.
 */
import { waitUntil } from 'cloudflare:workers';
import { createEdgeApp, createEdgeFetch } from '../../src/api/edge-app.ts';
import { RequestQuota } from '../../src/api/quota.ts';
import { createEdge } from '../../src/wiring/edge.ts';
import { createIsolate } from '../../src/wiring/isolate.ts';
import { COUNTERS_PATH, Disk, DiskObjectStore, DiskSliceStore, EMPTY_ANSWER, EMPTY_PATH } from './disk-stores.ts';

interface BenchEnv {
  /** The folder of the store, with `objects` and `slices`. */
  readonly STORE: Fetcher;
  /** A folder with keys and policy, so that the benchmark's are not put into a store that others read too. */
  readonly KEYS: Fetcher;
  readonly RINGFENCE_ADMIN_KEY: string;
}

/** Before the keys of what is set by hand (src/storage/keys.ts). */
const CONFIGURATION = 'config/';

let answer: ((request: Request) => Response | Promise<Response>) | undefined;

export default {
  fetch(request, env) {
    answer ??= createBenchFetch(env);
    return answer(request);
  },
} satisfies ExportedHandler<BenchEnv>;

/** There is none here: every request of the benchmark is the edge's. */
const NO_CONTROL = { fetch: () => new Response(null, { status: 404 }) };

/** Policies of the benchmark are stored compiled. */
const NO_COMPILER = () => Promise.reject(new Error('there is no compiler here'));

/** Built as src/edge.ts builds it, on other stores. */
function createBenchFetch(env: BenchEnv) {
  const store = new Disk(env.STORE);
  const configuration = new Disk(env.KEYS);
  const objects = new DiskObjectStore((key) => (key.startsWith(CONFIGURATION) ? configuration : store));
  const isolate = createIsolate({ objects, slices: new DiskSliceStore(store) }, env, waitUntil, NO_COMPILER);
  const { services, forward } = createEdge(isolate, NO_CONTROL, null);
  const quota = new RequestQuota(services);
  const bench = createEdgeApp(services, forward, quota);
  const empty = JSON.stringify(EMPTY_ANSWER);
  bench.on(['GET', 'POST'], EMPTY_PATH, () => {
    return new Response(empty, { headers: { 'content-type': 'application/json' } });
  });
  bench.get(COUNTERS_PATH, (context) => context.json({ store: store.counters, keys: configuration.counters }));
  return createEdgeFetch(services, forward, quota, bench);
}
