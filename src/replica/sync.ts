/**
 * One sync: the origin's manifest, the slices of it that are not in the store yet, then the pointer. Until the pointer
 * is swapped what was held before answers, whatever fails; what was downloaded stays, so the next sync goes on from
 * there. Syncs may overlap: one swaps, the others find that they were late.
 */
import { beingDeleted, deleteSlices, garbageFor } from './collect.ts';
import { slicesOf } from './contents.ts';
import { download } from './download.ts';
import { ReplicaError } from './errors.ts';
import type { Origin } from './origin.ts';
import { type HeldPointer, listSlices, type Pointer, readPointer, sliceKey, swapPointer } from './pointer.ts';
import type { ReplicaStore } from './stores.ts';
import { heldTarget, openTarget, type Target } from './target.ts';

/** Even without news the store is held against the manifest so often: a slice that was lost is fetched again. */
export const AUDIT_MS = 60 * 60_000;
/**
 * An origin whose manifest was put back from a copy goes on from an older generation. It is followed once every sync
 * for this long has found it so; what merely answers late does not last.
 */
export const OLDER_FOR_MS = 15 * 60_000;
/** How often one sync reads the manifest: a merge at the origin may take slices away between manifest and download. */
const READINGS = 2;

export interface SyncContext {
  readonly origin: Origin;
  readonly store: ReplicaStore;
  /** Slices downloaded by one sync at most; the next one goes on. */
  readonly slicesPerSync: number;
  /** Milliseconds since 1970. */
  now(): number;
  delay(ms: number): Promise<void>;
  log(event: string, details: Readonly<Record<string, string | number>>): void;
}

export interface SyncReport {
  /** The origin's generation that the store answers with after this sync; null: none yet. */
  readonly generation: number | null;
  /** The origin had nothing new. */
  readonly unchanged: boolean;
  /** False: not all slices are here yet, or another sync was first. What was held before answers; sync again. */
  readonly complete: boolean;
  readonly slicesDownloaded: number;
  readonly bytesDownloaded: number;
  /** Bytes of the manifest, if it was downloaded. */
  readonly manifestBytes: number;
  /** Of the manifest's slices, those that were in the store already. Not counted (0) when there was nothing to do. */
  readonly slicesKept: number;
}

/** What a sync has downloaded so far. */
export interface Tally {
  slicesDownloaded: number;
  bytesDownloaded: number;
  manifestBytes: number;
}

/** Rejects with ReplicaError (errors.ts), or with the store's own error. */
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
      // Only an etag of ours can be unchanged, so there is a pointer.
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
  // What could be downloaded is in the store, and is not downloaded again.
  throw new ReplicaError('unavailable', `the origin moved on ${READINGS} times while its slices were downloaded`);
}

/** Nothing new: says so. If another sync was first, it has said so too, or has something newer. */
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
 * A rollback makes a new generation, so an older one is an old answer from somewhere on the way, unless it lasts.
 * Throws ReplicaError `older` until then; what is held goes on answering, and soon says that it is stale.
 */
async function refuseOlder(store: ReplicaStore, held: HeldPointer, startedAt: number): Promise<void> {
  const { olderSince, generation } = held.pointer;
  if (olderSince !== null && startedAt - olderSince >= OLDER_FOR_MS) return;
  if (olderSince === null) await swapPointer(store, held, { ...held.pointer, olderSince: startedAt });
  throw new ReplicaError('older', `expected generation ${generation} or later`);
}

/** Makes the store that of the target. 'gone': the origin has moved on, and the pointer is as it was. */
async function follow(
  context: SyncContext,
  held: HeldPointer | null,
  target: Target,
  { startedAt, tally }: { readonly startedAt: number; readonly tally: Tally },
): Promise<SyncReport | 'gone'> {
  const { store } = context;
  const stored = await listSlices(store);
  const named = slicesOf(target.feed);
  // What another sync is deleting may be there or not, and what is put there now may be gone in a moment.
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
  if (!stored.has(target.slice.sha256)) await store.put(sliceKey(target.slice.sha256), target.bytes);

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
  // Up to here nothing that answers has changed. A failure from here on may come after the swap: then the new copy
  // answers, and the next sync finds that it has nothing to do.
  const swapped = await swapPointer(store, held, next);
  if (swapped === null) return report(await currentGeneration(store), false);
  if (!isDeleting) await deleteSlices(context, swapped);
  return report(next.generation, true);
}

/**
 * Times make sequences that ascend even if the store was emptied in between, so that isolates which remember an
 * earlier copy never take the new one for older.
 */
function sequenceAfter(held: HeldPointer | null, now: number, isHeld: boolean): number {
  if (held === null) return now;
  return isHeld ? held.pointer.sequence : Math.max(now, held.pointer.sequence + 1);
}
