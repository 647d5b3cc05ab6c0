/**
 * A stale-while-revalidate cache of one object of the store: requests are answered from the isolate's copy, which is
 * refreshed in the background.
 *
 * | age of the copy | |
 * | --- | --- |
 * | below REFRESH_AFTER_MS | used as it is |
 * | up to `refreshFirstAfterMs` | used, and refreshed in the background |
 * | above | refreshed before it is used; if storage fails or takes too long, used as it is |
 * | above `maxAgeMs` | refreshed first; if storage fails, there is no copy |
 *
 * One request at a time reads. In Workers a request must not await a promise of another request, which may be gone. So
 * the others look every few milliseconds whether the read has ended, and the read holds a lease: once it has taken
 * TAKE_OVER_AFTER_MS, one of the waiting requests reads for itself. That may be the one whose read hangs: a single read
 * that is never answered does not mean that storage is down.
 *
 * Reads may overlap, and their answers come in any order. A read that began after the copy was stored returns nothing
 * older than the copy. Any other read might, so it does not replace the copy unless the values themselves tell
 * (`compare`). Ages are counted by the isolate's own clock, from the beginning of a read.
 *
 * A copy that is near (`nearby`: that of the isolate's city, src/storage/city.ts) saves the way to storage. It counts
 * as old as the read that once brought it, and is taken only where it is certainly no older than what is held and what
 * is known of changes; wherever somebody asks for what storage has now, it is not looked at (docs/decisions/0036).
 */

export const REFRESH_AFTER_MS = 10_000;
/**
 * For so long after a failure, no request with a usable copy waits: an outage must not slow every lookup. A request
 * without one waits for one read after the other. But once a request has given up on reads that hang, for so long only
 * one request at a time tries, and only for TAKE_OVER_AFTER_MS.
 */
const RETRY_AFTER_FAILURE_MS = 5000;
/** A background refresh that has not ended by now has died with its request. */
const LOST_AFTER_MS = 10_000;
/** Storage answers in tens of milliseconds: a read that takes this long is taken for lost, and another begins. */
const TAKE_OVER_AFTER_MS = 500;
/** Concurrent reads of one request: the platform opens few connections for one (six in Workers). */
const MAX_OWN_READS = 3;
/** A read that takes this long counts as failed for a request with a usable copy, */
const WAIT_LIMIT_MS = 1000;
/** and one that takes this long for a request without one. */
const FIRST_LIMIT_MS = 5000;
/** Between two looks whether another request's read has ended: at first, and after most reads would have. */
const SHORT_PAUSE_MS = 5;
const LONG_PAUSE_MS = 25;
const LONG_PAUSES_AFTER_MS = 100;
/**
 * By so much the clocks of two isolates of a city may differ. What is near counts as that much older, so that no answer
 * seems younger than it is.
 */
export const CLOCK_DIFFERENCE_MS = 1000;
/** What is near is used by a request that has to wait, as old as this, so that it counts as below REFRESH_AFTER_MS; */
export const NEARBY_MS = REFRESH_AFTER_MS - CLOCK_DIFFERENCE_MS;
/** and by a refresh behind the answers, which would soon have to be made again otherwise. */
export const NEARBY_BEHIND_MS = 2000;
/**
 * So long after a use there are two more refreshes, each unless the copy is young then: whoever comes within
 * `refreshFirstAfterMs` after the last need not wait. The platform lets work go on for 30 s after an answer, and two
 * looks in that time keep the copy younger meanwhile than one does.
 */
export const KEEP_UP_AFTER_MS = [14_000, 28_000] as const;
/** At most that often. */
const KEEP_UP_EVERY_MS = 10_000;
/** An older version that storage has for so long was put back by hand; a stale answer does not last. */
const OLDER_FOLLOWED_AFTER_MS = 120_000;
/** A read is repeated if an answer to an earlier read is stored meanwhile; that does not happen twice in a row. */
const REFRESH_ATTEMPTS = 3;

/** A value, and the etag of the object it was read from; null: there is none yet. */
export interface Version<T> {
  readonly value: T;
  readonly etag: string | null;
}

