/**
 * The caches of cities (the product's contract CityCache): each place has one, which all isolates of that place share.
 * It forgets what it likes, may go on with what was there before a put or a delete, answers with damaged bytes, late,
 * or not at all. None of that counts as storage failing: whatever it does, lookups are answered as if there were none.
 */

import type { Bytes } from '../../../src/lib/bytes.ts';
import type { CityCache } from '../../../src/storage/city.ts';
import type { Random } from '../../support/random.ts';
import type { Host, Scheduler } from './scheduler.ts';
import { SimulatedFailure } from './storage.ts';

export interface CityClimate {
  /** How long a get may go on with what was there before. */
  readonly staleMs: number;
  /** Of gets whose entry is gone, for good. */
  readonly forgets: number;
  /** Of gets that bring damaged bytes. */
  readonly damage: number;
  /** Of calls that fail, and of calls that are answered late or never. */
  readonly fails: number;
}

/** Null: the seed's address is one on workers.dev, where there is no cache. */
export function cityClimateOf(random: Random, isThere: boolean): CityClimate | null {
  if (random.chance(0.4) && !isThere) return null;
  const pick = <T>(values: readonly T[]) => random.pick(values);
  return {
    staleMs: pick([0, 2_000, 15_000]),
    forgets: pick([0, 0, 0.1]),
    damage: pick([0, 0, 0.05]),
    fails: pick([0, 0, 0.1]),
  };
}

interface Entry {
  /** Null: deleted. */
  readonly bytes: Bytes | null;
  readonly storedAt: number;
  readonly until: number;
}

const MANIFEST_SEEN = 'manifest/newest';
/** No isolate takes what is older. */
const OLDEST_MANIFEST_MS = 10_000;

export class Cities {
  readonly #scheduler: Scheduler;
  readonly #climate: CityClimate;
  readonly #random: Random;
  readonly #trace: (line: string) => void;
  /** By place and key, the newest last; those before the last may still be seen. */
  readonly #entries = new Map<string, Entry[]>();
  #calls = 0;

  constructor(scheduler: Scheduler, climate: CityClimate, random: Random, trace: (line: string) => void) {
    this.#scheduler = scheduler;
    this.#climate = climate;
    this.#random = random;
    this.#trace = trace;
  }

  /** As this isolate reaches that of its place. */
  of(host: Host): CityCache {
    return {
      get: (key) =>
        this.#call(host, 'get', key, (random) => {
          const bytes = this.#get(`${host.place} ${key}`, random);
          if (bytes !== null && key === MANIFEST_SEEN) {
            host.confirmedAt = Math.max(host.confirmedAt, this.#scheduler.now - OLDEST_MANIFEST_MS);
          }
          return bytes;
        }),
      put: (key, bytes, seconds) => {
        const copy = bytes.slice();
        return this.#call(host, 'put', key, () => this.#store(`${host.place} ${key}`, copy, seconds * 1000));
      },
      delete: (key) => this.#call(host, 'delete', key, () => this.#store(`${host.place} ${key}`, null, 0)),
    };
  }

  #call<T>(host: Host, op: string, key: string, effect: (random: Random) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!host.isAlive) return;
      const random = this.#random.stream(String(this.#calls++));
      const isFailing = random.chance(this.#climate.fails);
      const isLate = random.chance(this.#climate.fails);
      const never = isLate && random.chance(0.3);
      const tookMs = isLate ? random.below(3_000) : random.below(6);
      this.#scheduler.wakeAfter(tookMs, () => {
        if (!host.isAlive || never) return;
        const what = `${host.name} city ${op} ${key}`;
        if (isFailing) {
          this.#trace(`${what} (fails)`);
          reject(new SimulatedFailure(`simulated: ${op} of a city failed`));
          return;
        }
        const result = effect(random);
        this.#trace(op === 'get' ? `${what} -> ${result === null ? 'nothing' : 'kept'}` : what);
        resolve(result);
      });
    });
  }

  #get(at: string, random: Random): Bytes | null {
    const { staleMs, forgets, damage } = this.#climate;
    const now = this.#scheduler.now;
    if (random.chance(forgets)) this.#entries.delete(at);
    const entries = this.#entries.get(at) ?? [];
    const seen = entries.findLast(({ storedAt }) => storedAt + random.next() * staleMs <= now) ?? null;
    if (seen === null || seen.bytes === null || now >= seen.until) return null;
    const bytes = seen.bytes.slice();
    if (random.chance(damage)) {
      const i = random.below(bytes.length);
      bytes[i] = (bytes[i] ?? 0) ^ (1 << random.below(8));
    }
    return bytes;
  }

  #store(at: string, bytes: Bytes | null, forMs: number): void {
    const now = this.#scheduler.now;
    const before = (this.#entries.get(at) ?? []).filter(({ storedAt }) => storedAt > now - 2 * this.#climate.staleMs);
    this.#entries.set(at, [...before, { bytes, storedAt: now, until: now + forMs }]);
  }
}
