/** Rows of activity of one day as columns that grow, each distinct row once. */
import type { DayFacts } from './day-facts.ts';

const INITIAL_ROWS = 256;

export type FactColumns = Omit<DayFacts, 'day'>;

/** Takes rows of activity, days ascending; the rows of a day ascend by number, activity key, link. */
export interface FactsSink {
  /** @param kind index into activity keys in their canonical order; both halves of the link 0: none */
  add(day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void;
}

export class GrowingFacts implements FactColumns {
  rows = 0;
  numbers = new Float64Array(INITIAL_ROWS);
  firstSeenAt = new Uint32Array(INITIAL_ROWS);
  kind = new Uint32Array(INITIAL_ROWS);
  linkHigh = new Uint32Array(INITIAL_ROWS);
  linkLow = new Uint32Array(INITIAL_ROWS);

  /** Compares with the last row: 0 if the row is the same but for its second, below if it comes after it. */
  compareLast(number: number, kind: number, linkHigh: number, linkLow: number): number {
    const last = this.rows - 1;
    if (last < 0) return -1;
    return (
      (this.numbers[last] as number) - number ||
      (this.kind[last] as number) - kind ||
      (this.linkHigh[last] as number) - linkHigh ||
      (this.linkLow[last] as number) - linkLow
    );
  }

  /** Of a repeated row the earliest second counts. */
  seenAt(firstSeenAt: number): void {
    const last = this.rows - 1;
    if (firstSeenAt < (this.firstSeenAt[last] as number)) this.firstSeenAt[last] = firstSeenAt;
  }

  push(number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    const at = this.rows;
    if (at === this.numbers.length) this.reserve(at * 2);
    this.numbers[at] = number;
    this.kind[at] = kind;
    this.linkHigh[at] = linkHigh;
    this.linkLow[at] = linkLow;
    this.firstSeenAt[at] = firstSeenAt;
    this.rows = at + 1;
  }

  /** Room for so many rows, what is there kept. */
  reserve(rows: number): void {
    if (rows <= this.numbers.length) return;
    const numbers = new Float64Array(rows);
    numbers.set(this.numbers);
    this.numbers = numbers;
    for (const column of ['firstSeenAt', 'kind', 'linkHigh', 'linkLow'] as const) {
      const grown = new Uint32Array(rows);
      grown.set(this[column]);
      this[column] = grown;
    }
  }

  /** The rows, as views that are valid until the next change. */
  columns(): FactColumns {
    const { rows } = this;
    return {
      rows,
      numbers: this.numbers.subarray(0, rows),
      firstSeenAt: this.firstSeenAt.subarray(0, rows),
      kind: this.kind.subarray(0, rows),
      linkHigh: this.linkHigh.subarray(0, rows),
      linkLow: this.linkLow.subarray(0, rows),
    };
  }
}
