/** Where a replica keeps its copy. */

import * as v from 'valibot';
import { checkedSlice, type SliceShape } from '../format/segment.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { R2ObjectStore } from '../storage/cloudflare.ts';
import { MANIFEST_KEY, REPLICA_POINTER_KEY, REPLICA_SLICE_PREFIX, replicaSliceKey } from '../storage/keys.ts';
import { MemoryObjectStore } from '../storage/memory.ts';
import {
  type ListOptions,
  listPages,
  type ObjectHead,
  type ObjectPage,
  type ObjectStore,
  type PutCondition,
  type SliceHead,
  type SliceStore,
  type StoredObject,
} from '../storage/store.ts';
import { localManifest, openConfig, type ReplicaRules } from './contents.ts';
import { MAX_MANIFEST_BYTES, parseFeedManifest, SLICE_HASH } from './feed-manifest.ts';

/**
 * The part of the object store contract (src/storage/store.ts) that a replica needs. The store must be strongly
 * consistent, lists and conditional puts included: only a sync that has seen the pointer swaps it, and a slice that is
 * not listed is downloaded again. It holds one object that changes, `current`, and immutable ones, `slices/HASH`.
 */
export type ReplicaStore = Pick<ObjectStore, 'get' | 'getIfChanged' | 'getRange' | 'put' | 'list' | 'delete'>;

/**
 * @param prefix lets a bucket hold other things as well; for example `ringfence/`
 * @example r2ReplicaStore(env.REPLICA)
 */
export function r2ReplicaStore(bucket: R2Bucket, prefix = ''): ReplicaStore {
  const store = new R2ObjectStore(bucket);
  return prefix === '' ? store : new PrefixedStore(store, prefix);
}

/** A store that is gone with its isolate, for tests and for trying things out. */
export function memoryReplicaStore(): ReplicaStore {
  return new MemoryObjectStore(() => Date.now());
}

/** The keys of another store under a prefix. */
export class PrefixedStore implements ReplicaStore {
  readonly #store: ReplicaStore;
  readonly #prefix: string;

  constructor(store: ReplicaStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<StoredObject | null> {
    const object = await this.#store.get(this.#prefix + key);
    return object === null ? null : { ...object, key };
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const object = await this.#store.getIfChanged(this.#prefix + key, etag);
    return object === 'unchanged' || object === null ? object : { ...object, key };
  }

  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#store.getRange(this.#prefix + key, offset, length);
  }

