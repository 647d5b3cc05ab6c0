/** The first-time decision of a merge: which of these numbers does no run know yet? */
import type { Batch } from '../format/batch.ts';
import type { Run } from '../format/manifest.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
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
 * How many of the ascending numbers are in none of the runs. Reads the numbers column of each segment that one of
 * them falls into; a few columns are in memory at a time.
 */
export async function countNew(context: MergeContext, runs: readonly Run[], numbers: Float64Array): Promise<number> {
  const { objects } = context;
  const columnOf = context.numbers ?? (async (entry) => openNumbersSlice(await readColumn(objects, entry, 'numbers')));
  const known = new Uint8Array(numbers.length);
  await sideBySide(sharesOf(runs, numbers), async ({ entry, start, end }) => {
    const column = await columnOf(entry);
    for (let i = start; i < end; i++) if (column.has(numbers[i] as number)) known[i] = 1;
  });
  return known.reduce((sum, isKnown) => sum + 1 - isKnown, 0);
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
