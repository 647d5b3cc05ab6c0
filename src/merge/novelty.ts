/** The first-time decision of a merge: which of these numbers does no run know yet? */
import type { Batch } from '../format/batch.ts';
import type { Run } from '../format/manifest.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import type { Known } from '../quality/counted.ts';
import { readColumn } from '../store/columns.ts';
import { sideBySide } from '../store/side-by-side.ts';
import type { MergeContext } from './context.ts';

/** Distinct numbers of the batches, ascending. */
export function distinctNumbers(batches: readonly Batch[]): Float64Array {
  const all = new Float64Array(batches.reduce((sum, { rows }) => sum + rows, 0));
  let at = 0;
  for (const { numbers } of batches) {
    all.set(numbers, at);
    at += numbers.length;
  }
  all.sort();
  let kept = 0;
  for (let i = 0; i < all.length; i++) {
    if (i === 0 || all[i] !== all[i - 1]) all[kept++] = all[i] as number;
  }
  return all.subarray(0, kept);
}

/**
 * Which of the ascending numbers are in one of the runs. Reads the numbers column of each segment that one of
 * them falls into; a few columns are in memory at a time.
 */
export async function findKnown(context: MergeContext, runs: readonly Run[], numbers: Float64Array): Promise<Known> {
  const { objects } = context;
  const columnOf = context.numbers ?? (async (entry) => openNumbersSlice(await readColumn(objects, entry, 'numbers')));
  const isKnown = new Uint8Array(numbers.length);
  await sideBySide(sharesOf(runs, numbers), async ({ entry, start, end }) => {
    const column = await columnOf(entry);
    for (let i = start; i < end; i++) if (column.has(numbers[i] as number)) isKnown[i] = 1;
  });
  return { numbers, isKnown };
}

/** How many of the numbers, ascending and each of them looked for, were not known. */
export function countNew(numbers: Float64Array, { numbers: looked, isKnown }: Known): number {
  let count = 0;
  let at = 0;
  for (const number of numbers) {
    while (at < looked.length && (looked[at] as number) < number) at += 1;
    if (looked[at] === number) count += 1 - (isKnown[at] as number);
  }
  return count;
}

/** The segments that numbers fall into, each with those numbers' place in the list. */
function* sharesOf(runs: readonly Run[], numbers: Float64Array) {
  for (const { segments } of runs) {
    let end = 0;
    for (const entry of segments) {
      while (end < numbers.length && (numbers[end] as number) < entry.first) end += 1;
      const start = end;
      while (end < numbers.length && (numbers[end] as number) <= entry.last) end += 1;
      if (start < end) yield { entry, start, end };
    }
  }
}
