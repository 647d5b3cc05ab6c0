/** A bounded map from byte strings to values, without making text of the bytes. */

const MAX_ENTRIES = 8192;
/** Half full at most. */
const SLOTS = MAX_ENTRIES * 2;
const MAX_BYTES = 2 ** 20;
/** Knuth's multiplier, as a signed 32-bit integer. */
const MULTIPLIER = 0x9e3779b1 | 0;
/** After each field of a key; no line has it inside. */
const SEPARATOR = 0x0a;

/** The parts of a line that are one key: each from an index of its bytes to another. */
type Parts = Int32Array;

/** Keys are looked up where they stand, four bytes at a time. Forgets everything when it is full. */
export class BytesMemo<T> {
  readonly #slots = new Int32Array(SLOTS).fill(-1);
  readonly #arena = new Uint8Array(MAX_BYTES);
  readonly #arenaView = new DataView(this.#arena.buffer);
  readonly #starts = new Int32Array(MAX_ENTRIES + 1);
  readonly #hashes = new Int32Array(MAX_ENTRIES);
  #values: T[] = [];
  /** The bytes that were asked about last, and the view of them. */
  #bytes: Uint8Array = new Uint8Array();
  #view = new DataView(this.#bytes.buffer);

  /** The value of a key. */
  get(bytes: Uint8Array, parts: Parts): T | undefined {
    const index = this.#slots[this.#slot(bytes, parts, this.#hash(bytes, parts))] as number;
    return index < 0 ? undefined : this.#values[index];
  }

  /** Remembers a value for a key that has none, unless the key is too long for it. */
  set(bytes: Uint8Array, parts: Parts, value: T): void {
    let length = 0;
    for (let i = 0; i < parts.length; i += 2) length += (parts[i + 1] as number) - (parts[i] as number) + 1;
    if (length > MAX_BYTES / 4) return;
    let at = this.#starts[this.#values.length] as number;
    if (this.#values.length === MAX_ENTRIES || at + length > MAX_BYTES) {
      this.#forget();
      at = 0;
    }
    const hash = this.#hash(bytes, parts);
    const index = this.#values.length;
    this.#slots[this.#slot(bytes, parts, hash)] = index;
    this.#hashes[index] = hash;
    this.#values.push(value);
    for (let i = 0; i < parts.length; i += 2) {
      const part = bytes.subarray(parts[i], parts[i + 1]);
      this.#arena.set(part, at);
      at += part.length;
      this.#arena[at++] = SEPARATOR;
    }
    this.#starts[index + 1] = at;
  }

  #hash(bytes: Uint8Array, parts: Parts): number {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    let hash = 0;
    for (let i = 0; i < parts.length; i += 2) {
      const end = parts[i + 1] as number;
      let at = parts[i] as number;
      for (; at + 4 <= end; at += 4) {
        hash = Math.imul(hash ^ view.getInt32(at, true), MULTIPLIER);
        hash ^= hash >>> 15;
      }
      let last = SEPARATOR;
      for (; at < end; at++) last = (last << 8) | (bytes[at] as number);
      hash = Math.imul(hash ^ last, MULTIPLIER);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  /** The slot of a key, or the free one where it belongs. */
  #slot(bytes: Uint8Array, parts: Parts, hash: number): number {
    let slot = hash & (SLOTS - 1);
    for (;;) {
      const index = this.#slots[slot] as number;
      if (index < 0 || (this.#hashes[index] === hash && this.#isKey(index, bytes, parts))) return slot;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #isKey(index: number, bytes: Uint8Array, parts: Parts): boolean {
    const arena = this.#arena;
    const arenaView = this.#arenaView;
    const view = this.#view;
    const keyEnd = this.#starts[index + 1] as number;
    let own = this.#starts[index] as number;
    for (let i = 0; i < parts.length; i += 2) {
      const end = parts[i + 1] as number;
      let at = parts[i] as number;
      if (own + end - at >= keyEnd) return false;
      for (; at + 4 <= end; at += 4, own += 4) {
        if (view.getInt32(at, true) !== arenaView.getInt32(own, true)) return false;
      }
      for (; at < end; at++, own++) if (bytes[at] !== arena[own]) return false;
      if (arena[own++] !== SEPARATOR) return false;
    }
    return own === keyEnd;
  }

  #forget(): void {
    this.#slots.fill(-1);
    this.#values = [];
  }
}
