/**
 * How few bits the same numbers could take: what a coding that gets as small as its model of the data allows would
 * need, without any index to look something up by.
 *
 * - uniform: log2 C(U, n), n numbers anywhere among the U of the used ranges (workload.ts), every choice as likely. The
 *   numbers are clustered, so less is possible.
 * - blocks of B: which numbers of a block are listed, when it is known that k are, takes log2 C(B, k) bits, every choice
 *   as likely; the counts k of all blocks of the used ranges, empty ones included, take their empirical entropy
 *   (Cover & Thomas, Elements of Information Theory, 2nd ed., theorem 5.4.1). It is a bound for codings that see nothing
 *   of a block but its count: inside of a block, and from block to block, numbers still follow patterns (runs, steps of
 *   ten) that a partition can use, so a small distance to it, even below, is possible.
 */
import { RANGE_NUMBERS, usedRanges } from '../support/ranges.ts';

const BLOCKS = [100, 1_000, 10_000] as const;

export interface Bound {
  readonly model: string;
  readonly bitsPerNumber: number;
}

/** @param numbers ascending, distinct */
export function informationBounds(numbers: Float64Array): Bound[] {
  const universe = usedRanges(numbers).length * RANGE_NUMBERS;
  const uniform = log2Choose(universe, numbers.length) / numbers.length;
  return [
    { model: 'uniform', bitsPerNumber: uniform },
    ...BLOCKS.map((size) => ({
      model: `blocks of ${size.toLocaleString('en-US')}`,
      bitsPerNumber: blockBits(numbers, size, universe) / numbers.length,
    })),
  ];
}

function blockBits(numbers: Float64Array, size: number, universe: number): number {
  /** How many blocks have k numbers. */
  const blocksWith = new Float64Array(size + 1);
  let filled = 0;
  for (let at = 0; at < numbers.length; ) {
    const start = at;
    const block = Math.floor((numbers[at] as number) / size);
    while (at < numbers.length && Math.floor((numbers[at] as number) / size) === block) at += 1;
    const k = at - start;
    blocksWith[k] = (blocksWith[k] as number) + 1;
    filled += 1;
  }
  const blocks = universe / size;
  blocksWith[0] = blocks - filled;
  return blocksWith.reduce(
    (bits, count, k) => (count === 0 ? bits : bits + count * (Math.log2(blocks / count) + log2Choose(size, k))),
    0,
  );
}

/** Bits to tell one choice of k out of n. */
export function log2Choose(n: number, k: number): number {
  return (lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k)) / Math.LN2;
}

/** Stirling's series is exact to twelve digits from here on. */
const STIRLING_FROM = 16;

/** ln n!, by Stirling's series (Abramowitz & Stegun 6.1.41), for small n by multiplication. */
function lnFactorial(n: number): number {
  if (n < STIRLING_FROM) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  return (
    n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5)
  );
}
