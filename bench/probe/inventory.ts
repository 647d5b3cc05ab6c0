/** A built inventory as the comparison needs it: the numbers in one sorted array, and the columns' bytes. */
import { decodeManifest, inventoryNumbers } from '../../src/format/manifest.ts';
import { MANIFEST_KEY } from '../../src/storage/keys.ts';
import { numbersOf, type Stores } from '../support/inventory.ts';

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
export async function readInventory(stores: Stores): Promise<Inventory> {
  const object = await stores.objects.get(MANIFEST_KEY);
  if (object === null) throw new RangeError(`there is no ${MANIFEST_KEY} in the store`);
  const manifest = decodeManifest(object.bytes);
  const { runs } = manifest;
  const [run] = runs;
  if (run === undefined || runs.length > 1)
    throw new RangeError(`expected an inventory of one run, found ${runs.length}`);
  const columns = new Map<string, Uint8Array<ArrayBuffer>>();
  const numbers = await numbersOf(stores, run, (entry, bytes) => columns.set(entry.numbers.sha256, bytes));
  const told = inventoryNumbers(manifest);
  if (numbers.length !== told) throw new RangeError(`the manifest tells of ${told} numbers, found ${numbers.length}`);
  if (numbers.some((number, i) => i > 0 && number <= (numbers[i - 1] as number))) {
    throw new RangeError('the numbers are not in order');
  }
  return { numbers, manifest: object.bytes, columns };
}
