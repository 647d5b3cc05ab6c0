import { MAX_LINE_CHARS } from './limits.ts';

/** Receives lines in order, without their ends; `line` counts from 1 and counts blank lines too. */
export interface LineSink {
  line(text: string, line: number): void;
  /** The line has more than MAX_LINE_CHARS; its text was dropped while it was read. */
  overlong(line: number): void;
}

/** Cuts text that comes in pieces into lines, ended by LF or CRLF. Holds at most one line. */
export class LineSplitter {
  readonly #sink: LineSink;
  #pending = '';
  #overlong = false;
  #line = 1;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    let start = 0;
    for (;;) {
      const end = text.indexOf('\n', start);
      if (end < 0) break;
      this.#take(text.slice(start, end));
      this.#emit();
      start = end + 1;
    }
    this.#take(text.slice(start));
  }

  /** The last line needs no end. */
  end(): void {
    if (this.#pending !== '' || this.#overlong) this.#emit();
  }

  #take(text: string): void {
    // One more than the bound may be the CR of a CRLF.
    if (this.#overlong || this.#pending.length + text.length > MAX_LINE_CHARS + 1) {
      this.#overlong = true;
      this.#pending = '';
    } else {
      this.#pending = this.#pending === '' ? text : this.#pending + text;
    }
  }

  #emit(): void {
    const line = this.#line;
    const text = this.#pending.endsWith('\r') ? this.#pending.slice(0, -1) : this.#pending;
    const overlong = this.#overlong || text.length > MAX_LINE_CHARS;
    this.#line += 1;
    this.#pending = '';
    this.#overlong = false;
    if (overlong) this.#sink.overlong(line);
    else this.#sink.line(text, line);
  }
}
