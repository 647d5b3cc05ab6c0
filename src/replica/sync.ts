/**
 * One sync: it reads the origin's manifest, downloads the slices that the store lacks, and swaps the pointer. Until the
 * swap, the copy before goes on answering, whatever fails; downloaded slices stay, so the next sync goes on from there.
 * Syncs may overlap: one swaps the pointer, and the others find that they were late.
 */

import type { SliceShape } from '../format/segment.ts';
import { FormatError, sha256Hex } from '../lib/bytes.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import { messageOf } from '../lib/errors.ts';
import { replicaSliceKey } from '../storage/keys.ts';
import { localManifest, slicesOf } from './contents.ts';
import { type FeedManifest, parseFeedManifest } from './feed-manifest.ts';
import { type FetchedManifest, type NamedSlice, type Origin, ReplicaError } from './origin.ts';
import {
  type HeldPointer,
  listSlices,
  type Pointer,
  type ReplicaStore,
  readPointer,
  readSlice,
  type StoredSlice,
  swapPointer,
} from './store.ts';

/** Even without news, the store is compared with the manifest this often, and a lost slice is fetched again. */
export const AUDIT_MS = 60 * 60_000;
/**
 * An origin whose manifest was put back from a copy goes on from an older generation. It is followed once every sync
 * for this long has found it so, since answers that are merely late do not last.
 */
export const OLDER_FOR_MS = 15 * 60_000;
/** How often one sync reads the manifest: a merge at the origin may remove slices between manifest and download. */
const READINGS = 2;

interface SyncContext {
  readonly origin: Origin;
  readonly store: ReplicaStore;
  /** How many slices one sync downloads at most; the next sync goes on. */
  readonly slicesPerSync: number;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  log(event: string, details: Readonly<Record<string, string | number>>): void;
}

export interface SyncReport {
  /** The origin's generation that the store answers with after this sync; null: none yet. */
  readonly generation: number | null;
  /** The origin had nothing new. */
  readonly unchanged: boolean;
  /** False: slices are still missing, or another sync was first. The copy before goes on answering; sync again. */
  readonly complete: boolean;
  readonly slicesDownloaded: number;
  readonly bytesDownloaded: number;
  /** Bytes of the manifest, if it was downloaded. */
  readonly manifestBytes: number;
  /** How many slices of the manifest were in the store already. Not counted (0) when there was nothing to do. */
  readonly slicesKept: number;
}

/** What a sync has downloaded so far. */
interface Tally {
  slicesDownloaded: number;
  bytesDownloaded: number;
  manifestBytes: number;
}

/** Rejects with ReplicaError (origin.ts), or with the store's own error. */
export async function sync(context: SyncContext): Promise<SyncReport> {
  const { origin, store } = context;
  const tally: Tally = { slicesDownloaded: 0, bytesDownloaded: 0, manifestBytes: 0 };
  const held = await readPointer(store);
  for (let reading = 0; reading < READINGS; reading++) {
    const startedAt = context.now();
    const fetched = await origin.manifest(reading === 0 ? (held?.pointer.etag ?? null) : null);
    let target: Target;
    if (fetched !== 'unchanged') {
      tally.manifestBytes += fetched.bytes.length;
      target = await openTarget(fetched);
    } else {
      // The origin says unchanged only for an etag that was sent, so there is a pointer.
      if (held === null) throw new ReplicaError('invalid', 'the origin said unchanged, but nothing was held');
      if (startedAt - held.pointer.auditedAt < AUDIT_MS) return confirm(store, held, startedAt);
      target = await heldTarget(context, held, tally);
    }
    if (held !== null && target.feed.generation < held.pointer.generation) {
      await refuseOlder(store, held, startedAt);
      context.log('replica.older', { generation: target.feed.generation, held: held.pointer.generation });
    }
    const report = await follow(context, held, target, { startedAt, tally });
    if (report !== 'gone') return report;
  }
  // What was downloaded is in the store and is not downloaded again.
  throw new ReplicaError('unavailable', `the origin moved on ${READINGS} times while its slices were downloaded`);
}

/** Records that there is nothing new. If another sync was first, it has recorded the same or has something newer. */
async function confirm(store: ReplicaStore, held: HeldPointer, startedAt: number): Promise<SyncReport> {
  const { pointer } = held;
  const confirmedAt = Math.max(pointer.confirmedAt, startedAt);
  const isFirst = await swapPointer(store, held, { ...pointer, confirmedAt, olderSince: null });
  const generation = isFirst !== null ? pointer.generation : await currentGeneration(store);
  const nothing = { slicesDownloaded: 0, bytesDownloaded: 0, manifestBytes: 0, slicesKept: 0 };
  return { generation, unchanged: true, complete: true, ...nothing };
}

async function currentGeneration(store: ReplicaStore): Promise<number | null> {
  return (await readPointer(store))?.pointer.generation ?? null;
}

