/**
 * The lookup route against an empty route of the same Worker, on bare workerd, with wrk over keep-alive connections.
 * Most of what an answer costs is spent by workerd on any request, so what counts is the difference.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark, BenchResult, BenchSize } from '../report.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';
import { ensureInventory } from '../support/inventory.ts';
import { Random } from '../support/random.ts';
import { checkAnswers } from './check.ts';
import { createClients } from './clients.ts';
import { LoadToolMissing, prepareLoad, requireLoadTool } from './load.ts';
import { measure, type Plan, type PreparedRoute } from './measure.ts';
import { COUNTERS_PATH, type Counters } from './paths.ts';
import { ANYWHERE, GET_EMPTY, measuredRoutes } from './routes.ts';
import { sampleNumbers } from './sample.ts';
import { buildSmallStore } from './small-store.ts';
import { openStoredNumbers } from './stored-numbers.ts';
import { bars, storageReads, table } from './table.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

const SATURATED_CONNECTIONS = 16;
/** One request at a time: two connections keep both cores busy, and then the percentiles are those of the scheduler. */
const MODERATE_CONNECTIONS = 1;
/** Different numbers of each kind that are asked for. */
const SAMPLE_NUMBERS = 20_000;
const SEED = 20_250_516;
/** A pass over all routes takes a few seconds; more passes than this do not warm anything. */
const WARM_PASSES = 10;

interface Plans {
  readonly saturated: Plan;
  readonly moderate: Plan;
}

const PLANS: Readonly<Record<BenchSize, Plans>> = {
  full: plans({ rounds: 7, seconds: 2 }, { rounds: 7, seconds: 2 }),
  small: plans({ rounds: 3, seconds: 1 }, { rounds: 1, seconds: 1 }),
};

function plans(saturated: Omit<Plan, 'connections'>, moderate: Omit<Plan, 'connections'>): Plans {
  return {
    saturated: { ...saturated, connections: SATURATED_CONNECTIONS },
    moderate: { ...moderate, connections: MODERATE_CONNECTIONS },
  };
}

export const run: Benchmark = async (size) => {
  try {
    requireLoadTool();
  } catch (error) {
    if (!(error instanceof LoadToolMissing)) throw error;
    // Nothing was measured: neither a bar met nor one missed.
    console.error(error.message);
    process.exit(2);
  }
  const scratch = mkdtempSync(join(tmpdir(), 'ringfence-http-'));
  try {
    return await benchmark(await storeOf(size, scratch), size, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

async function storeOf(size: BenchSize, scratch: string): Promise<string> {
  if (size === 'full') return (await ensureInventory('full')).folder;
  const store = join(scratch, 'store');
  await buildSmallStore(store);
  return store;
}

/**
 * @param store a folder that bench/support/directory-store.ts wrote, with `objects` and `slices`; it is only read
 * @param scratch an empty folder of our own
 */
export async function benchmark(store: string, size: BenchSize, scratch: string): Promise<BenchResult> {
  const stored = await openStoredNumbers(new DirectoryObjectStore(join(store, 'objects')));
  const random = new Random(SEED);
  const sample = sampleNumbers(stored, random, SAMPLE_NUMBERS);
  const keys = join(scratch, 'keys');
  const clients = await createClients(keys);
  const adminKey = `unused-${crypto.randomUUID()}`;
  const workerd = await startWorkerd({ store, keys, adminKey, scratch });
  try {
    const { host } = new URL(workerd.url);
    const routes = measuredRoutes(sample, random, clients).map((route, i) => ({
      ...route,
      prepared: prepareLoad(join(scratch, `requests-${i}`), host, route.requests),
    }));
    const rightAnswers =
      (await checkAnswers(workerd.url, clients.builtIn, sample, stored)) +
      (await checkAnswers(workerd.url, clients.tenRules, sample, stored));
    const { saturated, moderate } = PLANS[size];
    const warm = routes.filter(({ name }) => !name.endsWith(ANYWHERE));
    await warmUp(workerd, warm);
    const before = storageReads(await countersOf(workerd));
    const measures = {
      saturated: await measure(workerd, warm, saturated),
      moderate: await measure(workerd, warm, moderate),
      warmReads: storageReads(await countersOf(workerd)) - before,
      rightAnswers,
    };
    const reading = await measureReading(workerd, routes, saturated);
    return { name: 'http', rows: table({ ...measures, reading }), bars: bars(measures, size) };
  } finally {
    await workerd.stop();
  }
}

/** The lookups whose verdicts do not all fit into memory, if there are any; beside their empty route, not within bars. */
async function measureReading(workerd: Workerd, routes: readonly PreparedRoute[], plan: Plan) {
  const reading = routes.filter(({ name }) => name.endsWith(ANYWHERE));
  if (reading.length === 0) return [];
  const compared = [...routes.filter(({ name }) => name === GET_EMPTY), ...reading];
  const measures = await measure(workerd, compared, { ...plan, rounds: 1 });
  return measures.filter(({ route }) => route.name !== GET_EMPTY);
}

/** Until a pass over all routes has read nothing more, and the code is compiled. */
async function warmUp(workerd: Workerd, routes: readonly PreparedRoute[]): Promise<void> {
  let reads = -1;
  for (let pass = 0; pass < WARM_PASSES; pass++) {
    await measure(workerd, routes, { rounds: 1, seconds: 1, connections: SATURATED_CONNECTIONS });
    const now = storageReads(await countersOf(workerd));
    if (now === reads) return;
    reads = now;
  }
  throw new Error(`lookups still read from storage after ${WARM_PASSES} passes`);
}

async function countersOf({ url }: Workerd): Promise<Counters> {
  const response = await fetch(url + COUNTERS_PATH);
  return (await response.json()) as Counters;
}
