/** Reading and writing bytes: varints, texts and JSON; SHA-256 and hexadecimal text. */
const INITIAL_CAPACITY = 1024;
/** Two groups of seven bits tell the length. */
const MAX_ASCII_CHARS = 2 ** 14 - 1;
/** Groups of seven bits in 2^53 - 1, the largest integer that is ever written. */
const MAX_GROUPS = 8;
/** Integers up to here are the same in the 32 bits that operators on bits have. */
const SMALL = 2 ** 31 - 1;
/** Groups of which a 32-bit integer is made: with them nearly all integers are read. */
const SMALL_GROUPS = 4;

export class ByteWriter {
  #bytes: Bytes;
  #length = 0;

  /** @param capacity to begin with: who knows about how much is written spares making room and copying */
  constructor(capacity = INITIAL_CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Unsigned LEB128 of an integer in [0, 2^53). */
  varint(value: number): void {
    if (this.#length + MAX_GROUPS > this.#bytes.length) this.#reserve(MAX_GROUPS);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    if ((value & SMALL) !== value) {
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('expected an integer in [0, 2^53)');
      for (; rest > SMALL; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
    }
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    this.#length = at;
  }

  /** UTF-8, preceded by its length in bytes. */
  text(value: string): void {
    if (this.#asciiText(value)) return;
    this.utf8(encodeText(value));
  }

  /** The same of what is UTF-8 already. */
  utf8(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /**
   * Nearly all texts are short and ASCII: one byte a character, with no array between. False, with nothing written, if
   * not.
   */
  #asciiText(value: string): boolean {
    const { length } = value;
    if (length > MAX_ASCII_CHARS) return false;
    // As much as its length asks for as well: the text is there already when that is written.
    this.#reserve(length + MAX_GROUPS);
    const header = length < 0x80 ? 1 : 2;
    const bytes = this.#bytes;
    const start = this.#length + header;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[start + i] = code;
    }
    this.varint(length);
    this.#length += length;
    return true;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The bytes that an even number of hex digits stands for. */
  hex(digits: string): void {
    this.#reserve(digits.length / 2);
    putHex(digits, this.#bytes, this.#length);
    this.#length += digits.length / 2;
  }

  clear(): void {
    this.#length = 0;
  }

  /** What was written, as a view that is valid until the next write. */
  view(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = bytes;
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** Refuses what `ByteWriter` does not write: a last group of zero, or a value of 2^53 or more. */
  varint(): number {
    const first = this.#bytes[this.#position];
    if (first !== undefined && first < 0x80) {
      this.#position += 1;
      return first;
    }
    let value = 0;
    for (let group = 0; group < MAX_GROUPS; group++) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new FormatError(`integer cut off at byte ${this.#bytes.length}`);
      const bits = byte & 0x7f;
      value = group < SMALL_GROUPS ? value | (bits << (group * 7)) : value + bits * 2 ** (group * 7);
      if (byte < 0x80) {
        if ((byte === 0 && group > 0) || !Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new FormatError(`integer before byte ${this.#position} is not in its shortest form, or not below 2^53`);
  }

  text(): string {
    return decodeText(this.raw(this.varint()), `text before byte ${this.#position}`);
  }

  /** Passes over that many bytes. */
  skip(length: number): void {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw new FormatError(`${length} bytes cut off at byte ${this.#bytes.length}`);
    this.#position = end;
  }

  /** That many bytes, as a view. */
  raw(length: number): Uint8Array {
    const from = this.#position;
    this.skip(length);
    return this.#bytes.subarray(from, this.#position);
  }
}

export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that are not what they claim to be. Readers fall back to another copy; writers never produce it. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @param what names the text in the error */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FormatError(`${what}: expected UTF-8, found ${bytes.length} bytes that are not`);
  }
}

/** @param what names the text in the error */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(`${what}: expected JSON, found ${text.length} characters that are not`);
  }
}

/** SHA-256 in 64 lower-case hex digits: the content address of a slice. */
export async function sha256Hex(bytes: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** The same, of whoever has a better way to it than workerd. */
export type Digest = (bytes: Bytes) => string | Promise<string>;

const HASH_BYTES = 32;
/** Of the hash at hand: an array of its own takes longer than the rest. */
const hashDigits = new Uint8Array(HASH_BYTES * 2);

/**
 * A manifest has a thousand hashes, and a text that is put together digit by digit takes a kilobyte until it is used.
 */
export function toHex(bytes: Uint8Array): string {
  const digits = bytes.length === HASH_BYTES ? hashDigits : new Uint8Array(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    digits[i * 2] = digitCode(byte >>> 4);
    digits[i * 2 + 1] = digitCode(byte & 0xf);
  }
  return decoder.decode(digits);
}

function digitCode(digit: number): number {
  return digit < 10 ? 48 + digit : 87 + digit;
}

/** @param hex an even number of hex digits */
export function fromHex(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  putHex(hex, bytes, 0);
  return bytes;
}

function putHex(hex: string, out: Uint8Array, at: number): void {
  for (let i = 0; i < hex.length; i += 2) out[at + i / 2] = digit(hex, i) * 16 + digit(hex, i + 1);
}

function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  // '0' to '9' are 48 to 57; 'A' to 'F' and 'a' to 'f' differ in the bit of 32.
  return code < 58 ? code - 48 : (code | 32) - 87;
}
