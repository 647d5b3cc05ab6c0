/** Sorted arrays of numbers: search, sets, and a radix sort. */
import { bitLength } from './bits.ts';
import { finish, rowWork, STEP_ROWS, type Steps } from './cooperate.ts';

/**
 * How many of ascending numbers are smaller than one, which is also where it stands if it is among them.
 * @param size of the array, how many count
 */
export function lowerBound(numbers: Float64Array, number: number, size = numbers.length): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A set of numbers in a typed array: eight bytes each, where a Set takes about forty. */
export class SortedNumbers {
  readonly #numbers: Float64Array;

  /** @param numbers ascending */
  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  has(number: number): boolean {
    return this.#numbers[lowerBound(this.#numbers, number)] === number;
  }
}

// A stable sort of numbers by radix: linear, where a comparator costs a call for each of n log n comparisons.

const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
const WORD = 2 ** 32;

/**
 * The order in which the first `count` numbers ascend, equal ones as they stand.
 *
 * @param numbers integers in [0, 2^53)
 */
export function* sortedOrderSteps(numbers: Float64Array, count: number): Steps<Uint32Array> {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < count; i++) {
    const number = numbers[i] as number;
    if (number < least) least = number;
    if (number > most) most = number;
  }
  // What the numbers have in common above their least needs no pass.
  const span = count === 0 ? 0 : most - least;
  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let other = new Uint32Array(count);
  for (const { word, bits } of [
    { word: 1, bits: bitLength(Math.min(span, WORD - 1)) },
    { word: WORD, bits: bitLength(Math.floor(span / WORD)) },
  ]) {
    const keys = new Uint32Array(count);
    // Storing keeps the lowest 32 bits of the whole part.
    for (let i = 0; bits > 0 && i < count; i++) keys[i] = ((numbers[i] as number) - least) / word;
    yield rowWork(count);
    for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
      yield* sortByDigit(keys, shift, order, other);
      [order, other] = [other, order];
    }
  }
  return order;
}

/** The same at once. */
export function sortedOrder(numbers: Float64Array, count: number): Uint32Array {
  return finish(sortedOrderSteps(numbers, count));
}

/** Writes the indices of `from` to `to`, ascending by one digit of their keys. */
function* sortByDigit(keys: Uint32Array, shift: number, from: Uint32Array, to: Uint32Array): Steps<void> {
  const next = countDigits(keys, shift);
  yield rowWork(keys.length);
  for (let i = 0; i < from.length; i += STEP_ROWS) {
    place(keys, shift, from.subarray(i, i + STEP_ROWS), to, next);
    yield rowWork(STEP_ROWS);
  }
}

/** Where the first index of each digit goes. */
function countDigits(keys: Uint32Array, shift: number): Uint32Array {
  const next = new Uint32Array(BUCKETS);
  for (let i = 0; i < keys.length; i++) {
    const digit = ((keys[i] as number) >>> shift) & (BUCKETS - 1);
    next[digit] = (next[digit] as number) + 1;
  }
  let total = 0;
  for (let digit = 0; digit < BUCKETS; digit++) {
    const size = next[digit] as number;
    next[digit] = total;
    total += size;
  }
  return next;
}

function place(keys: Uint32Array, shift: number, from: Uint32Array, to: Uint32Array, next: Uint32Array): void {
  for (let i = 0; i < from.length; i++) {
    const index = from[i] as number;
    const digit = ((keys[index] as number) >>> shift) & (BUCKETS - 1);
    const at = next[digit] as number;
    to[at] = index;
    next[digit] = at + 1;
  }
}

/** Sorted at once: half a millisecond. */
const SORT_CHUNK = 1_024;
/** A comparison by a function, with the move that follows, as against a record of a merge. */
const COMPARE_WORK = 1 / 8;

/** What `toSorted` makes of the items, in steps: chunks are sorted, then merged two by two. Stable. */
export function* toSortedSteps<T>(items: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let lists: T[][] = [];
  for (let from = 0; from < items.length; from += SORT_CHUNK) {
    const chunk = items.slice(from, from + SORT_CHUNK).sort(compare);
    lists.push(chunk);
    yield chunk.length;
  }
  while (lists.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < lists.length; i += 2)
      merged.push(yield* mergeSteps(lists[i] ?? [], lists[i + 1] ?? [], compare));
    lists = merged;
  }
  return lists[0] ?? [];
}

function* mergeSteps<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  const merged: T[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    // Of equal ones that of the first list comes first.
    merged.push(compare(a[i] as T, b[j] as T) <= 0 ? (a[i++] as T) : (b[j++] as T));
    if (merged.length % SORT_CHUNK === 0) yield SORT_CHUNK * COMPARE_WORK;
  }
  for (; i < a.length; i++) merged.push(a[i] as T);
  for (; j < b.length; j++) merged.push(b[j] as T);
  yield (merged.length % SORT_CHUNK) * COMPARE_WORK;
  return merged;
}
