/**
 * The replica's store as lookups see it: the two store contracts, read only, over the copy that the pointer leads to.
 * Columns and rules of an answer always belong to one copy: each copy has a sequence number that stands for its
 * generation in lookups, and the rules are found by it.
 */
import { parseFeedManifest } from '../feed/manifest.ts';
import { MANIFEST_KEY } from '../store/keys.ts';
import type { ObjectHead, ObjectPage, ObjectStore, SliceHead, SliceStore, StoredObject } from '../store/store.ts';
import { localManifest, openConfig, type ReplicaRules } from './contents.ts';
import { decodePointer, POINTER_KEY, type Pointer, readSlice, sliceKey } from './pointer.ts';
import type { ReplicaStore } from './stores.ts';

/** A lookup that began before a swap still finds the rules of its copy; swaps are seen 10 s apart at least. */
const KEPT_COPIES = 3;

export interface Copy {
  readonly sequence: number;
  /** The origin's. */
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

/** Everything but the manifest is absent: a replica has no segments, and no evidence. */
export class CopyObjects implements ObjectStore {
  readonly #store: ReplicaStore;
  readonly #copies = new Map<number, OpenCopy>();
  #known: { readonly pointer: Pointer; readonly etag: string } | null = null;

  constructor(store: ReplicaStore) {
    this.#store = store;
  }

  /** The copy that a finding comes from. */
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

  /** Rejects, and is to be asked again, when the store does not answer or nothing was synced yet. */
  async #current(): Promise<OpenCopy> {
    const object = await this.#store.getIfChanged(POINTER_KEY, this.#known?.etag ?? '');
    // An error and not an empty manifest: without a sync nothing is known, and nobody is clear.
    if (object === null) throw new RangeError('the replica has not been synced yet');
    const known = object === 'unchanged' ? this.#known : { pointer: decodePointer(object.bytes), etag: object.etag };
    if (known === null) throw new RangeError('the store says unchanged, but nothing was known');
    this.#known = known;
    const { sequence, confirmedAt } = known.pointer;
    const open = this.#copies.get(sequence) ?? (await this.#open(known.pointer));
    // Two reads may cross: a copy is never confirmed less than it was.
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
  async getRange(): Promise<null> {
    return null;
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
    return (await this.#store.get(sliceKey(key)))?.bytes ?? null;
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
