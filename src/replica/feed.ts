/** What replicas follow: the manifest of the feed, and the slices that it names. */

import type { Manifest, SegmentEntry } from '../format/manifest.ts';
import { type Bytes, sha256Hex } from '../lib/bytes.ts';
import type { Snapshot } from '../lookup/snapshot.ts';
import { type Column, readCachedColumn, readColumn } from '../storage/slices.ts';
import { type ObjectStore, orUnavailable, type SliceStore } from '../storage/store.ts';
import { encodeFeedManifest, FEED_FORMAT, feedManifestOf } from './feed-manifest.ts';

interface FeedDeps {
  /** A SnapshotCache. `refresh` resolves to what storage has now, or rejects. */
  readonly snapshots: { get(): Promise<Snapshot>; refresh(): Promise<Snapshot> };
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /**
   * What a tenant decides with (FeedConfigs): the same bytes, in one object that is never altered, while it does not
   * change.
   */
  config(tenant: string): Promise<Bytes>;
  log(event: string, details: Readonly<Record<string, string | number>>): void;
}

interface TaggedManifest {
  /** A strong etag with its quotes. */
  readonly etag: string;
  /** Called only when the manifest has changed: most polls find that it has not. */
  encode(): Bytes;
}

/** Where a slice of a snapshot is stored. */
interface Place {
  readonly entry: SegmentEntry;
  readonly column: Column;
}

/** Both methods reject with StorageUnavailable when the storage does not answer. */
export class Feed {
  readonly #deps: FeedDeps;
  /** By snapshot, so that an index is dropped with its snapshot. It is made when the first slice is asked for. */
  readonly #indexes = new WeakMap<Snapshot, ReadonlyMap<string, Place>>();
  readonly #configHashes = new WeakMap<Bytes, string>();

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /**
   * The manifest for a tenant as it is now. Storage is asked each time: replicas poll once a minute, and take the
   * answer as a confirmation that they have the newest.
   */
  async manifest(tenant: string): Promise<TaggedManifest> {
    const [{ manifest }, config] = await orUnavailable(
      Promise.all([this.#deps.snapshots.refresh(), this.#configSlice(tenant)]),
    );
    const { sha256, bytes } = config;
    return {
      etag: `"${FEED_FORMAT}-${manifest.generation}-${idOf(manifest)}-${sha256}"`,
      encode: () => encodeFeedManifest(feedManifestOf(manifest, { sha256, bytes: bytes.length })),
    };
  }

  /**
   * The bytes with this hash, checked; null if there are none, or none that this tenant may have.
   * @param hash 64 lower-case hex digits
   */
  async slice(tenant: string, hash: string): Promise<Bytes | null> {
    const { snapshots } = this.#deps;
    const snapshot = await orUnavailable(snapshots.get());
    const place = this.#find(snapshot, hash);
    if (place !== undefined) return this.#read(snapshot, place);
    // Only the asking tenant's own configuration is compared, so another tenant's is not found.
    const config = await orUnavailable(this.#configSlice(tenant));
    if (config.sha256 === hash) return config.bytes;
    // The manifest may come from an isolate that knew a newer generation.
    const newer = await orUnavailable(snapshots.refresh());
    const newPlace = newer === snapshot ? undefined : this.#find(newer, hash);
    if (newPlace !== undefined) return this.#read(newer, newPlace);
    return this.#readOlder(hash);
  }

  async #configSlice(tenant: string): Promise<{ readonly sha256: string; readonly bytes: Bytes }> {
    const bytes = await this.#deps.config(tenant);
    const sha256 = this.#configHashes.get(bytes) ?? (await sha256Hex(bytes));
    this.#configHashes.set(bytes, sha256);
    return { sha256, bytes };
  }

  #find(snapshot: Snapshot, hash: string): Place | undefined {
    let index = this.#indexes.get(snapshot);
    if (index === undefined) {
      index = indexOf(snapshot);
      this.#indexes.set(snapshot, index);
    }
    return index.get(hash);
  }

  async #read(snapshot: Snapshot, { entry, column }: Place): Promise<Bytes> {
    const { objects, slices, log } = this.#deps;
    const report = (problem: string) => log('slice.unusable', { problem });
    const isSliced = !snapshot.missingSlices.has(entry.key);
    const slice = isSliced ? await readCachedColumn(slices, entry, column, report) : null;
    return slice ?? orUnavailable(readColumn(objects, entry, column));
  }

  /**
   * A slice of an earlier generation. The slice store keeps these for an hour or more, so that a replica that began
   * before a merge can finish. The store may remember a miss; if this slice is written one day, it is then read from
   * its segment for a while.
   */
  async #readOlder(hash: string): Promise<Bytes | null> {
    const bytes = await orUnavailable(this.#deps.slices.get(hash));
    return bytes !== null && (await sha256Hex(bytes)) === hash ? bytes : null;
  }
}

function indexOf({ manifest }: Snapshot): ReadonlyMap<string, Place> {
  const index = new Map<string, Place>();
  for (const { segments } of manifest.runs) {
    for (const entry of segments) {
      index.set(entry.numbers.sha256, { entry, column: 'numbers' });
      index.set(entry.verdicts.sha256, { entry, column: 'verdicts' });
    }
  }
  return index;
}

/** The commit id tells two generations of the same number apart. Before the first generation there is none. */
function idOf({ commit }: Manifest): string {
  return commit === '' ? 'none' : commit;
}

interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** `a-b`, `a-` or `-n`; more digits than this name no byte of ours. */
const SINGLE = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i;

/**
 * What a Range header asks of `size` bytes. null: all of them, since there is no header, or one that is malformed or
 * asks for several ranges at once, which a server may ignore. 'unsatisfiable': none of the bytes asked for exist.
 */
export function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | null {
  const [, from = '', to = ''] = header?.match(SINGLE) ?? [];
  if (from === '') {
    if (to === '') return null;
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < offset) return null;
  return offset >= size ? 'unsatisfiable' : { offset, length: last - offset + 1 };
}

/** Whether an If-None-Match header names this etag; `*` names any that exists. */
export function namesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  // RFC 9110 asks for the weak comparison of this header. None of these etags has a comma.
  return header.split(',').some((candidate) => {
    const text = candidate.trim();
    return text === '*' || text === etag || text === `W/${etag}`;
  });
}
