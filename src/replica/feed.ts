/** What replicas follow: the manifest of the feed, and the slices that it names. */

import type { Manifest, SegmentEntry } from '../format/manifest.ts';
import { sha256Hex } from '../lib/bytes.ts';
import type { Snapshot } from '../lookup/snapshot.ts';
import { type Column, readCachedColumn, readColumn } from '../storage/slices.ts';
import { type ObjectStore, orUnavailable, type SliceStore } from '../storage/store.ts';
import { encodeFeedManifest, FEED_FORMAT, feedManifestOf } from './feed-manifest.ts';

type Bytes = Uint8Array<ArrayBuffer>;

interface FeedDeps {
  /** A SnapshotHolder; `refresh` resolves to what storage says now, or rejects. */
  readonly snapshots: { get(): Promise<Snapshot>; refresh(): Promise<Snapshot> };
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /** What a tenant decides with (FeedConfigs); the same bytes, in one object never altered, while it does not change. */
  config(tenant: string): Promise<Bytes>;
  log(event: string, details: Readonly<Record<string, string | number>>): void;
}

interface TaggedManifest {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Not needed by most polls: they find that nothing has changed. */
  encode(): Bytes;
}

/** Where a slice of a snapshot is. */
interface Place {
  readonly entry: SegmentEntry;
  readonly column: Column;
}

/** Both methods reject with StorageUnavailable when the storage does not answer. */
export class Feed {
  readonly #deps: FeedDeps;
  /** By snapshot, so that an index goes when its snapshot does. Made when the first slice is asked for. */
  readonly #indexes = new WeakMap<Snapshot, ReadonlyMap<string, Place>>();
  readonly #configHashes = new WeakMap<Bytes, string>();

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /**
   * The manifest as it is now for a tenant. Storage is asked each time: replicas call once a minute, and take the
   * answer for a confirmation that they have the newest.
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
    // Another tenant's configuration is not found: only the asking one's own is compared.
    const config = await orUnavailable(this.#configSlice(tenant));
    if (config.sha256 === hash) return config.bytes;
    // The manifest may come from an isolate that knew of a newer generation.
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
    const isSliced = !snapshot.unsliced.has(entry.key);
    const slice = isSliced ? await readCachedColumn(slices, entry, column, report) : null;
    return slice ?? orUnavailable(readColumn(objects, entry, column));
  }

  /**
   * A slice of an earlier generation, which the slice store keeps for an hour or more: a replica that began before a
   * merge can end what it began. The store may remember the miss; what is written under this hash one day is then
   * read from its segment for a while.
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

/** The commit id tells two generations of one number apart; before the first there is none. */
function idOf({ commit }: Manifest): string {
  return commit === '' ? 'none' : commit;
}

/** One range of bytes of a representation (RFC 9110, 14). */

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
  // The weak comparison, as RFC 9110 says for this header. No etag of ours has a comma.
  return header.split(',').some((candidate) => {
    const text = candidate.trim();
    return text === '*' || text === etag || text === `W/${etag}`;
  });
}
