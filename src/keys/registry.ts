/** API keys: whose key a request carries, the copy of all keys in an isolate, and making, listing and deleting keys. */

import * as v from 'valibot';
import { type Bytes, fromHex, toHex } from '../lib/bytes.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { type Beginning, SwrCache, type SwrCacheDeps, type Version } from '../lib/swr-cache.ts';
import { CasObject, type CasObjectDeps, type CasObjectKind } from '../storage/cas-object.ts';
import { API_KEYS_KEY } from '../storage/keys.ts';
import { nearbyOf, type ObjectStore, StorageUnavailable } from '../storage/store.ts';
import {
  DEFAULT_TENANT,
  type Digest,
  digestOf,
  idOf,
  MAX_TOKEN_CHARS,
  mintToken,
  type Principal,
  SCOPES,
  type Scope,
  sameDigest,
} from './key.ts';

/** Keys whose digests an isolate remembers at a time; each takes 64 bytes and its text. */
const MAX_CACHED_PROOFS = 256;

const ADMIN: Principal = { id: 'admin', tenant: DEFAULT_TENANT, scopes: SCOPES, perMinute: null };

interface KeyRegistryDeps extends CasObjectDeps {
  /** As checked by `checkAdminKey`; null: none. */
  readonly adminKey: string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Keeps the isolate alive for a promise after the answer was sent. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly tenant?: string;
  readonly quota?: { readonly perMinute: number } | null;
}

/** What is computed from the text of a key. */
interface Proof {
  readonly digest: Digest;
  /** null: it is the admin key, or does not have the form of stored keys. */
  readonly id: string | null;
}

/** A key without what could prove it. */
type KeySummary = Omit<ApiKey, 'sha256'>;

type Authentication =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'refused' }
  /** Storage did not answer, and no recent copy is held. */
  | { readonly kind: 'unavailable' };

type CreateResult =
  | { readonly kind: 'created'; readonly id: string; readonly key: string }
  | { readonly kind: 'full'; readonly limit: number }
  /** The key may have been stored, but nobody was given its secret. */
  | { readonly kind: 'unavailable' };

export class KeyRegistry {
  readonly #deps: KeyRegistryDeps;
  readonly #store: CasObject<readonly ApiKey[]>;
  readonly #cache: KeyCache;
  /** Digests and ids of valid keys, by key, only to avoid hashing again. Oldest first. */
  readonly #proofs = new Map<string, Proof>();
  #adminDigest: Digest | null = null;

  constructor(deps: KeyRegistryDeps) {
    this.#deps = deps;
    this.#store = new CasObject(deps, KEY_FILE);
    this.#cache = new KeyCache({ ...deps, store: this.#store });
  }

  /**
   * `authenticate` without a promise, for a stored key that this isolate has seen to be valid, while the copy of the
   * keys is recent. null: `authenticate` has to decide.
   * @param now milliseconds since 1970
   */
  recognize(token: string, now = this.#deps.now()): Principal | null {
    const proof = this.#proofs.get(token);
    if (proof === undefined || proof.id === null) return null;
    const key = this.#cache.peek(proof.id, now);
    return key !== null && sameDigest(proof.digest, key.sha256) ? key.principal : null;
  }

  /** Without I/O for the admin key, for keys in the copy, and for text that is not a key. Never rejects. */
  async authenticate(token: string): Promise<Authentication> {
    if (token.length > MAX_TOKEN_CHARS) return { kind: 'refused' };
    const proof = this.#proofs.get(token) ?? { digest: await digestOf(token), id: idOf(token) };
    const { digest, id } = proof;
    if (await this.#isAdmin(digest)) return this.#known(token, { digest, id: null }, ADMIN);
    if (id === null) return { kind: 'refused' };
    const key = await this.#cache.find(id);
    if (key === 'unavailable') return { kind: 'unavailable' };
    if (key === null || !sameDigest(digest, key.sha256)) return { kind: 'refused' };
    return this.#known(token, proof, key.principal);
  }

  /** Whether the copy has to be compared with storage before it is used. */
  get isDue(): boolean {
    return this.#cache.isDue;
  }

  /** Rejects with StorageUnavailable unless stored keys can be checked now. */
  checkAvailable(): Promise<void> {
    return this.#cache.checkAvailable();
  }

  async create({ name, scopes, tenant = DEFAULT_TENANT, quota = null }: NewKey): Promise<CreateResult> {
    const { id, token } = mintToken(this.#deps.randomBytes);
    const entry: ApiKey = {
      id,
      name,
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      tenant,
      quota,
      createdAt: this.#deps.now(),
      sha256: toHex(await digestOf(token)),
    };
    const begun = this.#cache.begin();
    const version = await this.#store.change((keys) => {
      const isThere = keys.some((key) => key.id === id);
      return isThere || keys.length >= MAX_KEYS ? null : [...keys, entry];
    });
    this.#cache.accept(version, begun);
    if (version === 'unavailable') return { kind: 'unavailable' };
    const stored = version.value.some((key) => key.sha256 === entry.sha256);
    return stored ? { kind: 'created', id, key: token } : { kind: 'full', limit: MAX_KEYS };
  }

