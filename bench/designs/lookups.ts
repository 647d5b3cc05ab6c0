/** The lookups of sign-ups: most of them of numbers that nobody has listed. */

import { LISTED_SHARE } from '../simulate/assumptions.ts';
import { Random } from '../support/random.ts';
import { has, RANGE_NUMBERS, unlisted, usedRanges } from '../support/ranges.ts';

export const MIXES = ['uniform', 'Zipf'] as const;
type Mix = (typeof MIXES)[number];

/** People and bots who come back: as many as so, the r-th of them with a chance in proportion to 1 / r. */
const POPULATION = 100_000;
const SEED = 2;

export interface Lookups {
  /** What an isolate is asked first, and what it is asked then. */
  readonly opening: readonly number[];
  readonly following: readonly number[];
}

/** @param numbers listed ones, ascending */
export function makeLookups(numbers: Float64Array, mix: Mix, count: number): Lookups {
  const random = new Random(SEED);
  const ranges = usedRanges(numbers);
  const draw = (): number => {
    if (random.below(1_000_000) < LISTED_SHARE * 1_000_000) return random.pick(numbers);
    return unlisted(
      () => random.pick(ranges) + random.below(RANGE_NUMBERS),
      (number) => has(numbers, number),
    );
  };
  const population = mix === 'Zipf' ? Float64Array.from({ length: POPULATION }, draw) : null;
  // The logarithm of a rank with a chance of 1 / r is uniform.
  const rank = () => Math.floor(POPULATION ** (random.below(2 ** 31) / 2 ** 31)) - 1;
  const look = () => (population === null ? draw() : (population[rank()] as number));
  return { opening: Array.from({ length: count }, look), following: Array.from({ length: count }, look) };
}
