/** API keys: who a request comes from, and the making, listing and deleting of keys. */
import { toHex } from '../format/hash.ts';
import { ChangedObject, type ChangedObjectDeps } from '../store/changed-object.ts';
import { KeyCache } from './key-cache.ts';
import { type ApiKey, KEY_FILE, MAX_KEYS } from './key-file.ts';
import { DEFAULT_TENANT, type Principal, SCOPES, type Scope } from './scope.ts';
import { type Digest, digestOf, idOf, MAX_TOKEN_CHARS, mintToken, sameDigest } from './token.ts';

/** Keys in use in one isolate at a time; 64 bytes and the key's text each. */
const MAX_CACHED_PROOFS = 256;

const ADMIN: Principal = { id: 'admin', tenant: DEFAULT_TENANT, scopes: SCOPES, perMinute: null };

export interface KeyRegistryDeps extends ChangedObjectDeps {
  /** As checked by `checkAdminKey`; null: none. */
  readonly adminKey: string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Keeps the isolate busy with a promise after the answer has gone out. */
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
  /** null: the admin key, or not of the form of stored keys. */
  readonly id: string | null;
}

/** A key without what could prove it. */
export type KeySummary = Omit<ApiKey, 'sha256'>;

export type Authentication =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'refused' }
  /** Storage did not answer, now or recently enough. */
  | { readonly kind: 'unavailable' };

export type CreateResult =
  | { readonly kind: 'created'; readonly id: string; readonly key: string }
  | { readonly kind: 'full'; readonly limit: number }
  /** The key may have been stored, but its secret has been given to nobody. */
  | { readonly kind: 'unavailable' };

export class KeyRegistry {
  readonly #deps: KeyRegistryDeps;
  readonly #store: ChangedObject<readonly ApiKey[]>;
  readonly #cache: KeyCache;
  /** Digests and ids of keys that were valid, by key: only to avoid hashing again. Oldest first. */
  readonly #proofs = new Map<string, Proof>();
  #adminDigest: Digest | null = null;

  constructor(deps: KeyRegistryDeps) {
    this.#deps = deps;
    this.#store = new ChangedObject(deps, KEY_FILE);
    this.#cache = new KeyCache({ ...deps, store: this.#store });
  }

  /**
   * `authenticate` without a promise: for a stored key that this isolate has seen to be good, while the copy of the
   * keys is recent; else null, and `authenticate` decides.
   */
  recognize(token: string): Principal | null {
    const proof = this.#proofs.get(token);
    if (proof === undefined || proof.id === null) return null;
    const key = this.#cache.peek(proof.id);
    return key !== null && sameDigest(proof.digest, key.sha256) ? key.principal : null;
  }

  /** Without I/O for the admin key, for keys that are held, and for what does not look like a key. Never rejects. */
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

  /** Rejects with StorageUnavailable unless stored keys can be checked at the moment. */
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

  /** Effective at once in this isolate, in others within the bounds of key-cache.ts. */
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

  /** Before another isolate changes the keys at the asking of this one; what it returns, after. Never rejects. */
  expectChange(): () => Promise<void> {
    const begun = this.#cache.begin();
    return () => this.#cache.changedElsewhere(begun);
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
