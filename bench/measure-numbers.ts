/**
 * Bits a number on the shared list, for the codings that docs/decisions/0002 weighs, and the time of a probe. A coding
 * is measured as its exact number of bits, with what its random access needs; only ours is written out.
 */

import {
  codedBits,
  encodeNumbers,
  PARTITION_NUMBERS,
  PARTITION_OVERHEAD_BITS,
  PARTITION_SPAN,
  SEGMENT_NUMBERS,
} from '../src/format/numbers.ts';
import { NumbersReader } from '../src/format/numbers-reader.ts';
import { lowerBound } from '../src/lib/sorted.ts';
import { Random } from './support/random.ts';
import { hasSharedData, INVENTORY, sharedDetections } from './support/shared-data.ts';

/** What numbers[i] is. */
const at = (numbers: Float64Array, i: number): number => numbers[i] as number;

function sum(count: number, bitsOf: (i: number) => number): number {
  let bits = 0;
  for (let i = 0; i < count; i++) bits += bitsOf(i);
  return bits;
}

function varintBits(value: number): number {
  return 8 * Math.max(1, Math.ceil(Math.log2(value + 1) / 7));
}

/** Partitions of a fixed length, each coded as cheaply as ours, with a header for base, start and codec. */
function uniform(numbers: Float64Array, length: number, headerBits: number): number {
  return sum(Math.ceil(numbers.length / length), (p) => {
    const part = numbers.subarray(p * length, (p + 1) * length);
    const u = at(part, part.length - 1) - at(part, 0);
    if (part.length === 1) return headerBits;
    // codedBits is for spans that a partition of ours can have.
    const k = part.length - 1;
    const l = Math.max(0, Math.floor(Math.log2(u / k)));
    const bits = u < PARTITION_SPAN ? codedBits(k, u) : k * (l + 1) + Math.floor((u - 1) / 2 ** l);
    return headerBits + bits;
  });
}

/** The cheapest partitions there are. */
function optimal(numbers: Float64Array): number {
  const best = new Float64Array(numbers.length + 1).fill(Number.POSITIVE_INFINITY);
  best[0] = 0;
  for (let start = 0; start < numbers.length; start++) {
    for (let end = start + 1; end <= Math.min(numbers.length, start + PARTITION_NUMBERS); end++) {
      const span = at(numbers, end - 1) - at(numbers, start);
      if (span >= PARTITION_SPAN) break;
      const bits = PARTITION_OVERHEAD_BITS + (end - 1 > start ? codedBits(end - 1 - start, span) : 0);
      best[end] = Math.min(at(best, end), at(best, start) + bits);
    }
  }
  return at(best, numbers.length);
}

/** Gaps as LEB128, with the number and offset of every 128th. */
function varints(numbers: Float64Array): number {
  return sum(numbers.length, (i) => (i % 128 === 0 ? 64 + 32 : varintBits(at(numbers, i) - at(numbers, i - 1))));
}

/** Containers of 2^16, each the cheapest of array, bitmap and runs, with a key, kind and offset of 96 bits. */
function roaring(numbers: Float64Array): number {
  const containers = Map.groupBy(numbers, (number) => Math.floor(number / 65_536));
  return [...containers.values()].reduce((bits, own) => {
    const runs = own.filter((number, i) => number - 1 !== own[i - 1]).length;
    return bits + 96 + Math.min(16 * own.length, 65_536, 32 * runs);
  }, 0);
}

/** Binary interpolative coding (Moffat & Stuiver 2000) of numbers[from..to), which lie in [low, high]. */
function interpolative(numbers: Float64Array, from: number, to: number, low: number, high: number): number {
  if (from >= to) return 0;
  const middle = (from + to) >>> 1;
  const choices = high - low + 1 - (to - from - 1);
  const number = at(numbers, middle);
  const bits = choices <= 1 ? 0 : Math.ceil(Math.log2(choices));
  const left = interpolative(numbers, from, middle, low, number - 1);
  return bits + left + interpolative(numbers, middle + 1, to, number + 1, high);
}

function nanoseconds(probe: (x: number) => number, probes: Float64Array): number {
  let [least, check] = [Number.POSITIVE_INFINITY, 0];
  for (let round = 0; round < 7; round++) {
    const startedAt = performance.now();
    for (let i = 0; i < probes.length; i++) check += probe(at(probes, i));
    least = Math.min(least, ((performance.now() - startedAt) * 1e6) / probes.length);
  }
  return check === 0 ? 0 : least;
}

function main(): void {
  if (!hasSharedData) {
    console.log(`${INVENTORY} and its companion are not there: nothing to measure`);
    return;
  }
  const all = Float64Array.from(new Set(sharedDetections().map(({ number }) => number))).sort();
  const segments: Float64Array[] = [];
  for (let i = 0; i < all.length; i += SEGMENT_NUMBERS) segments.push(all.subarray(i, i + SEGMENT_NUMBERS));
  const rows: [string, (numbers: Float64Array) => number][] = [
    ['written by encodeNumbers', (numbers) => encodeNumbers(numbers).length * 8],
    ['optimal partitions, 72-bit entries', optimal],
    ['partitions of 64, 45-bit headers', (numbers) => uniform(numbers, 64, 45)],
    ['partitions of 128, 45-bit headers', (numbers) => uniform(numbers, 128, 45)],
    ['partitions of 4,096, 45-bit headers', (numbers) => uniform(numbers, 4096, 45)],
    ['one Elias-Fano a segment', (numbers) => uniform(numbers, numbers.length, 0)],
    ['gaps as LEB128, index of every 128th', varints],
    ['roaring, 64 bits', roaring],
    ['interpolative, whole segment', (x) => interpolative(x, 0, x.length, at(x, 0), at(x, x.length - 1))],
  ];
  console.log(`bits a number on ${all.length} numbers in ${segments.length} segments`);
  for (const [name, bitsOf] of rows) {
    const bits = segments.reduce((total, numbers) => total + bitsOf(numbers), 0);
    console.log(`  ${(bits / all.length).toFixed(2).padStart(6)}  ${name}`);
  }
  const [first = all] = segments;
  const random = new Random(1);
  const probes = Float64Array.from(
    { length: 2 ** 20 },
    () => at(first, random.below(first.length)) + random.below(3) * random.below(50),
  );
  const reader = new NumbersReader(encodeNumbers(first));
  const ours = nanoseconds((x) => reader.find(x), probes);
  const theirs = nanoseconds((x) => lowerBound(first, x), probes);
  console.log(`one segment: find ${ours.toFixed(0)} ns, binary search in a Float64Array ${theirs.toFixed(0)} ns`);
}

main();
