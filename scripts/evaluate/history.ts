/** When each number was first seen, over everything that was read. */
import { parseNumber } from '../../src/number/parse.ts';

/** Room for every number of a large feed; a Map cannot hold more than 2^24. */
const MAX_NUMBERS = 10_000_000;

export interface History {
  /** E.164 digits as integers, ascending, and the UTC day since 1970 on which each was first seen. */
  readonly numbers: Float64Array;
  readonly firstDays: Int32Array;
  /** Rows whose digits are no number by src/number. */
  readonly refusedRows: number;
}

export class HistoryBuilder {
  readonly #firstDays = new Map<number, number>();
  #refusedRows = 0;

  /** @returns whether the digits are a number */
  add(digits: string, day: number): boolean {
    const parsed = parseNumber(digits);
    if (!parsed.ok) {
      this.#refusedRows++;
      return false;
    }
    const { number } = parsed.value;
    const known = this.#firstDays.get(number);
    if (known === undefined || day < known) this.#firstDays.set(number, day);
    if (this.#firstDays.size > MAX_NUMBERS)
      throw new RangeError(`expected at most ${MAX_NUMBERS} numbers in a history`);
    return true;
  }

  build(): History {
    const numbers = Float64Array.from(this.#firstDays.keys()).sort();
    const firstDays = Int32Array.from(numbers, (number) => this.#firstDays.get(number) ?? 0);
    return { numbers, firstDays, refusedRows: this.#refusedRows };
  }
}

/** The last UTC day since 1970 on which any number was first seen. */
export function lastDay({ firstDays }: History): number {
  return firstDays.reduce((last, day) => Math.max(last, day), 0);
}
