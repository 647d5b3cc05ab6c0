/** Sorted arrays of numbers: search, sets, which of several comes next, and a radix sort. */
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

/**
 * Which of several sources in number order comes next: a binary heap of their indexes, by the number that each stands
 * on. A source at its end stands on infinity.
 */
export class SourceHeap {
  readonly #keys: Float64Array;
  readonly #heap: Int32Array;
  readonly #isBefore: (a: number, b: number) => boolean;

  /**
   * @param keys the number that each source stands on; the heap's own from now on
   * @param isBefore of two sources on the same number, whether the first comes first; else the one with the lower index
   */
  constructor(keys: Float64Array, isBefore = (a: number, b: number) => a < b) {
    this.#keys = keys;
    this.#heap = Int32Array.from(keys.keys());
    this.#isBefore = isBefore;
    for (let at = (keys.length >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** The index of the source that comes next, or -1 where all are at their ends. */
  get first(): number {
    const index = this.#heap[0];
    return index === undefined || this.#keys[index] === Number.POSITIVE_INFINITY ? -1 : index;
  }

  /** The source that came next stands on this number now. */
  advance(key: number): void {
    this.#keys[this.#heap[0] as number] = key;
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const keys = this.#keys;
    const index = heap[from] as number;
    const key = keys[index] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      let smaller = heap[child] as number;
      if (child + 1 < heap.length) {
        const other = heap[child + 1] as number;
        if (this.#precedes(other, keys[other] as number, smaller, keys[smaller] as number)) {
          smaller = other;
          child += 1;
        }
      }
      if (!this.#precedes(smaller, keys[smaller] as number, index, key)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = index;
  }

  #precedes(a: number, keyA: number, b: number, keyB: number): boolean {
    return keyA < keyB || (keyA === keyB && this.#isBefore(a, b));
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
