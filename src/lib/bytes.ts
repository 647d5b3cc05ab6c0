/** Reading and writing bytes: varints, texts and JSON; SHA-256 and hexadecimal text. */
const INITIAL_CAPACITY = 1024;
/** Two groups of seven bits tell the length. */
const MAX_ASCII_CHARS = 2 ** 14 - 1;
/** Groups of seven bits in 2^53 - 1, the largest integer that is ever written. */
const MAX_GROUPS = 8;
/** Integers up to here are the same in the 32 bits that operators on bits have. */
const SMALL = 2 ** 31 - 1;

export class ByteWriter {
  #bytes: Bytes = new Uint8Array(INITIAL_CAPACITY);
  #length = 0;

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
    if ((value & SMALL) !== value) {
      this.#largeVarint(value);
      return;
    }
    if (this.#length + MAX_GROUPS > this.#bytes.length) this.#reserve(MAX_GROUPS);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    this.#length = at;
  }

  #largeVarint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('expected an integer in [0, 2^53)');
    this.#reserve(MAX_GROUPS);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
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
    let scale = 1;
    for (let group = 0; group < MAX_GROUPS; group++) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new FormatError(`integer cut off at byte ${this.#bytes.length}`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if ((byte === 0 && group > 0) || !Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
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

/** By byte: a manifest has thousands of hashes. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (let i = 0; i < bytes.length; i++) hex += HEX[bytes[i] as number];
  return hex;
}

/** @param hex an even number of hex digits */
export function fromHex(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = digit(hex, i * 2) * 16 + digit(hex, i * 2 + 1);
  return bytes;
}

function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  // '0' to '9' are 48 to 57; 'A' to 'F' and 'a' to 'f' differ in the bit of 32.
  return code < 58 ? code - 48 : (code | 32) - 87;
}
