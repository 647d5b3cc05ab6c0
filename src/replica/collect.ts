/**
 * Deletes slices that nothing leads to any more. Syncs may overlap, and the manifest that another one is about to follow
 * may name such a slice again (after a rollback, or a policy that was put back): it sees it in the store and does not
 * download it. So the swap of the pointer says which slices its sync is about to delete:
 *
 * - a sync that read the pointer before cannot swap its own any more, so nothing will lead to what it counted on;
 * - a sync that reads it afterwards does not count on these slices, nor puts them there: it waits for the next.
 *
 * Once they are deleted, the pointer says so no more. If that is not told (the sync was stopped, or the store failed), it is
 * over after a while by itself.
 */
import { parseFeedManifest } from '../feed/manifest.ts';
import { slicesOf } from './contents.ts';
import {
  type HeldPointer,
  type Pointer,
  readPointer,
  readSlice,
  type StoredSlice,
  sliceKey,
  swapPointer,
} from './pointer.ts';
import type { SyncContext } from './sync.ts';

/** Longer than the longest sync (a cron handler ends after 15 minutes): another one may be about to name them. */
export const GARBAGE_AGE_MS = 60 * 60_000;
/** One call of R2 deletes as many; and the pointer that names them has 67 KB at most, for a moment. */
const DELETE_LIMIT = 1000;
/** A sync that has not begun to delete by then does not any more. */
const BEGIN_WITHIN_MS = 5 * 60_000;
/** By then it has come to its end, with its cron handler. */
export const DELETING_MS = 20 * 60_000;

/** There are not as many syncs at once. */
const TELL_ATTEMPTS = 3;
/** R2 takes one write of a key in a second, and the swap was one. */
const REWRITE_MS = 1_100;

type Deleting = NonNullable<Pointer['deleting']>;

/** What must not be counted on, whether it is in the store or not. */
export function beingDeleted(pointer: Pointer | null, now: number): ReadonlySet<string> {
  const deleting = pointer?.deleting ?? null;
  return new Set(deleting === null || now - deleting.at >= DELETING_MS ? [] : deleting.slices);
}

/**
 * What neither the copy that is to answer nor the one before names, and is old enough; null: nothing. Never rejects: if
 * anything that it takes to know what is named cannot be read, nothing is deleted.
 *
 * @param pointer about to be put
 * @param named slices of its copy
 * @param stored what was in the store before the sync
 */
export async function garbageFor(
  { store, now, log }: SyncContext,
  pointer: Pointer,
  named: ReadonlyMap<string, unknown>,
  stored: ReadonlyMap<string, StoredSlice>,
): Promise<Deleting | null> {
  const before = now() - GARBAGE_AGE_MS;
  const kept = new Set([pointer.manifest.sha256, ...named.keys()]);
  const candidates = [...stored].flatMap(([hash, { uploadedAt }]) =>
    kept.has(hash) || uploadedAt > before ? [] : [hash],
  );
  if (candidates.length === 0) return null;
  try {
    if (pointer.previous !== null) {
      const previous = parseFeedManifest(await readSlice(store, pointer.previous));
      for (const hash of [pointer.previous.sha256, ...slicesOf(previous).keys()]) kept.add(hash);
    }
    const garbage = candidates.filter((hash) => !kept.has(hash));
    return garbage.length === 0 ? null : { at: now(), slices: garbage.slice(0, DELETE_LIMIT) };
  } catch (error) {
    log('replica.garbage-failed', { reason: reasonOf(error) });
    return null;
  }
}

/** Deletes what this sync has just said it would. Never rejects: the sync is done by now. */
export async function deleteSlices(context: SyncContext, swapped: HeldPointer): Promise<void> {
  const { store, now, log } = context;
  const { deleting } = swapped.pointer;
  if (deleting === null || now() - deleting.at > BEGIN_WITHIN_MS) return;
  try {
    await store.delete(deleting.slices.map(sliceKey));
    log('replica.collected', { slices: deleting.slices.length });
    await tellDeleted(context, swapped, deleting.at);
  } catch (error) {
    // What was deleted was garbage; a later sync finds the rest.
    log('replica.garbage-failed', { reason: reasonOf(error) });
  }
}

/** Other syncs may have swapped the pointer meanwhile, and passed on what it said. */
async function tellDeleted({ store, delay }: SyncContext, swapped: HeldPointer, at: number): Promise<void> {
  let held: HeldPointer | null = swapped;
  for (let attempt = 0; attempt < TELL_ATTEMPTS && held?.pointer.deleting?.at === at; attempt++) {
    await delay(REWRITE_MS);
    if ((await swapPointer(store, held, { ...held.pointer, deleting: null })) !== null) return;
    held = await readPointer(store);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'failed';
}
