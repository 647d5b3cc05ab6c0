/**
 * Bit-packed columns of one width with exceptions (layout: verdicts.ts): constant-time access by rank, while a few
 * large values do not set the width of all.
 */
import { bitLength, readBits, writeBits } from './bits.ts';
import { FormatError, roundUp8 } from './frame.ts';

/** An exception costs a float64 value and a 32-bit rank. */
const EXCEPTION_BITS = 96;

export interface PackedField {
  readonly base: number;
  readonly width: number;
  /** Ranks of the exceptions, ascending. */
  readonly ranks: readonly number[];
  readonly values: ArrayLike<number>;
}

export function packField(values: ArrayLike<number>): PackedField {
  let base = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) base = Math.min(base, values[i] as number);
  const byLength = new Float64Array(34);
  for (let i = 0; i < values.length; i++) {
    const difference = (values[i] as number) - base;
    const length = difference > 0xffffffff ? 33 : bitLength(difference);
    byLength[length] = (byLength[length] as number) + 1;
  }
  // The width that makes packed bits and exceptions together smallest.
  let width = 32;
  let smallest = Number.POSITIVE_INFINITY;
  let exceptions = byLength[33] as number;
  for (let w = 32; w >= 0; w--) {
    const bits = values.length * w + exceptions * EXCEPTION_BITS;
    if (bits < smallest) {
      smallest = bits;
      width = w;
    }
    exceptions += byLength[w] as number;
  }
  const ranks: number[] = [];
  for (let i = 0; i < values.length; i++) if ((values[i] as number) - base >= 2 ** width) ranks.push(i);
  return { base, width, ranks, values };
}

export function packValues(field: PackedField, count: number): Uint32Array {
  const words = new Uint32Array(packedWords(count, field.width));
  const most = 2 ** field.width - 1;
  for (let i = 0; i < count; i++) {
    writeBits(words, i * field.width, field.width, Math.min((field.values[i] as number) - field.base, most));
  }
  return words;
}

export function packedWords(count: number, width: number): number {
  return Math.ceil((count * width) / 32) + 1;
}

export function exceptionBytes(exceptions: number): number {
  return roundUp8(exceptions * 12);
}

export class FieldReader {
  readonly base: number;
  readonly width: number;
  readonly values: Float64Array;
  readonly ranks: Uint32Array;
  readonly words: Uint32Array;

  /** `words` has the length that `packedWords` says. Throws FormatError. */
  constructor(
    count: number,
    base: number,
    width: number,
    values: Float64Array,
    ranks: Uint32Array,
    words: Uint32Array,
  ) {
    this.base = base;
    this.width = width;
    this.values = values;
    this.ranks = ranks;
    this.words = words;
    if (!Number.isSafeInteger(base) || base < 0) throw new FormatError(`packed field: a base of ${base}`);
    let previous = -1;
    ranks.forEach((rank, i) => {
      const value = values[i] as number;
      const isMarked = readBits(words, rank * width, width) === 2 ** width - 1;
      if (rank <= previous || rank >= count || !isMarked || !Number.isSafeInteger(value) || value - base < 2 ** width) {
        throw new FormatError(`packed field: exception ${i} of ${ranks.length}, ${value} at rank ${rank}`);
      }
      previous = rank;
    });
  }

  at(rank: number): number {
    const packed = readBits(this.words, rank * this.width, this.width);
    if (this.ranks.length > 0 && packed === 2 ** this.width - 1) {
      const ranks = this.ranks;
      let low = 0;
      let high = ranks.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((ranks[middle] as number) < rank) low = middle + 1;
        else high = middle;
      }
      if (ranks[low] === rank) return this.values[low] as number;
    }
    return this.base + packed;
  }
}
