/** The probes: numbers in random order, and for each whether it is listed. */
import { lowerBound } from '../../src/lib/sorted.ts';
import { Random } from '../support/random.ts';

export const WORKLOADS = ['hits', 'misses', 'near misses', 'mix'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

export interface Workload {
  readonly probes: Float64Array;
  /** 1 where the probe is listed, otherwise 0. */
  readonly expected: Uint8Array;
}

/** A range of a million numbers with one listed number in it is one that its country really uses. */
export const RANGE_NUMBERS = 1_000_000;
const NEAR = 50;
const SEED = 20_870_000;

/** Where the ranges begin that have a listed number; `numbers` ascending. */
export function usedRanges(numbers: Float64Array): Float64Array {
  const starts: number[] = [];
  for (let at = 0; at < numbers.length; ) {
    const number = numbers[at] as number;
    const start = number - (number % RANGE_NUMBERS);
    starts.push(start);
    at = lowerBound(numbers, start + RANGE_NUMBERS);
  }
  return Float64Array.from(starts);
}

/**
 * hits: listed numbers, each as likely. misses: uniform over the used ranges, so that a miss has a real country and
 * prefix and is not decided in the first step. near misses: up to 50 beside a listed number. mix: half hits, half misses.
 */
export function makeWorkloads(numbers: Float64Array, count: number): Record<WorkloadName, Workload> {
  const random = new Random(SEED);
  const ranges = usedRanges(numbers);
  const isListed = (number: number) => numbers[lowerBound(numbers, number)] === number;
  const listed = () => random.pick(numbers);
  const unlisted = (draw: () => number) => () => {
    for (;;) {
      const number = draw();
      if (!isListed(number)) return number;
    }
  };
  const miss = unlisted(() => random.pick(ranges) + random.below(RANGE_NUMBERS));
  const near = unlisted(() => listed() + (1 + random.below(NEAR)) * (random.below(2) === 0 ? 1 : -1));
  const fill = (draw: () => number): Workload => {
    const probes = Float64Array.from({ length: count }, draw);
    return { probes, expected: Uint8Array.from(probes, (number) => (isListed(number) ? 1 : 0)) };
  };
  return {
    hits: fill(listed),
    misses: fill(miss),
    'near misses': fill(near),
    mix: fill(() => (random.below(2) === 0 ? listed() : miss())),
  };
}