/**
 * A rollback makes a new generation. So an older one is an outdated answer from somewhere on the way, unless it lasts.
 * Throws ReplicaError `older` until it has lasted; the copy goes on answering, and soon says that it is stale.
 */
async function refuseOlder(store: ReplicaStore, held: HeldPointer, startedAt: number): Promise<void> {
  const { olderSince, generation } = held.pointer;
  if (olderSince !== null && startedAt - olderSince >= OLDER_FOR_MS) return;
  if (olderSince === null) await swapPointer(store, held, { ...held.pointer, olderSince: startedAt });
  throw new ReplicaError('older', `expected generation ${generation} or later`);
}

/** Makes the store that of the target. 'gone': the origin has moved on, and the pointer is unchanged. */
async function follow(
  context: SyncContext,
  held: HeldPointer | null,
  target: Target,
  { startedAt, tally }: { readonly startedAt: number; readonly tally: Tally },
): Promise<SyncReport | 'gone'> {
  const { store } = context;
  const stored = await listSlices(store);
  const named = slicesOf(target.feed);
  // A slice that another sync is deleting may be there or not, and if it is put there now it may be deleted in a
  // moment.
  const doomed = beingDeleted(held?.pointer ?? null, startedAt);
  const isBlocked = [target.slice.sha256, ...named.keys()].some((hash) => doomed.has(hash));
  const missing = [...named.values()].filter(
    ({ sha256, bytes }) => stored.get(sha256)?.sizeBytes !== bytes && !doomed.has(sha256),
  );
  const share = missing.slice(0, context.slicesPerSync);
  if ((await download(context, share, tally)) === 'gone') return 'gone';
  const isHeld = held?.pointer.manifest.sha256 === target.slice.sha256;
  const slicesKept = named.size - missing.length;
  const report = (generation: number | null, complete: boolean): SyncReport => {
    return { generation, unchanged: isHeld, complete, ...tally, slicesKept };
  };
  if (isBlocked || share.length < missing.length) return report(held?.pointer.generation ?? null, false);
  if (!stored.has(target.slice.sha256)) await store.put(replicaSliceKey(target.slice.sha256), target.bytes);

  const base: Pointer = {
    sequence: sequenceAfter(held, startedAt, isHeld),
    generation: target.feed.generation,
    etag: target.etag,
    manifest: target.slice,
    previous: held === null ? null : isHeld ? held.pointer.previous : held.pointer.manifest,
    confirmedAt: startedAt,
    auditedAt: startedAt,
    olderSince: null,
    deleting: null,
  };
  const isDeleting = doomed.size > 0;
  const deleting = isDeleting ? held?.pointer.deleting : await garbageFor(context, base, named, stored);
  const next = { ...base, deleting: deleting ?? null };
  // Until here, nothing that answers has changed. A failure from here on may come after the swap: then the new copy
  // answers, and the next sync finds that it has nothing to do.
  const swapped = await swapPointer(store, held, next);
  if (swapped === null) return report(await currentGeneration(store), false);
  if (!isDeleting) await deleteSlices(context, swapped);
  return report(next.generation, true);
}

/**
 * Sequences are times, so they ascend even if the store was emptied in between, and isolates that remember an earlier
 * copy never take the new one for older.
 */
function sequenceAfter(held: HeldPointer | null, now: number, isHeld: boolean): number {
  if (held === null) return now;
  return isHeld ? held.pointer.sequence : Math.max(now, held.pointer.sequence + 1);
}

interface Target extends FetchedManifest {
  readonly feed: FeedManifest;
  /** The bytes of the manifest itself, as a slice. */
  readonly slice: SliceShape;
}

/** The manifest that a sync follows. Throws ReplicaError `invalid` unless this version can follow it. */
async function openTarget({ etag, bytes }: FetchedManifest): Promise<Target> {
  const slice = { sha256: await sha256Hex(bytes), bytes: bytes.length };
  try {
    const feed = parseFeedManifest(bytes);
    // What lookups would refuse is refused here, while the copy before still answers.
    localManifest(feed, 0);
    slicesOf(feed);
    return { etag, bytes, feed, slice };
  } catch (error) {
    if (error instanceof FormatError) throw new ReplicaError('invalid', error.message, error);
    throw error;
  }
}

/** The held manifest again, to compare the store with it; it comes from the origin if the store has lost it. */
async function heldTarget(context: SyncContext, { pointer }: HeldPointer, tally: Tally): Promise<Target> {
  const bytes = await readSlice(context.store, pointer.manifest).catch(() => null);
  if (bytes !== null) return openTarget({ etag: pointer.etag, bytes });
  const fetched = await context.origin.manifest(null);
  if (fetched === 'unchanged') throw new ReplicaError('invalid', 'the origin said unchanged without being asked');
  tally.manifestBytes += fetched.bytes.length;
  return openTarget(fetched);
}