/** A copy of the object that is near. */
export interface Nearby<T> {
  readonly etag: string;
  /** When the read of storage began that brought it or found it unchanged, by the clock of whoever made it. */
  readonly at: number;
  /** The value; null if it is not there any more, or damaged. Never rejects. */
  readonly open: () => Promise<T | null>;
}

export interface SwrCacheDeps<T> {
  /** Reads the object, or 'unchanged' if it still has this etag. Rejects if storage does not answer. */
  readonly readIfChanged: (etag: string | null) => Promise<Version<T> | 'unchanged'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Keeps the isolate busy with a promise after the answer has gone out. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Told of failures that callers only see as an old copy, or none. */
  readonly report: (error: unknown) => void;
  /** Above 0 if `a` is certainly the newer of two values, below if the older; without it, no two values tell. */
  readonly compare?: (a: T, b: T) => number;
  /** Told of each value that storage confirms, and when the read that did so began. */
  readonly confirmed?: (value: T, at: number) => void;
  /** What is near; null: nothing. Never rejects, and is answered soon. */
  readonly nearby?: (() => Promise<Nearby<T> | null>) | undefined;
  /**
   * Told of a value that will replace another, in a refresh that nobody waits for, which it may put off for a while.
   */
  readonly prepare?: (next: T, held: T) => Promise<void>;
  /** Whether there are refreshes after the last use (KEEP_UP_AFTER_MS). */
  readonly keepsUp?: boolean | undefined;
}

export interface SwrCacheAges {
  readonly refreshFirstAfterMs: number;
  readonly maxAgeMs: number;
}

/**
 * When a read or a change began: by the clock, and by a counter of events, since the clock is too coarse for their
 * order.
 */
export interface Beginning {
  readonly at: number;
  readonly order: number;
}

interface Copy<T> extends Version<T> {
  /** Of the read that last confirmed it. */
  readonly confirmed: Beginning;
  /** When it was stored. */
  readonly landed: Beginning;
}

/** Who a read is for. */
type ReadFor =
  /** Whoever wants to know what storage has now. */
  | 'certainty'
  /** A request that waits. */
  | 'waiting'
  /** Nobody yet. */
  | 'later';

const NEVER = Number.NEGATIVE_INFINITY;

export class SwrCache<T> {
  readonly #deps: SwrCacheDeps<T>;
  readonly #ages: SwrCacheAges;
  #copy: Copy<T> | null = null;
  /** Counts the beginnings and ends of reads and changes. */
  #order = 0;
  /** The last read that was begun, unless it has ended. */
  #reading: Beginning | null = null;
  /** When a read failed last, unless one has succeeded since; and when somebody gave up waiting. */
  #failed: Beginning | null = null;
  #gaveUpAt = NEVER;
  /** The last change whose outcome is not known here: what a read from before it says may be out of date. */
  #changed: Beginning | null = null;
  /** When refreshes after a use were planned last; infinite: none ever is. */
  #keptUpAt: number;

  constructor(deps: SwrCacheDeps<T>, ages: SwrCacheAges) {
    this.#deps = deps;
    this.#ages = ages;
    this.#keptUpAt = deps.keepsUp === true ? NEVER : Number.POSITIVE_INFINITY;
  }

