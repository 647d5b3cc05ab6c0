/**
 * Seeded randomness: independent streams by name, so that one part of a simulation drawing more changes no other. What
 * writes files draws by `below` and `between` alone: in integer arithmetic, a seed gives the same bytes on every
 * machine, where the last bits of Math.pow, log and exp are the engine's choice.
 */
import { lowerBound } from '../../src/lib/sorted.ts';

const TWO_32 = 2 ** 32;
/** The 99th percentile of a standard normal distribution. */
const Z99 = 2.326348;

/** Log-normal, the usual shape of a latency, by the two figures that people quote. */
export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** A sequence that a 32-bit state determines (mulberry32); cheap to start anew. */
export class Random {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#state = seed | 0;
  }

  /** Another source, the same for the same seed and name. */
  stream(name: string): Random {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return new Random(hash);
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

  /** In [0, 1). */
  next(): number {
    return this.uint32() / TWO_32;
  }

  /** An integer from 0 up to, not including, `limit` (above 2^21 rounding favours some a little). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<T>(values: ArrayLike<T>): T {
    return values[this.below(values.length)] as T;
  }

  /** Each as often as the weight beside it says; undefined of none. */
  weighted<T>(values: readonly (readonly [T, number])[]): T | undefined {
    let at = this.next() * values.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of values) {
      at -= weight;
      if (at < 0) return value;
    }
    return undefined;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  latencyMs({ medianMs, p99Ms }: Latency): number {
    return medianMs * Math.exp((this.normal() * Math.log(p99Ms / medianMs)) / Z99);
  }

  /** Knuth's method for small means, the normal approximation for large ones. */
  poisson(mean: number): number {
    if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > limit; count++) product *= this.next();
    return Math.max(0, count);
  }
}

/** The mean of a log-normal distribution is above its median. */
export function meanMs({ medianMs, p99Ms }: Latency): number {
  const sigma = Math.log(p99Ms / medianMs) / Z99;
  return medianMs * Math.exp(sigma ** 2 / 2);
}

/** Draws ranks 0 … size - 1 with weights 1 / (rank + 1)^exponent; exponent 0 is uniform. */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(size: number, exponent: number) {
    let sum = 0;
    this.#cumulative = zipfShares(size, exponent).map((share) => {
      sum += share;
      return sum;
    });
  }

  draw(random: Random): number {
    return Math.min(lowerBound(this.#cumulative, random.next()), this.#cumulative.length - 1);
  }
}

/** What share of all draws each rank gets. */
export function zipfShares(size: number, exponent: number): Float64Array {
  const weights = Float64Array.from({ length: size }, (_, rank) => (rank + 1) ** -exponent);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Puts values in random order, in place (Fisher-Yates). */
export function shuffle<T extends Float64Array | Uint32Array>(values: T, random: Random): T {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const value = values[i] as number;
    values[i] = values[j] as number;
    values[j] = value;
  }
  return values;
}

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
