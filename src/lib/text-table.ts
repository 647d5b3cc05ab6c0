/**
 * Interns texts: equal ones get the same id, ids count up from 0. They are kept as UTF-8 in one array, so that a merge,
 * which reads, compares and writes texts by the million, makes no strings of them.
 */
import { decodeText, encodeText } from './bytes.ts';

/** To begin with; everything grows by doubling. */
const WORDS = 1_024;
const TEXTS = 64;
/** A word without these bits is four characters of ASCII. */
const NOT_ASCII = 0x80808080 | 0;
/** UTF-8 of U+E000 to U+FFFF begins with the first or the byte after it; from the second on with a surrogate pair's. */
const E000_LEAD = 0xee;
const PAIR_LEAD = 0xf0;

/** Texts as an encoder takes them. */
export interface Texts {
  readonly size: number;
  /** As UTF-8: a view that is valid until another text is added. */
  bytes(id: number): Uint8Array;
  /** How many bytes that are. */
  lengthOf(id: number): number;
  /** The order of two texts by UTF-16 code units, as that of strings. */
  compare(a: number, b: number): number;
}

export class TextTable implements Texts {
  /** Each text begins with a word, and is filled up with zeros. Behind the last stands the one that is looked up. */
  #words = new Int32Array(WORDS);
  #bytes = new Uint8Array(this.#words.buffer);
  #end = 0;
  /** By id: its first word, its length in bytes, and its hash. */
  #starts = new Int32Array(TEXTS);
  #lengths = new Int32Array(TEXTS);
  #hashes = new Int32Array(TEXTS);
  /** Ids by hash, -1 where there is none; at most half of them are taken. */
  #slots = new Int32Array(TEXTS * 2).fill(-1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(text: string): boolean {
    const length = this.#put(text);
    return (this.#slots[this.#slot(length, this.#hash(length))] as number) >= 0;
  }

  idOf(text: string): number {
    return this.#intern(this.#put(text));
  }

