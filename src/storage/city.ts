/**
 * The cache of a city in front of the object store, for isolates that only read. What never changes is kept there for
 * as long as the cache likes, and checked by whoever reads it. Of the few objects that change, the cache has what a
 * recent read of the store found, and when that read began; how old it may be is the reader's to say
 * (src/lib/swr-cache.ts). The cache may forget anything, answer with what was there before, or with damaged bytes: then
 * the store is read. docs/decisions/0036 has the rules.
 *
 *   <key>/<offset>+<length>   a range of an object that never changes; `<key>` the whole of one
 *   <key>/etag/<etag>         an object that changes, as it was under this etag, which stands in front of it
 *   <key>/newest              a frame around JSON: its etag, and when the read began that saw it
 *
 * That there is no object is never kept, since it may come to be. None of it is a stored format: only the version of
 * the Worker that has kept something reads it.
 */
import * as v from 'valibot';
import { ByteReader, type Bytes, ByteWriter, FormatError } from '../lib/bytes.ts';
import { messageOf } from '../lib/errors.ts';
import { frame, framedJson, openFrame } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import type { Nearby } from '../lib/swr-cache.ts';
import { API_KEYS_KEY, MANIFEST_KEY, TENANTS_KEY } from './keys.ts';
import { type ByteRange, type NearbyReads, type ObjectStore, type StoredObject, StoreInFront } from './store.ts';

/** What the isolates of one city share. Every method may reject. */
export interface CityCache {
  get(key: string): Promise<Bytes | null>;
  /** Another `get` may still have what was there before. */
  put(key: string, bytes: Bytes, seconds: number): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface CityDeps {
  readonly cache: CityCache;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly log: (event: string, details: Readonly<Record<string, string | number>>) => void;
}

/** Objects that change; of all others only those are kept that a reader calls immutable. */
const HEADS: ReadonlySet<string> = new Set([MANIFEST_KEY, API_KEYS_KEY, TENANTS_KEY]);

/** A cache of the same building answers in milliseconds. If it takes this long, storage is read. */
const PATIENCE_MS = 100;
/** The longest that the platform knows. */
const IMMUTABLE_SECONDS = 31_536_000;
/**
 * What an object was under an etag may be wanted as long as it is the newest: generations last a minute, keys a day.
 */
const VERSION_SECONDS = 86_400;
/** Longer than anybody uses it. */
const NEWEST_SECONDS = 30;

/** A version in a frame: its etag, since bytes under another's would be confirmed by the store for as long as it lasts. */
const VERSION_MAGIC = 'CITV';

const newestFile = framedJson('CITY', 1, v.object({ etag: v.string(), at: count }));

export class CityObjects extends StoreInFront {
  readonly #deps: CityDeps;
  readonly near: NearbyReads;

  constructor(store: ObjectStore, deps: CityDeps) {
    super(store);
    this.#deps = deps;
    this.near = {
      immutable: (key, range, open) => this.#immutable(key, range, open),
      newest: (key, open) => this.#newest(key, open),
    };
  }

  override async get(key: string): Promise<StoredObject | null> {
    const at = this.#deps.now();
    const object = await this.inner.get(key);
    if (object !== null) this.#note(key, object, at);
    return object;
  }

  override async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const at = this.#deps.now();
    const object = await this.inner.getIfChanged(key, etag);
    if (object === 'unchanged') this.#note(key, { etag }, at);
    else if (object !== null) this.#note(key, object, at);
    return object;
  }

  async #immutable<T>(key: string, range: ByteRange | null, open: (bytes: Bytes) => T | Promise<T>): Promise<T | null> {
    const at = range === null ? key : `${key}/${range.offset}+${range.length}`;
    const kept = await this.#get(at);
    if (kept !== null) {
      try {
        return await open(kept);
      } catch (error) {
        await this.#drop(at, error);
      }
    }
    const bytes =
      range === null
        ? ((await this.inner.get(key))?.bytes ?? null)
        : await this.inner.getRange(key, range.offset, range.length);
    if (bytes === null) return null;
    const opened = await open(bytes);
    this.#put(at, bytes, IMMUTABLE_SECONDS);
    return opened;
  }

  async #newest<T>(key: string, open: (bytes: Bytes) => T): Promise<Nearby<T> | null> {
    const bytes = await this.#get(newestKey(key));
    if (bytes === null) return null;
    try {
      const { etag, at } = newestFile.decode(bytes);
      return { etag, at, open: () => this.#version(key, etag, open) };
    } catch (error) {
      await this.#drop(newestKey(key), error);
      return null;
    }
  }

  async #version<T>(key: string, etag: string, open: (bytes: Bytes) => T): Promise<T | null> {
    const at = versionKey(key, etag);
    const bytes = await this.#get(at);
    if (bytes === null) return null;
    try {
      return open(versionIn(bytes, etag));
    } catch (error) {
      await this.#drop(at, error);
      return null;
    }
  }

  /** Keeps what a read of the store that began at `at` has found, if the object is one that changes. */
  #note(key: string, { etag, bytes }: { readonly etag: string; readonly bytes?: Bytes }, at: number): void {
    if (!HEADS.has(key)) return;
    if (bytes !== undefined) this.#put(versionKey(key, etag), versionEntry(etag, bytes), VERSION_SECONDS);
    this.#put(newestKey(key), newestFile.encode({ etag, at }), NEWEST_SECONDS);
  }

  /** Null if the cache fails or does not answer soon, too. */
  async #get(at: string): Promise<Bytes | null> {
    const { cache, sleep } = this.#deps;
    const answer = cache.get(at).catch(() => null);
    return Promise.race([answer, sleep(PATIENCE_MS).then(() => null)]);
  }

  /** Behind the answer: if it fails, the next read goes to the store again. */
  #put(at: string, bytes: Bytes, seconds: number): void {
    this.#deps.waitUntil(this.#deps.cache.put(at, bytes, seconds).catch(() => undefined));
  }

  /** Of what is damaged. The store is read next, and takes its place. */
  async #drop(at: string, error: unknown): Promise<void> {
    const { cache, sleep, log } = this.#deps;
    log('city.unusable', { key: at, reason: messageOf(error) });
    await Promise.race([cache.delete(at).catch(() => undefined), sleep(PATIENCE_MS)]);
  }
}

function versionEntry(etag: string, bytes: Bytes): Bytes {
  const writer = new ByteWriter();
  writer.text(etag);
  writer.raw(bytes);
  return frame(VERSION_MAGIC, 1, writer.view());
}

/** The object itself. Throws FormatError unless the entry is of this etag, undamaged. */
function versionIn(entry: Bytes, etag: string): Bytes {
  const body = openFrame(entry, VERSION_MAGIC, 1);
  const reader = new ByteReader(body);
  const found = reader.text();
  if (found !== etag) throw new FormatError(`${VERSION_MAGIC}: expected the version ${etag}, found ${found}`);
  return body.slice(reader.position);
}

function newestKey(key: string): string {
  return `${key}/newest`;
}

function versionKey(key: string, etag: string): string {
  return `${key}/etag/${etag}`;
}

/** A cache in memory: that of a city of one machine. */
export class MemoryCityCache implements CityCache {
  readonly #entries = new Map<string, { readonly bytes: Bytes; readonly until: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  async get(key: string): Promise<Bytes | null> {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#now() >= entry.until ? null : entry.bytes.slice();
  }

  async put(key: string, bytes: Bytes, seconds: number): Promise<void> {
    this.#entries.set(key, { bytes: bytes.slice(), until: this.#now() + seconds * 1000 });
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }
}
