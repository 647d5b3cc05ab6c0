/**
 * The lookup route against an empty route of the same Worker, on bare workerd, with wrk over keep-alive connections.
 * Most of what an answer costs is spent by workerd on any request, so what counts is the difference.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askJson } from '../../scripts/command/ask.ts';
import {
  atLeast,
  atMost,
  type Bar,
  type Benchmark,
  type BenchResult,
  type BenchSize,
  median,
  type Row,
  round,
} from '../report.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';
import { ensureInventory } from '../support/inventory.ts';
import { Random } from '../support/random.ts';
import type { Workerd } from '../support/workerd.ts';
import { COUNTERS_PATH, type Counters } from './disk-stores.ts';
import { type LoadResult, prepareLoad, requireLoadTool, runLoad } from './load.ts';
import { buildSmallStore, openStoredNumbers, sampleNumbers } from './numbers.ts';
import {
  ANYWHERE,
  BATCH,
  checkAnswers,
  createClients,
  GET_EMPTY,
  GET_LISTED,
  GET_LISTED_RULES,
  GET_UNLISTED,
  GET_UNLISTED_RULES,
  type MeasuredRoute,
  measuredRoutes,
  POST_LISTED,
  POST_UNLISTED,
} from './routes.ts';
import { startBenchWorker } from './workerd.ts';

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
  requireLoadTool();
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
async function benchmark(store: string, size: BenchSize, scratch: string): Promise<BenchResult> {
  const stored = await openStoredNumbers(new DirectoryObjectStore(join(store, 'objects')));
  const random = new Random(SEED);
  const sample = sampleNumbers(stored, random, SAMPLE_NUMBERS);
  const keys = join(scratch, 'keys');
  const clients = await createClients(keys);
  const adminKey = `unused-${crypto.randomUUID()}`;
  const workerd = await startBenchWorker({ store, keys, adminKey, scratch });
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

/**
 * The lookups whose verdicts do not all fit into memory, if there are any; beside their empty route, not within bars.
 */
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

function countersOf({ url }: Workerd): Promise<Counters> {
  return askJson(url + COUNTERS_PATH);
}

// The table of the benchmark and the bars it is held to.

/** The bar: this share of the empty route's requests a second. */
const REQUESTS_RATIO = 0.9;
const P99_ABOVE_MS = 1;
const BATCH_NUMBERS_A_SECOND = 150_000;

/**
 * For CI, where the load tool and the Worker share two cores with who knows what: CPU time alone, as a ratio, and a
 * third above what is usual, so that a regression shows and a busy machine does not.
 */
const CI_CPU_RATIO: Readonly<Record<string, number>> = {
  [GET_UNLISTED]: 1.8,
  [GET_LISTED]: 2.1,
  [GET_UNLISTED_RULES]: 1.8,
  [GET_LISTED_RULES]: 2.1,
  [POST_UNLISTED]: 2.4,
  [POST_LISTED]: 2.6,
};
/** CPU of one number of a batch in CPU of the empty route. */
const CI_BATCH_CPU_RATIO = 0.12;

/** Both ways of loading the routes, and what was counted meanwhile. */
interface Measures {
  /** As many requests as the Worker can answer: latency is then mostly the time in its queue. */
  readonly saturated: readonly RouteMeasure[];
  /** Few connections, whose latency is that of an answer. */
  readonly moderate: readonly RouteMeasure[];
  /** Storage reads of lookups whose columns were in memory, of any kind but for the manifest's freshness. */
  readonly warmReads: number;
  readonly rightAnswers: number;
}

function table({ saturated, moderate, reading }: Measures & { readonly reading: readonly RouteMeasure[] }) {
  return [...saturated, ...moderate, ...reading].map(rowOf);
}

function rowOf(measure: RouteMeasure): Row {
  return {
    route: measure.route.name,
    connections: measure.connections,
    'requests/s': round(measure.requestsASecond),
    'numbers/s': round(measure.requestsASecond * measure.route.numbersARequest),
    'p50 ms': round(measure.p50Ms),
    'p99 ms': round(measure.p99Ms),
    'p99.9 ms': round(measure.p999Ms),
    'CPU us a request': round(measure.cpuMicros),
    'requests/s to empty': round(measure.rateRatio),
    'CPU to empty': round(measure.cpuRatio),
    'p99 above empty ms': round(measure.p99AboveMs),
  };
}

export function bars(measures: Measures, size: BenchSize): readonly Bar[] {
  const { warmReads, rightAnswers } = measures;
  return [
    ...(size === 'full' ? speedBars(measures) : regressionBars(measures)),
    atMost('storage reads of warm lookups, snapshot refreshes apart', warmReads, 0),
    atLeast('right answers among those compared', rightAnswers, 1200),
  ];
}

