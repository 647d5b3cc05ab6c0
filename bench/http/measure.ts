/**
 * Measures routes in turns (A B C, A B C, ...), so that a machine that slows down or speeds up does so for all of them,
 * and compares each with its empty route within a round. What is told of the rounds is their median; of CPU time it is
 * the least, since whatever else the machine does can only add to it.
 */
import { type LoadResult, runLoad } from './load.ts';
import type { MeasuredRoute } from './routes.ts';
import type { Workerd } from './workerd.ts';

export interface PreparedRoute extends MeasuredRoute {
  /** The file of its requests. */
  readonly prepared: string;
}

export interface Plan {
  readonly rounds: number;
  /** Whole seconds of each route in each round. */
  readonly seconds: number;
  readonly connections: number;
}

export interface RouteMeasure {
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

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
