/** The measure of everything else: a binary search in a sorted Float64Array of all numbers. */
import type { Contender } from './contender.ts';

/** How many of the numbers are smaller than `number`. */
export function lowerBound(numbers: Float64Array, number: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class SortedArray implements Contender {
  readonly name = 'Float64Array';
  readonly #numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  answer(probes: Float64Array, out: Uint8Array): void {
    const numbers = this.#numbers;
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i] as number;
      out[i] = numbers[lowerBound(numbers, probe)] === probe ? 1 : 0;
    }
  }
}
