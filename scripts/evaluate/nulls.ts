/**
 * Numbers to compare with: what a lookup of a number that means nothing would see, on the same day as a first-time one.
 * (a) anywhere in the same million; (b) anywhere in the mobile ranges of its country. Neither is listed by then.
 */

import type { Random } from '../../bench/support/random.ts';
import { parseNumber } from '../../src/number/parse.ts';
import { readInternational } from '../../src/number/plan.ts';
import { BLOCK_NUMBERS, type CountryRanges, mobileRanges } from '../synthesize/ranges.ts';
import type { KnownNumbers } from './known.ts';

export const NULL_KINDS = ['million', 'country'] as const;
export type NullKind = (typeof NULL_KINDS)[number];

const MILLION = 1_000_000;
/** A range that is nearly all listed, or whose prefix holds few valid numbers, is given up after so many draws. */
const MAX_DRAWS = 100;

let byCountry: ReadonlyMap<string, CountryRanges> | undefined;

/** Found when first asked for, since that takes half a second. */
function rangesByCountry(): ReadonlyMap<string, CountryRanges> {
  byCountry ??= new Map(mobileRanges().map((ranges) => [ranges.country, ranges]));
  return byCountry;
}

export class Nulls {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From `n - n % 10^6` on, 10^6 numbers; null if all that were drawn are known. */
  inMillion(number: number, known: KnownNumbers): number | null {
    const start = number - (number % MILLION);
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const drawn = start + this.#random.below(MILLION);
      if (!known.has(drawn)) return drawn;
    }
    return null;
  }

  /** Whether a country has mobile ranges to draw from; not all number plans are a country's. */
  hasCountry(country: string | null): boolean {
    return country !== null && rangesByCountry().has(country);
  }

  /** A valid mobile (or fixed line or mobile) number of the country; null if none was drawn that is not known. */
  inCountry(country: string | null, known: KnownNumbers): number | null {
    const ranges = country === null ? undefined : rangesByCountry().get(country);
    if (ranges === undefined) return null;
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const block = this.#random.below(ranges.blocks);
      const drawn = ranges.firstNumber(block) + this.#random.below(BLOCK_NUMBERS);
      if (!known.has(drawn) && isMobileOf(ranges.country, drawn)) return drawn;
    }
    return null;
  }
}

/** A range is one as far as numbers tried in it are (scripts/synthesize/ranges.ts); this one is asked about itself. */
function isMobileOf(country: string, number: number): boolean {
  const read = readInternational(String(number));
  if (read === null || read.country !== country) return false;
  return read.lineType === 'mobile' || read.lineType === 'fixed_line_or_mobile';
}

/** The country of a number that was read before; null for plans of no one country. */
export function countryOfNumber(number: number): string | null {
  const read = parseNumber(`+${number}`);
  return read.ok ? read.value.country : null;
}