  /** In order of creation, as stored now. */
  async list(): Promise<readonly KeySummary[] | 'unavailable'> {
    try {
      const { value } = await this.#store.read();
      return value.map(withoutSecret);
    } catch (error) {
      this.#deps.report(error);
      return 'unavailable';
    }
  }

  /** Effective at once in this isolate, and in others when they refresh their copy (REFRESH_FIRST_AFTER_MS). */
  async delete(id: string): Promise<KeySummary | 'not-found' | 'unavailable'> {
    let deleted: ApiKey | undefined;
    const begun = this.#cache.begin();
    const version = await this.#store.change((keys) => {
      const found = keys.find((key) => key.id === id);
      if (found === undefined) return null;
      deleted = found;
      return keys.filter((key) => key !== found);
    });
    this.#cache.accept(version, begun);
    if (version === 'unavailable') return 'unavailable';
    return deleted === undefined ? 'not-found' : withoutSecret(deleted);
  }

  /** Call this when another isolate has changed the keys for this one, or may have. Never rejects. */
  changedElsewhere(): Promise<void> {
    return this.#cache.changedElsewhere();
  }

  async #isAdmin(digest: Digest): Promise<boolean> {
    const { adminKey } = this.#deps;
    if (adminKey === null) return false;
    this.#adminDigest ??= await digestOf(adminKey);
    return sameDigest(digest, this.#adminDigest);
  }

  #known(token: string, proof: Proof, principal: Principal): Authentication {
    if (!this.#proofs.has(token)) {
      const [oldest] = this.#proofs.keys();
      if (oldest !== undefined && this.#proofs.size >= MAX_CACHED_PROOFS) this.#proofs.delete(oldest);
      this.#proofs.set(token, proof);
    }
    return { kind: 'known', principal };
  }
}

function withoutSecret({ sha256: _, ...summary }: ApiKey): KeySummary {
  return summary;
}

// The keys as an isolate holds them (src/lib/swr-cache.ts). A revocation is effective within a minute while storage
// works, and within an hour if storage fails.

/** Together with the longest time that a read may take, this stays below a minute. */
const REFRESH_FIRST_AFTER_MS = 45_000;
const MAX_AGE_MS = 3_600_000;
/** An id that the copy lacks may belong to a key just made elsewhere, so storage is read, at most once a second. */
const MISS_REFRESH_AFTER_MS = 1000;

interface KnownKey {
  readonly principal: Principal;
  readonly sha256: Digest;
}

type KnownKeys = ReadonlyMap<string, KnownKey>;

interface KeyCacheDeps extends Omit<SwrCacheDeps<KnownKeys>, 'readIfChanged'> {
  readonly objects: ObjectStore;
  readonly store: CasObject<readonly ApiKey[]>;
}

class KeyCache {
  readonly #copy: SwrCache<KnownKeys>;