  /**
   * The copy if it can be used without waiting, else null.
   * @param now milliseconds since 1970, from who has asked the clock anyway
   */
  peek(now = this.#deps.now()): T | null {
    const copy = this.#copy;
    if (copy === null) return null;
    const ageMs = now - copy.confirmed.at;
    if (ageMs < 0 || ageMs >= REFRESH_AFTER_MS) return null;
    if (now - this.#keptUpAt >= KEEP_UP_EVERY_MS) this.#keepUp(now);
    return copy.value;
  }

  /** Whether `get` has to wait: it is worth while to let other copies be refreshed at the same time. */
  get isDue(): boolean {
    return this.ageMs >= this.#ages.refreshFirstAfterMs;
  }

  /** The copy, however old it is. */
  get held(): T | null {
    return this.#copy?.value ?? null;
  }

  /** Milliseconds since the copy was certainly the newest; infinite if there is none. */
  get ageMs(): number {
    return this.#copy === null ? Number.POSITIVE_INFINITY : this.#since(this.#copy.confirmed.at);
  }

  /** The copy, refreshed as the table above says; null if none recent enough is to be had. Never rejects. */
  async get(): Promise<T | null> {
    const { refreshFirstAfterMs, maxAgeMs } = this.#ages;
    const asked = this.#now();
    const { ageMs } = this;
    if (asked.at - this.#keptUpAt >= KEEP_UP_EVERY_MS) this.#keepUp(asked.at);
    if (ageMs >= refreshFirstAfterMs) await this.#wait(asked, refreshFirstAfterMs, 'waiting');
    else this.#refreshBehind();
    return this.#copy !== null && this.#isRecent(this.#copy, asked, maxAgeMs) ? this.#copy.value : null;
  }

  /** The copy, after a read unless there was one less than `minAgeMs` ago, or one failed moments ago. */
  async refreshIfOlder(minAgeMs: number): Promise<T | null> {
    await this.#wait(this.#now(), minAgeMs, 'certainty');
    return this.#copy?.value ?? null;
  }

  /** The value in storage now, by a read without a time limit. Rejects if that fails. */
  async refresh(): Promise<T> {
    const asked = this.#order;
    for (let attempt = 0; attempt < REFRESH_ATTEMPTS; attempt++) {
      await this.#read('certainty');
      if (this.#copy !== null && this.#copy.confirmed.order > asked) return this.#copy.value;
    }
    throw new RangeError(`the copy changed during each of ${REFRESH_ATTEMPTS} reads`);
  }

  /** To be called before this isolate changes the object, for `accept`. */
  begin(): Beginning {
    this.#order += 1;
    return { at: this.#deps.now(), order: this.#order };
  }

  /**
   * Stores what this isolate has just written. If the outcome of the write is not known, or another answer that was
   * stored meanwhile may be newer, the next request reads storage first.
   */
  accept(version: Version<T> | 'unavailable', begun: Beginning): void {
    if (version !== 'unavailable') this.#take(version, begun);
    if (version !== 'unavailable' && this.#copy?.etag === version.etag) return;
    this.#noteChange();
  }

  /**
   * Call this when another isolate has changed the object, or may have, at the asking of this one: the next answers
   * know of it. If storage does not answer within a second, whoever asks next looks first, and if that fails too, is
   * answered from the copy as the table above says. Never rejects.
   */
  async changedElsewhere(): Promise<void> {
    this.#noteChange();
    // Where nothing is held and nobody reads, whoever asks first reads what there is then.
    if (this.#copy === null && this.#reading === null) return;
    // A failure from before the change keeps nobody from looking, nor does that of this look.
    this.#forgetFailures();
    await this.refreshIfOlder(0);
    this.#forgetFailures();
  }

  #forgetFailures(): void {
    this.#failed = null;
    this.#gaveUpAt = NEVER;
  }

  /** Whether the last read failed, moments ago. */
  hasJustFailed(): boolean {
    return this.#hasJustGivenUp() || (this.#failed !== null && this.#since(this.#failed.at) < RETRY_AFTER_FAILURE_MS);
  }

  #hasJustGivenUp(): boolean {
    return this.#since(this.#gaveUpAt) < RETRY_AFTER_FAILURE_MS;
  }

  #refreshBehind(): Promise<void> | null {
    const isWanted = this.ageMs >= REFRESH_AFTER_MS && !this.#isReading(LOST_AFTER_MS) && !this.hasJustFailed();
    return isWanted ? this.#startRead('later') : null;
  }

  /** Plans the refreshes after a use. */
  #keepUp(now: number): void {
    this.#keptUpAt = now;
    for (const afterMs of KEEP_UP_AFTER_MS) {
      this.#deps.waitUntil(this.#deps.sleep(afterMs).then(() => this.#refreshBehind()));
    }
  }

  #now(): Beginning {
    return { at: this.#deps.now(), order: this.#order };
  }

  /**
   * If the clock was set back, the age is not known: it is taken to be old enough to refresh, and not too old to use.
   */
  #since(at: number, until = this.#deps.now()): number {
    return until >= at ? until - at : this.#ages.refreshFirstAfterMs;
  }

  /** Confirmed by a read that began after `asked`, or less than `ageMs` before. */
  #isRecent({ confirmed }: Copy<T>, asked: Beginning, ageMs: number): boolean {
    return confirmed.order > asked.order || this.#since(confirmed.at, asked.at) < ageMs;
  }

