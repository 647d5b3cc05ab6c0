/**
 * Requests a second at saturation. Routes take turns (A B C, C B A, A B C, ...), so that a machine that slows down or
 * speeds up does so for all of them, and each is compared with its empty route within a round. What is told of the
 * rounds is their median; of CPU time it is the least, since whatever else the machine does can only add to it.
 */

import { median } from '../report.ts';
import type { Workerd } from '../support/workerd.ts';
import { runLoad } from './load.ts';
import { flood } from './open-loop.ts';
import type { MeasuredRoute } from './routes.ts';

/** A route as one Worker is asked for it. */
export interface PreparedRoute extends MeasuredRoute {
  /** The file of its requests, for wrk. */
  readonly prepared: string;
  /** The same requests. */
  readonly bytes: readonly Buffer[];
}

/** A Worker with its routes. */
export interface Contender {
  readonly workerd: Workerd;
  readonly routes: readonly PreparedRoute[];
}

/** Loads the Worker with one route. */
export type Loading = (workerd: Workerd, route: PreparedRoute) => Promise<{ requests: number; seconds: number }>;

/** By wrk: so many seconds, whole ones. */
export function byTime(seconds: number, connections: number): Loading {
  return ({ url }, { prepared }) => runLoad(url, prepared, { seconds, connections });
}

/** So many numbers, and a request at least, by the loop of open-loop.ts. */
export function byCount(numbers: number, connections: number): Loading {
  return async ({ url }, { bytes, numbersARequest }) => {
    const requests = Math.max(connections, Math.ceil(numbers / numbersARequest));
    const begin = performance.now();
    await flood(url, bytes, requests, connections);
    return { requests, seconds: (performance.now() - begin) / 1000 };
  };
}

export interface RouteMeasure {
  readonly route: MeasuredRoute;
  readonly requestsASecond: number;
  /** Of workerd, all threads: what the load tool costs and how fast it is does not show in it. */
  readonly cpuMicros: number;
  /** Compared with the empty route, as an empty route is with itself. */
  readonly rateRatio: number;
  readonly cpuRatio: number;
  /** Requests a second to those of the other Worker; NaN: there is none. */
  readonly beforeRatio: number;
}

interface Round {
  readonly rate: number;
  readonly cpuMicros: number;
}

/** @param before another Worker with the same routes, measured in turns with the first */
export async function measureSaturation(
  own: Contender,
  before: Contender | null,
  rounds: number,
  loading: Loading,
): Promise<readonly RouteMeasure[]> {
  const ownRounds = own.routes.map((): Round[] => []);
  const beforeRounds = own.routes.map((): Round[] => []);
  const sides = [
    { contender: own, into: ownRounds },
    ...(before === null ? [] : [{ contender: before, into: beforeRounds }]),
  ];
  const order = own.routes.map((_, i) => i);
  for (let round = 0; round < rounds; round++) {
    // Every other round runs backwards: none is always measured after the same one.
    const isBackwards = round % 2 === 1;
    for (const i of isBackwards ? order.toReversed() : order) {
      for (const { contender, into } of isBackwards ? sides.toReversed() : sides) {
        const route = contender.routes[i];
        if (route === undefined) throw new Error('both Workers are to have the same routes');
        into[i]?.push(await oneRound(contender.workerd, route, loading));
      }
    }
  }
  return own.routes.map((route, i) => {
    const empty = ownRounds[own.routes.findIndex(({ name }) => name === route.against)] ?? [];
    return compared(route, ownRounds[i] ?? [], empty, beforeRounds[i] ?? []);
  });
}

async function oneRound(workerd: Workerd, route: PreparedRoute, loading: Loading): Promise<Round> {
  const before = workerd.cpuSeconds();
  const { requests, seconds } = await loading(workerd, route);
  return { rate: requests / seconds, cpuMicros: ((workerd.cpuSeconds() - before) * 1e6) / requests };
}

function compared(
  route: MeasuredRoute,
  own: readonly Round[],
  empty: readonly Round[],
  before: readonly Round[],
): RouteMeasure {
  const rateTo = (others: readonly Round[]) => median(own.map(({ rate }, i) => rate / (others[i]?.rate ?? Number.NaN)));
  return {
    route,
    requestsASecond: median(own.map(({ rate }) => rate)),
    cpuMicros: leastCpu(own),
    rateRatio: rateTo(empty),
    cpuRatio: leastCpu(own) / leastCpu(empty),
    beforeRatio: before.length === 0 ? Number.NaN : rateTo(before),
  };
}

function leastCpu(rounds: readonly Round[]): number {
  return Math.min(...rounds.map(({ cpuMicros }) => cpuMicros));
}

export function findRoute(measures: readonly RouteMeasure[], name: string): RouteMeasure {
  const found = measures.find(({ route }) => route.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}
