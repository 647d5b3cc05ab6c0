/**
 * How a sorted set is cut into partitions, each coded in the cheapest of three ways. Partitions of variable length
 * follow the clusters that numbers come in (they are bought in blocks): Ottaviano & Venturini, "Partitioned
 * Elias-Fano Indexes", SIGIR 2014. See docs/decisions/0002 for what was measured.
 *
 * A partition of k + 1 numbers has its first number as base; the other k, minus base minus 1, lie in [0, u) and are
 * coded as
 *   run         nothing, when u = k
 *   bitmap      u bits
 *   Elias-Fano  k low parts of l bits, then the high parts in unary: k + ((u - 1) >> l) bits
 */

/** At most this many numbers in a partition, so that a probe scans a bounded number of words. */
export const PARTITION_NUMBERS = 128;
/** Last minus first number of a partition stays below this, so that offsets in it are 31-bit integers. */
export const PARTITION_SPAN = 2 ** 31;
/** What a partition costs in the directory: 64 bits, and a sixteenth of a group's 128. */
export const PARTITION_OVERHEAD_BITS = 72;

/** Codec field of a partition: up to here it is the number of low bits of Elias-Fano. */
export const MAX_LOW_BITS = 29;
export const CODEC_BITMAP = 30;
export const CODEC_RUN = 31;

/** Low bits that make Elias-Fano of k offsets in [0, u) shortest: floor(log2(u / k)), at most MAX_LOW_BITS. */
export function lowBits(k: number, u: number): number {
  let l = Math.clz32(k) - Math.clz32(u);
  if (l > 0 && u >>> l < k) l -= 1;
  return Math.max(0, Math.min(l, MAX_LOW_BITS));
}

/** Bits that the k offsets in [0, u) take in their cheapest coding. */
export function codedBits(k: number, u: number): number {
  if (u === k) return 0;
  const l = lowBits(k, u);
  const eliasFano = k * (l + 1) + ((u - 1) >>> l);
  return Math.min(u, eliasFano);
}

export function chooseCodec(k: number, u: number): number {
  if (u === k) return CODEC_RUN;
  const l = lowBits(k, u);
  return u < k * (l + 1) + ((u - 1) >>> l) ? CODEC_BITMAP : l;
}

/**
 * Costs at which candidate partitions are tried, as multiples of the overhead: each start is joined only to the
 * longest partition that costs at most as much (at 0: the run it stands in). After the (1 + epsilon)-approximation of
 * the paper: within 0.9 % of the full dynamic programme on the real list, in well under half of its time.
 */
const COST_LADDER = [0, 0.4, 0.8, 1.2, 1.6, 2, 2.5, 3.1, 3.9, 4.9, 6.1, 7.6, 9.5, 12, 15, 19, 24, 64].map(
  (f) => f * PARTITION_OVERHEAD_BITS,
);

/**
 * The end (exclusive) of each partition, in order. Shortest path over positions 0..n: an edge i -> j is a partition
 * of numbers i..j-1.
 */
export function choosePartitions(numbers: Float64Array): Uint32Array {
  const n = numbers.length;
  const best = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const from = new Uint32Array(n + 1);
  const ends = new Uint32Array(COST_LADDER.length);
  best[0] = 0;
  for (let start = 0; start < n; start++) {
    const base = numbers[start] as number;
    const reach = Math.min(n, start + PARTITION_NUMBERS);
    const soFar = (best[start] as number) + PARTITION_OVERHEAD_BITS;
    let end = start + 1;
    relax(best, from, start, end, soFar);
    for (let rung = 0; rung < COST_LADDER.length; rung++) {
      const limit = COST_LADDER[rung] as number;
      // Costs grow with the end, so a rung's end never moves back as the start advances.
      if ((ends[rung] as number) > end) end = Math.min(ends[rung] as number, reach);
      while (end < reach) {
        const span = (numbers[end] as number) - base;
        if (span >= PARTITION_SPAN || codedBits(end - start, span) > limit) break;
        end += 1;
      }
      ends[rung] = end;
      const k = end - 1 - start;
      const cost = k === 0 ? 0 : codedBits(k, (numbers[end - 1] as number) - base);
      relax(best, from, start, end, soFar + cost);
      if (end === reach) break;
    }
  }
  return walkBack(from, n);
}

function relax(best: Float64Array, from: Uint32Array, start: number, end: number, cost: number): void {
  if (cost < (best[end] as number)) {
    best[end] = cost;
    from[end] = start;
  }
}

function walkBack(from: Uint32Array, n: number): Uint32Array {
  let count = 0;
  for (let end = n; end > 0; end = from[end] as number) count += 1;
  const ends = new Uint32Array(count);
  for (let end = n; end > 0; end = from[end] as number) ends[--count] = end;
  return ends;
}
