/**
 * The store contracts in memory, for tests and offline tools. Keys sort as R2 sorts them: by UTF-8 bytes (all are
 * ASCII).
 */
import { partOf } from './parts.ts';
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceHead,
  SliceStore,
  StoredObject,
} from './store.ts';

const PAGE_LIMIT = 1000;

export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  readonly #owners = new Map<string, string>();
  readonly #now: () => number;
  #writes = 0;

  /** @param now the store's clock, milliseconds since 1970 */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  async get(key: string): Promise<StoredObject | null> {
    const object = this.#find(key);
    return object === undefined ? null : { ...object, bytes: object.bytes.slice() };
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const object = await this.get(key);
    return object?.etag === etag ? 'unchanged' : object;
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const object = this.#find(key);
    if (object === undefined) return null;
    if (offset + length > object.sizeBytes) {
      throw new RangeError(`range ${offset}+${length} is outside of ${key}, ${object.sizeBytes} bytes`);
    }
    return object.bytes.slice(offset, offset + length);
  }

  async head(key: string): Promise<ObjectHead | null> {
    return this.#find(key) ?? null;
  }

  /** The object under a key, or the part of one. */
  #find(key: string): StoredObject | undefined {
    const part = partOf(key);
    if (part === null) return this.#objects.get(key);
    const { object, offset, length } = part;
    const whole = this.#objects.get(object);
    return whole && { ...whole, key, bytes: whole.bytes.subarray(offset, offset + length), sizeBytes: length };
  }

  async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
    owner?: string,
  ): Promise<ObjectHead | null> {
    const existing = this.#objects.get(key);
    if (condition !== undefined) {
      const holds = 'absent' in condition ? existing === undefined : existing?.etag === condition.etag;
      if (!holds) return null;
    }
    this.#writes += 1;
    const object: StoredObject = {
      key,
      bytes: bytes.slice(),
      etag: `memory-${this.#writes}`,
      sizeBytes: bytes.length,
      uploadedAt: this.#now(),
    };
    this.#objects.set(key, object);
    if (owner === undefined) this.#owners.delete(key);
    else this.#owners.set(key, owner);
    return object;
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const after = options.cursor ?? options.startAfter;
    const { page, cursor } = pageOf(keys, after, Math.min(options.limit ?? PAGE_LIMIT, PAGE_LIMIT));
    const objects = page.flatMap((key): ObjectHead[] => {
      const object = this.#objects.get(key);
      const owner = options.owners === true ? this.#owners.get(key) : undefined;
      return object === undefined ? [] : [owner === undefined ? object : { ...object, owner }];
    });
    return cursor === undefined ? { objects } : { objects, cursor };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#objects.delete(key);
  }
}

export class MemorySliceStore implements SliceStore {
  readonly #slices = new Map<string, { bytes: Uint8Array<ArrayBuffer>; writtenAt: number }>();

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#slices.get(key)?.bytes.slice() ?? null;
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    this.#slices.set(key, { bytes: bytes.slice(), writtenAt });
  }

  async delete(key: string): Promise<void> {
    this.#slices.delete(key);
  }

  async list(from?: string): Promise<{ slices: readonly SliceHead[]; cursor?: string }> {
    const { page, cursor } = pageOf([...this.#slices.keys()].sort(), from, PAGE_LIMIT);
    const slices = page.flatMap((key) => {
      const slice = this.#slices.get(key);
      return slice === undefined ? [] : [{ key, writtenAt: slice.writtenAt }];
    });
    return cursor === undefined ? { slices } : { slices, cursor };
  }
}

/** One page of sorted keys after `cursor`, the last key of the page before. */
function pageOf(sorted: readonly string[], cursor: string | undefined, limit: number) {
  const rest = cursor === undefined ? sorted : sorted.filter((key) => key > cursor);
  const page = rest.slice(0, limit);
  return { page, cursor: rest.length > page.length ? page.at(-1) : undefined };
}
