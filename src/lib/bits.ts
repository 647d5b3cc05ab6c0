/** Bit strings, and columns of integers packed into as few bits as the values need. */
import { FormatError } from './bytes.ts';

// Bit strings in 32-bit words, least significant bit first. Positions stay below 2^31: a column has 32,768 values.

/** Writes `width` (0 to 32) low bits of an unsigned `value` at bit `position`. The bits there must still be zero. */
export function writeBits(words: Uint32Array, position: number, width: number, value: number): void {
  if (width === 0) return;
  const word = position >>> 5;
  const shift = position & 31;
  words[word] = (words[word] as number) | (value << shift);
  if (shift + width > 32) words[word + 1] = (words[word + 1] as number) | (value >>> (32 - shift));
}

/** Reads `width` (0 to 32) bits at bit `position` as an unsigned integer. */
export function readBits(words: Uint32Array, position: number, width: number): number {
  if (width === 0) return 0;
  const word = position >>> 5;
  const shift = position & 31;
  let value = (words[word] as number) >>> shift;
  if (shift + width > 32) value |= (words[word + 1] as number) << (32 - shift);
  return width === 32 ? value >>> 0 : value & ((1 << width) - 1);
}

/** The half of a word, 16 bits, at this index. */
export function halfWord(words: Uint32Array, index: number): number {
  return ((words[index >>> 1] as number) >>> ((index & 1) << 4)) & 0xffff;
}

export function setBit(words: Uint32Array, position: number): void {
  const word = position >>> 5;
  words[word] = (words[word] as number) | (1 << (position & 31));
}

export function testBit(words: Uint32Array, position: number): boolean {
  return (((words[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
}

/** How many of the 32 bits are one (Hacker's Delight, 2nd ed., figure 5-2). */
export function popcount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits needed for an unsigned integer below 2^32: 0 for 0. */
export function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}

/** Copies words to a multiple of four bytes, little-endian as every platform of Workers is. Returns where they end. */
export function putWords(out: Uint8Array, at: number, words: Uint32Array): number {
  out.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), at);
  return at + words.byteLength;
}

// Bit-packed columns of one width with exceptions (layout: verdicts.ts): access by rank, while large values do not set
// the width of all. After "patched frame of reference" (Zukowski et al., ICDE 2006), but an exception is found by
// counting those before it: a rank of its own would cost 16 bits, so that only rare ones would pay.

const MAX_WIDTH = 32;
/** Values are integers below 2^53, and so are their differences. */
const MAX_EXCEPTION_WIDTH = 53;
/** Ranks whose exceptions are counted together: at most one less of them is looked at to find an exception. */
const CHUNK = 64;
const CHUNK_BITS = 16;

export interface PackedField {
  readonly base: number;
  readonly width: number;
  /** Every value - base in `width` bits; all ones for an exception. */
  readonly words: Uint32Array;
  /** 0 if there are no exceptions: then all ones are a value like any other. */
  readonly exceptionWidth: number;
  readonly exceptions: number;
  /** The value - base of each exception in `exceptionWidth` bits, by rank. */
  readonly exceptionWords: Uint32Array;
  /** How many exceptions there are before each stretch of 64 ranks; empty without any. */
  readonly before: Uint16Array;
}

/** @param values integers in [0, 2^53); one type of array, since this is the inner loop of every merge */
export function packField(values: Float64Array): PackedField {
  const count = values.length;
  let base = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) if ((values[i] as number) < base) base = values[i] as number;
  const { width, exceptionWidth, exceptions } = chooseWidths(values, base);
  const words = new Uint32Array(packedWords(count, width));
  const exceptionWords = new Uint32Array(packedWords(exceptions, exceptionWidth));
  const before = new Uint16Array(chunks(count, exceptions));
  const mark = exceptions > 0 ? 2 ** width - 1 : Number.POSITIVE_INFINITY;
  let met = 0;
  for (let i = 0; i < count; i++) {
    if (exceptions > 0 && i % CHUNK === 0) before[i / CHUNK] = met;
    const difference = (values[i] as number) - base;
    if (difference < mark) {
      writeBits(words, i * width, width, difference);
    } else {
      writeBits(words, i * width, width, mark);
      writeWide(exceptionWords, met * exceptionWidth, exceptionWidth, difference);
      met += 1;
    }
  }
  return { base, width, words, exceptionWidth, exceptions, exceptionWords, before };
}

interface Widths {
  readonly width: number;
  readonly exceptionWidth: number;
  readonly exceptions: number;
}

