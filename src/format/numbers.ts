/**
 * The numbers column: a sorted set of up to 32,768 integers below 2^53, exact, in partitions (below).
 * Frame "RFNU" version 1 around, little-endian; groups of up to 16 partitions keep the partition entries at 64 bits.
 *
 *   u32 count                  N, at least 1
 *   u32 groups                 G
 *   u32 partitions             P
 *   u32 words                  W
 *   f64 groupBase[G]           first number of the group
 *   u32 groupBit[G]            where the group's codes begin in the bit string
 *   u16 groupRank[G]           rank of the group's first number
 *   u16 groupPartition[G]      index of the group's first partition
 *   u32 partitionBase[P]       first number of the partition, less its group's base
 *   u32 partitionInfo[P]       bits 0-15 start in the bit string, less its group's; 16-26 rank, less its group's;
 *                              27-31 codec (below)
 *   u32 bits[W]                the bit string, least significant bit first, then one word of zero
 *   zero to seven bytes of zero, so that the frame is a multiple of eight bytes
 */

import { putWords, setBit, writeBits } from '../lib/bits.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { finish, type Steps } from '../lib/cooperate.ts';
import { FRAME_HEADER_BYTES, roundUp8, sealFrame } from '../lib/frame.ts';

export const NUMBERS_MAGIC = 'RFNU';
export const NUMBERS_VERSION = 1;
export const SEGMENT_NUMBERS = 32_768;
export const NUMBERS_PREFIX_BYTES = 16;
/** Their codes take less than 2^16 bits together: 16 partitions of at most 127 * 25 + 128. */
const GROUP_PARTITIONS = 16;
const GROUP_SPAN = 2 ** 32;
const GROUP_BYTES = 16;
const PARTITION_BYTES = 8;

/** Bytes of a frame with these counts, padding included. */
export function numbersColumnBytes(groups: number, partitions: number, words: number): number {
  return roundUp8(
    FRAME_HEADER_BYTES + NUMBERS_PREFIX_BYTES + groups * GROUP_BYTES + partitions * PARTITION_BYTES + words * 4,
  );
}

/** Partitions written in a step, and what each is worth in records of a merge. */
const STEP_PARTITIONS = 128;
const PARTITION_WORK = 1;

interface Group {
  readonly base: number;
  readonly bit: number;
  readonly rank: number;
  readonly partition: number;
}

/** Encodes ascending distinct integers. Throws FormatError when they are not. */
export function encodeNumbers(numbers: Float64Array): Bytes {
  return finish(encodeNumbersSteps(numbers));
}

export function* encodeNumbersSteps(numbers: Float64Array): Steps<Bytes> {
  checkSorted(numbers);
  const ends = yield* choosePartitionsSteps(numbers);
  const groups: Group[] = [];
  const partitionGroup = new Uint32Array(ends.length);
  const partitionBit = new Float64Array(ends.length);
  let bit = 0;
  let start = 0;
  let group: Group | undefined;
  for (let p = 0; p < ends.length; p++) {
    const end = ends[p] as number;
    const base = numbers[start] as number;
    if (group === undefined || p - group.partition === GROUP_PARTITIONS || base - group.base >= GROUP_SPAN) {
      group = { base, bit, rank: start, partition: p };
      groups.push(group);
    }
    partitionGroup[p] = groups.length - 1;
    partitionBit[p] = bit;
    const k = end - 1 - start;
    if (k > 0) bit += codedBits(k, (numbers[end - 1] as number) - base);
    start = end;
  }
  // One word more than the bits need, so that a read of two words never leaves the array.
  const words = new Uint32Array(Math.ceil(bit / 32) + 1);
  const infos = new Uint32Array(ends.length);
  const bases = new Uint32Array(ends.length);
  start = 0;
  for (let p = 0; p < ends.length; p++) {
    const end = ends[p] as number;
    const at = groups[partitionGroup[p] as number] as Group;
    const position = partitionBit[p] as number;
    const codec = encodePartition(words, position, numbers, start, end);
    infos[p] = (codec << 27) | ((start - at.rank) << 16) | (position - at.bit);
    bases[p] = (numbers[start] as number) - at.base;
    start = end;
    if (p % STEP_PARTITIONS === 0) yield STEP_PARTITIONS * PARTITION_WORK;
  }
  return assemble(numbers.length, groups, bases, infos, words);
}

