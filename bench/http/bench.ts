/**
 * The lookup route against an empty route of the same Worker, on bare workerd, over keep-alive connections: requests a
 * second at saturation, and apart from that latency at fixed rates of arrival. Most of what an answer costs is spent by
 * workerd on any request, so what counts is the difference.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askJson } from '../../scripts/command/ask.ts';
import type { Benchmark, BenchOptions, BenchResult, BenchSize } from '../report.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';
import { Random } from '../support/random.ts';
import type { Workerd } from '../support/workerd.ts';
import { type AtRate, type Measures, regressionBars, speedBars, table } from './bars.ts';
import { makersOf, OWN, type StartedContender, startContender, storeOf } from './contender.ts';
import { COUNTERS_PATH, type Counters } from './disk-stores.ts';
import { measureLatency } from './latency.ts';
import { requireLoadTool } from './load.ts';
import { openStoredNumbers, sampleNumbers } from './numbers.ts';
import { flood } from './open-loop.ts';
import { ANYWHERE, BATCH, checkAnswers, GET_EMPTY, GET_LISTED, GET_UNLISTED } from './routes.ts';
import {
  byCount,
  byTime,
  type Contender,
  findRoute,
  type Loading,
  measureSaturation,
  type RouteMeasure,
} from './saturation.ts';

const CONNECTIONS = 16;
/** A pass over all routes takes a few seconds; more passes than this do not warm anything. */
const WARM_PASSES = 10;
const SEED = 20_250_516;

interface Plan {
  /** Different numbers of each kind that are asked for. */
  readonly sampleNumbers: number;
  readonly rounds: number;
  readonly loading: (connections: number) => Loading;
  /** Whether one connection is measured too. */
  readonly isAlone: boolean;
  /** Latency is measured at these shares of saturation, or at a rate that is given. */
  readonly rates: { readonly shares: readonly number[] } | { readonly requestsASecond: number };
  readonly latencySeconds: number;
}

const PLANS: Readonly<Record<BenchSize, Plan>> = {
  full: {
    sampleNumbers: 20_000,
    rounds: 9,
    loading: (connections) => byTime(2, connections),
    isAlone: true,
    rates: { shares: [0.25, 0.5, 0.75] },
    latencySeconds: 45,
  },
  small: {
    sampleNumbers: 2_000,
    rounds: 7,
    loading: (connections) => byCount(2_000, connections),
    isAlone: false,
    // Nothing is held to it: that every request due was answered is what counts.
    rates: { requestsASecond: 500 },
    latencySeconds: 1,
  },
};

/** The compared routes of latency, the empty one first. */
const TIMED = [GET_EMPTY, GET_UNLISTED, GET_LISTED];

