/**
 * Quotas: how many requests a minute a key may make, how they are counted, and the answer to one that is over. Each
 * isolate counts exactly, in fixed windows of a minute; and all isolates of one location together, by the platform's
 * rate limiters, which take no time and let a little too much through. A limiter has the one limit that it was deployed
 * with. A key with a larger quota asks it only for a share of its requests, drawn at random, so that the limit is
 * reached after as many requests as the quota allows.
 */

import { Problem } from './problem.ts';

/**
 * The quota of a key that is made without one, so that a faulty client is bounded. A hundred sign-ups a second in one
 * location is more than a form has. A key can be made with a larger quota, or without one.
 */
export const DEFAULT_QUOTA = { perMinute: 6000 };

const WINDOW_MS = 60_000;
/** More than there can be keys (MAX_KEYS). Dropping the counters now and then gives away a minute's quota. */
const MAX_COUNTERS = 2000;

/** Counts the requests of many isolates; the platform's rate limiting binding. */
export interface Limiter {
  /** How many requests a minute it lets through under one key. */
  readonly perMinute: number;
  /** Counts one. May reject when it does not answer. */
  limit(key: string): Promise<{ readonly success: boolean }>;
}

export interface RequestQuotaDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to below 1. */
  readonly random: () => number;
  /** May be empty: then each isolate counts alone. */
  readonly limiters: readonly Limiter[];
}

interface Counter {
  readonly window: number;
  count: number;
  /** Counts for all isolates of the location, and is asked for a share of the requests; undefined: there is none. */
  readonly limiter: Limiter | undefined;
  /** Whether a draw has decided that the limiter is to be asked. */
  isAsking: boolean;
}

export class RequestQuota {
  readonly #deps: RequestQuotaDeps;
  readonly #counters = new Map<string, Counter>();

  constructor(deps: RequestQuotaDeps) {
    this.#deps = deps;
  }

  /** Counts a request that is within the quota and needs no limiter. False: nothing was counted, and `take` decides. */
  takeAtOnce(id: string, perMinute: number): boolean {
    const counter = this.#counterOf(id, perMinute, Math.floor(this.#deps.now() / WINDOW_MS));
    if (counter.count >= perMinute || counter.isAsking) return false;
    if (this.#isDrawn(counter, perMinute)) {
      counter.isAsking = true;
      return false;
    }
    counter.count += 1;
    return true;
  }

  /**
   * Counts a request of a key that has a quota.
   * @throws Problem `quota-exceeded` with the seconds until the next window in Retry-After
   */
  async charge(id: string, perMinute: number): Promise<void> {
    const retryAfterSeconds = await this.take(id, perMinute);
    if (retryAfterSeconds === 0) return;
    throw new Problem('quota-exceeded', `expected at most ${perMinute} requests a minute`, {
      members: { perMinute },
      headers: { 'retry-after': String(retryAfterSeconds) },
    });
  }

  /** Counts a request. 0: it is within the quota; otherwise the seconds until the next window, at least 1. */
  async take(id: string, perMinute: number): Promise<number> {
    const now = this.#deps.now();
    const window = Math.floor(now / WINDOW_MS);
    const counter = this.#counterOf(id, perMinute, window);
    if (counter.count < perMinute) {
      counter.count += 1;
      if (await this.#isWithinShared(id, perMinute, counter)) return 0;
      // No need to ask again in this minute.
      counter.count = Math.max(counter.count, perMinute);
    }
    return Math.ceil(((window + 1) * WINDOW_MS - now) / 1000);
  }

  #counterOf(id: string, perMinute: number, window: number): Counter {
    const known = this.#counters.get(id);
    if (known?.window === window) return known;
    if (known === undefined && this.#counters.size >= MAX_COUNTERS) this.#counters.clear();
    const { limiters } = this.#deps;
    // The largest limiter whose limit does not exceed the quota. For quotas below all limits it is the smallest one:
    // then the isolate's own count is stricter.
    const limiter = limiters.findLast((tier) => tier.perMinute <= perMinute) ?? limiters[0];
    const counter = { window, count: 0, limiter, isAsking: false };
    this.#counters.set(id, counter);
    return counter;
  }

  /** Whether the limiter is asked for this request. */
  #isDrawn({ limiter }: Counter, perMinute: number): boolean {
    return limiter !== undefined && this.#deps.random() < limiter.perMinute / perMinute;
  }

  async #isWithinShared(id: string, perMinute: number, counter: Counter): Promise<boolean> {
    const isDrawn = counter.isAsking || this.#isDrawn(counter, perMinute);
    counter.isAsking = false;
    if (counter.limiter === undefined || !isDrawn) return true;
    try {
      return (await counter.limiter.limit(id)).success;
    } catch {
      // A quota guards against faulty clients, so a limiter that does not answer refuses nobody.
      return true;
    }
  }
}
