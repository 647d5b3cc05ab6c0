/**
 * Answers from a numbers column without unpacking it (layout: numbers.ts): membership and rank, range counts, select,
 * iteration. Nothing is allocated per probe.
 */

import { halfWord, popcount, readBits, testBit } from '../lib/bits.ts';
import type { Bytes } from '../lib/bytes.ts';
import { CODEC_BITMAP, CODEC_RUN, PARTITION_NUMBERS } from './numbers.ts';
import { bitOf, groupEnd, type NumbersColumn, openNumbersColumn, rankAfter, rankOf } from './numbers-column.ts';
import type { PageDirectory } from './page-directory.ts';

/** When the numbers of a segment were first seen, as far as that was lately (recency.ts). */
export interface Recency {
  /** The latest first seen of any number of the segment, UTC day since 1970. */
  readonly newestDay: number;
  /** First seen of the number of a rank; -1 if it was not lately. */
  firstDay(rank: number): number;
  /** How many numbers of a smaller rank were first seen lately. */
  before(rank: number): number;
  /** Of those [from, to), counted as `before` does, how many were first seen on `sinceDay` or later, up to `cap`. */
  countSince(from: number, to: number, sinceDay: number, cap: number): number;
}

export class NumbersReader {
  /** How many numbers the column holds. */
  readonly count: number;
  /** Null for a column by itself, outside of a segment. */
  readonly recency: Recency | null;
  /** Null for such a column, and for a segment of version 1. */
  readonly directory: PageDirectory | null;
  readonly #column: NumbersColumn;
  /**
   * The column once more as words alone, with where its parts begin, in words (the u16 in halves of them): what a
   * probe looks at then lies in two arrays instead of seven, and each array is an object that has to come from memory
   * first.
   */
  readonly #words: Uint32Array;
  readonly #groupBase: Float64Array;
  readonly #groupBitAt: number;
  readonly #groupRankAt: number;
  readonly #groupPartitionAt: number;
  readonly #partitionBaseAt: number;
  readonly #partitions: number;
  readonly #bitsAt: number;
  /** Where the last search ended. */
  #group = 0;
  #partition = 0;
  /** A place at or before the one bit of what it came to, and behind that of the number before. */
  #bit = 0;

  /** Opens a whole column; views stay on `bytes`. Throws FormatError unless it is one, undamaged. */
  constructor(
    bytes: Bytes,
    recency: Recency | null = null,
    directory: PageDirectory | null = null,
    column = openNumbersColumn(bytes),
  ) {
    this.#column = column;
    this.count = column.count;
    this.recency = recency;
    this.directory = directory;
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.#groupBase = column.groupBase;
    const wordOf = (part: Uint32Array) => (part.byteOffset - bytes.byteOffset) / 4;
    const halfOf = (part: Uint16Array) => (part.byteOffset - bytes.byteOffset) / 2;
    this.#groupBitAt = wordOf(column.groupBit);
    this.#groupRankAt = halfOf(column.groupRank);
    this.#groupPartitionAt = halfOf(column.groupPartition);
    this.#partitionBaseAt = wordOf(column.partitionBase);
    this.#partitions = column.partitionBase.length;
    this.#bitsAt = wordOf(column.bits);
  }

  /** How many numbers are smaller than `number`. */
  rank(number: number): number {
    const found = this.find(number);
    return found >= 0 ? found : ~found;
  }

  has(number: number): boolean {
    return this.find(number) >= 0;
  }