/** Writes numbers start..end-1 and returns the codec it chose. */
function encodePartition(
  words: Uint32Array,
  position: number,
  numbers: Float64Array,
  start: number,
  end: number,
): number {
  const k = end - 1 - start;
  if (k === 0) return CODEC_RUN;
  const offset = (numbers[start] as number) + 1;
  const codec = chooseCodec(k, (numbers[end - 1] as number) + 1 - offset);
  if (codec === CODEC_RUN) return codec;
  if (codec === CODEC_BITMAP) {
    for (let i = start + 1; i < end; i++) setBit(words, position + (numbers[i] as number) - offset);
    return codec;
  }
  const high = position + k * codec;
  for (let i = 0; i < k; i++) {
    const value = (numbers[start + 1 + i] as number) - offset;
    writeBits(words, position + i * codec, codec, value & ((1 << codec) - 1));
    setBit(words, high + (value >>> codec) + i);
  }
  return codec;
}

function assemble(
  count: number,
  groups: readonly Group[],
  bases: Uint32Array,
  infos: Uint32Array,
  words: Uint32Array,
): Bytes {
  const out = new Uint8Array(numbersColumnBytes(groups.length, bases.length, words.length));
  const view = new DataView(out.buffer);
  let at = FRAME_HEADER_BYTES;
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  for (const value of [count, groups.length, bases.length, words.length]) u32(value);
  for (const group of groups) {
    view.setFloat64(at, group.base, true);
    at += 8;
  }
  for (const group of groups) u32(group.bit);
  for (const field of ['rank', 'partition'] as const) {
    for (const group of groups) {
      view.setUint16(at, group[field], true);
      at += 2;
    }
  }
  for (const array of [bases, infos, words]) at = putWords(out, at, array);
  return sealFrame(out, NUMBERS_MAGIC, NUMBERS_VERSION);
}

function checkSorted(numbers: Float64Array): void {
  if (numbers.length === 0 || numbers.length > SEGMENT_NUMBERS) {
    throw new FormatError(`${NUMBERS_MAGIC}: expected 1 to ${SEGMENT_NUMBERS} numbers, found ${numbers.length}`);
  }
  let previous = -1;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (!Number.isSafeInteger(number) || number <= previous) {
      throw new FormatError(`${NUMBERS_MAGIC}: expected ascending distinct integers, entry ${i} is not`);
    }
    previous = number;
  }
}

// How a sorted set is cut into partitions, each coded in the cheapest of three ways. Partitions of variable length
// follow the clusters that numbers come in (they are bought in blocks): Ottaviano & Venturini, "Partitioned
// Elias-Fano Indexes", SIGIR 2014. See docs/decisions/0002 for what was measured.
//
// A partition of k + 1 numbers has its first number as base; the other k, minus base minus 1, lie in [0, u) and are
// coded as
//   run         nothing, when u = k
//   bitmap      u bits
//   Elias-Fano  k low parts of l bits, then the high parts in unary: k + ((u - 1) >> l) bits

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
  const l = Math.clz32(k) - Math.clz32(u);
  if (l <= 0) return 0;
  if (u >>> l < k) return l - 1;
  return Math.min(l, MAX_LOW_BITS);
}

/**
 * Bits that the k offsets in [0, u) take in their cheapest coding, for 0 <= k <= u < 2^31: the least of what
 * `chooseCodec` chooses from. Without a branch, since which coding it is changes from one to the next, and a merge asks
 * 50 million times.
 */
