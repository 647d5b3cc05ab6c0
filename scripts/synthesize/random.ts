/**
 * Pseudo-random numbers in integer arithmetic only, so that a seed gives the same bytes on every machine: no
 * Math.random, and none of Math.pow, log or exp, whose last bits are the engine's choice.
 */

/** Integer finalizer of MurmurHash3 (Appleby): a permutation of the 32-bit integers. */
export function mix32(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** One 32-bit integer for several. */
export function hash32(...values: readonly number[]): number {
  let hash = 0x2545f491;
  for (const value of values) hash = mix32((hash ^ value) + 0x9e3779b9);
  return hash;
}

const TWO_32 = 2 ** 32;

/** A sequence that a 32-bit state determines (mulberry32); cheap to start anew for each block and row. */
export class Random {
  #state: number;

  constructor(state: number) {
    this.#state = state | 0;
  }

  restart(state: number): void {
    this.#state = state | 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 up to, not including, `limit` (at most 2^30; above 2^21 rounding favours some a little). */
  below(limit: number): number {
    return Math.floor((this.uint32() * limit) / TWO_32);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }
}

/** Four rounds of a Feistel network mix well enough that neighbours end far apart; nothing secret is kept here. */
const ROUNDS = 4;

/**
 * A pseudo-random permutation of 0..size-1 that needs no memory: a balanced Feistel network over the next power of
 * four, walked until it lands inside.
 */
export class Permutation {
  readonly #size: number;
  readonly #halfBits: number;
  readonly #keys: readonly number[];

  /** @param size at most 2^30 */
  constructor(size: number, seed: number) {
    this.#size = size;
    let halfBits = 1;
    while (4 ** halfBits < size) halfBits++;
    this.#halfBits = halfBits;
    this.#keys = Array.from({ length: ROUNDS }, (_, round) => hash32(seed, round));
  }

  /** Where `index` goes. The walk ends: it follows a cycle through `index`, which lies inside. */
  at(index: number): number {
    const mask = (1 << this.#halfBits) - 1;
    let value = index;
    do {
      let left = value >>> this.#halfBits;
      let right = value & mask;
      for (const key of this.#keys) {
        const next = left ^ (mix32(right ^ key) & mask);
        left = right;
        right = next;
      }
      value = (left << this.#halfBits) | right;
    } while (value >= this.#size);
    return value;
  }
}
