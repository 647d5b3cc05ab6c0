/** Ranks and counts of Ringfence against the sorted array: answers that membership alone does not show. */
import type { Ringfence } from './ringfence.ts';
import { lowerBound } from './sorted-array.ts';

/** How many ranks and neighbour counts differ from the array's, over all probes. */
export function countMistakes(ringfence: Ringfence, numbers: Float64Array, probes: Float64Array): number {
  const today = ringfence.newestDay;
  let mistakes = 0;
  for (const probe of probes) {
    const rank = lowerBound(numbers, probe);
    if (ringfence.rank(probe) !== rank) mistakes += 1;
    const own = numbers[rank] === probe ? 1 : 0;
    const { hundred, thousand } = ringfence.neighbours(probe, today);
    if (hundred !== inBlock(numbers, probe, 100) - own) mistakes += 1;
    if (thousand !== inBlock(numbers, probe, 1_000) - own) mistakes += 1;
  }
  return mistakes;
}

/** How many numbers are in the block of `size` that the number stands in. */
function inBlock(numbers: Float64Array, number: number, size: number): number {
  const from = number - (number % size);
  return lowerBound(numbers, from + size) - lowerBound(numbers, from);
}
