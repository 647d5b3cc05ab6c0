/**
 * The two stores Ringfence needs, as contracts. Cloudflare R2 and KV fulfil them (cloudflare.ts); memory.ts does so in
 * tests. Every method may reject when the storage cannot answer; a rejected write may or may not have been persisted,
 * so callers must behave correctly either way.
 */

import type { Bytes } from '../lib/bytes.ts';
import type { Nearby } from '../lib/swr-cache.ts';

export interface ObjectHead {
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970, by the store's clock. */
  readonly uploadedAt: number;
  /** The owner that was given to `put`. Present only in a `list` that asks for owners. */
  readonly owner?: string;
}

export interface StoredObject extends ObjectHead {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A write happens only if the condition holds at that instant, atomically. */
export type PutCondition =
  /** The key must not exist. */
  | { readonly absent: true }
  /** The key must exist with this etag. */
  | { readonly etag: string };

export interface ObjectPage {
  readonly objects: readonly ObjectHead[];
  /** Present when more objects follow. */
  readonly cursor?: string;
}

export interface ListOptions {
  /** The cursor that the page before returned. */
  readonly cursor?: string;
  /** Instead of a cursor: list the keys after this one, which need not exist. */
  readonly startAfter?: string;
  readonly limit?: number;
  /** Include the owner of each object. */
  readonly owners?: boolean;
}

/** A part of an object, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What is near whoever reads, in front of a store (src/storage/city.ts). */
export interface NearbyReads {
  /**
   * What `open` makes of a range of an object that never changes, or of the whole; null if there is no such object.
   * What is near and makes `open` throw is dropped, and the store read; rejects with what `open` throws for that.
   */
  immutable<T>(key: string, range: ByteRange | null, open: (bytes: Bytes) => T | Promise<T>): Promise<T | null>;
  /** What was last seen of an object that changes; null: nothing is near. Never rejects. */
  newest<T>(key: string, open: (bytes: Bytes) => T): Promise<Nearby<T> | null>;
}

/** Strongly consistent, list included (R2): once a write has resolved every later call sees it. */
export interface ObjectStore {
  /** Undefined: nothing is near, and every read is one of the store. */
  readonly near?: NearbyReads;
  /** The whole object, or null if there is none. */
  get(key: string): Promise<StoredObject | null>;
  /** Like `get`, but 'unchanged' when the object still has this etag. */
  getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null>;
  /** Exactly `length` bytes from `offset`, or null if there is no such object. Rejects if the object is shorter. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null>;
  head(key: string): Promise<ObjectHead | null>;
  /**
   * Resolves to null, with nothing written, when the condition does not hold.
   * @param owner up to 200 characters of ASCII, kept beside the object
   */
  put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
    owner?: string,
  ): Promise<ObjectHead | null>;
  /** Up to `limit` (at most 1,000) objects in key order; a store may list fewer in a page, and more in the next. */
  list(prefix: string, options?: ListOptions): Promise<ObjectPage>;
  /** Deleting what is not there is no error. At most 1,000 keys. */
  delete(keys: readonly string[]): Promise<void>;
}

export interface SliceHead {
  readonly key: string;
  /** Milliseconds since 1970, as given to `put`. */
  readonly writtenAt: number;
}

/**
 * Eventually consistent, cached at the edge (KV): a value may be missing for a while after it was written, and a miss
 * may be remembered. Holds only immutable values under content-derived keys, so what is found is never out of date;
 * it may still be damaged, so readers check the hash.
 */
export interface SliceStore {
  get(key: string): Promise<Uint8Array<ArrayBuffer> | null>;
  put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void>;
  delete(key: string): Promise<void>;
  list(cursor?: string): Promise<{ readonly slices: readonly SliceHead[]; readonly cursor?: string }>;
}

/** The storage did not answer, so nothing can be promised: 503. The sender should try again, as `detail` says. */
export class StorageUnavailable extends Error {
  readonly detail: string;

  constructor(detail: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'StorageUnavailable';
    this.detail = detail;
  }
}

/**
 * Runs work that does nothing but read or write storage, and so turns every error into StorageUnavailable.
 * @param isOther recognizes errors that the work throws on purpose; those are passed on
 */
