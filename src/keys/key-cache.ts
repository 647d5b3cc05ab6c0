/**
 * The keys as an isolate holds them (src/store/held-copy.ts). A revocation is effective within a minute while storage
 * works, and within an hour if it fails.
 */

import { fromHex } from '../format/hash.ts';
import type { ChangedObject } from '../store/changed-object.ts';
import { StorageUnavailable } from '../store/errors.ts';
import { type Beginning, HeldCopy, type HeldCopyDeps, type Version } from '../store/held-copy.ts';
import type { ApiKey } from './key-file.ts';
import type { Principal } from './scope.ts';
import type { Digest } from './token.ts';

/** Together with the longest time that a read may take, this stays below a minute. */
const REFRESH_FIRST_AFTER_MS = 45_000;
const MAX_AGE_MS = 3_600_000;
/** An id that the copy lacks may be a key that was just made elsewhere, so storage is read; at most once a second. */
const MISS_REFRESH_AFTER_MS = 1000;

export interface KnownKey {
  readonly principal: Principal;
  readonly sha256: Digest;
}

type KnownKeys = ReadonlyMap<string, KnownKey>;

export interface KeyCacheDeps extends Omit<HeldCopyDeps<KnownKeys>, 'readIfChanged'> {
  readonly store: ChangedObject<readonly ApiKey[]>;
}

export class KeyCache {
  readonly #copy: HeldCopy<KnownKeys>;

  constructor({ store, ...deps }: KeyCacheDeps) {
    const readIfChanged = async (etag: string | null) => {
      const version = await store.readIfChanged(etag);
      return version === 'unchanged' ? version : known(version);
    };
    this.#copy = new HeldCopy(
      { ...deps, readIfChanged },
      { refreshFirstAfterMs: REFRESH_FIRST_AFTER_MS, maxAgeMs: MAX_AGE_MS },
    );
  }

  /** The key with this id if the copy can be used without waiting and has it, else null. */
  peek(id: string): KnownKey | null {
    return this.#copy.peek()?.get(id) ?? null;
  }

  /** The key with this id, null if there is none, 'unavailable' if nothing recent enough is known. */
  async find(id: string): Promise<KnownKey | null | 'unavailable'> {
    const keys = await this.#copy.get();
    if (keys === null) return 'unavailable';
    return keys.get(id) ?? this.#lookAgain(id);
  }

  /** Rejects unless keys can be checked. */
  async checkAvailable(): Promise<void> {
    if ((await this.#copy.get()) === null) throw new StorageUnavailable('no key can be checked at the moment');
  }

  /** To be called before this isolate changes the keys, for `accept`. */
  begin(): Beginning {
    return this.#copy.begin();
  }

  /** Stores what this isolate has just written. */
  accept(version: Version<readonly ApiKey[]> | 'unavailable', begun: Beginning): void {
    this.#copy.accept(version === 'unavailable' ? version : known(version), begun);
  }

  /** After another isolate has changed the keys, as HeldCopy has it. */
  changedElsewhere(begun: Beginning): Promise<void> {
    return this.#copy.changedElsewhere(begun);
  }

  /** For an id that the copy lacks. While storage fails it is not known whether there is such a key. */
  async #lookAgain(id: string): Promise<KnownKey | null | 'unavailable'> {
    const keys = await this.#copy.refreshIfOlder(MISS_REFRESH_AFTER_MS);
    if (this.#copy.hasJustFailed()) return 'unavailable';
    return keys?.get(id) ?? null;
  }
}

function known({ value, etag }: Version<readonly ApiKey[]>): Version<KnownKeys> {
  return { value: new Map(value.map((key) => [key.id, knownKey(key)])), etag };
}

function knownKey({ id, tenant, scopes, quota, sha256 }: ApiKey): KnownKey {
  return { principal: { id, tenant, scopes, perMinute: quota?.perMinute ?? null }, sha256: fromHex(sha256) };
}