function speedBars({ saturated, moderate }: Measures): readonly Bar[] {
  const batch = find(saturated, BATCH);
  return [
    ...[GET_UNLISTED, GET_LISTED, GET_UNLISTED_RULES, GET_LISTED_RULES].map((name) => {
      return atLeast(`${name}: requests/s to the empty route`, round(find(saturated, name).rateRatio), REQUESTS_RATIO);
    }),
    ...[GET_UNLISTED, GET_LISTED].map((name) => {
      return atMost(`${name}: p99 above the empty route, ms`, round(find(moderate, name).p99AboveMs), P99_ABOVE_MS);
    }),
    atLeast(`${BATCH}: numbers/s`, round(batch.requestsASecond * batch.route.numbersARequest), BATCH_NUMBERS_A_SECOND),
  ];
}

function regressionBars({ saturated }: Measures): readonly Bar[] {
  const batch = find(saturated, BATCH);
  return [
    ...Object.entries(CI_CPU_RATIO).map(([name, limit]) => {
      return atMost(`${name}: CPU to the empty route`, round(find(saturated, name).cpuRatio), limit);
    }),
    atMost(
      `${BATCH}: CPU of a number to the empty route`,
      round(batch.cpuRatio / batch.route.numbersARequest),
      CI_BATCH_CPU_RATIO,
    ),
  ];
}

function find(measures: readonly RouteMeasure[], name: string): RouteMeasure {
  const found = measures.find(({ route }) => route.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

/** Reads that a warm lookup must not make: all but the looks at whether the manifest or the keys have changed. */
export function storageReads({ store, keys }: Counters): number {
  return store.sliceReads + store.objectReads + keys.objectReads;
}

// Measures routes in turns (A B C, A B C, ...), so that a machine that slows down or speeds up does so for all of them,
// and compares each with its empty route within a round. What is told of the rounds is their median; of CPU time it is
// the least, since whatever else the machine does can only add to it.

interface PreparedRoute extends MeasuredRoute {
  /** The file of its requests. */
  readonly prepared: string;
}

interface Plan {
  readonly rounds: number;
  /** Whole seconds of each route in each round. */
  readonly seconds: number;
  readonly connections: number;
}

interface RouteMeasure {
  readonly route: MeasuredRoute;
  readonly connections: number;
  readonly requestsASecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Of workerd, all threads: what the load tool costs and how fast it is does not show in it. */
  readonly cpuMicros: number;
  /** Compared with the empty route, as an empty route is with itself. */
  readonly rateRatio: number;
  readonly cpuRatio: number;
  readonly p99AboveMs: number;
}

interface Round extends LoadResult {
  readonly rate: number;
  readonly cpuMicros: number;
}

export async function measure(
  workerd: Workerd,
  routes: readonly PreparedRoute[],
  plan: Plan,
): Promise<readonly RouteMeasure[]> {
  const rounds = new Map<string, Round[]>(routes.map(({ name }) => [name, []]));
  for (let i = 0; i < plan.rounds; i++) {
    // Every other round runs backwards: none is always measured after the same one.
    for (const route of i % 2 === 0 ? routes : routes.toReversed()) {
      rounds.get(route.name)?.push(await oneRound(workerd, route, plan));
    }
  }
  return routes.map((route) => compared(route, plan.connections, rounds));
}

async function oneRound(workerd: Workerd, { prepared }: PreparedRoute, plan: Plan): Promise<Round> {
  const before = workerd.cpuSeconds();
  const result = await runLoad(workerd.url, prepared, plan);
  const cpuMicros = ((workerd.cpuSeconds() - before) * 1e6) / result.requests;
  return { ...result, rate: result.requests / result.seconds, cpuMicros };
}

function compared(
  route: MeasuredRoute,
  connections: number,
  rounds: ReadonlyMap<string, readonly Round[]>,
): RouteMeasure {
  const own = rounds.get(route.name) ?? [];
  const empty = rounds.get(route.against) ?? [];
  const each = (of: (round: Round, emptyRound: Round) => number) =>
    median(own.map((round, i) => of(round, empty[i] ?? round)));
  return {
    route,
    connections,
    requestsASecond: each(({ rate }) => rate),
    p50Ms: each(({ p50Ms }) => p50Ms),
    p99Ms: each(({ p99Ms }) => p99Ms),
    p999Ms: each(({ p999Ms }) => p999Ms),
    cpuMicros: leastCpu(own),
    rateRatio: each((round, emptyRound) => round.rate / emptyRound.rate),
    cpuRatio: leastCpu(own) / leastCpu(empty),
    p99AboveMs: each((round, emptyRound) => round.p99Ms - emptyRound.p99Ms),
  };
}

function leastCpu(rounds: readonly Round[]): number {
  return Math.min(...rounds.map(({ cpuMicros }) => cpuMicros));
}