export async function orUnavailable<T>(
  work: Promise<T>,
  isOther: (error: unknown) => boolean = () => false,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StorageUnavailable || isOther(error)) throw error;
    throw new StorageUnavailable('the storage did not answer; try again', error);
  }
}

/** As NearbyReads.immutable, from any store. Rejects when it does not answer. */
export async function readImmutable<T>(
  objects: ObjectStore,
  key: string,
  range: ByteRange | null,
  open: (bytes: Bytes) => T | Promise<T>,
): Promise<T | null> {
  if (objects.near !== undefined) return objects.near.immutable(key, range, open);
  const bytes =
    range === null
      ? ((await objects.get(key))?.bytes ?? null)
      : await objects.getRange(key, range.offset, range.length);
  return bytes === null ? null : open(bytes);
}

/**
 * How an isolate asks for what is near of an object that changes (src/lib/swr-cache.ts); undefined: nothing ever is.
 */
export function nearbyOf<T>(
  { near }: ObjectStore,
  key: string,
  open: (bytes: Bytes) => T,
): (() => Promise<Nearby<T> | null>) | undefined {
  return near === undefined ? undefined : () => near.newest(key, open);
}

// Listings of more than a page, and deletions of more than a call.

/** Keys that one call deletes. */
const DELETE_LIMIT = 1000;

/**
 * Pages of up to 1,000 objects under a prefix, in key order, at most so many pages. The last page has no cursor if no
 * objects follow. Rejects when storage does not answer.
 */
export async function* listPages(
  objects: Pick<ObjectStore, 'list'>,
  prefix: string,
  maxPages: number,
  options: Pick<ListOptions, 'owners' | 'startAfter'> = {},
): AsyncGenerator<ObjectPage, void, undefined> {
  const { startAfter, ...rest } = options;
  let from: Pick<ListOptions, 'cursor' | 'startAfter'> = startAfter === undefined ? {} : { startAfter };
  for (let page = 0; page < maxPages; page++) {
    const listed = await objects.list(prefix, { ...rest, ...from });
    yield listed;
    if (listed.cursor === undefined) return;
    from = { cursor: listed.cursor };
  }
}

/** The objects of these pages. */
export async function* listObjects(
  objects: Pick<ObjectStore, 'list'>,
  prefix: string,
  maxPages: number,
  options: Pick<ListOptions, 'startAfter'> = {},
): AsyncGenerator<ObjectHead, void, undefined> {
  for await (const page of listPages(objects, prefix, maxPages, options)) yield* page.objects;
}

/** Rejects when storage does not answer: some of them are deleted then. */
export async function deleteObjects(objects: ObjectStore, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETE_LIMIT) {
    await objects.delete(keys.slice(from, from + DELETE_LIMIT));
  }
}

/** A store in front of another one, which answers whatever this one does not. */
export class StoreInFront implements ObjectStore {
  protected readonly inner: ObjectStore;

  constructor(inner: ObjectStore) {
    this.inner = inner;
  }

  get(key: string): Promise<StoredObject | null> {
    return this.inner.get(key);
  }

  getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    return this.inner.getIfChanged(key, etag);
  }

  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.inner.getRange(key, offset, length);
  }

  head(key: string): Promise<ObjectHead | null> {
    return this.inner.head(key);
  }

  list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    return this.inner.list(prefix, options);
  }

  put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
    owner?: string,
  ): Promise<ObjectHead | null> {
    return this.inner.put(key, bytes, condition, owner);
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.inner.delete(keys);
  }
}

/** The same store, with something done about each of its answers. */
export function answering(objects: ObjectStore, wrap: <T>(answer: Promise<T>) => Promise<T>): ObjectStore {
  return {
    get: (key) => wrap(objects.get(key)),
    getIfChanged: (key, etag) => wrap(objects.getIfChanged(key, etag)),
    getRange: (key, offset, length) => wrap(objects.getRange(key, offset, length)),
    head: (key) => wrap(objects.head(key)),
    list: (prefix, options) => wrap(objects.list(prefix, options)),
    put: (key, bytes, condition, owner) => wrap(objects.put(key, bytes, condition, owner)),
    delete: (keys) => wrap(objects.delete(keys)),
  };
}
