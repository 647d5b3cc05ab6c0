/**
 * A store without a manifest is either new or has lost it. In the second case nothing may be called unlisted, and no
 * tick may begin with an empty inventory. Batches are moved to `merged` only once a generation has been published, so
 * their presence tells the two apart.
 */
import { MANIFEST_KEY, MERGED_PREFIX } from './keys.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/**
 * The object `manifest`, 'unchanged' if it still has this etag, or null for a store that never had one. Rejects for a
 * store that has lost its manifest, or when the storage does not answer.
 *
 * @param etag null: none is known
 */
export async function readManifestObject(
  objects: ObjectStore,
  etag: string | null,
): Promise<StoredObject | 'unchanged' | null> {
  const object = await objects.getIfChanged(MANIFEST_KEY, etag ?? '');
  if (object !== null) return object;
  if (etag !== null) throw lost();
  return firstManifest(objects);
}

/**
 * To be called after a read that found no manifest. Resolves to one that was published since, or null for a store that
 * never had one. Rejects as above.
 */
export async function firstManifest(objects: ObjectStore): Promise<StoredObject | null> {
  if (!(await hasMerged(objects))) return null;
  // Between the two looks the first generation may have been published, and its batches moved.
  const published = await objects.get(MANIFEST_KEY);
  if (published === null) throw lost();
  return published;
}

/** Whether a generation was ever published. Rejects when the storage does not answer. */
export async function hasMerged(objects: ObjectStore): Promise<boolean> {
  return (await objects.list(MERGED_PREFIX, { limit: 1 })).objects.length > 0;
}

function lost(): RangeError {
  return new RangeError('the manifest is missing, but batches were merged: put a copy of it back (docs/OPERATING.md)');
}