/**
 * Downloads slices into the store, each checked before it is put there. 'gone': the origin does not have one of them
 * any more. Rejects with ReplicaError, or when the store fails. In both cases the slices in the store stay, whole, and
 * the pointer does not lead to them yet.
 */
export async function download(
  { origin, store }: Pick<SyncContext, 'origin' | 'store'>,
  slices: readonly NamedSlice[],
  tally: Tally,
): Promise<'all' | 'gone'> {
  let outcome: 'all' | 'gone' = 'all';
  await mapConcurrent(slices, async (slice) => {
    if (outcome === 'gone') return;
    const bytes = await origin.slice(slice);
    if (bytes === 'gone') {
      outcome = 'gone';
      return;
    }
    await open(slice, bytes);
    await store.put(replicaSliceKey(slice.sha256), bytes);
    tally.slicesDownloaded += 1;
    tally.bytesDownloaded += bytes.length;
  });
  return outcome;
}

/**
 * The hash is right, so these are the origin's bytes; this version may be unable to read them, such as a newer format.
 */
async function open(slice: NamedSlice, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    await slice.open(bytes);
  } catch (error) {
    if (error instanceof ReplicaError) throw error;
    // The cause may quote a rule of the policy, never a number (src/replica/feed-config.ts).
    throw new ReplicaError('invalid', `slice ${slice.sha256}: ${messageOf(error)}`, error);
  }
}

// Deletion of slices that nothing leads to any more. Syncs may overlap, and the manifest that another sync is about to
// follow may name such a slice again (after a rollback, or a policy that was put back): that sync sees the slice in the
// store and does not download it. So the swap of the pointer says which slices its sync is about to delete:
//
// - a sync that read the pointer before cannot swap its own any more, so nothing will lead to what it counted on;
// - a sync that reads the pointer afterwards neither counts on these slices nor puts them there: it waits for the next.
//
// When they are deleted, the pointer is rewritten without them. If that does not happen (the sync was stopped, or the
// store failed), the announcement expires by itself (DELETING_MS).

/**
 * Longer than the longest sync (a cron handler ends after 15 minutes), since another one may be about to name these
 * slices.
 */
export const GARBAGE_AGE_MS = 60 * 60_000;
/** One call of R2 deletes as many; the pointer that names them has at most 67 KB, and only for a short time. */
const DELETE_LIMIT = 1000;
/** A sync that has not begun to delete within this time does not begin any more. */
const BEGIN_WITHIN_MS = 5 * 60_000;
/** After this time a sync that is deleting has ended, with its cron handler. */
export const DELETING_MS = 20 * 60_000;

/** There are fewer syncs than this at once. */
const TELL_ATTEMPTS = 3;
/** R2 refuses a second write of a key within a second, and the swap was one. */
const REWRITE_MS = 1_100;

type Deleting = NonNullable<Pointer['deleting']>;

/** Slices that must not be counted on, whether they are in the store or not. */
function beingDeleted(pointer: Pointer | null, now: number): ReadonlySet<string> {
  const deleting = pointer?.deleting ?? null;
  return new Set(deleting === null || now - deleting.at >= DELETING_MS ? [] : deleting.slices);
}

/**
 * The slices that neither the copy about to answer nor the one before names, and that are old enough; null: none. Never
 * rejects: if anything that tells what is named cannot be read, nothing is deleted.
 *
 * @param pointer about to be put
 * @param named slices of its copy
 * @param stored what was in the store before the sync
 */
async function garbageFor(
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
    log('replica.garbage-failed', { reason: messageOf(error) });
    return null;
  }
}

/** Deletes what the swap of this sync announced. Never rejects, since the sync is done by then. */
async function deleteSlices(context: SyncContext, swapped: HeldPointer): Promise<void> {
  const { store, now, log } = context;
  const { deleting } = swapped.pointer;
  if (deleting === null || now() - deleting.at > BEGIN_WITHIN_MS) return;
  try {
    await store.delete(deleting.slices.map(replicaSliceKey));
    log('replica.collected', { slices: deleting.slices.length });
    await tellDeleted(context, swapped, deleting.at);
  } catch (error) {
    // What was deleted was garbage; a later sync finds the rest.
    log('replica.garbage-failed', { reason: messageOf(error) });
  }
}

/**
 * Removes the announcement from the pointer. Other syncs may have swapped the pointer meanwhile, and kept the
 * announcement.
 */
async function tellDeleted({ store, sleep }: SyncContext, swapped: HeldPointer, at: number): Promise<void> {
  let held: HeldPointer | null = swapped;
  for (let attempt = 0; attempt < TELL_ATTEMPTS && held?.pointer.deleting?.at === at; attempt++) {
    await sleep(REWRITE_MS);
    if ((await swapPointer(store, held, { ...held.pointer, deleting: null })) !== null) return;
    held = await readPointer(store);
  }
}