  /** The same of UTF-8. Throws FormatError if it is not. */
  idOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): number {
    this.#reserve(end - start);
    const words = this.#words;
    let at = this.#end;
    let all = 0;
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const word =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      all |= word;
      words[at++] = word;
    }
    let last = 0;
    for (let shift = 0; i < end; i++, shift += 8) last |= (bytes[i] as number) << shift;
    words[at] = last;
    if (((all | last) & NOT_ASCII) !== 0) decodeText(bytes.subarray(start, end), 'text');
    return this.#intern(end - start);
  }

  text(id: number): string {
    return decodeText(this.bytes(id), 'text');
  }

  bytes(id: number): Uint8Array {
    if (!(id >= 0 && id < this.#size)) throw new RangeError(`no text with id ${id}, there are ${this.#size}`);
    const start = (this.#starts[id] as number) * 4;
    return this.#bytes.subarray(start, start + (this.#lengths[id] as number));
  }

  lengthOf(id: number): number {
    return this.#lengths[id] as number;
  }

  compare(a: number, b: number): number {
    const words = this.#words;
    const bytes = this.#bytes;
    const [lengthA, lengthB] = [this.#lengths[a] as number, this.#lengths[b] as number];
    const shared = Math.min(lengthA, lengthB);
    let [wordA, wordB] = [this.#starts[a] as number, this.#starts[b] as number];
    let at = 0;
    for (; at + 4 <= shared && words[wordA] === words[wordB]; at += 4) {
      wordA += 1;
      wordB += 1;
    }
    const toB = (wordB - wordA) * 4;
    for (let i = wordA * 4; at < shared; at++, i++) {
      const [byteA, byteB] = [bytes[i] as number, bytes[i + toB] as number];
      if (byteA === byteB) continue;
      // The order of UTF-8 is that of code points. In UTF-16, surrogate pairs come before U+E000.
      const isSwapped = Math.min(byteA, byteB) >= E000_LEAD && byteA < PAIR_LEAD !== byteB < PAIR_LEAD;
      return isSwapped ? byteB - byteA : byteA - byteB;
    }
    return lengthA - lengthB;
  }

  /** Writes a text behind the last one. Returns its length in bytes. */
  #put(text: string): number {
    const { length } = text;
    this.#reserve(length);
    const words = this.#words;
    let at = this.#end;
    let word = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return this.#putEncoded(encodeText(text));
      word |= code << ((i & 3) * 8);
      if ((i & 3) !== 3) continue;
      words[at++] = word;
      word = 0;
    }
    words[at] = word;
    return length;
  }

  #putEncoded(text: Uint8Array): number {
    this.#reserve(text.length);
    const start = this.#end * 4;
    this.#bytes.set(text, start);
    this.#bytes.fill(0, start + text.length, start + wordsOf(text.length) * 4);
    return text.length;
  }

  /** The id of the text behind the last one, which stays there if it is new. */
  #intern(length: number): number {
    const hash = this.#hash(length);
    const slot = this.#slot(length, hash);
    const known = this.#slots[slot] as number;
    if (known >= 0) return known;
    const id = this.#size++;
    if (id === this.#starts.length) this.#growTexts();
    this.#starts[id] = this.#end;
    this.#lengths[id] = length;
    this.#hashes[id] = hash;
    this.#slots[slot] = id;
    this.#end += wordsOf(length);
    if (this.#size * 2 > this.#slots.length) this.#growSlots();
    return id;
  }

  /** The slot of the text behind the last one, or the free one where it belongs. */
  #slot(length: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let id = slots[slot] as number; id >= 0; id = slots[slot] as number) {
      if (this.#hashes[id] === hash && this.#lengths[id] === length && this.#isPut(id, length)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isPut(id: number, length: number): boolean {
    const words = this.#words;
    const own = this.#end;
    const start = this.#starts[id] as number;
    const count = wordsOf(length);
    for (let i = 0; i < count; i++) if (words[start + i] !== words[own + i]) return false;
    return true;
  }

  /** A sum of halves of words by random keys: whoever sends texts cannot choose them so that they fall together. */
  #hash(length: number): number {
    const words = this.#words;
    const keys = hashKeys();
    const own = this.#end;
    const count = wordsOf(length);
    let sum = Math.imul(length, keys[0] as number);
    for (let i = 0, key = 1; i < count; i++, key += 2) {
      const word = words[own + i] as number;
      sum = (sum + Math.imul(word & 0xffff, keys[key & KEY_MASK] as number)) | 0;
      sum = (sum + Math.imul(word >>> 16, keys[(key + 1) & KEY_MASK] as number)) | 0;
    }
    // The keys decide most about the upper bits.
    return sum ^ (sum >>> 16);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + wordsOf(bytes) + 1;
    if (needed <= this.#words.length) return;
    const grown = new Int32Array(Math.max(needed, this.#words.length * 2));
    grown.set(this.#words.subarray(0, this.#end));
    this.#words = grown;
    this.#bytes = new Uint8Array(grown.buffer);
  }

  #growTexts(): void {
    this.#starts = doubled(this.#starts);
    this.#lengths = doubled(this.#lengths);
    this.#hashes = doubled(this.#hashes);
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = (this.#hashes[id] as number) & mask;
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

/** Two for each word of a text of 4 KiB, longer than any attributes are; beyond that they are used again. */
const KEYS = 2_048;
const KEY_MASK = KEYS - 1;
let keysOfIsolate: Int32Array | null = null;

/** Made when first asked for: a Worker has no randomness before its first request. */
function hashKeys(): Int32Array {
  keysOfIsolate ??= crypto.getRandomValues(new Int32Array(KEYS));
  return keysOfIsolate;
}

function wordsOf(bytes: number): number {
  return (bytes + 3) >>> 2;
}

function doubled(column: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(column.length * 2);
  grown.set(column);
  return grown;
}
