import { BodyError, LINE_ENDS_LOST } from './errors.ts';
import { MAX_LINE_CHARS } from './limits.ts';
import { LineSplitter } from './lines.ts';
import { type BodyReader, isRawLine, kindOf, type LineReceiver, malformed } from './reader.ts';

/**
 * One JSON object a line. Blank lines are skipped; a line that is anything else is rejected by itself. A body whose only
 * line is several detections is no NDJSON: rejecting that line would look like the loss of one.
 */
export function ndjsonReader(receiver: LineReceiver): BodyReader {
  return new NdjsonBody(receiver);
}

/** Where one object ends and the next one begins, in a line that is no JSON. */
const NEXT_OBJECT = /\}[\s\u0085]*\{/;

class NdjsonBody implements BodyReader {
  readonly #receiver: LineReceiver;
  readonly #lines: LineSplitter;
  /** Lines that are not blank. */
  #count = 0;
  /** The first of them, until another follows, if it seems to be several detections. */
  #held: { readonly line: number; readonly found: string } | null = null;

  constructor(receiver: LineReceiver) {
    this.#receiver = receiver;
    this.#lines = new LineSplitter({
      line: (text, line) => {
        if (text.trim() === '') return;
        this.#begin();
        this.#read(text, line);
      },
      overlong: (line) => {
        this.#begin();
        this.#several(line, `more than ${MAX_LINE_CHARS} characters on one line: ${LINE_ENDS_LOST}`);
      },
    });
  }

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
    if (this.#held !== null) {
      throw new BodyError('invalid-body', `expected one JSON object a line; found ${this.#held.found}`);
    }
  }

  #begin(): void {
    this.#count += 1;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#reject(held.line, held.found);
  }

  #read(text: string, line: number): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (NEXT_OBJECT.test(text)) this.#several(line, `several on one line: ${LINE_ENDS_LOST}`);
      // The parser's own message quotes the text, and so perhaps the number.
      else this.#reject(line, `${text.length} characters that are not JSON`);
      return;
    }
    if (isRawLine(value)) this.#receiver.raw(value, line);
    else if (Array.isArray(value)) this.#several(line, `${kindOf(value)}: its Content-Type is application/json`);
    else this.#reject(line, kindOf(value));
  }

  #several(line: number, found: string): void {
    if (this.#count === 1) this.#held = { line, found };
    else this.#reject(line, found);
  }

  #reject(line: number, found: string): void {
    this.#receiver.reject(malformed(line, `expected a JSON object; found ${found}`));
  }
}
