/** The rows of many days in the order of number, then day. */
import type { DayFacts } from '../format/day-facts.ts';
import type { Steps } from '../lib/cooperate.ts';

/** Rows in a step, and what one that is ordered and tallied is worth in records of a merge. */
const STEP_ROWS = 512;
const ROW_WORK = 1 / 2;

/** Takes rows [from, to) of a day: all that it has of one number. */
export type VisitRows = (day: DayFacts, from: number, to: number) => void;

/** @param days ascending, each with rows in number order */
export function* visitRows(days: readonly DayFacts[], visit: VisitRows): Steps<void> {
  let rows = 0;
  const heap = new DayHeap(days);
  for (let index = heap.first; index >= 0; index = heap.first) {
    const day = days[index] as DayFacts;
    const from = heap.row;
    const number = day.numbers[from];
    let to = from + 1;
    while (to < day.rows && day.numbers[to] === number) to += 1;
    visit(day, from, to);
    heap.advance(to);
    rows += to - from;
    if (rows >= STEP_ROWS) {
      yield rows * ROW_WORK;
      rows = 0;
    }
  }
}

/** A binary heap of days by the number each stands on, the earlier day first where they stand on the same. */
class DayHeap {
  readonly #days: readonly DayFacts[];
  /** Indexes of days, the smallest at 0. */
  readonly #heap: Int32Array;
  readonly #rows: Int32Array;
  readonly #numbers: Float64Array;
  #size = 0;

  constructor(days: readonly DayFacts[]) {
    this.#days = days;
    this.#heap = new Int32Array(days.length);
    this.#rows = new Int32Array(days.length);
    this.#numbers = new Float64Array(days.length);
    days.forEach(({ rows, numbers }, index) => {
      if (rows === 0) return;
      this.#numbers[index] = numbers[0] as number;
      this.#heap[this.#size++] = index;
    });
    for (let at = (this.#size >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** Index of the day that is next, or -1. */
  get first(): number {
    return this.#size === 0 ? -1 : (this.#heap[0] as number);
  }

  /** Where that day stands. */
  get row(): number {
    return this.#rows[this.#heap[0] as number] as number;
  }

  /** Moves the first day on to a row. */
  advance(row: number): void {
    const index = this.#heap[0] as number;
    const day = this.#days[index] as DayFacts;
    if (row < day.rows) {
      this.#rows[index] = row;
      this.#numbers[index] = day.numbers[row] as number;
    } else {
      this.#size -= 1;
      this.#heap[0] = this.#heap[this.#size] as number;
    }
    if (this.#size > 1) this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const index = heap[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(heap[child + 1] as number, heap[child] as number)) child += 1;
      if (!this.#isBefore(heap[child] as number, index)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = index;
  }

  #isBefore(a: number, b: number): boolean {
    const numberA = this.#numbers[a] as number;
    const numberB = this.#numbers[b] as number;
    return numberA < numberB || (numberA === numberB && a < b);
  }
}