  async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
    owner?: string,
  ): Promise<ObjectHead | null> {
    const head = await this.#store.put(this.#prefix + key, bytes, condition, owner);
    return head === null ? null : { ...head, key };
  }

  async list(prefix: string, { startAfter, ...options }: ListOptions = {}): Promise<ObjectPage> {
    const page = await this.#store.list(this.#prefix + prefix, {
      ...options,
      ...(startAfter !== undefined && { startAfter: this.#prefix + startAfter }),
    });
    const objects = page.objects.map((head) => ({ ...head, key: head.key.slice(this.#prefix.length) }));
    return { ...page, objects };
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#store.delete(keys.map((key) => this.#prefix + key));
  }
}

// The pointer says which copy answers. It is a replica's only object that changes, and everything that it leads to is
// stored before it. Frame "RFRP" version 1 around JSON.

const sha256 = v.pipe(v.string(), v.regex(SLICE_HASH));
const manifestSlice = v.object({
  sha256,
  bytes: v.pipe(count, v.maxValue(MAX_MANIFEST_BYTES)),
});

const schema = v.object({
  /** Larger with every swap, also where the origin goes back to an older generation. */
  sequence: count,
  generation: count,
  /** The etag of the origin's manifest. */
  etag: v.string(),
  /** The origin's manifest as it came. It names all other slices. */
  manifest: manifestSlice,
  /** The manifest before, whose slices are kept for isolates that have not seen the swap. */
  previous: v.nullable(manifestSlice),
  /** When the sync began that last found the origin to have nothing newer; milliseconds since 1970, as all times. */
  confirmedAt: count,
  /** When the slices in the store were last compared with the manifest. */
  auditedAt: count,
  /** Since when the origin has been answering with a generation older than this one; null: it does not. */
  olderSince: v.nullable(count),
  /**
   * Slices that a sync is deleting, and since when; no other sync may count on them (sync.ts). Absent in older
   * pointers.
   */
  deleting: v.optional(v.nullable(v.object({ at: count, slices: v.array(sha256) })), null),
});

export type Pointer = v.InferOutput<typeof schema>;

/** Throws FormatError unless the bytes are a pointer. */
export const { encode: encodePointer, decode: decodePointer } = framedJson('RFRP', 1, schema);

export interface HeldPointer {
  readonly pointer: Pointer;
  /** The etag that the store gave the pointer, for the next swap. */
  readonly etag: string;
}

/** null: nothing has been synced yet. */
export async function readPointer(store: ReplicaStore): Promise<HeldPointer | null> {
  const object = await store.get(REPLICA_POINTER_KEY);
  return object === null ? null : { pointer: decodePointer(object.bytes), etag: object.etag };
}

/**
 * Replaces the pointer `held`: the only commit point of a sync. null: another sync has put its own there first, and
 * nothing was written. Rejects when the store fails; then one of the two pointers is there, whole.
 */
export async function swapPointer(
  store: ReplicaStore,
  held: HeldPointer | null,
  next: Pointer,
): Promise<HeldPointer | null> {
  const condition = held === null ? ({ absent: true } as const) : { etag: held.etag };
  const written = await store.put(REPLICA_POINTER_KEY, encodePointer(next), condition);
  return written === null ? null : { pointer: next, etag: written.etag };
}

/** A slice from the store. Rejects unless it is there undamaged. */
export async function readSlice(store: ReplicaStore, slice: SliceShape): Promise<Uint8Array<ArrayBuffer>> {
  const object = await store.get(replicaSliceKey(slice.sha256));
  if (object === null) throw new RangeError(`slice ${slice.sha256} is not in the replica's store`);
  return checkedSlice(object.bytes, slice);
}

/** Pages of 1,000 keys: twice the slices of the largest manifest, and as many again that are garbage. */
const LIST_PAGES = 600;

export interface StoredSlice {
  readonly sizeBytes: number;
  readonly uploadedAt: number;
}

/** Every slice in the store, by hash. */
export async function listSlices(store: ReplicaStore): Promise<Map<string, StoredSlice>> {
  const slices = new Map<string, StoredSlice>();
  for await (const { objects, cursor } of listPages(store, REPLICA_SLICE_PREFIX, LIST_PAGES)) {
    for (const { key, sizeBytes, uploadedAt } of objects) {
      slices.set(key.slice(REPLICA_SLICE_PREFIX.length), { sizeBytes, uploadedAt });
    }
    if (cursor === undefined) return slices;
  }
  throw new RangeError(`expected at most ${LIST_PAGES} pages of slices in the replica's store`);
}

// The replica's store as lookups see it: the two store contracts, read only, over the copy that the pointer leads to.
// Columns and rules of an answer always belong to one copy: a copy has a sequence number, which stands for its
// generation in lookups, and its rules are found by that.

/** A lookup that began before a swap still finds the rules of its copy, since swaps are seen at least 10 s apart. */
const KEPT_COPIES = 3;

export interface Copy {
  readonly sequence: number;
  /** The generation of the origin. */
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  readonly rules: ReplicaRules;
  /** When the last sync began that found it to be the newest, as far as this isolate has read. */
  readonly confirmedAt: number;
}

interface OpenCopy extends Copy {
  readonly manifest: Uint8Array<ArrayBuffer>;
}

/** The manifest, and ranges of segments, which end where their evidence began. */
export class CopyObjects implements ObjectStore {
  readonly #store: ReplicaStore;
  readonly #copies = new Map<number, OpenCopy>();
  #known: { readonly pointer: Pointer; readonly etag: string } | null = null;

  constructor(store: ReplicaStore) {
    this.#store = store;
  }

  /** The copy that a finding was read from. */
  copyOf(sequence: number): Copy | undefined {
    return this.#copies.get(sequence);
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    if (key !== MANIFEST_KEY) return null;
    const { manifest, sequence } = await this.#current();
    const current = String(sequence);
    if (current === etag) return 'unchanged';
    return { key, etag: current, bytes: manifest, sizeBytes: manifest.length, uploadedAt: 0 };
  }

  /** Rejects when the store does not answer or nothing was synced yet; it can be called again. */
  async #current(): Promise<OpenCopy> {
    const object = await this.#store.getIfChanged(REPLICA_POINTER_KEY, this.#known?.etag ?? '');
    // An error and not an empty manifest: before the first sync nothing is known, so nobody is clear.
    if (object === null) throw new RangeError('the replica has not been synced yet');
    const known = object === 'unchanged' ? this.#known : { pointer: decodePointer(object.bytes), etag: object.etag };
    if (known === null) throw new RangeError('the store says unchanged, but nothing was known');
    this.#known = known;
    const { sequence, confirmedAt } = known.pointer;
    const open = this.#copies.get(sequence) ?? (await this.#open(known.pointer));
    // Two reads may overlap. A copy never counts as confirmed earlier than it was.
    const copy = { ...open, confirmedAt: Math.max(confirmedAt, this.#copies.get(sequence)?.confirmedAt ?? 0) };
    this.#copies.set(sequence, copy);
    this.#dropOldest();
    return copy;
  }

  async #open({ sequence, manifest: slice, confirmedAt }: Pointer): Promise<OpenCopy> {
    const feed = parseFeedManifest(await readSlice(this.#store, slice));
    const rules = openConfig(await readSlice(this.#store, feed.config));
    const { generation, publishedAt } = feed;
    return { sequence, generation, publishedAt, rules, confirmedAt, manifest: localManifest(feed, sequence) };
  }

  #dropOldest(): void {
    const sequences = [...this.#copies.keys()].sort((a, b) => b - a);
    for (const sequence of sequences.slice(KEPT_COPIES)) this.#copies.delete(sequence);
  }

  async get(key: string): Promise<StoredObject | null> {
    const object = await this.getIfChanged(key, '');
    return object === 'unchanged' ? null : object;
  }
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#store.getRange(key, offset, length);
  }
  async head(): Promise<null> {
    return null;
  }
  async list(): Promise<ObjectPage> {
    return { objects: [] };
  }
  async put(): Promise<ObjectHead | null> {
    throw readOnly();
  }
  async delete(): Promise<void> {
    throw readOnly();
  }
}

/** Lookups check the hash of what they get. */
export class CopySlices implements SliceStore {
  readonly #store: ReplicaStore;

  constructor(store: ReplicaStore) {
    this.#store = store;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return (await this.#store.get(replicaSliceKey(key)))?.bytes ?? null;
  }
  async list(): Promise<{ readonly slices: readonly SliceHead[] }> {
    return { slices: [] };
  }
  async put(): Promise<void> {
    throw readOnly();
  }
  async delete(): Promise<void> {
    throw readOnly();
  }
}

function readOnly(): RangeError {
  return new RangeError('lookups write nothing to the store of a replica');
}
