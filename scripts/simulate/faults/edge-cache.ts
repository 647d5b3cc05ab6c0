/**
 * The slice store of a simulation: eventually consistent, as KV is. Each place sees a write after a while of its own, and
 * remembers what it has read, misses included. A list is as late as the rest.
 */
import { Random } from '../../../bench/support/random.ts';

type Bytes = Uint8Array<ArrayBuffer>;

interface Value {
  readonly bytes: Bytes;
  readonly writtenAt: number;
  readonly storedAt: number;
  /** By the store's clock; infinity: it is there. */
  deletedAt: number;
}

interface Remembered {
  readonly value: Bytes | null;
  readonly until: number;
}

export class EdgeCache {
  readonly #values = new Map<string, Value>();
  /** By place and key. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #now: () => number;
  readonly #staleMs: number;
  readonly #random: Random;

  constructor(seed: number, now: () => number, staleMs: number) {
    this.#random = new Random(seed).stream('kv');
    this.#now = now;
    this.#staleMs = staleMs;
  }

  get(place: string, key: string): Bytes | null {
    const now = this.#now();
    const at = `${place} ${key}`;
    const remembered = this.#remembered.get(at);
    if (remembered !== undefined && now < remembered.until) return remembered.value;
    const value = this.#seen(place, key);
    const ttlMs = this.#random.stream(`ttl ${at} ${now}`).next() * this.#staleMs;
    this.#remembered.set(at, { value, until: now + ttlMs });
    return value;
  }

  put(key: string, bytes: Bytes, writtenAt: number): void {
    this.#values.set(key, {
      bytes: bytes.slice(),
      writtenAt,
      storedAt: this.#now(),
      deletedAt: Number.POSITIVE_INFINITY,
    });
  }

  delete(key: string): void {
    const value = this.#values.get(key);
    if (value !== undefined && value.deletedAt === Number.POSITIVE_INFINITY) value.deletedAt = this.#now();
  }

  list(place: string, cursor: string | undefined, limit: number) {
    const keys = [...this.#values.keys()]
      .filter((key) => this.#seen(place, key) !== null && (cursor === undefined || key > cursor))
      .sort();
    const slices = keys.slice(0, limit).map((key) => ({ key, writtenAt: this.#values.get(key)?.writtenAt ?? 0 }));
    const last = slices.at(-1);
    return keys.length > slices.length && last !== undefined ? { slices, cursor: last.key } : { slices };
  }

  /** Everything that is there, for whoever looks at the store at rest. */
  all(): Map<string, { readonly bytes: Bytes; readonly writtenAt: number }> {
    return new Map([...this.#values].filter(([, { deletedAt }]) => deletedAt === Number.POSITIVE_INFINITY));
  }

  #seen(place: string, key: string): Bytes | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    const lagMs = this.#random.stream(`lag ${place} ${key}`).next() * this.#staleMs;
    const now = this.#now();
    if (now < value.storedAt + lagMs) return null;
    return now < value.deletedAt + lagMs ? value.bytes : null;
  }
}
