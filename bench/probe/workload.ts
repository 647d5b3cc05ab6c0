/** The probes: numbers in random order, and for each whether it is listed. */
import { Random } from '../support/random.ts';
import { has, RANGE_NUMBERS, unlisted, usedRanges } from '../support/ranges.ts';

export const WORKLOADS = ['hits', 'misses', 'near misses', 'mix'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

export interface Workload {
  readonly probes: Float64Array;
  /** 1 where the probe is listed, otherwise 0. */
  readonly expected: Uint8Array;
}

const NEAR = 50;
const SEED = 20_870_000;

/**
 * hits: listed numbers, each as likely. misses: uniform over the used ranges, so that a miss has a real country and
 * prefix and is not decided in the first step. near misses: up to 50 beside a listed number. mix: half hits, half
 * misses.
 */
export function makeWorkloads(numbers: Float64Array, count: number): Record<WorkloadName, Workload> {
  const random = new Random(SEED);
  const ranges = usedRanges(numbers);
  const isListed = (number: number) => has(numbers, number);
  const listed = () => random.pick(numbers);
  const miss = () => unlisted(() => random.pick(ranges) + random.below(RANGE_NUMBERS), isListed);
  const near = () => unlisted(() => listed() + (1 + random.below(NEAR)) * (random.below(2) === 0 ? 1 : -1), isListed);
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
