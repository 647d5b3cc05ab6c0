/** Deletes slices that nothing leads to any more. */
import { parseFeedManifest } from '../feed/manifest.ts';
import { slicesOf } from './contents.ts';
import type { Pointer, StoredSlice } from './pointer.ts';
import { sliceKey } from './pointer.ts';
import type { SyncContext } from './sync.ts';
import { readSlice } from './target.ts';

/** Longer than the longest sync (a cron handler ends after 15 minutes): another one may be about to name them. */
export const GARBAGE_AGE_MS = 60 * 60_000;
/** Keys that one call deletes (R2). */
const DELETE_LIMIT = 1000;

/**
 * What neither the copy that answers nor the one before names, and is old enough, goes. Never rejects: the sync is
 * done by now. If anything that it takes to know what is named cannot be read, nothing is deleted.
 *
 * @param named slices of the copy that answers
 * @param stored what was in the store before the sync
 */
export async function collectSlices(
  { store, now, log }: SyncContext,
  pointer: Pointer,
  named: ReadonlyMap<string, unknown>,
  stored: ReadonlyMap<string, StoredSlice>,
): Promise<void> {
  try {
    const kept = new Set([pointer.manifest.sha256, ...named.keys()]);
    if (pointer.previous !== null) {
      const previous = parseFeedManifest(await readSlice(store, pointer.previous));
      for (const hash of [pointer.previous.sha256, ...slicesOf(previous).keys()]) kept.add(hash);
    }
    const before = now() - GARBAGE_AGE_MS;
    const garbage = [...stored].flatMap(([hash, { uploadedAt }]) =>
      kept.has(hash) || uploadedAt > before ? [] : [sliceKey(hash)],
    );
    for (let from = 0; from < garbage.length; from += DELETE_LIMIT) {
      await store.delete(garbage.slice(from, from + DELETE_LIMIT));
    }
    if (garbage.length > 0) log('replica.collected', { slices: garbage.length });
  } catch (error) {
    // What was deleted so far was garbage; a later sync finds the rest.
    log('replica.garbage-failed', { reason: error instanceof Error ? error.message : 'failed' });
  }
}
