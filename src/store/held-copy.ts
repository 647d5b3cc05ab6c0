/**
 * One object of the store as an isolate holds it: requests are answered from the copy, which is refreshed beside them.
 *
 * | age of the copy | |
 * | --- | --- |
 * | below REFRESH_AFTER_MS | used as it is |
 * | up to `refreshFirstAfterMs` | used, and refreshed in the background |
 * | above | refreshed first; if storage fails, used |
 * | above `maxAgeMs` | refreshed first; if storage fails, there is no copy |
 *
 * Only resolved values are kept: a promise of another request must not be awaited in Workers.
 */

export const REFRESH_AFTER_MS = 10_000;
/** While storage fails, a request in so many pays for finding out whether it still does. */
const RETRY_AFTER_FAILURE_MS = 5000;
/** A refresh that has not ended by now died with its request. */
const REFRESH_LOST_AFTER_MS = 10_000;
/** Storage answers in tens of milliseconds; what takes this long counts as failed. */
const WAIT_LIMIT_MS = 1500;

/** A value, and the etag of the object it was read from; null: there is none yet. */
export interface Version<T> {
  readonly value: T;
  readonly etag: string | null;
}

export interface HeldCopyDeps<T> {
  /** Reads the object, or 'unchanged' if it still has this etag. Rejects if storage does not answer. */
  readonly readIfChanged: (etag: string | null) => Promise<Version<T> | 'unchanged'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Keeps the isolate busy with a promise after the answer has gone out. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Told of failures that callers only see as an old copy, or none. */
  readonly report: (error: unknown) => void;
}

export interface HeldCopyAges {
  readonly refreshFirstAfterMs: number;
  readonly maxAgeMs: number;
}

interface Copy<T> extends Version<T> {
  /** When the read that last confirmed it began, by our clock. */
  readonly confirmedAt: number;
}

export class HeldCopy<T> {
  readonly #deps: HeldCopyDeps<T>;
  readonly #ages: HeldCopyAges;
  #copy: Copy<T> | null = null;
  /** Counts what `accept` took over. */
  #accepted = 0;
  #refreshingSince = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: HeldCopyDeps<T>, ages: HeldCopyAges) {
    this.#deps = deps;
    this.#ages = ages;
  }

  /** The copy if it can be used as it is; null says nothing. */
  peek(): T | null {
    const copy = this.#copy;
    return copy === null || this.#deps.now() - copy.confirmedAt >= REFRESH_AFTER_MS ? null : copy.value;
  }

  /** The copy, refreshed as the table above says; null if none recent enough is to be had. Never rejects. */
  async get(): Promise<T | null> {
    const now = this.#deps.now();
    const copy = this.#copy;
    if (copy === null) {
      await this.#refreshWithin();
      return this.#copy?.value ?? null;
    }
    const ageMs = now - copy.confirmedAt;
    if (ageMs < REFRESH_AFTER_MS) return copy.value;
    // One request at a time refreshes.
    if (now - this.#refreshingSince >= REFRESH_LOST_AFTER_MS && !this.hasJustFailed()) {
      this.#refreshingSince = now;
      if (ageMs < this.#ages.refreshFirstAfterMs) this.#deps.waitUntil(this.#refresh());
      else await this.#refreshWithin();
    }
    const held = this.#copy ?? copy;
    return now - held.confirmedAt < this.#ages.maxAgeMs ? held.value : null;
  }

  /** A look at storage now, unless the copy was confirmed less than `minAgeMs` ago. */
  async refreshIfOlder(minAgeMs: number): Promise<T | null> {
    const copy = this.#copy;
    if (copy === null || this.#deps.now() - copy.confirmedAt >= minAgeMs) await this.#refreshWithin();
    return this.#copy?.value ?? null;
  }

  /** Takes over what this isolate has just written. */
  accept({ value, etag }: Version<T>): void {
    this.#accepted += 1;
    this.#copy = { value, etag, confirmedAt: this.#deps.now() };
  }

  /** The last look at storage failed, moments ago. */
  hasJustFailed(): boolean {
    return this.#deps.now() - this.#failedAt < RETRY_AFTER_FAILURE_MS;
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
    const accepted = this.#accepted;
    try {
      const version = await this.#deps.readIfChanged(etag);
      this.#failedAt = Number.NEGATIVE_INFINITY;
      // A slow read must not undo a change made while it was under way.
      if (accepted !== this.#accepted) return;
      if (version !== 'unchanged') this.#replace(version, startedAt);
      else if (this.#copy !== null && this.#copy.etag === etag) this.#confirm(this.#copy, startedAt);
    } catch (error) {
      this.#failedAt = this.#deps.now();
      this.#deps.report(error);
    } finally {
      this.#refreshingSince = Number.NEGATIVE_INFINITY;
    }
  }

  #confirm(copy: Copy<T>, startedAt: number): void {
    this.#copy = { ...copy, confirmedAt: Math.max(copy.confirmedAt, startedAt) };
  }

  /** Unless the copy is of a later read. */
  #replace({ value, etag }: Version<T>, readAt: number): void {
    if (this.#copy !== null && this.#copy.confirmedAt > readAt) return;
    this.#copy = { value, etag, confirmedAt: readAt };
  }
}
