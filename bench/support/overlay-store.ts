/**
 * A store that reads through to another and keeps its writes apart, so that a benchmark leaves an inventory as it was.
 */

import { MemoryObjectStore, MemorySliceStore } from '../../src/storage/memory.ts';
import { objectOf } from '../../src/storage/parts.ts';
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceHead,
  SliceStore,
  StoredObject,
} from '../../src/storage/store.ts';

export class OverlayObjectStore implements ObjectStore {
  readonly #below: ObjectStore;
  readonly #above = new MemoryObjectStore(() => Date.now());
  readonly #deleted = new Set<string>();
  readonly #sizes = new Map<string, number>();

  constructor(below: ObjectStore) {
    this.#below = below;
  }

  /** What is held in memory: not the merge's, but the store's. */
  get heldBytes(): number {
    let sum = 0;
    for (const bytes of this.#sizes.values()) sum += bytes;
    return sum;
  }

  #storeOf(key: string): ObjectStore {
    const object = objectOf(key);
    return this.#deleted.has(object) || this.#sizes.has(object) ? this.#above : this.#below;
  }

  async get(key: string): Promise<StoredObject | null> {
    return this.#storeOf(key).get(key);
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    return this.#storeOf(key).getIfChanged(key, etag);
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#storeOf(key).getRange(key, offset, length);
  }

  async head(key: string): Promise<ObjectHead | null> {
    return this.#storeOf(key).head(key);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, condition?: PutCondition): Promise<ObjectHead | null> {
    const existing = condition === undefined ? null : await this.head(key);
    if (condition !== undefined) {
      const holds = 'absent' in condition ? existing === null : existing?.etag === condition.etag;
      if (!holds) return null;
    }
    this.#deleted.delete(key);
    this.#sizes.set(key, bytes.length);
    return this.#above.put(key, bytes);
  }

  /** Only what has been written here, of the prefixes that a merge lists. */
  async list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    return this.#above.list(prefix, options);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#deleted.add(key);
      this.#sizes.delete(key);
    }
    await this.#above.delete(keys);
  }
}

/** The same of slices: they are immutable, so the newer store is just asked first. */
export class OverlaySliceStore implements SliceStore {
  readonly #below: SliceStore;
  readonly #above = new MemorySliceStore();

  constructor(below: SliceStore) {
    this.#below = below;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return (await this.#above.get(key)) ?? this.#below.get(key);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    return this.#above.put(key, bytes, writtenAt);
  }

  async delete(key: string): Promise<void> {
    return this.#above.delete(key);
  }

  async list(cursor?: string): Promise<{ readonly slices: readonly SliceHead[]; readonly cursor?: string }> {
    return this.#above.list(cursor);
  }
}

/** Takes slices and keeps none: a merge only writes them. */
export class NullSliceStore implements SliceStore {
  async get(): Promise<null> {
    return null;
  }

  async put(): Promise<void> {}

  async delete(): Promise<void> {}

  async list(): Promise<{ slices: readonly SliceHead[] }> {
    return { slices: [] };
  }
}
