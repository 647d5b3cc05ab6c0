/** A bounded map from byte strings to values, without making text of the bytes. */

const MAX_ENTRIES = 8192;
/** Half full at most. */
const SLOTS = MAX_ENTRIES * 2;
const MAX_BYTES = 2 ** 20;
/** FNV-1a, in signed 32-bit integers throughout. */
const OFFSET_BASIS = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
/** Between the fields of a key; no line has it inside. */
const SEPARATOR = 0x0a;

/** The present key is put together field by field, then looked up or remembered. Forgets everything when it is full. */
export class BytesMemo<T> {
  readonly #slots = new Int32Array(SLOTS).fill(-1);
  readonly #arena = new Uint8Array(MAX_BYTES);
  readonly #starts = new Int32Array(MAX_ENTRIES + 1);
  readonly #hashes = new Int32Array(MAX_ENTRIES);
  #values: T[] = [];
  /** The present key stands behind the last entry's. */
  #end = 0;
  #hash = OFFSET_BASIS;

  /** Begins a key of at most `bytes`. Returns false if it is too long to be remembered. */
  begin(bytes: number): boolean {
    if (bytes > MAX_BYTES / 4) return false;
    if (this.#values.length === MAX_ENTRIES || this.#startOfKey + bytes > MAX_BYTES) this.#forget();
    this.#end = this.#startOfKey;
    this.#hash = OFFSET_BASIS;
    return true;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const arena = this.#arena;
    let at = this.#end;
    let hash = this.#hash;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      arena[at++] = byte;
      hash = Math.imul(hash ^ byte, PRIME);
    }
    arena[at++] = SEPARATOR;
    this.#hash = Math.imul(hash ^ SEPARATOR, PRIME);
    this.#end = at;
  }

  /** The value of the present key. */
  get(): T | undefined {
    const index = this.#slots[this.#slot()] as number;
    return index < 0 ? undefined : this.#values[index];
  }

  /** Remembers a value for the present key, which has none. */
  set(value: T): void {
    const index = this.#values.length;
    this.#slots[this.#slot()] = index;
    this.#hashes[index] = this.#hash;
    this.#values.push(value);
    this.#starts[index + 1] = this.#end;
  }

  get #startOfKey(): number {
    return this.#starts[this.#values.length] as number;
  }

  /** The slot of the present key, or the free one where it belongs. */
  #slot(): number {
    let slot = (this.#hash ^ (this.#hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const index = this.#slots[slot] as number;
      if (index < 0 || (this.#hashes[index] === this.#hash && this.#isKey(index))) return slot;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #isKey(index: number): boolean {
    const arena = this.#arena;
    const start = this.#starts[index] as number;
    const own = this.#startOfKey;
    const length = this.#end - own;
    if ((this.#starts[index + 1] as number) - start !== length) return false;
    for (let i = 0; i < length; i++) if (arena[start + i] !== arena[own + i]) return false;
    return true;
  }

  #forget(): void {
    this.#slots.fill(-1);
    this.#values = [];
  }
}