  /** The rank of `number` if it is in the set, otherwise the complement (~) of the rank it would have. */
  find(number: number): number {
    const groupBase = this.#groupBase;
    if (number < (groupBase[0] as number)) return ~0;
    let low = 0;
    let high = groupBase.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((groupBase[middle] as number) <= number) low = middle;
      else high = middle;
    }
    return this.#findInGroup(low, number - (groupBase[low] as number));
  }

  /**
   * `find` for a number that is probably close to the one that was last searched for: where it is in the same group, or
   * in the same partition, that is not searched for again.
   */
  findNear(number: number): number {
    const groupBase = this.#groupBase;
    const group = this.#group;
    const relative = number - (groupBase[group] as number);
    if (relative < 0 || (group + 1 < groupBase.length && number >= (groupBase[group + 1] as number))) {
      return this.find(number);
    }
    const words = this.#words;
    const at = this.#partitionBaseAt + this.#partition;
    const isNotBefore = relative >= (words[at] as number);
    const isNotAfter = this.#partition + 1 === this.#partitionsEnd(group) || relative < (words[at + 1] as number);
    return isNotBefore && isNotAfter
      ? this.#findInPartition(group, this.#partition, relative)
      : this.#findInGroup(group, relative);
  }

  /** `rank`, as `findNear` searches. */
  rankNear(number: number): number {
    const found = this.findNear(number);
    return found >= 0 ? found : ~found;
  }

  /**
   * Writes the numbers from a rank on and up to, not including, `until` to `out`.
   * @param rank what the last search in this column came to
   * @returns how many there are; -1: more than `out` holds
   */
  takeFrom(rank: number, until: number, out: Float64Array): number {
    // Before the first number of all, no search ends in a partition.
    let group = rank === 0 ? 0 : this.#group;
    let partition = rank === 0 ? 0 : this.#partition;
    let start = this.#rankOf(group, partition);
    let taken = 0;
    for (let skipped = rank - start; ; skipped = 0) {
      const isLastOfGroup = partition + 1 === this.#partitionsEnd(group);
      const end = this.#rankAfter(group, partition);
      const isLast = this.#baseAfter(group, partition) >= until;
      // All of a partition is wanted if the next one begins within.
      if (!isLast && end - start - skipped > out.length - taken) return -1;
      taken = this.#take(group, partition, skipped, end - start, until, out, taken);
      if (taken < 0 || isLast) return taken;
      start = end;
      partition += 1;
      if (isLastOfGroup) group += 1;
    }
  }

  /** Takes from one partition. @returns how many are in `out` then; -1 if it is too small */
  #take(
    group: number,
    partition: number,
    skipped: number,
    length: number,
    until: number,
    out: Float64Array,
    before: number,
  ): number {
    const words = this.#words;
    const baseAt = this.#partitionBaseAt + partition;
    const base = (this.#groupBase[group] as number) + (words[baseAt] as number);
    const info = words[baseAt + this.#partitions] as number;
    const codec = info >>> 27;
    const position = this.#bitsAt * 32 + (words[this.#groupBitAt + group] as number) + (info & 0xffff);
    const k = length - 1;
    const span = until - base - 1;
    let taken = before;
    let i = skipped - 1;
    if (skipped === 0) {
      if (base >= until) return taken;
      if (taken === out.length) return -1;
      out[taken++] = base;
      i = 0;
    }
    const isBitmap = codec === CODEC_BITMAP;
    const isRun = codec === CODEC_RUN;
    const ones = isBitmap ? position : position + k * codec;
    // The search that ended within the codes knows where to go on.
    let bit = isRun || i >= k ? 0 : this.#one(skipped > 0 ? this.#bit : ones, 0);
    for (; i < k; i++) {
      const offset = isRun
        ? i
        : isBitmap
          ? bit - position
          : ((bit - ones - i) << codec) | readBits(words, position + i * codec, codec);
      if (offset >= span) return taken;
      if (taken === out.length) return -1;
      out[taken++] = base + 1 + offset;
      if (!isRun && i + 1 < k) bit = this.#one(bit + 1, 0);
    }
    return taken;
  }

  /** The position of the `nth` one bit (counting from 0) at or after `position`. */
  #one(position: number, nth: number): number {
    const bits = this.#words;
    let word = position >>> 5;
    let ones = (bits[word] as number) & (-1 << (position & 31));
    let remaining = nth;
    let count = popcount(ones);
    while (count <= remaining && word + 1 < bits.length) {
      remaining -= count;
      word += 1;
      ones = bits[word] as number;
      count = popcount(ones);
    }
    for (; remaining > 0; remaining--) ones &= ones - 1;
    return word * 32 + 31 - Math.clz32(ones & -ones);
  }

  #rankOf(group: number, partition: number): number {
    const info = this.#words[this.#partitionBaseAt + this.#partitions + partition] as number;
    return halfWord(this.#words, this.#groupRankAt + group) + ((info >>> 16) & 0x7ff);
  }

  /** The rank just after the last number of a partition. */
  #rankAfter(group: number, partition: number): number {
    if (partition + 1 < this.#partitionsEnd(group)) return this.#rankOf(group, partition + 1);
    return group + 1 < this.#groupBase.length ? halfWord(this.#words, this.#groupRankAt + group + 1) : this.count;
  }

  /** The first number after a partition; infinite after the last one. */
  #baseAfter(group: number, partition: number): number {
    if (partition + 1 < this.#partitionsEnd(group)) {
      const base = this.#words[this.#partitionBaseAt + partition + 1] as number;
      return (this.#groupBase[group] as number) + base;
    }
    return group + 1 < this.#groupBase.length ? (this.#groupBase[group + 1] as number) : Number.POSITIVE_INFINITY;
  }

  /** Index just after the last partition of a group. */
  #partitionsEnd(group: number): number {
    if (group + 1 === this.#groupBase.length) return this.#partitions;
    return halfWord(this.#words, this.#groupPartitionAt + group + 1);
  }

  /** `find` in the group whose base is the last up to the number. @param relative the number less that base */
  #findInGroup(group: number, relative: number): number {
    const words = this.#words;
    const bases = this.#partitionBaseAt;
    let low = bases + halfWord(words, this.#groupPartitionAt + group);
    let high = bases + this.#partitionsEnd(group);
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((words[middle] as number) <= relative) low = middle;
      else high = middle;
    }
    this.#group = group;
    this.#partition = low - bases;
    return this.#findInPartition(group, low - bases, relative);
  }

  /** `find` in the partition of this group whose base is the last up to the number. */
  #findInPartition(group: number, partition: number, relative: number): number {
    const words = this.#words;
    const infoAt = this.#partitionBaseAt + this.#partitions + partition;
    const info = words[infoAt] as number;
    const start = halfWord(words, this.#groupRankAt + group) + ((info >>> 16) & 0x7ff);
    const offset = relative - (words[infoAt - this.#partitions] as number);
    if (offset === 0) return start;
    const after = this.#rankAfter(group, partition);
    const k = after - start - 1;
    if (k === 0 || offset > 0x7fffffff) return ~(start + 1 + k);
    const position = this.#bitsAt * 32 + (words[this.#groupBitAt + group] as number) + (info & 0xffff);
    const inside = this.#findOffset(info >>> 27, position, k, offset - 1);
    return inside >= 0 ? start + 1 + inside : ~(start + 1 + ~inside);
  }

  /** `find` for an offset among the k coded ones. */
  #findOffset(codec: number, position: number, k: number, offset: number): number {
    if (codec === CODEC_RUN) return offset < k ? offset : ~k;
    if (codec === CODEC_BITMAP) return this.#findInBitmap(position, k, offset);
    const bits = this.#words;
    const highParts = position + k * codec;
    const wanted = offset >>> codec;
    let bit = wanted === 0 ? highParts : this.#afterZero(highParts, wanted, k);
    let i = bit - highParts - wanted;
    if (i >= k) return ~k;
    const low = offset & ((1 << codec) - 1);
    let found = false;
    while (i < k && testBit(bits, bit)) {
      const candidate = readBits(bits, position + i * codec, codec);
      if (candidate >= low) {
        found = candidate === low;
        break;
      }
      i += 1;
      bit += 1;
    }
    this.#bit = bit;
    return found ? i : ~i;
  }

  #findInBitmap(position: number, k: number, offset: number): number {
    const bits = this.#words;
    let ones = 0;
    let word = position >>> 5;
    const end = position + offset;
    const lastWord = end >>> 5;
    let value = (bits[word] as number) & (-1 << (position & 31));
    while (word < lastWord) {
      ones += popcount(value);
      word += 1;
      if (ones >= k || word >= bits.length) return ~k;
      value = bits[word] as number;
    }
    ones += popcount(value & ~(-1 << (end & 31)));
    this.#bit = end;
    if (ones >= k) return ~k;
    return (value >>> (end & 31)) & 1 ? ones : ~ones;
  }

  /**
   * The position just after the `nth` zero bit (counting from 1) at or after `position`. Stops early, at a position
   * that leaves at least k ones behind, when k ones come first: what follows belongs to the next partition.
   */
  #afterZero(position: number, nth: number, k: number): number {
    const bits = this.#words;
    let word = position >>> 5;
    const skipped = position & 31;
    // Zeros as ones; the bits before `position` count as neither.
    let zeros = ~(bits[word] as number) & (-1 << skipped);
    let remaining = nth;
    let count = popcount(zeros);
    while (count < remaining) {
      remaining -= count;
      word += 1;
      const passed = word * 32 - position;
      if (passed - (nth - remaining) >= k || word >= bits.length) return position + nth + k;
      zeros = ~(bits[word] as number);
      count = popcount(zeros);
    }
    for (; remaining > 1; remaining--) zeros &= zeros - 1;
    return word * 32 + 31 - Math.clz32(zeros & -zeros) + 1;
  }

  /** All numbers, in order: an array of their own. */
  all(): Float64Array<ArrayBuffer> {
    const numbers = new Float64Array(this.count);
    this.copyRange(0, this.count, numbers);
    return numbers;
  }

  /** Writes the numbers of ranks [from, to) to the beginning of `out`. */
  copyRange(from: number, to: number, out: Float64Array): void {
    if (from < 0 || to > this.count || from > to) {
      throw new RangeError(`ranks ${from} to ${to} are outside of 0 to ${this.count}`);
    }
    const column = this.#column;
    const scratch = new Float64Array(PARTITION_NUMBERS);
    let group = this.#groupOfRank(from);
    let partition = column.groupPartition[group] as number;
    while (rankAfter(column, group, partition) <= from && from < to) partition += 1;
    for (let at = from; at < to; ) {
      if (partition === groupEnd(column, group)) group += 1;
      const start = rankOf(column, group, partition);
      const length = this.#decode(group, partition, scratch);
      const stop = Math.min(to, start + length);
      for (; at < stop; at++) out[at - from] = scratch[at - start] as number;
      partition += 1;
    }
  }

  #groupOfRank(rank: number): number {
    const { groupRank } = this.#column;
    let low = 0;
    let high = groupRank.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((groupRank[middle] as number) <= rank) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Unpacks one partition to the beginning of `out` and returns its length. */
  #decode(group: number, partition: number, out: Float64Array): number {
    const column = this.#column;
    const { bits } = column;
    const k = rankAfter(column, group, partition) - rankOf(column, group, partition) - 1;
    const base = (column.groupBase[group] as number) + (column.partitionBase[partition] as number);
    const codec = (column.partitionInfo[partition] as number) >>> 27;
    const position = bitOf(column, group, partition);
    out[0] = base;
    let bit = codec === CODEC_BITMAP ? position : position + k * codec;
    const end = bits.length * 32;
    for (let i = 0; i < k; i++) {
      if (codec === CODEC_RUN) {
        out[i + 1] = base + 1 + i;
        continue;
      }
      const first = bit;
      while (bit < end && !testBit(bits, bit)) bit += 1;
      if (codec === CODEC_BITMAP) {
        out[i + 1] = base + 1 + (bit - position);
      } else {
        const high = (i === 0 ? 0 : ((out[i] as number) - base - 1) >>> codec) + (bit - first);
        out[i + 1] = base + 1 + high * 2 ** codec + readBits(bits, position + i * codec, codec);
      }
      bit += 1;
    }
    return k + 1;
  }

  /** The number of a rank. */
  select(rank: number): number {
    const out = new Float64Array(1);
    this.copyRange(rank, rank + 1, out);
    return out[0] as number;
  }
}