  #isReading(leaseMs: number): boolean {
    return this.#reading !== null && this.#since(this.#reading.at) < leaseMs;
  }

  /**
   * Waits until the copy is recent, a read has failed, or the time is over; a read under way may still be stored later.
   */
  async #wait(asked: Beginning, ageMs: number, first: 'certainty' | 'waiting'): Promise<void> {
    const isRecent = (maxMs: number) => this.#copy !== null && this.#isRecent(this.#copy, asked, maxMs);
    const isUsable = isRecent(this.#ages.maxAgeMs);
    const hasFailed = () => this.#failed !== null && this.#failed.order > asked.order;
    const isTrial = !isUsable && this.#hasJustGivenUp();
    if (!isRecent(ageMs) && (isUsable ? this.hasJustFailed() : isTrial && this.#isReading(TAKE_OVER_AFTER_MS))) return;
    const limitMs = isUsable ? WAIT_LIMIT_MS : isTrial ? TAKE_OVER_AFTER_MS : FIRST_LIMIT_MS;
    const own = new Set<Promise<void>>();
    let readFor: ReadFor = first;
    // Pauses are added up instead of asking the clock, so that the wait is bounded whatever the clock does.
    for (let waitedMs = 0; waitedMs < limitMs; ) {
      if (isRecent(ageMs) || hasFailed()) return;
      if (own.size < MAX_OWN_READS && !this.#isReading(TAKE_OVER_AFTER_MS)) {
        const read: Promise<void> = this.#startRead(readFor).then(() => void own.delete(read));
        own.add(read);
        readFor = 'certainty';
      }
      const pauseMs = waitedMs < LONG_PAUSES_AFTER_MS ? SHORT_PAUSE_MS : LONG_PAUSE_MS;
      await Promise.race([...own, this.#deps.sleep(pauseMs)]);
      waitedMs += pauseMs;
    }
    if (!isRecent(ageMs)) this.#gaveUpAt = this.#deps.now();
  }

  /** Never rejects. */
  #startRead(readFor: ReadFor): Promise<void> {
    const read = this.#read(readFor).catch((error) => this.#deps.report(error));
    this.#deps.waitUntil(read);
    return read;
  }

  /** Rejects if storage does not answer; the copy is then as it was. */
  async #read(readFor: ReadFor): Promise<void> {
    const begun = this.begin();
    this.#reading = begun;
    try {
      const { nearby } = this.#deps;
      if (nearby !== undefined && readFor !== 'certainty') {
        if (await this.#takeNearby(nearby, begun, readFor)) return;
      }
      const held = this.#copy;
      const read = await this.#deps.readIfChanged(held?.etag ?? null);
      if (read === 'unchanged' && held === null)
        throw new RangeError('the store says unchanged, but nothing was known');
      if (read !== 'unchanged' && readFor === 'later') await this.#prepare(read.value);
      this.#take(read === 'unchanged' ? (held as Copy<T>) : read, begun);
      this.#forgetFailures();
    } catch (error) {
      // A read that began before the copy was confirmed does not say what storage has now.
      if (this.#copy === null || begun.order > this.#copy.confirmed.order) this.#failed = this.begin();
      throw error;
    } finally {
      if (this.#reading === begun) this.#reading = null;
    }
  }

  async #prepare(next: T): Promise<void> {
    const { held } = this;
    if (held !== null) await this.#deps.prepare?.(next, held);
  }

  /** Whether what is near could be taken, so that storage need not be read. It says nothing of failures of storage. */
  async #takeNearby(
    nearby: () => Promise<Nearby<T> | null>,
    begun: Beginning,
    readFor: 'waiting' | 'later',
  ): Promise<boolean> {
    const found = await nearby();
    if (found === null) return false;
    const { etag } = found;
    const maxMs = readFor === 'waiting' ? NEARBY_MS : NEARBY_BEHIND_MS;
    // The read that it is from began after this instant, whichever clock is wrong.
    const at = found.at - CLOCK_DIFFERENCE_MS;
    const isNews = () => this.#isNews(etag, at);
    const ageMs = this.#deps.now() - found.at;
    if (!(ageMs > -CLOCK_DIFFERENCE_MS && ageMs < maxMs) || !isNews()) return false;
    const held = this.#copy;
    if (held?.etag === etag) {
      this.#take(held, { at, order: begun.order });
      return true;
    }
    const value = await found.open();
    if (value === null) return false;
    if (readFor === 'later') await this.#prepare(value);
    // Meanwhile another read may have ended, and a change been made.
    if (!isNews() || (this.#copy !== null && (this.#deps.compare?.(value, this.#copy.value) ?? 0) < 0)) return false;
    this.#take({ value, etag }, { at, order: begun.order });
    return true;
  }

  /** Whether a read that began after `at`, in another isolate, says something that is not known here. */
  #isNews(etag: string, at: number): boolean {
    const copy = this.#copy;
    // After a change only storage says how it came out.
    if (this.#changed !== null && (copy === null || copy.confirmed.order <= this.#changed.order)) return false;
    if (copy === null) return true;
    // What storage had when a copy landed, any read that began after that has too, or what replaced it.
    return at > (copy.etag === etag ? copy.confirmed.at : copy.landed.at);
  }

  /** Replaces or confirms the copy by a value that was the newest at some time since `begun`, or leaves it. */
  #take(version: Version<T>, begun: Beginning): void {
    const copy = this.#copy;
    if (copy === null) this.#replace(version, begun);
    else if (version.etag === copy.etag) this.#confirm(copy, begun);
    else this.#takeOther(copy, version, begun);
  }

  #takeOther(copy: Copy<T>, version: Version<T>, begun: Beginning): void {
    const order = this.#deps.compare?.(version.value, copy.value) ?? 0;
    const isLater = copy.landed.order < begun.order;
    if (order < 0 && isLater && this.ageMs < OLDER_FOLLOWED_AFTER_MS) {
      throw new RangeError('the store has an older version than before');
    }
    if (order > 0 || isLater) this.#replace(version, begun);
    // The copy is newer than what was there when the read was answered, so still the newest then.
    else if (order < 0) this.#confirm(copy, begun);
  }

  #replace(version: Version<T>, begun: Beginning): void {
    this.#copy = { ...version, confirmed: this.#confirmation(begun), landed: this.begin() };
    this.#deps.confirmed?.(version.value, begun.at);
  }

  #confirm(copy: Copy<T>, begun: Beginning): void {
    if (begun.order <= copy.confirmed.order) return;
    this.#copy = { ...copy, confirmed: this.#confirmation(begun) };
    this.#deps.confirmed?.(copy.value, begun.at);
  }

  /** Dates back what is held, and what the reads that are under way will say. */
  #noteChange(): void {
    this.#changed = this.begin();
    const copy = this.#copy;
    if (copy === null) return;
    // As if it had been stored just now, since reads that are under way may be from before the change; but not
    // confirmed, since who waits for one of those must not take what is old for what it has said.
    this.#copy = { ...copy, confirmed: this.#confirmation(copy.confirmed), landed: this.#changed };
  }

  /** What a read from before the last change confirms is old enough to be refreshed before it is used. */
  #confirmation(begun: Beginning): Beginning {
    const changed = this.#changed;
    if (changed === null || begun.order > changed.order) return begun;
    return { ...begun, at: Math.min(begun.at, changed.at - this.#ages.refreshFirstAfterMs) };
  }
}
