/** Which lines were sent, without holding any of them: for going on with a file that has been repaired. */
import { hash } from 'node:crypto';

export const LINE_HASH_BYTES = 8;

/**
 * What stands for a line.
 * @param json its fields as the file has them, before it gets a date
 */
export function lineHash(json: string): bigint {
  return hash('sha256', json, 'buffer').readBigUInt64LE(0);
}

export function hashesToBytes(hashes: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(hashes).buffer);
}

/**
 * Lines by their hashes, each as often as it was sent. 8 bytes a line, and 4 more in memory; of 20 million lines against
 * 20 million others, two differ and have the same hash in one of 90,000 files.
 */
export class LineSet {
  /** Ascending. */
  readonly #hashes: BigUint64Array;
  /** By the first place of a hash: how many of the equal ones were taken. */
  readonly #taken: Uint32Array;

  /** @param bytes a whole number of hashes, in any order */
  constructor(bytes: Uint8Array) {
    this.#hashes = new BigUint64Array(new Uint8Array(bytes).buffer).sort();
    this.#taken = new Uint32Array(this.#hashes.length);
  }

  get size(): number {
    return this.#hashes.length;
  }

  /** Takes one of the lines with this hash out; false if there is none left. */
  take(hash: bigint): boolean {
    const at = this.#firstFrom(hash);
    const taken = this.#taken[at] ?? 0;
    if (this.#hashes[at + taken] !== hash) return false;
    this.#taken[at] = taken + 1;
    return true;
  }

  #firstFrom(hash: bigint): number {
    let from = 0;
    let to = this.#hashes.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#hashes[middle] ?? hash) < hash) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
