/** The ranges that a list's numbers lie in, and numbers in them that nobody has listed. */
import { lowerBound } from '../../src/lib/sorted.ts';

/** A range of a million numbers with one listed number in it is one that its country really uses. */
export const RANGE_NUMBERS = 1_000_000;

/** Where the ranges begin that have a listed number; `numbers` ascending. */
export function usedRanges(numbers: Float64Array): Float64Array {
  const starts: number[] = [];
  for (let at = 0; at < numbers.length; ) {
    const number = numbers[at] as number;
    const start = number - (number % RANGE_NUMBERS);
    starts.push(start);
    at = lowerBound(numbers, start + RANGE_NUMBERS);
  }
  return Float64Array.from(starts);
}

/** Whether a number is in an ascending list. */
export function has(numbers: Float64Array, number: number): boolean {
  return numbers[lowerBound(numbers, number)] === number;
}

/** Draws until it is not a listed number. */
export function unlisted(draw: () => number, isListed: (number: number) => boolean): number {
  for (;;) {
    const number = draw();
    if (!isListed(number)) return number;
  }
}