export const run: Benchmark = async (size, options) => {
  if (size === 'full') requireLoadTool();
  const scratch = mkdtempSync(join(tmpdir(), 'ringfence-http-'));
  try {
    return await benchmark(size, options, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

/** @param scratch an empty folder of our own */
async function benchmark(size: BenchSize, { before }: BenchOptions, scratch: string): Promise<BenchResult> {
  const plan = PLANS[size];
  const others = before === null ? null : await makersOf(before);
  const store = await storeOf(OWN, size, scratch);
  const stored = await openStoredNumbers(new DirectoryObjectStore(join(store, 'objects')));
  const sample = sampleNumbers(stored, new Random(SEED), plan.sampleNumbers);
  const started: StartedContender[] = [];
  const start = async (makers: typeof OWN, from: string, folder: string) => {
    const contender = await startContender(makers, from, sample, folder);
    started.push(contender);
    return contender;
  };
  try {
    const own = await start(OWN, store, join(scratch, 'own'));
    const { url } = own.workerd;
    const rightAnswers =
      (await checkAnswers(url, own.keys.builtIn, sample, stored)) +
      (await checkAnswers(url, own.keys.tenRules, sample, stored));
    let other: StartedContender | null = null;
    if (others !== null) {
      const folder = join(scratch, 'before');
      other = await start(others, await storeOf(others, size, folder), folder);
    }
    const measures = await measureAll(own, other, plan);
    const all = { ...measures, rightAnswers };
    if (size === 'full' && other === null) {
      console.error('not held to the commit before: give its checkout with --before FOLDER');
    }
    return { name: 'http', rows: table(all), bars: size === 'full' ? speedBars(all) : regressionBars(all) };
  } finally {
    for (const { workerd } of started) await workerd.stop();
  }
}

async function measureAll(
  own: Contender,
  before: Contender | null,
  plan: Plan,
): Promise<Omit<Measures, 'rightAnswers'>> {
  const isWarm = ({ name }: { readonly name: string }) => !name.endsWith(ANYWHERE);
  const warm = only(own, isWarm);
  const warmBefore = before === null ? null : only(before, isWarm);
  await warmUp(warm);
  if (warmBefore !== null) await warmUp(warmBefore);
  const readsBefore = storageReads(await countersOf(own.workerd));
  const saturated = await measureSaturation(warm, warmBefore, plan.rounds, plan.loading(CONNECTIONS));
  const lone = only(warm, ({ name }) => name !== BATCH);
  const alone = plan.isAlone ? await measureSaturation(lone, null, plan.rounds, plan.loading(1)) : null;
  const atRates = await measureRates(warm, saturated, plan);
  const warmReads = storageReads(await countersOf(own.workerd)) - readsBefore;
  return { saturated, alone, atRates, warmReads, reading: await measureReading(own, plan), connections: CONNECTIONS };
}

function only({ workerd, routes }: Contender, isWanted: (route: { readonly name: string }) => boolean): Contender {
  return { workerd, routes: routes.filter(isWanted) };
}

async function measureRates({ workerd, routes }: Contender, saturated: readonly RouteMeasure[], plan: Plan) {
  const timed = TIMED.map((name) => {
    const route = routes.find((each) => each.name === name);
    if (route === undefined) throw new Error(`there is no route ${name}`);
    return { name, requests: route.bytes };
  });
  // As fast as the slowest of them can be answered.
  const saturation = Math.min(...TIMED.map((name) => findRoute(saturated, name).requestsASecond));
  const rates =
    'shares' in plan.rates
      ? plan.rates.shares.map((share) => ({ share, requestsASecond: saturation * share }))
      : [{ share: null, ...plan.rates }];
  const measured: AtRate[] = [];
  for (const { share, requestsASecond } of rates) {
    const latencyPlan = { requestsASecond, seconds: plan.latencySeconds };
    const latencies = await measureLatency(workerd.url, timed, latencyPlan, new Random(SEED).stream(`${share}`));
    measured.push({ ...latencies, share, requestsASecond });
  }
  return measured;
}

/**
 * The lookups whose verdicts do not all fit into memory, if there are any; beside their empty route, not within bars.
 */
async function measureReading(own: Contender, plan: Plan) {
  const reading = only(own, ({ name }) => name.endsWith(ANYWHERE) || name === GET_EMPTY);
  if (reading.routes.length === 1) return [];
  const measures = await measureSaturation(reading, null, 1, plan.loading(CONNECTIONS));
  return measures.filter(({ route }) => route.name !== GET_EMPTY);
}

/** Every request of every route, until a pass has read nothing more and the code is compiled. */
async function warmUp({ workerd, routes }: Contender): Promise<void> {
  let reads = -1;
  for (let pass = 0; pass < WARM_PASSES; pass++) {
    for (const { bytes } of routes) await flood(workerd.url, bytes, bytes.length, CONNECTIONS);
    const now = storageReads(await countersOf(workerd));
    if (now === reads) return;
    reads = now;
  }
  throw new Error(`lookups still read from storage after ${WARM_PASSES} passes`);
}

function countersOf({ url }: Workerd): Promise<Counters> {
  return askJson(url + COUNTERS_PATH);
}

/** Reads that a warm lookup must not make: all but the looks at whether the manifest or the keys have changed. */
export function storageReads({ store, keys }: Counters): number {
  return store.sliceReads + store.objectReads + keys.objectReads;
}
