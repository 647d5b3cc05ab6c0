/** Stores that count what is asked of them: operations and bytes are exact where times say nothing of production. */
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceHead,
  SliceStore,
  StoredObject,
} from '../../src/store/store.ts';

export interface Operations {
  /** Class B of R2, reads of KV. */
  reads: number;
  readBytes: number;
  /** Puts: class A of R2, writes of KV. */
  writes: number;
  writtenBytes: number;
  lists: number;
  /** Free, but each is a call of the platform's limit. */
  deletes: number;
}

export function noOperations(): Operations {
  return { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0, lists: 0, deletes: 0 };
}

export function calls({ reads, writes, lists, deletes }: Operations): number {
  return reads + writes + lists + deletes;
}

export class CountingObjectStore implements ObjectStore {
  readonly counted = noOperations();
  readonly #inner: ObjectStore;

  constructor(inner: ObjectStore) {
    this.#inner = inner;
  }

  #read<T extends Uint8Array | StoredObject | 'unchanged'>(value: T | null): T | null {
    this.counted.reads += 1;
    if (value !== null && value !== 'unchanged') {
      this.counted.readBytes += value instanceof Uint8Array ? value.length : value.sizeBytes;
    }
    return value;
  }

  async get(key: string): Promise<StoredObject | null> {
    return this.#read(await this.#inner.get(key));
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    return this.#read(await this.#inner.getIfChanged(key, etag));
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#read(await this.#inner.getRange(key, offset, length));
  }

  async head(key: string): Promise<ObjectHead | null> {
    this.counted.reads += 1;
    return this.#inner.head(key);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, condition?: PutCondition): Promise<ObjectHead | null> {
    this.counted.writes += 1;
    this.counted.writtenBytes += bytes.length;
    return this.#inner.put(key, bytes, condition);
  }

  async list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    this.counted.lists += 1;
    return this.#inner.list(prefix, options);
  }

  async delete(keys: readonly string[]): Promise<void> {
    this.counted.deletes += 1;
    return this.#inner.delete(keys);
  }
}

export class CountingSliceStore implements SliceStore {
  readonly counted = noOperations();
  readonly #inner: SliceStore;

  constructor(inner: SliceStore) {
    this.#inner = inner;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = await this.#inner.get(key);
    this.counted.reads += 1;
    this.counted.readBytes += bytes?.length ?? 0;
    return bytes;
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    this.counted.writes += 1;
    this.counted.writtenBytes += bytes.length;
    return this.#inner.put(key, bytes, writtenAt);
  }

  async delete(key: string): Promise<void> {
    this.counted.deletes += 1;
    return this.#inner.delete(key);
  }

  async list(cursor?: string): Promise<{ readonly slices: readonly SliceHead[]; readonly cursor?: string }> {
    this.counted.lists += 1;
    return this.#inner.list(cursor);
  }
}
