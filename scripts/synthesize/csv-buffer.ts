/** CSV text as bytes in one reused buffer: strings would cost more than all the drawing of numbers. */
import type { FileHandle } from 'node:fs/promises';

const BUFFER_BYTES = 4 * 2 ** 20;
/** The longest row: 15 digits, dates, names and a link take less than 250. */
const MAX_ROW_BYTES = 512;
const DIGIT_ZERO = 0x30;
/** Split in two, numbers divide as 32-bit integers. */
const LOW_PART = 10 ** 8;
const LOW_DIGITS = 8;

export class CsvBuffer {
  readonly #file: FileHandle;
  readonly #bytes = new Uint8Array(BUFFER_BYTES);
  #length = 0;
  writtenBytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Whether a row more might not fit: flush before it. */
  get isFull(): boolean {
    return this.#length > BUFFER_BYTES - MAX_ROW_BYTES;
  }

  addBytes(text: Uint8Array): void {
    const bytes = this.#bytes;
    let length = this.#length;
    for (let i = 0; i < text.length; i++) bytes[length++] = text[i] ?? 0;
    this.#length = length;
  }

  /** @param text ASCII */
  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  /** A non-negative integer below 2^31. */
  addInteger(value: number): void {
    let digits = 1;
    for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) digits++;
    this.#addDigits(value, digits);
  }

  /** `+` and up to 15 digits. */
  addNumber(number: number): void {
    const high = Math.floor(number / LOW_PART);
    this.#bytes[this.#length++] = 0x2b;
    if (high === 0) this.addInteger(number);
    else {
      this.addInteger(high);
      this.#addDigits(number - high * LOW_PART, LOW_DIGITS);
    }
  }

  #addDigits(value: number, digits: number): void {
    let rest = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      this.#bytes[at] = DIGIT_ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += digits;
  }

  async flush(): Promise<void> {
    for (let at = 0; at < this.#length; ) {
      const { bytesWritten } = await this.#file.write(this.#bytes, at, this.#length - at);
      at += bytesWritten;
    }
    this.writtenBytes += this.#length;
    this.#length = 0;
  }
}
