/**
 * Answers from a numbers column without unpacking it (layout: numbers.ts): membership and rank, range counts, select,
 * iteration. Nothing is allocated per probe.
 */
import { popcount, readBits, testBit } from './bits.ts';
import type { Bytes } from './frame.ts';
import type { FreshDays } from './fresh.ts';
import { bitOf, groupEnd, type NumbersColumn, openNumbersColumn, rankAfter, rankOf } from './numbers-column.ts';
import { CODEC_BITMAP, CODEC_RUN, PARTITION_NUMBERS } from './partition.ts';

export class NumbersReader {
  /** How many numbers the column holds. */
  readonly count: number;
  /** Null for a column by itself, outside of a segment. */
  readonly fresh: FreshDays | null;
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

  /** Opens a whole column; views stay on `bytes`. Throws FormatError unless it is one, undamaged. */
  constructor(bytes: Bytes, fresh: FreshDays | null = null) {
    const column = openNumbersColumn(bytes);
    this.#column = column;
    this.count = column.count;
    this.fresh = fresh;
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

  /** How many numbers are in [from, to). */
  countRange(from: number, to: number): number {
    return to <= from ? 0 : this.rank(to) - this.rank(from);
  }

  /** The rank of `number` if it is in the set, otherwise the complement (~) of the rank it would have. */
  find(number: number): number {
    const groupBase = this.#groupBase;
    if (number < (groupBase[0] as number)) return ~0;
    const words = this.#words;
    let low = 0;
    let high = groupBase.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((groupBase[middle] as number) <= number) low = middle;
      else high = middle;
    }
    const group = low;
    const isLastGroup = group + 1 === groupBase.length;
    const relative = number - (groupBase[group] as number);
    const groupRank = halfWord(words, this.#groupRankAt + group);
    const bases = this.#partitionBaseAt;
    low = bases + halfWord(words, this.#groupPartitionAt + group);
    high = bases + (isLastGroup ? this.#partitions : halfWord(words, this.#groupPartitionAt + group + 1));
    const end = high;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((words[middle] as number) <= relative) low = middle;
      else high = middle;
    }
    const infoAt = low + this.#partitions;
    const info = words[infoAt] as number;
    const start = groupRank + ((info >>> 16) & 0x7ff);
    const offset = relative - (words[low] as number);
    if (offset === 0) return start;
    let after = this.count;
    if (low + 1 < end) after = groupRank + (((words[infoAt + 1] as number) >>> 16) & 0x7ff);
    else if (!isLastGroup) after = halfWord(words, this.#groupRankAt + group + 1);
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
    while (i < k && testBit(bits, bit)) {
      const candidate = readBits(bits, position + i * codec, codec);
      if (candidate >= low) return candidate === low ? i : ~i;
      i += 1;
      bit += 1;
    }
    return ~i;
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

/** The u16 of an index, counted in halves of words. */
function halfWord(words: Uint32Array, index: number): number {
  return ((words[index >>> 1] as number) >>> ((index & 1) << 4)) & 0xffff;
}
