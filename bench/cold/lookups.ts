/** What is asked of a lookup service: mostly numbers of honest people, in the ranges that everybody has numbers in. */

import { lowerBound } from '../probe/sorted-array.ts';
import { RANGE_NUMBERS, usedRanges } from '../probe/workload.ts';
import { type Random, shuffle } from '../support/random.ts';

/** Two in a hundred sign-ups are with a listed number: a round figure, for want of a published one. */
const LISTED_PERCENT = 2;
const ZIPF_EXPONENT = 1;

export interface LookupMixes {
  /** Ranges of a million numbers by popularity, the r-th as popular as 1 / r. */
  readonly zipf: () => number;
  /** Every range as popular as any. */
  readonly uniform: () => number;
  /** As uniform, without any listed number. */
  readonly unlisted: () => number;
}

/** @param runs the numbers of each run, ascending, the base last */
export function lookupMixes(runs: readonly Float64Array[], random: Random): LookupMixes {
  const base = runs.at(-1) ?? new Float64Array();
  const ranges = shuffle(usedRanges(base), random);
  const cumulative = new Float64Array(ranges.length);
  let total = 0;
  for (let r = 0; r < ranges.length; r++) {
    total += 1 / (r + 1) ** ZIPF_EXPONENT;
    cumulative[r] = total;
  }
  const popular = () => ranges[lowerBound(cumulative, (random.below(2 ** 30) / 2 ** 30) * total)] as number;
  const any = () => random.pick(ranges);
  const isListed = (number: number) => runs.some((numbers) => has(numbers, number));
  const unlistedIn = (range: () => number) => {
    for (;;) {
      const number = range() + random.below(RANGE_NUMBERS);
      if (!isListed(number)) return number;
    }
  };
  const mixed = (range: () => number) => () =>
    random.below(100) < LISTED_PERCENT ? random.pick(base) : unlistedIn(range);
  return { zipf: mixed(popular), uniform: mixed(any), unlisted: () => unlistedIn(any) };
}

/** Those of the numbers that are in another ascending list too. */
export function numbersIn(numbers: Float64Array, others: Float64Array): number[] {
  return Array.from(numbers).filter((number) => has(others, number));
}

function has(numbers: Float64Array, number: number): boolean {
  return numbers[lowerBound(numbers, number)] === number;
}
