/** What is listed on the morning of a day, and how many of it stand around a number: the counts that production has. */
import { lowerBound } from '../../src/format/lower-bound.ts';
import { type CountsSoFar, FRESH_DAYS, WEEK_DAYS } from '../../src/policy/neighbourhood.ts';
import type { History } from './history.ts';

const HUNDRED = 100;
const THOUSAND = 1000;
const TEN_THOUSAND = 10_000;

/** Ascending numbers, in an array that is used again for the next day. */
class SortedNumbers {
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

  /** The larger count of listed numbers in a row that ends just below a number or begins just above it; at most `most`. */
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
  readonly #all: SortedNumbers;
  readonly #fresh: SortedNumbers;
  readonly #week: SortedNumbers;

  constructor(history: History) {
    this.#history = history;
    this.#all = new SortedNumbers(history.numbers.length);
    this.#fresh = new SortedNumbers(history.numbers.length);
    this.#week = new SortedNumbers(history.numbers.length);
  }

  /** What was first seen before `day`, a UTC day since 1970, is known from here on. */
  startDay(day: number): void {
    const { numbers, firstDays } = this.#history;
    for (const sorted of [this.#all, this.#fresh, this.#week]) sorted.clear();
    for (let i = 0; i < numbers.length; i++) {
      const firstDay = firstDays[i] as number;
      if (firstDay >= day) continue;
      const number = numbers[i] as number;
      this.#all.push(number);
      if (firstDay >= day - FRESH_DAYS) this.#fresh.push(number);
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
    counts.freshTenThousand = near ? this.#fresh.countAround(number, TEN_THOUSAND) : 0;
    const isFresh = counts.freshTenThousand > 0;
    counts.freshThousand = isFresh ? this.#fresh.countAround(number, THOUSAND) : 0;
    counts.freshHundred = counts.freshThousand > 0 ? this.#fresh.countAround(number, HUNDRED) : 0;
    counts.weekTenThousand = isFresh ? this.#week.countAround(number, TEN_THOUSAND) : 0;
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
