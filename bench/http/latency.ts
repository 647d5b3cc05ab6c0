/**
 * Latency at a fixed rate of arrivals, of several routes in turns: short slices of each in random order, so that
 * whatever the machine does meanwhile it does to all of them, and so that each route waits behind its own requests.
 * What is told is the difference of percentiles, with an interval by resampling.
 */

import { type Random, shuffle } from '../support/random.ts';
import { cyclic, type Stall, sendOnSchedule } from './open-loop.ts';

/** Short against what the machine does at times, long against an answer. */
const SLICE_MS = 50;
/** A turn has a slice of each route; neighbours in time resemble each other, so so many turns are resampled as one. */
const TURNS_A_BLOCK = 10;
const RESAMPLES = 400;
/** Of fewer no interval can be told. */
const MIN_BLOCKS = 8;
/** Of the interval. */
const CONFIDENCE = 0.95;
const CONNECTIONS = 64;

export const SHARES = [0.5, 0.99, 0.999] as const;

export interface TimedRoute {
  readonly name: string;
  readonly requests: readonly Buffer[];
}

export interface LatencyPlan {
  readonly requestsASecond: number;
  readonly seconds: number;
}

/** Milliseconds. NaN: nothing was measured, or too little for an interval. */
export interface Difference {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface RouteLatency {
  readonly name: string;
  readonly requests: number;
  /** At each of SHARES; and above the first route, for which there is none. */
  readonly quantiles: readonly number[];
  readonly above: readonly Difference[];
  /** Likewise, of the turns in which the load tool did not stand still. */
  readonly calmAbove: readonly Difference[];
}

export interface Latencies {
  readonly routes: readonly RouteLatency[];
  /** Turns in which the load tool stood still, or whose requests had to make up for that; 0 to 1. */
  readonly stalledShare: number;
  /** Milliseconds that the load tool was late, of 99 requests in 100 at most. It is part of the latencies. */
  readonly lateP99Ms: number;
}

/**
 * @param routes the first is what the others are compared with
 * @throws Error unless every request was answered with status 200
 */
export async function measureLatency(
  url: string,
  routes: readonly TimedRoute[],
  plan: LatencyPlan,
  random: Random,
): Promise<Latencies> {
  const { at, route } = drawSchedule(random, routes.length, plan);
  const sent = await sendOnSchedule(
    url,
    { at, request: (index) => cyclic((routes[route[index] as number] as TimedRoute).requests, index) },
    CONNECTIONS,
  );
  const turnMs = SLICE_MS * routes.length;
  const stalled = stalledTurns(sent.stalls, turnMs);
  const all = samplesOf(at, route, sent.latencyMs, routes.length);
  const calm = samplesOf(at, route, sent.latencyMs, routes.length, stalled);
  const aboveFirst = (samples: readonly Samples[], r: number) =>
    r === 0 ? [] : differences(samples[r] as Samples, samples[0] as Samples, random);
  return {
    routes: routes.map(({ name }, r) => ({
      name,
      requests: all[r]?.values.length ?? 0,
      quantiles: quantilesOf(all[r] as Samples),
      above: aboveFirst(all, r),
      calmAbove: aboveFirst(calm, r),
    })),
    stalledShare: stalled.size / Math.ceil(((at.at(-1) ?? 0) + 1) / turnMs),
    lateP99Ms: sent.lateMs.sort()[Math.ceil(0.99 * at.length) - 1] ?? Number.NaN,
  };
}

/** When each request is due, and of which route it is. */
interface Drawn {
  readonly at: Float64Array;
  readonly route: Uint8Array;
}

/** Arrivals as users come: independent of each other, so a Poisson stream. */
export function drawSchedule(random: Random, routes: number, { requestsASecond, seconds }: LatencyPlan): Drawn {
  const turns = Math.ceil((seconds * 1000) / (SLICE_MS * routes));
  const order = Array.from({ length: turns }, () => [
    ...shuffle(
      Uint32Array.from({ length: routes }, (_, r) => r),
      random,
    ),
  ]).flat();
  const at: number[] = [];
  const route: number[] = [];
  const endMs = turns * routes * SLICE_MS;
  for (
    let now = random.exponential(1000 / requestsASecond);
    now < endMs;
    now += random.exponential(1000 / requestsASecond)
  ) {
    at.push(now);
    route.push(order[Math.floor(now / SLICE_MS)] as number);
  }
  return { at: Float64Array.from(at), route: Uint8Array.from(route) };
}

/** Latencies of a route, ascending, each with the block that it is of. Two routes have the same blocks. */
export interface Samples {
  readonly values: Float64Array;
  readonly block: Uint32Array;
  readonly blocks: number;
}

/**
 * The turns that a stall of the load tool falls into, and what it leaves to make up for: all of a turn, so that no
 * route is favoured. Who stands still while it spins has lost its core, and of that no answer tells anything.
 */
export function stalledTurns(stalls: readonly Stall[], turnMs: number): ReadonlySet<number> {
  const turns = new Set<number>();
  for (const { from, to } of stalls) {
    const last = Math.floor((to + SLICE_MS) / turnMs);
    for (let turn = Math.floor(from / turnMs); turn <= last; turn++) turns.add(turn);
  }
  return turns;
}

function samplesOf(
  at: Float64Array,
  route: Uint8Array,
  latencyMs: Float64Array,
  routes: number,
  without: ReadonlySet<number> = new Set(),
): Samples[] {
  const turnMs = SLICE_MS * routes;
  const blockMs = turnMs * TURNS_A_BLOCK;
  const blocks = Math.floor((at.at(-1) ?? 0) / blockMs) + 1;
  const indexes = Array.from({ length: routes }, (): number[] => []);
  for (const [i, r] of route.entries()) {
    if (!without.has(Math.floor((at[i] as number) / turnMs))) indexes[r]?.push(i);
  }
  return indexes.map((own) =>
    sortedSamples(
      Float64Array.from(own, (i) => latencyMs[i] as number),
      Uint32Array.from(own, (i) => Math.floor((at[i] as number) / blockMs)),
      blocks,
    ),
  );
}

export function sortedSamples(values: Float64Array, block: Uint32Array, blocks: number): Samples {
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  return {
    values: Float64Array.from(order, (i) => values[i] as number),
    block: Uint32Array.from(order, (i) => block[i] as number),
    blocks,
  };
}

/** At each of SHARES, by nearest rank. @param times how often each block counts; NaN if nothing does */
function quantilesOf(
  { values, block, blocks }: Samples,
  times: Uint32Array = new Uint32Array(blocks).fill(1),
): number[] {
  let total = 0;
  for (const each of block) total += times[each] as number;
  const found = SHARES.map(() => Number.NaN);
  let at = -1;
  let below = 0;
  for (const [i, share] of SHARES.entries()) {
    const rank = Math.max(1, Math.ceil(share * total));
    while (below < rank && at + 1 < values.length) {
      at += 1;
      below += times[block[at] as number] as number;
    }
    if (total > 0) found[i] = values[at] as number;
  }
  return found;
}

/** Percentiles of one route above those of another, with an interval by drawing whole blocks again, of both alike. */
export function differences(own: Samples, other: Samples, random: Random): Difference[] {
  const difference = (times?: Uint32Array) => {
    const others = quantilesOf(other, times);
    return quantilesOf(own, times).map((value, i) => value - (others[i] as number));
  };
  const drawn = Array.from({ length: RESAMPLES }, () => {
    const times = new Uint32Array(own.blocks);
    for (let i = 0; i < own.blocks; i++) {
      const block = random.below(own.blocks);
      times[block] = (times[block] as number) + 1;
    }
    return difference(times);
  });
  const isEnough = own.blocks >= MIN_BLOCKS;
  const rankOf = (share: number) => Math.max(0, Math.ceil(share * RESAMPLES) - 1);
  return difference().map((value, i) => {
    const sorted = Float64Array.from(drawn, (each) => each[i] as number).sort();
    const bound = (share: number) => (isEnough ? (sorted[rankOf(share)] as number) : Number.NaN);
    return { value, low: bound((1 - CONFIDENCE) / 2), high: bound((1 + CONFIDENCE) / 2) };
  });
}
