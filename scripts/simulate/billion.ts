/** One Worker at a billion numbers: its numbers column does not fit an isolate, so lookups read slices. */

import { type Latency, type Random, shuffle, Zipf } from '../../bench/support/random.ts';
import { ByteCache } from '../../src/serve/byte-cache.ts';
import { NUMBERS_BUDGET } from '../../src/serve/column-cache.ts';
import { LATENCY } from './assumptions.ts';
import { PRICES } from './prices.ts';
import { type Quantiles, quantilesOf } from './quantiles.ts';

/** Lookups before anything is counted, so that the cache is full, and lookups counted. */
const WARMUP_LOOKUPS = 5_000;
const LOOKUPS = 15_000;

export interface CacheInput {
  /** Segments of each run, and bytes of a numbers column of each. */
  readonly runs: readonly { readonly segments: number; readonly bytes: number }[];
  /** How lookups spread over the number space, seen as the base's segments: 0 evenly, 1 Zipf. */
  readonly zipf: number;
}

export interface CacheOutcome {
  readonly hitShare: number;
  readonly readsALookup: number;
  readonly megabytesALookup: number;
  /** What a lookup waits for storage when the city's KV cache has the slices, and when it has none. */
  readonly hotMs: Quantiles;
  readonly coldMs: Quantiles;
  readonly dollarsAMillionLookups: number;
}

/** The isolate's own cache with its real budget, in front of KV. */
export function simulateCache(random: Random, { runs, zipf }: CacheInput): CacheOutcome {
  const cache = new ByteCache<true>(NUMBERS_BUDGET);
  const base = runs.at(-1)?.segments ?? 1;
  const source = new Zipf(base, zipf);
  const counted = { probes: 0, misses: 0, bytes: 0 };
  const hot: number[] = [];
  const cold: number[] = [];
  // Which segments are popular has nothing to do with their place in number order.
  const order = shuffle(
    Uint32Array.from({ length: base }, (_, i) => i),
    random,
  );
  for (let lookup = 0; lookup < WARMUP_LOOKUPS + LOOKUPS; lookup++) {
    const place = ((order[source.draw(random)] ?? 0) + random.next()) / base;
    let misses = 0;
    let bytes = 0;
    runs.forEach((run, i) => {
      const key = `${i}-${Math.floor(place * run.segments)}`;
      if (cache.get(key) !== undefined) return;
      cache.set(key, true, run.bytes);
      misses += 1;
      bytes += run.bytes;
    });
    if (lookup < WARMUP_LOOKUPS) continue;
    counted.probes += runs.length;
    counted.misses += misses;
    counted.bytes += bytes;
    hot.push(slowest(random, LATENCY.sliceReadHot, misses));
    cold.push(slowest(random, LATENCY.sliceReadCold, misses));
  }
  const readsALookup = counted.misses / LOOKUPS;
  return {
    hitShare: 1 - counted.misses / counted.probes,
    readsALookup,
    megabytesALookup: counted.bytes / LOOKUPS / 1e6,
    hotMs: quantilesOf(hot),
    coldMs: quantilesOf(cold),
    dollarsAMillionLookups: (readsALookup * 1e6 * PRICES.kvReads.dollars) / PRICES.kvReads.per,
  };
}

/** Runs are read side by side: a lookup waits for the slowest. */
function slowest(random: Random, latency: Latency, reads: number): number {
  let ms = 0;
  for (let i = 0; i < reads; i++) ms = Math.max(ms, random.latencyMs(latency));
  return ms;
}
