/** Ranks and counts of Ringfence against the sorted array: answers that membership alone does not show. */
import type { Ringfence } from './ringfence.ts';
import { lowerBound } from './sorted-array.ts';

const BLOCKS = [100, 1_000] as const;

/** How many ranks and neighbour counts differ from the array's, over all probes. */
export function countMistakes(ringfence: Ringfence, numbers: Float64Array, probes: Float64Array): number {
  let mistakes = 0;
  for (const probe of probes) {
    const rank = lowerBound(numbers, probe);
    if (ringfence.rank(probe) !== rank) mistakes += 1;
    const own = numbers[rank] === probe ? 1 : 0;
    for (const size of BLOCKS) {
      const from = probe - (probe % size);
      const others = lowerBound(numbers, from + size) - lowerBound(numbers, from) - own;
      if (ringfence.neighbours(probe, size) !== others) mistakes += 1;
    }
  }
  return mistakes;
}
