/** The first-time decision of a merge: which of these numbers does no run know yet? */
import type { Batch } from '../format/batch.ts';
import type { Run } from '../format/manifest.ts';
import { NumbersReader } from '../format/numbers-reader.ts';
import { readColumn } from '../store/columns.ts';
import type { ObjectStore } from '../store/store.ts';

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
 * them falls into, one column in memory at a time.
 */
export async function countNew(objects: ObjectStore, runs: readonly Run[], numbers: Float64Array): Promise<number> {
  const known = new Uint8Array(numbers.length);
  for (const { segments } of runs) {
    let i = 0;
    for (const entry of segments) {
      while (i < numbers.length && (numbers[i] as number) < entry.first) i += 1;
      const start = i;
      while (i < numbers.length && (numbers[i] as number) <= entry.last) i += 1;
      if (start === i) continue;
      const column = new NumbersReader(await readColumn(objects, entry, 'numbers'));
      for (let j = start; j < i; j++) if (column.has(numbers[j] as number)) known[j] = 1;
    }
  }
  return known.reduce((sum, isKnown) => sum + 1 - isKnown, 0);
}
