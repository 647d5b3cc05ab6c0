/**
 * The keys as an isolate holds them. Requests are answered from the copy; it is refreshed beside them.
 *
 * | age of the copy | |
 * | --- | --- |
 * | below 10 s | used as it is |
 * | 10 s to 45 s | used, and refreshed in the background |
 * | above 45 s | refreshed first; if storage fails, used |
 * | above 1 h | refreshed first; if storage fails, there is no answer |
 *
 * So a revocation is effective within a minute while storage works, and within an hour if it fails.
 * Only resolved values are kept: a promise of another request must not be awaited in Workers.
 */

import { fromHex } from '../format/hash.ts';
import type { ApiKey } from './key-file.ts';
import type { KeyStore, KeyVersion } from './key-store.ts';
import type { Principal } from './scope.ts';
import type { Digest } from './token.ts';

const REFRESH_AFTER_MS = 10_000;
const REFRESH_FIRST_AFTER_MS = 45_000;
const MAX_AGE_MS = 3_600_000;
/** An id that the copy lacks may be a key made a moment ago elsewhere. One look a second cannot be made into a flood. */
const MISS_REFRESH_AFTER_MS = 1000;
/** While storage fails, a request in so many pays for finding out whether it still does. */
const RETRY_AFTER_FAILURE_MS = 5000;
/** A refresh that has not ended by now died with its request. With the 45 s above it must stay below a minute. */
const REFRESH_LOST_AFTER_MS = 10_000;
/** Storage answers in tens of milliseconds; what takes this long counts as failed. */
const WAIT_LIMIT_MS = 1500;

export interface KnownKey {
  readonly principal: Principal;
  readonly sha256: Digest;
}

export interface KeyCacheDeps {
  readonly store: KeyStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Keeps the isolate busy with a promise after the answer has gone out. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly sleep: (delayMs: number) => Promise<void>;
  readonly report: (error: unknown) => void;
}

interface Copy {
  readonly keys: ReadonlyMap<string, KnownKey>;
  readonly etag: string | null;
  /** When the read that last confirmed it began, by our clock. */
  readonly confirmedAt: number;
}

export class KeyCache {
  readonly #deps: KeyCacheDeps;
  #copy: Copy | null = null;
  #refreshingSince = Number.NEGATIVE_INFINITY;
  #missedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: KeyCacheDeps) {
    this.#deps = deps;
  }

  /** The key with this id if the copy can be used as it is; null says nothing. */
  peek(id: string): KnownKey | null {
    const copy = this.#copy;
    if (copy === null || this.#deps.now() - copy.confirmedAt >= REFRESH_AFTER_MS) return null;
    return copy.keys.get(id) ?? null;
  }

  /** The key with this id, null if there is none, 'unavailable' if nothing recent enough is known. */
  async find(id: string): Promise<KnownKey | null | 'unavailable'> {
    const now = this.#deps.now();
    const copy = await this.#current(now);
    if (copy === null) return 'unavailable';
    return copy.keys.get(id) ?? this.#lookAgain(id, copy, now);
  }

  /** Takes over what this isolate has just written. */
  accept(version: KeyVersion): void {
    this.#replace(version, this.#deps.now());
  }

  /** For an id that the copy lacks. While storage fails nobody can say that there is no such key. */
  async #lookAgain(id: string, copy: Copy, now: number): Promise<KnownKey | null | 'unavailable'> {
    if (this.#hasJustFailed(now)) return 'unavailable';
    if (now - Math.max(copy.confirmedAt, this.#missedAt) < MISS_REFRESH_AFTER_MS) return null;
    this.#missedAt = now;
    await this.#refreshWithin();
    if (this.#hasJustFailed(now)) return 'unavailable';
    return this.#copy?.keys.get(id) ?? null;
  }

  async #current(now: number): Promise<Copy | null> {
    const copy = this.#copy;
    if (copy === null) {
      await this.#refreshWithin();
      return this.#copy;
    }
    const ageMs = now - copy.confirmedAt;
    if (ageMs < REFRESH_AFTER_MS) return copy;
    // One request at a time refreshes.
    if (now - this.#refreshingSince >= REFRESH_LOST_AFTER_MS && !this.#hasJustFailed(now)) {
      this.#refreshingSince = now;
      if (ageMs < REFRESH_FIRST_AFTER_MS) this.#deps.waitUntil(this.#refresh());
      else await this.#refreshWithin();
    }
    const held = this.#copy ?? copy;
    return now - held.confirmedAt < MAX_AGE_MS ? held : null;
  }

  #hasJustFailed(now: number): boolean {
    return now - this.#failedAt < RETRY_AFTER_FAILURE_MS;
  }

  /** Waits for a refresh, but not for ever: then it counts as failed, though it may still come back. */
  async #refreshWithin(): Promise<void> {
    const refreshed = this.#refresh().then(() => true);
    this.#deps.waitUntil(refreshed);
    const inTime = await Promise.race([refreshed, this.#deps.sleep(WAIT_LIMIT_MS).then(() => false)]);
    if (!inTime) this.#failedAt = this.#deps.now();
  }

  /** Never rejects. A failure leaves the copy as it is. */
  async #refresh(): Promise<void> {
    const startedAt = this.#deps.now();
    const etag = this.#copy?.etag ?? null;
    try {
      const version = await this.#deps.store.readIfChanged(etag);
      this.#failedAt = Number.NEGATIVE_INFINITY;
      if (version !== 'unchanged') this.#replace(version, startedAt);
      else if (this.#copy !== null && this.#copy.etag === etag) this.#confirm(this.#copy, startedAt);
    } catch (error) {
      this.#failedAt = this.#deps.now();
      this.#deps.report(error);
    } finally {
      this.#refreshingSince = Number.NEGATIVE_INFINITY;
    }
  }

  #confirm(copy: Copy, startedAt: number): void {
    this.#copy = { ...copy, confirmedAt: Math.max(copy.confirmedAt, startedAt) };
  }

  /** Unless the copy is newer: a slow read must not undo a change made while it was under way. */
  #replace({ keys, etag }: KeyVersion, readAt: number): void {
    if (this.#copy !== null && this.#copy.confirmedAt > readAt) return;
    this.#copy = { keys: new Map(keys.map((key) => [key.id, known(key)])), etag, confirmedAt: readAt };
  }
}

function known({ id, tenant, scopes, quota, sha256 }: ApiKey): KnownKey {
  return { principal: { id, tenant, scopes, perMinute: quota?.perMinute ?? null }, sha256: fromHex(sha256) };
}