export function codedBits(k: number, u: number): number {
  const most = Math.clz32(k) - Math.clz32(u);
  const low = Math.min(most - (((u >>> most) - k) >>> 31), MAX_LOW_BITS);
  const more = (Math.imul(k, low + 1) + ((u - 1) >>> low) - u) | 0;
  // All ones unless it is a run.
  const mask = (k - u) >> 31;
  return (u + (more & (more >> 31))) & mask;
}

export function chooseCodec(k: number, u: number): number {
  if (u === k) return CODEC_RUN;
  const l = lowBits(k, u);
  return u < k * (l + 1) + ((u - 1) >>> l) ? CODEC_BITMAP : l;
}

/**
 * Costs up to which a partition is grown, as multiples of the overhead: each start is joined only to the longest
 * partition that costs at most as much (at 0: the run it stands in). After the (1 + epsilon)-approximation of the
 * paper.
 */
const COST_LADDER = Int32Array.from(
  [0, 0.4, 0.8, 1.2, 1.6, 2, 2.5, 3.1, 3.9, 4.9, 6.1, 7.6, 9.5, 12, 15, 19, 24, 64],
  (f) => Math.floor(f * PARTITION_OVERHEAD_BITS),
);
/** A cut is worth its overhead where the density changes: at a gap as large as any of this many before or after it. */
const GAP_WINDOW = 6;
/** Where no gap stands out there is a cut all the same, so that every partition keeps to its bounds. */
const CUT_DISTANCE = 8;

/** What looking at a number, and trying the partitions from a cut, is worth in records of a merge. */
const NUMBER_WORK = 1 / 32;
const CUT_WORK = 1 / 2;
const STEP_CUTS = 256;

/**
 * The end (exclusive) of each partition, in order. Shortest path over the possible cuts: an edge from cut a to cut b
 * is a partition of the numbers between them. Trying only gaps that stand out takes a sixth of the time of trying
 * every place, and since the ladder then reaches further, a little less space (docs/decisions/0002).
 */
export function choosePartitions(numbers: Float64Array): Uint32Array {
  return finish(choosePartitionsSteps(numbers));
}

function* choosePartitionsSteps(numbers: Float64Array): Steps<Uint32Array> {
  const cuts = possibleCuts(numbers);
  yield numbers.length * NUMBER_WORK;
  const search = new PartitionSearch(numbers, cuts);
  for (let cut = 0; cut < cuts.length - 1; cut++) {
    search.tryFrom(cut);
    if (cut % STEP_CUTS === 0) yield STEP_CUTS * CUT_WORK;
  }
  return walkBack(search.from, cuts);
}

/** All in 32-bit integers: this is a tenth of a merge. */
class PartitionSearch {
  /** By cut: the cut before it on the shortest path to it, and how many bits that takes. */
  readonly from: Uint32Array;
  readonly #best: Int32Array;
  readonly #cuts: Uint32Array;
  /** By cut: the lowest 32 bits of the number behind it, and of that before it, whose difference is that of the two. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  /** How far each rung reached from the cut before. */
  readonly #ends = new Uint32Array(COST_LADDER.length);
  readonly #numbers: Float64Array;
  /** The last cut that a partition from the present one may end at. */
  #furthest = 0;

  constructor(numbers: Float64Array, cuts: Uint32Array) {
    this.#numbers = numbers;
    this.#cuts = cuts;
    this.from = new Uint32Array(cuts.length);
    this.#best = new Int32Array(cuts.length).fill(MOST_BITS);
    this.#best[0] = 0;
    this.#first = new Int32Array(cuts.length);
    this.#last = new Int32Array(cuts.length);
    for (let cut = 1; cut < cuts.length; cut++) {
      this.#first[cut - 1] = numbers[cuts[cut - 1] as number] as number;
      this.#last[cut] = numbers[(cuts[cut] as number) - 1] as number;
    }
  }

