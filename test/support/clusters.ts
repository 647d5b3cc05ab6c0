/** Sorted sets in the clusters that phone numbers come in. */
import type { Random } from '../../bench/support/random.ts';

interface ClusterShape {
  /** Numbers in a cluster, at most. */
  readonly length: number;
  /** From a number to the next in a cluster, at most. */
  readonly gap: number;
  /** Bits of the leap to the next cluster, at most. */
  readonly leapBits: number;
}

export function clusters(count: number, shape: ClusterShape, random: Random): Float64Array {
  const numbers: number[] = [];
  let last = 12_000_000_000 + random.below(2 ** 30);
  while (numbers.length < count) {
    // Short clusters are more frequent than long ones.
    const length = 1 + random.below(1 + random.below(shape.length));
    const gap = 1 + random.below(shape.gap);
    for (let i = 0; i < length && numbers.length < count; i++) {
      last += 1 + random.below(gap);
      numbers.push(last);
    }
    last += 2 ** random.below(shape.leapBits) + random.below(1000);
  }
  return Float64Array.from(numbers);
}
