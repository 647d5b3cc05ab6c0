import { MERGED_PREFIX } from './keys.ts';
import type { ObjectStore } from './store.ts';

/**
 * Without a manifest a store is new, or has lost it: then nothing may be called unlisted, and no tick may begin anew
 * with an empty inventory. Batches are only moved to `merged` once a generation has been published, so they tell.
 * Rejects for a store that has lost its manifest, or when the storage does not answer.
 */
export async function assertNeverPublished(objects: ObjectStore): Promise<void> {
  const merged = await objects.list(MERGED_PREFIX, { limit: 1 });
  if (merged.objects.length > 0) {
    throw new RangeError('the manifest is missing, but batches were merged: put a copy of it back (docs/OPERATING.md)');
  }
}
