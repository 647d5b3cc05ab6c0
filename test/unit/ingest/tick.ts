import { openBatch } from '../../../src/format/batch.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';

/** What was merged: for each consumed batch the hash of its body and its rows. */
export type Merged = { readonly id: string; readonly bodySha256: string; readonly rows: number }[];

/**
 * The merging side of the protocol and nothing else: every waiting batch is consumed (here: noted in `merged`, where
 * the real tick commits a manifest), copied, and deleted, unless its id was consumed before, when it is dropped.
 */
export async function tick(objects: ObjectStore, merged: Merged): Promise<void> {
  const { objects: waiting } = await objects.list(WAITING_PREFIX);
  for (const { key } of waiting) {
    const id = key.slice(WAITING_PREFIX.length);
    const batch = await objects.get(key);
    if (batch === null) continue;
    if ((await objects.head(MERGED_PREFIX + id)) === null) {
      const { receipt, rows } = openBatch(batch.bytes);
      merged.push({ id, bodySha256: receipt.bodySha256, rows });
      await objects.put(MERGED_PREFIX + id, batch.bytes, { absent: true });
    }
    await objects.delete([key]);
  }
}
