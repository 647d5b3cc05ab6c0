/** A set of links: host and 64 bits of a hash. Open addressing in typed arrays, since there are as many as numbers. */

/** Of 12 bytes. */
const FIRST_SLOTS = 1024;
const MAX_LOAD = 0.5;
/** Spreads hosts; odd, so that none falls onto another. */
const HOST_FACTOR = 0x9e3779b1;

export class LinkSet {
  #slots = FIRST_SLOTS;
  /** Host + 1; 0 for a free slot. */
  #host = new Uint32Array(FIRST_SLOTS);
  #high = new Uint32Array(FIRST_SLOTS);
  #low = new Uint32Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether it was not there yet. */
  add(host: number, high: number, low: number): boolean {
    const at = this.#find(host, high, low);
    if (this.#host[at] !== 0) return false;
    this.#put(at, host, high, low);
    this.#size += 1;
    if (this.#size > this.#slots * MAX_LOAD) this.#grow();
    return true;
  }

  /** Where it is, or where it would be. */
  #find(host: number, high: number, low: number): number {
    const mask = this.#slots - 1;
    // The bits of a hash are as good as random already.
    let at = (low ^ Math.imul(host, HOST_FACTOR)) & mask;
    while (this.#host[at] !== 0) {
      if (this.#host[at] === host + 1 && this.#high[at] === high && this.#low[at] === low) break;
      at = (at + 1) & mask;
    }
    return at;
  }

  #put(at: number, host: number, high: number, low: number): void {
    this.#host[at] = host + 1;
    this.#high[at] = high;
    this.#low[at] = low;
  }

  #grow(): void {
    const [host, high, low] = [this.#host, this.#high, this.#low];
    this.#slots *= 2;
    this.#host = new Uint32Array(this.#slots);
    this.#high = new Uint32Array(this.#slots);
    this.#low = new Uint32Array(this.#slots);
    for (let i = 0; i < host.length; i++) {
      if (host[i] === 0) continue;
      const values = [(host[i] as number) - 1, high[i] as number, low[i] as number] as const;
      this.#put(this.#find(...values), ...values);
    }
  }
}
