/**
 * Bit-packed columns of one width with exceptions (layout: verdicts.ts): constant-time access by rank, while a few
 * large values do not set the width of all ("patched frame of reference": Zukowski et al., ICDE 2006).
 */
import { bitLength, readBits, writeBits } from './bits.ts';
import { FormatError } from './frame.ts';

const MAX_WIDTH = 32;
/** Values are integers below 2^53, and so are their differences. */
const MAX_EXCEPTION_WIDTH = 53;
/** An exception costs its rank, and its own bits. */
const RANK_BITS = 16;

export interface PackedField {
  readonly base: number;
  readonly width: number;
  /** Every value - base in `width` bits; all ones where that is too few. */
  readonly words: Uint32Array;
  readonly exceptionWidth: number;
  /** The value - base of each exception in `exceptionWidth` bits. */
  readonly exceptionWords: Uint32Array;
  /** Ranks of the exceptions, ascending. */
  readonly ranks: Uint16Array;
}

/** @param values integers in [0, 2^53); one type of array, since this is the inner loop of every merge */
export function packField(values: Float64Array): PackedField {
  const count = values.length;
  let base = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) if ((values[i] as number) < base) base = values[i] as number;
  const { width, exceptionWidth } = chooseWidths(values, base);
  const words = new Uint32Array(packedWords(count, width));
  const most = 2 ** width - 1;
  const ranks: number[] = [];
  for (let i = 0; i < count; i++) {
    const difference = (values[i] as number) - base;
    if (difference > most) ranks.push(i);
    writeBits(words, i * width, width, Math.min(difference, most));
  }
  const exceptionWords = new Uint32Array(packedWords(ranks.length, exceptionWidth));
  ranks.forEach((rank, i) => {
    writeWide(exceptionWords, i * exceptionWidth, exceptionWidth, (values[rank] as number) - base);
  });
  return { base, width, words, exceptionWidth, exceptionWords, ranks: Uint16Array.from(ranks) };
}

/** The width that makes packed bits and exceptions together smallest; of several, the largest. */
function chooseWidths(values: Float64Array, base: number): { width: number; exceptionWidth: number } {
  const byLength = new Uint32Array(MAX_EXCEPTION_WIDTH + 1);
  for (let i = 0; i < values.length; i++) {
    const length = wideLength((values[i] as number) - base);
    byLength[length] = (byLength[length] as number) + 1;
  }
  const longest = byLength.findLastIndex((count) => count > 0);
  let width = MAX_WIDTH;
  let smallest = Number.POSITIVE_INFINITY;
  let exceptions = byLength.subarray(MAX_WIDTH + 1).reduce((sum, count) => sum + count, 0);
  for (let w = MAX_WIDTH; w >= 0; w--) {
    const bits = values.length * w + exceptions * (RANK_BITS + longest);
    if (bits < smallest) {
      smallest = bits;
      width = w;
    }
    exceptions += byLength[w] as number;
  }
  return { width, exceptionWidth: longest > width ? longest : 0 };
}

function wideLength(value: number): number {
  return value > 0xffff_ffff ? 32 + bitLength(Math.floor(value / 2 ** 32)) : bitLength(value);
}

function writeWide(words: Uint32Array, position: number, width: number, value: number): void {
  writeBits(words, position, Math.min(width, 32), value % 2 ** 32);
  if (width > 32) writeBits(words, position + 32, width - 32, Math.floor(value / 2 ** 32));
}

function readWide(words: Uint32Array, position: number, width: number): number {
  const low = readBits(words, position, Math.min(width, 32));
  return width > 32 ? low + readBits(words, position + 32, width - 32) * 2 ** 32 : low;
}

/** Words of a packed column: one more than the bits need, so that a read of two words never leaves the array. */
export function packedWords(count: number, width: number): number {
  return Math.ceil((count * width) / 32) + 1;
}

/** Bytes of the ranks of exceptions, with the padding to four bytes. */
export function rankBytes(exceptions: number): number {
  return Math.ceil(exceptions / 2) * 4;
}

export class FieldReader {
  readonly #field: PackedField;

  /** The arrays have the lengths that their widths ask for. Throws FormatError unless `packField` could have written them. */
  constructor(field: PackedField, count: number) {
    this.#field = field;
    const { base, width, words, exceptionWidth, exceptionWords, ranks } = field;
    const hasWidths = width <= MAX_WIDTH && exceptionWidth <= MAX_EXCEPTION_WIDTH;
    if (!hasWidths || exceptionWidth > 0 !== ranks.length > 0 || !Number.isSafeInteger(base) || base < 0) {
      throw new FormatError(
        `packed field: base ${base}, widths ${width} and ${exceptionWidth}, ${ranks.length} exceptions`,
      );
    }
    let previous = -1;
    ranks.forEach((rank, i) => {
      const difference = readWide(exceptionWords, i * exceptionWidth, exceptionWidth);
      const isMarked = readBits(words, rank * width, width) === 2 ** width - 1;
      const isFar = difference >= 2 ** width && Number.isSafeInteger(base + difference);
      if (rank <= previous || rank >= count || !isMarked || !isFar) {
        throw new FormatError(
          `packed field: exception ${i} of ${ranks.length}, ${base} + ${difference} at rank ${rank}`,
        );
      }
      previous = rank;
    });
  }

  at(rank: number): number {
    const { base, width, words, exceptionWidth, exceptionWords, ranks } = this.#field;
    const packed = readBits(words, rank * width, width);
    if (ranks.length > 0 && packed === 2 ** width - 1) {
      let low = 0;
      let high = ranks.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((ranks[middle] as number) < rank) low = middle + 1;
        else high = middle;
      }
      if (ranks[low] === rank) return base + readWide(exceptionWords, low * exceptionWidth, exceptionWidth);
    }
    return base + packed;
  }
}
