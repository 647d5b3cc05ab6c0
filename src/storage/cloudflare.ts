/**
 * The contracts of src/storage on Cloudflare: the object store on R2, the slice store on KV, a city's cache on the
 * Cache API.
 */

import type { CityCache } from './city.ts';
import { partOf, rangeOf } from './parts.ts';
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

const LIST_LIMIT = 1000;

export class R2ObjectStore implements ObjectStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async get(key: string): Promise<StoredObject | null> {
    const part = partOf(key);
    if (part !== null) {
      const { offset, length } = part;
      const whole = await this.#bucket.get(part.object, { range: { offset, length } });
      return whole === null ? null : { ...(await stored(whole)), key, sizeBytes: length };
    }
    const object = await this.#bucket.get(key);
    return object === null ? null : stored(object);
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const object = await this.#bucket.get(key, { onlyIf: { etagDoesNotMatch: etag } });
    if (object === null) return null;
    // R2 answers a failed precondition with the head alone.
    return 'body' in object ? stored(object) : 'unchanged';
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const part = partOf(key);
    const range = part === null ? { offset, length } : rangeOf(part, offset, length);
    const object = await this.#bucket.get(part?.object ?? key, { range });
    if (object === null) return null;
    const bytes = new Uint8Array(await object.arrayBuffer());
    if (bytes.length !== length) {
      throw new RangeError(`expected ${length} bytes at ${offset} of ${key}, found ${bytes.length}`);
    }
    return bytes;
  }

  async head(key: string): Promise<ObjectHead | null> {
    const part = partOf(key);
    const object = await this.#bucket.head(part?.object ?? key);
    if (object === null) return null;
    return part === null ? headOf(object) : { ...headOf(object), key, sizeBytes: part.length };
  }

  async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
    owner?: string,
  ): Promise<ObjectHead | null> {
    const object = await this.#bucket.put(key, bytes, {
      ...(condition === undefined ? {} : { onlyIf: r2Condition(condition) }),
      ...(owner === undefined ? {} : { customMetadata: { owner } }),
    });
    return object === null ? null : headOf(object);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const limit = Math.min(options.limit ?? LIST_LIMIT, LIST_LIMIT);
    const page = await this.#bucket.list({
      prefix,
      limit,
      ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
      ...(options.owners === true ? { include: ['customMetadata' as const] } : {}),
      ...(options.startAfter === undefined ? {} : { startAfter: options.startAfter }),
    });
    const objects = page.objects.map(options.owners === true ? ownedHeadOf : headOf);
    return page.truncated ? { objects, cursor: page.cursor } : { objects };
  }

  async delete(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#bucket.delete([...keys]);
  }
}

function r2Condition(condition: PutCondition): R2Conditional {
  return 'absent' in condition ? { etagDoesNotMatch: '*' } : { etagMatches: condition.etag };
}

function headOf(object: R2Object): ObjectHead {
  return { key: object.key, etag: object.etag, sizeBytes: object.size, uploadedAt: object.uploaded.getTime() };
}

function ownedHeadOf(object: R2Object): ObjectHead {
  const owner = object.customMetadata?.owner;
  return owner === undefined ? headOf(object) : { ...headOf(object), owner };
}

async function stored(object: R2ObjectBody): Promise<StoredObject> {
  return { ...headOf(object), bytes: new Uint8Array(await object.arrayBuffer()) };
}

// The slice store contract on Cloudflare Workers KV.

/** Slices never change under their key, so the edge may keep them for long: a day. */
export const CACHE_SECONDS = 86_400;

interface SliceMetadata {
  readonly writtenAt: number;
}

export class KvSliceStore implements SliceStore {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = await this.#kv.get(key, { type: 'arrayBuffer', cacheTtl: CACHE_SECONDS });
    return buffer === null ? null : new Uint8Array(buffer);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    const metadata: SliceMetadata = { writtenAt };
    await this.#kv.put(key, bytes, { metadata });
  }

  async delete(key: string): Promise<void> {
    await this.#kv.delete(key);
  }

  async list(cursor?: string): Promise<{ readonly slices: readonly SliceHead[]; readonly cursor?: string }> {
    const page = await this.#kv.list<SliceMetadata>(cursor === undefined ? {} : { cursor });
    // A value without metadata is not ours to judge: it counts as just written, so that it is never collected.
    const slices = page.keys.map(({ name, metadata }) => ({
      key: name,
      writtenAt: metadata?.writtenAt ?? Number.POSITIVE_INFINITY,
    }));
    return page.list_complete ? { slices } : { slices, cursor: page.cursor };
  }
}

// The contract of a city's cache on the Cache API. At an address on workers.dev it keeps nothing, and says so by
// misses.

/**
 * Entries are responses under URLs. Nobody can ask for them: the name never resolves (RFC 2606), and is not one of
 * those that requests come in by.
 */
const CITY_URL = 'https://city.ringfence.invalid/';

export class WorkersCityCache implements CityCache {
  readonly #cache: Cache;
  readonly #prefix: string;

  /**
   * @param deployment is not that of any other Worker of the zone, whose stores hold other things under the same keys
   */
  constructor(cache: Cache, deployment: string) {
    this.#cache = cache;
    this.#prefix = `${CITY_URL}${encodeURIComponent(deployment)}/`;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const response = await this.#cache.match(this.#url(key));
    return response === undefined ? null : new Uint8Array(await response.arrayBuffer());
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, seconds: number): Promise<void> {
    const headers = { 'cache-control': `public, max-age=${seconds}`, 'content-type': 'application/octet-stream' };
    await this.#cache.put(this.#url(key), new Response(bytes, { headers }));
  }

  async delete(key: string): Promise<void> {
    await this.#cache.delete(this.#url(key));
  }

  #url(key: string): string {
    return this.#prefix + encodeURIComponent(key);
  }
}
