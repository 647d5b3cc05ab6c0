/** A value as a cache holds it. */
export interface Held<T> {
  /** Undefined once it has been dropped. */
  value: T | undefined;
  readonly bytes: number;
  usedAt: number;
}

/**
 * A cache of resolved values under a byte budget: what was used longest ago goes first. It never holds promises: in a
 * Worker, one request must not wait for the I/O of another.
 */
export class ByteCache<T> {
  readonly #budgetBytes: number;
  readonly #entries = new Map<string, Held<T>>();
  #bytes = 0;
  #uses = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes held at present, never above the budget. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : this.use(entry);
  }

  /** What is held under the key, to be kept by who asks often: `use` then needs no search. */
  held(key: string): Held<T> | undefined {
    return this.#entries.get(key);
  }

  /** The value, unless it has been dropped; counts as a use. */
  use(held: Held<T>): T | undefined {
    held.usedAt = ++this.#uses;
    return held.value;
  }

  /** Keeps the value, unless it alone is larger than the budget. */
  set(key: string, value: T, bytes: number): void {
    this.delete(key);
    if (bytes > this.#budgetBytes) return;
    while (this.#bytes + bytes > this.#budgetBytes) this.#evictOldest();
    this.#entries.set(key, { value, bytes, usedAt: ++this.#uses });
    this.#bytes += bytes;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.value = undefined;
    this.#bytes -= entry.bytes;
  }

  /** Lets go of everything under other keys. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.delete(key);
  }

  /** A look at every entry: there are hundreds at most, and an eviction comes with a read from storage. */
  #evictOldest(): void {
    let oldest: string | undefined;
    let usedAt = Number.POSITIVE_INFINITY;
    for (const [key, entry] of this.#entries) {
      if (entry.usedAt < usedAt) {
        usedAt = entry.usedAt;
        oldest = key;
      }
    }
    if (oldest !== undefined) this.delete(oldest);
  }
}
