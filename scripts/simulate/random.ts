/** Seeded randomness: independent streams by name, so that one part of a simulation drawing more changes no other. */

/** The 99th percentile of a standard normal distribution. */
const Z99 = 2.326348;

/** Log-normal, the usual shape of a latency, by the two figures that people quote. */
export interface Latency {
  readonly medianMs: number;
  readonly p99Ms: number;
}

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

  /** In [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
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
    const weights = zipfShares(size, exponent);
    let sum = 0;
    this.#cumulative = weights.map((weight) => {
      sum += weight;
      return sum;
    });
  }

  draw(random: Random): number {
    const at = random.next();
    let low = 0;
    let high = this.#cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulative[middle] ?? 1) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** What share of all draws each rank gets. */
export function zipfShares(size: number, exponent: number): Float64Array {
  const weights = Float64Array.from({ length: size }, (_, rank) => (rank + 1) ** -exponent);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
