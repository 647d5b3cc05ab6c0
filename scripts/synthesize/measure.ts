/** How numbers cluster: the figures that a synthetic inventory is fitted by. */
import { lowerBound } from '../../src/format/lower-bound.ts';

/** Of the numbers, the share with at least so many OTHER listed numbers in their block. */
export interface BlockShares {
  readonly blockNumbers: number;
  readonly atLeast: Readonly<Record<1 | 3 | 10, number>>;
}

const BLOCKS: readonly number[] = [100, 1000];

/** @param numbers ascending, none twice */
export function measureClustering(numbers: Float64Array): BlockShares[] {
  return BLOCKS.map((blockNumbers) => {
    const counts = { 1: 0, 3: 0, 10: 0 };
    for (let start = 0; start < numbers.length; ) {
      const size = blockEnd(numbers, start, blockNumbers) - start;
      if (size > 1) counts[1] += size;
      if (size > 3) counts[3] += size;
      if (size > 10) counts[10] += size;
      start += size;
    }
    const share = (count: number): number => (numbers.length === 0 ? 0 : count / numbers.length);
    return { blockNumbers, atLeast: { 1: share(counts[1]), 3: share(counts[3]), 10: share(counts[10]) } };
  });
}

/** Where the block of the number at `start` ends. */
function blockEnd(numbers: Float64Array, start: number, blockNumbers: number): number {
  const first = numbers[start] ?? 0;
  const next = first - (first % blockNumbers) + blockNumbers;
  let end = start + 1;
  while (end < numbers.length && (numbers[end] ?? 0) < next) end++;
  return end;
}

/** Gaps of 1 between neighbours, as a share of the numbers: how much of a block comes in runs. */
export function shareOfRuns(numbers: Float64Array): number {
  let runs = 0;
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] ?? 0) - (numbers[i - 1] ?? 0) === 1) runs++;
  return numbers.length === 0 ? 0 : runs / numbers.length;
}

/**
 * Of first-time numbers, the share with at least `least` numbers of their hundred-block listed before the day they were
 * first seen: from the inventory alone, and with the first-time numbers of earlier days.
 * @param inventory ascending
 * @param firstTime in order of time
 */
export function knownNeighbours(
  inventory: Float64Array,
  firstTime: readonly { readonly number: number; readonly day: number }[],
  least: number,
): { readonly before: number; readonly dayBefore: number } {
  const later = new Map<number, number>();
  let waiting: number[] = [];
  let [today, before, dayBefore] = [-1, 0, 0];
  for (const { number, day } of firstTime) {
    if (day !== today) {
      for (const block of waiting) later.set(block, (later.get(block) ?? 0) + 1);
      [today, waiting] = [day, []];
    }
    const block = number - (number % 100);
    const known = lowerBound(inventory, block + 100) - lowerBound(inventory, block);
    if (known >= least) before++;
    if (known + (later.get(block) ?? 0) >= least) dayBefore++;
    waiting.push(block);
  }
  const total = Math.max(1, firstTime.length);
  return { before: before / total, dayBefore: dayBefore / total };
}