  constructor({ store, ...deps }: KeyCacheDeps) {
    const readIfChanged = async (etag: string | null) => {
      const version = await store.readIfChanged(etag);
      return version === 'unchanged' ? version : known(version);
    };
    const nearby = nearbyOf(deps.objects, API_KEYS_KEY, (bytes) => knownKeys(decodeKeys(bytes)));
    this.#copy = new SwrCache(
      { ...deps, readIfChanged, nearby },
      { refreshFirstAfterMs: REFRESH_FIRST_AFTER_MS, maxAgeMs: MAX_AGE_MS },
    );
  }

  get isDue(): boolean {
    return this.#copy.isDue;
  }

  /** The key with this id, if the copy is recent and has it; otherwise null. */
  peek(id: string, now: number): KnownKey | null {
    return this.#copy.peek(now)?.get(id) ?? null;
  }

  /** The key with this id; null: there is none; 'unavailable': no recent copy is held. */
  async find(id: string): Promise<KnownKey | null | 'unavailable'> {
    const keys = await this.#copy.get();
    if (keys === null) return 'unavailable';
    return keys.get(id) ?? this.#lookAgain(id);
  }

  /** Rejects unless keys can be checked. */
  async checkAvailable(): Promise<void> {
    if ((await this.#copy.get()) === null) throw new StorageUnavailable('no key can be checked at the moment');
  }

  /** Call this before this isolate changes the keys, and hand the result to `accept`. */
  begin(): Beginning {
    return this.#copy.begin();
  }

  /** Stores what this isolate has just written. */
  accept(version: Version<readonly ApiKey[]> | 'unavailable', begun: Beginning): void {
    this.#copy.accept(version === 'unavailable' ? version : known(version), begun);
  }

  /** Called after another isolate has changed the keys (SwrCache). */
  changedElsewhere(): Promise<void> {
    return this.#copy.changedElsewhere();
  }

  /** Reads storage for an id that the copy lacks. While storage fails, it is not known whether there is such a key. */
  async #lookAgain(id: string): Promise<KnownKey | null | 'unavailable'> {
    const keys = await this.#copy.refreshIfOlder(MISS_REFRESH_AFTER_MS);
    if (this.#copy.hasJustFailed()) return 'unavailable';
    return keys?.get(id) ?? null;
  }
}

function known({ value, etag }: Version<readonly ApiKey[]>): Version<KnownKeys> {
  return { value: knownKeys(value), etag };
}

function knownKeys(keys: readonly ApiKey[]): KnownKeys {
  return new Map(keys.map((key) => [key.id, knownKey(key)]));
}

function knownKey({ id, tenant, scopes, quota, sha256 }: ApiKey): KnownKey {
  return { principal: { id, tenant, scopes, perMinute: quota?.perMinute ?? null }, sha256: fromHex(sha256) };
}

// All stored API keys are one small object: frame "RFKY" version 1 around JSON
//
//   {"keys": [{"id", "name", "scopes", "tenant", "quota": {"perMinute"} | null, "createdAt", "sha256"}, ...]}
//
// in order of creation. `sha256` is that of the key as its holder has it, 64 hex digits; the key itself is stored
// nowhere.

const MAGIC = 'RFKY';
const VERSION = 1;

/** This keeps the object at a few hundred KiB, since every isolate reads it whole. */
export const MAX_KEYS = 1000;

const apiKey = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  name: v.string(),
  scopes: v.array(v.picklist(SCOPES)),
  tenant: v.string(),
  quota: v.nullable(v.object({ perMinute: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) })),
  /** Milliseconds since 1970. */
  createdAt: count,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

const schema = v.object({ keys: v.pipe(v.array(apiKey), v.maxLength(MAX_KEYS)) });

export type ApiKey = v.InferOutput<typeof apiKey>;

const file = framedJson(MAGIC, VERSION, schema);

export function encodeKeys(keys: readonly ApiKey[]): Bytes {
  return file.encode({ keys: [...keys] });
}

/** @throws FormatError unless the bytes are a key file */
export function decodeKeys(bytes: Bytes): readonly ApiKey[] {
  return file.decode(bytes).keys;
}

const KEY_FILE: CasObjectKind<readonly ApiKey[]> = {
  key: API_KEYS_KEY,
  codec: { encode: encodeKeys, decode: decodeKeys },
  empty: [],
};

// An admin key may have any form, so its strength is the operator's choice. 32 random hex digits are 128 bits.

const MIN_ADMIN_KEY_CHARS = 32;

/** What can stand behind `Bearer ` in a header. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * Checks RINGFENCE_ADMIN_KEY. Undefined or empty: there is no admin key, only the stored ones.
 * @throws RangeError saying what was expected; it never quotes the key
 */
export function checkAdminKey(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  if (text.length < MIN_ADMIN_KEY_CHARS || text.length > MAX_TOKEN_CHARS) {
    const expected = `${MIN_ADMIN_KEY_CHARS} to ${MAX_TOKEN_CHARS} characters`;
    throw new RangeError(`RINGFENCE_ADMIN_KEY: expected ${expected}; found ${text.length}`);
  }
  if (!PRINTABLE.test(text)) {
    throw new RangeError('RINGFENCE_ADMIN_KEY: expected printable ASCII without spaces; found another character');
  }
  return text;
}
