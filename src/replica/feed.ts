/** What replicas follow: the manifest of the feed, and the segments and slices that it names. */

import { decodeManifest, type Manifest, type SegmentEntry } from '../format/manifest.ts';
import { columnOf } from '../format/segment.ts';
import { type Bytes, sha256Hex } from '../lib/bytes.ts';
import type { Snapshot } from '../lookup/snapshot.ts';
import { generationKey, RETAINED_PREFIX } from '../storage/keys.ts';
import { readHead, readNumbers, readPages, readSlice } from '../storage/slices.ts';
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

/** A replica has some minutes to finish in. */
const OLDER_GENERATIONS = 5;

/** What a hash stands for in a snapshot. */
interface Place {
  readonly entry: SegmentEntry;
  /** Verdicts only of a segment of version 1: those of others stand under the hash of its numbers. */
  readonly part: 'numbers' | 'verdicts';
}

/** All methods reject with StorageUnavailable when the storage does not answer. */
export class Feed {
  readonly #deps: FeedDeps;
  /** By snapshot, so that an index is dropped with its snapshot. It is made when the first slice is asked for. */
  readonly #indexes = new WeakMap<Snapshot, ReadonlyMap<string, Place>>();
  readonly #configHashes = new WeakMap<Bytes, string>();
  /** Of retained generations by commit, what the present one did not have when they were read. */
  readonly #older = new Map<string, ReadonlyMap<string, Place>>();

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
    return this.#readOlder(newer, hash);
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
      index = indexOf(snapshot.manifest.runs);
      this.#indexes.set(snapshot, index);
    }
    return index.get(hash);
  }

  /**
   * Where what a generation shortly before had is: a replica that began before a merge can finish. Each of their
   * manifests is read once.
   */
  async #findOlder({ manifest }: Snapshot, hash: string): Promise<Place | undefined> {
    const recent = manifest.retained.slice(-OLDER_GENERATIONS).reverse();
    for (const commit of this.#older.keys()) {
      if (!recent.some((entry) => entry.commit === commit)) this.#older.delete(commit);
    }
    for (const { generation, commit } of recent) {
      const known = this.#older.get(commit) ?? (await this.#indexOlder(generation, commit, manifest));
      this.#older.set(commit, known);
      const place = known.get(hash);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  async #indexOlder(generation: number, commit: string, { runs }: Manifest): Promise<ReadonlyMap<string, Place>> {
    const object = await orUnavailable(this.#deps.objects.get(generationKey(RETAINED_PREFIX, generation, commit)));
    if (object === null) return new Map();
    const present = indexOf(runs);
    return new Map([...indexOf(decodeManifest(object.bytes).runs)].filter(([hash]) => !present.has(hash)));
  }

  /**
   * The bytes of a segment up to its evidence, not checked: whoever has the hash of its numbers can. null: there is
   * none.
   * @param hash of its numbers slice, 64 lower-case hex digits
   */
  async segment(hash: string): Promise<Bytes | null> {
    const { snapshots, objects } = this.#deps;
    const snapshot = await orUnavailable(snapshots.get());
    let place = this.#find(snapshot, hash);
    if (place === undefined) {
      const newer = await orUnavailable(snapshots.refresh());
      place = this.#find(newer, hash) ?? (await this.#findOlder(newer, hash));
    }
    return place?.part === 'numbers' ? orUnavailable(readHead(objects, place.entry)) : null;
  }

  async #read(snapshot: Snapshot, { entry, part }: Place): Promise<Bytes> {
    const { objects, slices, log } = this.#deps;
    const page = part === 'numbers' || entry.parts === null ? null : columnOf(entry, entry.parts);
    const report = (problem: string) => log('slice.unusable', { problem });
    const shape = page ?? entry.numbers;
    const slice = snapshot.isSliced(entry) ? await readSlice(slices, shape, report) : null;
    if (slice !== null) return slice;
    if (page === null) return orUnavailable(readNumbers(objects, entry));
    const [verdicts] = await orUnavailable(readPages(objects, entry, [page]));
    return verdicts as Bytes;
  }

  /**
   * A slice of an earlier generation. The slice store keeps these for an hour or more; what it never had, the segments
   * of generations shortly before have. The store may remember a miss; if this slice is written one day, it is then
   * read from its segment for a while.
   */
  async #readOlder(snapshot: Snapshot, hash: string): Promise<Bytes | null> {
    const bytes = await orUnavailable(this.#deps.slices.get(hash));
    if (bytes !== null && (await sha256Hex(bytes)) === hash) return bytes;
    const place = await this.#findOlder(snapshot, hash);
    return place?.part === 'numbers' ? orUnavailable(readNumbers(this.#deps.objects, place.entry)) : null;
  }
}

function indexOf(runs: Manifest['runs']): ReadonlyMap<string, Place> {
  const index = new Map<string, Place>();
  for (const { segments } of runs) {
    for (const entry of segments) {
      index.set(entry.numbers.sha256, { entry, part: 'numbers' });
      if (entry.parts !== null) index.set(entry.parts.verdicts.sha256, { entry, part: 'verdicts' });
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
