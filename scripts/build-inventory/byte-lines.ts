/** Cuts bytes that come in pieces into lines, ended by LF or CRLF, without making text of them. */
import { MAX_LINE_CHARS } from '../../src/ingest/limits.ts';

/** No line that is held can be shorter in UTF-16 units than the bound when it has more bytes than this. */
const MAX_LINE_BYTES = 3 * MAX_LINE_CHARS + 2;
const LF = 0x0a;
const CR = 0x0d;

export interface ByteLineSink {
  /** A line from `start` to `end` of the bytes, without its end; they are valid during the call only. */
  line(bytes: Buffer, start: number, end: number, line: number): void;
  /** The line has too many bytes to be held; they were dropped. */
  overlong(line: number): void;
}

export class ByteLines {
  readonly #sink: ByteLineSink;
  /** The beginning of a line whose end has not come yet. */
  #held = Buffer.alloc(0);
  #overlong = false;
  #line: number;

  /** @param firstLine the number of the first line */
  constructor(sink: ByteLineSink, firstLine = 1) {
    this.#sink = sink;
    this.#line = firstLine;
  }

  /** Lines that have begun and ended so far, and the first line's number less 1. */
  get lines(): number {
    return this.#line - 1;
  }

  /** Whether the bytes so far end within a line. */
  get isOpen(): boolean {
    return this.#overlong || this.#held.length > 0;
  }

  /**
   * @param endBefore an index into the piece: no line that begins there or later is taken
   * @returns whether lines may follow; false once one begins at `endBefore` or later
   */
  push(piece: Buffer, endBefore = Number.POSITIVE_INFINITY): boolean {
    let start = 0;
    if (this.isOpen) {
      const end = piece.indexOf(LF);
      if (end < 0) {
        this.#hold(piece);
        return true;
      }
      this.#hold(piece.subarray(0, end));
      this.#emitHeld();
      start = end + 1;
    }
    const sink = this.#sink;
    while (start < endBefore) {
      const end = piece.indexOf(LF, start);
      if (end < 0) {
        if (start < piece.length) this.#hold(piece.subarray(start));
        return true;
      }
      const line = this.#line++;
      if (end - start > MAX_LINE_BYTES) sink.overlong(line);
      else sink.line(piece, start, end > start && piece[end - 1] === CR ? end - 1 : end, line);
      start = end + 1;
    }
    return false;
  }

  /** The last line needs no end. */
  end(): void {
    if (this.isOpen) this.#emitHeld();
  }

  #hold(bytes: Buffer): void {
    if (this.#overlong) return;
    if (this.#held.length + bytes.length > MAX_LINE_BYTES) {
      this.#overlong = true;
      this.#held = Buffer.alloc(0);
      return;
    }
    this.#held = Buffer.concat([this.#held, bytes]);
  }

  #emitHeld(): void {
    const held = this.#held;
    const line = this.#line++;
    const isOverlong = this.#overlong;
    this.#held = Buffer.alloc(0);
    this.#overlong = false;
    if (isOverlong) this.#sink.overlong(line);
    else this.#sink.line(held, 0, held.at(-1) === CR ? held.length - 1 : held.length, line);
  }
}
