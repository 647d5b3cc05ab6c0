/** A built inventory as the comparison needs it: the numbers in one sorted array, and the columns' bytes. */
import { decodeManifest } from '../../src/format/manifest.ts';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { MANIFEST_KEY } from '../../src/storage/keys.ts';
import { readCachedColumn, readColumn } from '../../src/storage/slices.ts';
import type { Stores } from '../support/inventory.ts';

export interface Inventory {
  /** Distinct, ascending. */
  readonly numbers: Float64Array;
  readonly manifest: Uint8Array<ArrayBuffer>;
  /** Numbers columns by their hash. */
  readonly columns: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Reads all of it. Rejects unless it is one run, as a bulk build leaves it: the comparison is of one sorted set in
 * several forms.
 */
export async function readInventory({ objects, slices }: Stores): Promise<Inventory> {
  const object = await objects.get(MANIFEST_KEY);
  if (object === null) throw new RangeError(`there is no ${MANIFEST_KEY} in the store`);
  const { runs } = decodeManifest(object.bytes);
  const [run] = runs;
  if (run === undefined || runs.length > 1)
    throw new RangeError(`expected an inventory of one run, found ${runs.length}`);
  const columns = new Map<string, Uint8Array<ArrayBuffer>>();
  const numbers = new Float64Array(run.firstHere);
  let end = 0;
  for (const entry of run.segments) {
    const cached = await readCachedColumn(slices, entry, 'numbers', (problem) => console.error(problem));
    const bytes = cached ?? (await readColumn(objects, entry, 'numbers'));
    columns.set(entry.numbers.sha256, bytes);
    const reader = openNumbersSlice(bytes);
    reader.copyRange(0, reader.count, numbers.subarray(end));
    end += reader.count;
  }
  if (end !== numbers.length) throw new RangeError(`the manifest tells of ${numbers.length} numbers, found ${end}`);
  if (numbers.some((number, i) => i > 0 && number <= (numbers[i - 1] as number))) {
    throw new RangeError('the numbers are not in order');
  }
  return { numbers, manifest: object.bytes, columns };
}
