/** The manifest that a sync is about to make its own. */
import { type FeedManifest, parseFeedManifest } from '../feed/manifest.ts';
import { FormatError } from '../format/frame.ts';
import { sha256Hex } from '../format/hash.ts';
import type { SliceShape } from '../format/segment.ts';
import { localManifest, slicesOf } from './contents.ts';
import { ReplicaError } from './errors.ts';
import type { FetchedManifest } from './origin.ts';
import { type HeldPointer, readSlice } from './pointer.ts';
import type { SyncContext, Tally } from './sync.ts';

export interface Target extends FetchedManifest {
  readonly feed: FeedManifest;
  /** Its own bytes, as a slice. */
  readonly slice: SliceShape;
}

/** Throws ReplicaError `invalid` unless the manifest is one that this version can follow. */
export async function openTarget({ etag, bytes }: FetchedManifest): Promise<Target> {
  const slice = { sha256: await sha256Hex(bytes), bytes: bytes.length };
  try {
    const feed = parseFeedManifest(bytes);
    // Whatever lookups would refuse is refused here, while what is held still answers.
    localManifest(feed, 0);
    slicesOf(feed);
    return { etag, bytes, feed, slice };
  } catch (error) {
    if (error instanceof FormatError) throw new ReplicaError('invalid', error.message, error);
    throw error;
  }
}

/** The held manifest once more, to hold the store against it; from the origin if the store has lost it. */
export async function heldTarget(context: SyncContext, { pointer }: HeldPointer, tally: Tally): Promise<Target> {
  const bytes = await readSlice(context.store, pointer.manifest).catch(() => null);
  if (bytes !== null) return openTarget({ etag: pointer.etag, bytes });
  const fetched = await context.origin.manifest(null);
  if (fetched === 'unchanged') throw new ReplicaError('invalid', 'the origin said unchanged without being asked');
  tally.manifestBytes += fetched.bytes.length;
  return openTarget(fetched);
}
