import { MAX_LINE_CHARS } from './limits.ts';

/** Receives lines in order, without their ends; `line` counts from 1 and counts blank lines too. */
export interface LineSink {
  line(text: string, line: number): void;
  /** The line has more than MAX_LINE_CHARS; its text was dropped while it was read. */
  overlong(line: number): void;
}

const LF = 0x0a;

/** Cuts text that comes in pieces into lines, ended by LF, CRLF or CR. Holds at most one line. */
export class LineSplitter {
  readonly #sink: LineSink;
  #pending = '';
  #overlong = false;
  /** The line ended with a CR, which an LF may follow. */
  #afterCr = false;
  #line = 1;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    if (text === '') return;
    let start = this.#afterCr && text.charCodeAt(0) === LF ? 1 : 0;
    this.#afterCr = false;
    // Each is looked for only once it has been passed, so that a text without it is gone through once.
    let lf = text.indexOf('\n', start);
    let cr = text.indexOf('\r', start);
    while (lf >= 0 || cr >= 0) {
      const isCr = cr >= 0 && (lf < 0 || cr < lf);
      const end = isCr ? cr : lf;
      this.#take(text.slice(start, end));
      this.#emit();
      start = isCr && lf === end + 1 ? end + 2 : end + 1;
      this.#afterCr = isCr && start === text.length && start === end + 1;
      if (isCr) cr = text.indexOf('\r', start);
      if (lf >= 0 && lf < start) lf = text.indexOf('\n', start);
    }
    this.#take(text.slice(start));
  }

  /** The last line needs no end. */
  end(): void {
    if (this.#pending !== '' || this.#overlong) this.#emit();
  }

  #take(text: string): void {
    if (this.#overlong || this.#pending.length + text.length > MAX_LINE_CHARS) {
      this.#overlong = true;
      this.#pending = '';
    } else {
      this.#pending = this.#pending === '' ? text : this.#pending + text;
    }
  }

  #emit(): void {
    const line = this.#line;
    const text = this.#pending;
    const overlong = this.#overlong;
    this.#line += 1;
    this.#pending = '';
    this.#overlong = false;
    if (overlong) this.#sink.overlong(line);
    else this.#sink.line(text, line);
  }
}