/** The widths that make it all smallest: no exceptions, if that is; else of several the largest. */
function chooseWidths(values: Float64Array, base: number): Widths {
  // How many differences have so many bits, and how many are all ones, which at that width are exceptions.
  const byLength = new Uint32Array(MAX_EXCEPTION_WIDTH + 1);
  const allOnes = new Uint32Array(MAX_EXCEPTION_WIDTH + 1);
  for (let i = 0; i < values.length; i++) {
    const difference = (values[i] as number) - base;
    const isNarrow = difference <= 0x7fff_ffff;
    const length = isNarrow ? bitLength(difference) : wideLength(difference);
    byLength[length] = (byLength[length] as number) + 1;
    const isAllOnes = isNarrow ? (difference & (difference + 1)) === 0 : difference === 2 ** length - 1;
    if (isAllOnes) allOnes[length] = (allOnes[length] as number) + 1;
  }
  const longest = byLength.findLastIndex((count) => count > 0);
  let best: Widths = { width: longest, exceptionWidth: 0, exceptions: 0 };
  let smallest = longest <= MAX_WIDTH ? values.length * longest : Number.POSITIVE_INFINITY;
  const counts = Math.ceil(values.length / CHUNK) * CHUNK_BITS;
  let longer = byLength.subarray(MAX_WIDTH + 1).reduce((sum, count) => sum + count, 0);
  for (let width = MAX_WIDTH; width >= 1; width--) {
    const exceptions = longer + (allOnes[width] as number);
    const bits = values.length * width + counts + exceptions * longest;
    if (bits < smallest && exceptions > 0) {
      smallest = bits;
      best = { width, exceptionWidth: longest, exceptions };
    }
    longer += byLength[width] as number;
  }
  return best;
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

/** Length of `before`. */
export function chunks(count: number, exceptions: number): number {
  return exceptions > 0 ? Math.ceil(count / CHUNK) : 0;
}

/** No packed value is negative. */
const NO_MARK = -1;

export class FieldReader {
  readonly #field: PackedField;
  readonly #count: number;
  /** What marks an exception; none without them. */
  readonly #mark: number;
  /**
   * What `at` takes, once more: one object beside the words, which the fields of a page have in common. A lookup finds
   * neither in the processor's caches, and waits for each.
   */
  readonly #base: number;
  readonly #width: number;
  readonly #exceptionWidth: number;
  readonly #page: Uint32Array;
  /** Where the packed values and the exceptions begin in the page, in bits; and the counts, in halves of words. */
  readonly #valuesAt: number;
  readonly #exceptionsAt: number;
  readonly #beforeAt: number;

  /**
   * The arrays have the lengths that their widths ask for. Throws FormatError unless `packField` could have written
   * them.
   * @param page what all arrays of the field are parts of
   */
  constructor(field: PackedField, count: number, page: Uint32Array) {
    this.#field = field;
    this.#count = count;
    const { base, width, exceptionWidth, exceptions } = field;
    this.#mark = exceptions > 0 ? 2 ** width - 1 : NO_MARK;
    this.#base = base;
    this.#width = width;
    this.#exceptionWidth = exceptionWidth;
    this.#page = page;
    this.#valuesAt = (field.words.byteOffset - page.byteOffset) * 8;
    this.#exceptionsAt = (field.exceptionWords.byteOffset - page.byteOffset) * 8;
    this.#beforeAt = (field.before.byteOffset - page.byteOffset) / 2;
    const hasWidths = width <= MAX_WIDTH && exceptionWidth <= MAX_EXCEPTION_WIDTH;
    const isPossible = exceptions === 0 ? exceptionWidth === 0 : width > 0 && exceptionWidth >= width;
    if (!hasWidths || !isPossible || exceptions > count || !Number.isSafeInteger(base) || base < 0) {
      throw new FormatError(
        `packed field: base ${base}, widths ${width} and ${exceptionWidth}, ${exceptions} exceptions`,
      );
    }
    if (exceptions > 0) this.#checkExceptions();
  }

  #checkExceptions(): void {
    const { base, width, words, exceptionWidth, exceptions, exceptionWords, before } = this.#field;
    let met = 0;
    for (let rank = 0; rank < this.#count; rank++) {
      if (rank % CHUNK === 0 && before[rank / CHUNK] !== met) {
        throw new FormatError(`packed field: ${before[rank / CHUNK]} exceptions before rank ${rank}, found ${met}`);
      }
      if (readBits(words, rank * width, width) === this.#mark) met += 1;
    }
    if (met !== exceptions) throw new FormatError(`packed field: expected ${exceptions} exceptions, found ${met}`);
    for (let i = 0; i < exceptions; i++) {
      const difference = readWide(exceptionWords, i * exceptionWidth, exceptionWidth);
      if (difference < this.#mark || !Number.isSafeInteger(base + difference)) {
        throw new FormatError(`packed field: exception ${i} of ${exceptions} is ${difference} above ${base}`);
      }
    }
  }

  at(rank: number): number {
    const width = this.#width;
    const packed = readBits(this.#page, this.#valuesAt + rank * width, width);
    return packed === this.#mark ? this.#exceptionAt(rank) : this.#base + packed;
  }

  #exceptionAt(rank: number): number {
    const page = this.#page;
    const width = this.#width;
    const exceptionWidth = this.#exceptionWidth;
    let exception = halfWord(page, this.#beforeAt + Math.floor(rank / CHUNK));
    for (let other = rank - (rank % CHUNK); other < rank; other++) {
      if (readBits(page, this.#valuesAt + other * width, width) === this.#mark) exception += 1;
    }
    return this.#base + readWide(page, this.#exceptionsAt + exception * exceptionWidth, exceptionWidth);
  }

  /**
   * All values, by rank: for a merge, which goes through them in order.
   * @param values of that length, to be filled in
   */
  all(values: Float64Array = new Float64Array(this.#count)): Float64Array {
    const { base, width, words, exceptionWidth, exceptionWords } = this.#field;
    let met = 0;
    for (let rank = 0; rank < values.length; rank++) {
      const packed = readBits(words, rank * width, width);
      values[rank] =
        base + (packed === this.#mark ? readWide(exceptionWords, met++ * exceptionWidth, exceptionWidth) : packed);
    }
    return values;
  }
}