  /** Tries the partitions from a cut: of those that the ladder names, in the order of cuts. */
  tryFrom(cut: number): void {
    const cuts = this.#cuts;
    const lasts = this.#last;
    const ends = this.#ends;
    const first = this.#first[cut] as number;
    const start = (cuts[cut] as number) + 1;
    const furthest = this.#furthestFrom(cut);
    const soFar = (this.#best[cut] as number) + PARTITION_OVERHEAD_BITS;
    let end = cut + 1;
    this.#relax(cut, end, soFar + codedBits((cuts[end] as number) - start, ((lasts[end] as number) - first) | 0));
    for (let rung = 0; rung < COST_LADDER.length && end < furthest; rung++) {
      const limit = COST_LADDER[rung] as number;
      const before = end;
      // Costs grow with the end, so a rung's end never moves back as the start advances.
      if ((ends[rung] as number) > end) end = ends[rung] as number;
      let cost = -1;
      while (end < furthest) {
        const longer = codedBits((cuts[end + 1] as number) - start, ((lasts[end + 1] as number) - first) | 0);
        if (longer > limit) break;
        end += 1;
        cost = longer;
      }
      ends[rung] = end;
      if (end === before) continue;
      if (cost < 0) cost = codedBits((cuts[end] as number) - start, ((lasts[end] as number) - first) | 0);
      this.#relax(cut, end, soFar + cost);
    }
  }

  #furthestFrom(cut: number): number {
    const cuts = this.#cuts;
    const numbers = this.#numbers;
    const start = cuts[cut] as number;
    let furthest = Math.max(this.#furthest, cut + 1);
    while (furthest + 1 < cuts.length) {
      const last = (cuts[furthest + 1] as number) - 1;
      if (last - start >= PARTITION_NUMBERS) break;
      if ((numbers[last] as number) - (numbers[start] as number) >= PARTITION_SPAN) break;
      furthest += 1;
    }
    this.#furthest = furthest;
    return furthest;
  }

  #relax(cut: number, end: number, bits: number): void {
    if (bits >= (this.#best[end] as number)) return;
    this.#best[end] = bits;
    this.from[end] = cut;
  }
}

/** More than a column takes. */
const MOST_BITS = 2 ** 31 - 1;

/** Where a partition may begin, and at last the count: at most CUT_DISTANCE numbers and PARTITION_SPAN apart. */
function possibleCuts(numbers: Float64Array): Uint32Array {
  const n = numbers.length;
  const cuts = new Uint32Array(n + 1);
  let count = 1;
  let last = 0;
  for (let i = 1; i < n; i++) {
    const isFar = i - last >= CUT_DISTANCE || (numbers[i] as number) - (numbers[last] as number) >= PARTITION_SPAN;
    if (!isFar && !standsOut(numbers, i)) continue;
    cuts[count++] = i;
    last = i;
  }
  cuts[count++] = n;
  return cuts.subarray(0, count);
}

/** Whether the gap before number `i` is as large as any in the window before it or after it. */
function standsOut(numbers: Float64Array, i: number): boolean {
  const gap = gapBefore(numbers, i);
  // Inside a stretch of equal gaps every one of them would count.
  if (i > 1 && gapBefore(numbers, i - 1) === gap && i + 1 < numbers.length && gapBefore(numbers, i + 1) === gap) {
    return false;
  }
  let j = i - 1;
  for (const first = Math.max(1, i - GAP_WINDOW); j >= first && gapBefore(numbers, j) <= gap; ) j -= 1;
  if (j < 1 || j < i - GAP_WINDOW) return true;
  j = i + 1;
  for (const end = Math.min(numbers.length - 1, i + GAP_WINDOW); j <= end && gapBefore(numbers, j) <= gap; ) j += 1;
  return j === numbers.length || j > i + GAP_WINDOW;
}

function gapBefore(numbers: Float64Array, i: number): number {
  return (numbers[i] as number) - (numbers[i - 1] as number);
}

function walkBack(from: Uint32Array, cuts: Uint32Array): Uint32Array {
  const last = cuts.length - 1;
  let count = 0;
  for (let end = last; end > 0; end = from[end] as number) count += 1;
  const ends = new Uint32Array(count);
  for (let end = last; end > 0; end = from[end] as number) ends[--count] = cuts[end] as number;
  return ends;
}
