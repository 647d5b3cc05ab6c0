/**
 * Requests a minute of a key, counted in fixed windows of a minute *in one isolate*: a key that is served by several
 * isolates gets its quota from each. It stops a client run wild, not a determined one.
 */
const WINDOW_MS = 60_000;
/** More than all keys there can be (key-file.ts). Dropping the counters now and then gives away a minute's quota. */
const MAX_COUNTERS = 2000;

export class RequestQuota {
  readonly #counters = new Map<string, { window: number; count: number }>();
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a request. 0 if it is within the quota, else the seconds until the next window, at least 1. */
  take(id: string, perMinute: number): number {
    const now = this.#now();
    const window = Math.floor(now / WINDOW_MS);
    const counter = this.#counters.get(id);
    if (counter === undefined || counter.window !== window) {
      if (counter === undefined && this.#counters.size >= MAX_COUNTERS) this.#counters.clear();
      this.#counters.set(id, { window, count: 1 });
      return 0;
    }
    if (counter.count >= perMinute) return Math.ceil(((window + 1) * WINDOW_MS - now) / 1000);
    counter.count += 1;
    return 0;
  }
}
