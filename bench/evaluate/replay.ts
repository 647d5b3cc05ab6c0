/**
 * A history replayed: what was known on the morning of each day, that day's first-time numbers, and random ones beside.
 */
import { lowerBound } from '../../src/lib/sorted.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { readInternational } from '../../src/phone/plan.ts';
import { type CountsSoFar, RECENT_DAYS, WEEK_DAYS } from '../../src/policy/score.ts';
import type { Random } from '../support/random.ts';
import { BLOCK_NUMBERS, type CountryRanges, mobileRanges } from '../synthesize/number-ranges.ts';
import type { History } from './history.ts';

// A period day by day, as it would have been used: each day's first-time numbers against what was known the day before.

// What is listed on the morning of a day, and how many of it stand around a number: the counts that production has.

const HUNDRED = 100;
const THOUSAND = 1000;
const TEN_THOUSAND = 10_000;

/** Ascending numbers, in an array that is used again for the next day. */
class BlockCounter {
  readonly #numbers: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#numbers = new Float64Array(capacity);
  }

  clear(): void {
    this.#size = 0;
  }

  push(number: number): void {
    this.#numbers[this.#size++] = number;
  }

  /** How many are below a number. */
  rank(number: number): number {
    return lowerBound(this.#numbers, number, this.#size);
  }

  has(number: number): boolean {
    const at = this.rank(number);
    return at < this.#size && this.#numbers[at] === number;
  }

  /** In the aligned block of `size` around a number. */
  countAround(number: number, size: number): number {
    const start = number - (number % size);
    return this.rank(start + size) - this.rank(start);
  }

  /**
   * The larger count of listed numbers in a row that ends just below a number or begins just above it; at most `most`.
   */
  runBeside(number: number, most: number): number {
    const at = this.rank(number);
    let [below, above] = [0, 0];
    while (below < most && this.#numbers[at - below - 1] === number - below - 1) below++;
    while (above < most && at + above < this.#size && this.#numbers[at + above] === number + above + 1) above++;
    return Math.max(below, above);
  }
}

export class KnownNumbers {
  readonly #history: History;
  readonly #all: BlockCounter;
  readonly #recent: BlockCounter;
  readonly #week: BlockCounter;

  constructor(history: History) {
    this.#history = history;
    this.#all = new BlockCounter(history.numbers.length);
    this.#recent = new BlockCounter(history.numbers.length);
    this.#week = new BlockCounter(history.numbers.length);
  }

  /** What was first seen before `day`, a UTC day since 1970, is known from here on. */
  startDay(day: number): void {
    const { numbers, firstDays } = this.#history;
    for (const sorted of [this.#all, this.#recent, this.#week]) sorted.clear();
    for (let i = 0; i < numbers.length; i++) {
      const firstDay = firstDays[i] as number;
      if (firstDay >= day) continue;
      const number = numbers[i] as number;
      this.#all.push(number);
      if (firstDay >= day - RECENT_DAYS) this.#recent.push(number);
      if (firstDay >= day - WEEK_DAYS) this.#week.push(number);
    }
  }

  has(number: number): boolean {
    return this.#all.has(number);
  }

  /** @param number not known; the counts would include it */
  countInto(counts: CountsSoFar, number: number): void {
    counts.tenThousand = this.#all.countAround(number, TEN_THOUSAND);
    const near = counts.tenThousand > 0;
    counts.thousand = near ? this.#all.countAround(number, THOUSAND) : 0;
    counts.hundred = counts.thousand > 0 ? this.#all.countAround(number, HUNDRED) : 0;
    counts.recentTenThousand = near ? this.#recent.countAround(number, TEN_THOUSAND) : 0;
    const isRecent = counts.recentTenThousand > 0;
    counts.recentThousand = isRecent ? this.#recent.countAround(number, THOUSAND) : 0;
    counts.recentHundred = counts.recentThousand > 0 ? this.#recent.countAround(number, HUNDRED) : 0;
    counts.weekTenThousand = isRecent ? this.#week.countAround(number, TEN_THOUSAND) : 0;
    counts.weekThousand = counts.weekTenThousand > 0 ? this.#week.countAround(number, THOUSAND) : 0;
  }

  /** Listed numbers in the block of 10. */
  countTen(number: number): number {
    return this.#all.countAround(number, 10);
  }

  runBeside(number: number, most: number): number {
    return this.#all.runBeside(number, most);
  }
}

// Numbers to compare with: what a lookup of a number that means nothing would see, on the same day as a first-time one.
// (a) anywhere in the same million; (b) anywhere in the mobile ranges of its country. Neither is listed by then.

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

/**
 * A range is one as far as numbers tried in it are (bench/synthesize/number-ranges.ts); this one is asked about itself.
 */
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

export interface Period {
  /** UTC days since 1970, both inclusive. */
  readonly from: number;
  readonly to: number;
}

/**
 * @param visit called for each day that has first-time numbers, in order; they are ascending, `known` is that morning's
 */
export function replayDays(
  history: History,
  { from, to }: Period,
  visit: (day: number, firstTime: readonly number[], known: KnownNumbers) => void,
): void {
  const byDay = new Map<number, number[]>();
  for (const [i, day] of history.firstDays.entries()) {
    if (day < from || day > to) continue;
    const numbers = byDay.get(day) ?? [];
    if (numbers.length === 0) byDay.set(day, numbers);
    numbers.push(history.numbers[i] as number);
  }
  const known = new KnownNumbers(history);
  for (const day of [...byDay.keys()].sort((a, b) => a - b)) {
    known.startDay(day);
    visit(day, byDay.get(day) ?? [], known);
  }
}

export function countFirstTime({ firstDays }: History, { from, to }: Period): number {
  let count = 0;
  for (const day of firstDays) if (day >= from && day <= to) count++;
  return count;
}
