import type { LineError } from '../format/batch.ts';
import { repeatedName } from '../format/json-names.ts';
import { BodyError, LINE_ENDS_LOST } from './errors.ts';
import { isField } from './fields.ts';
import { MAX_LINE_CHARS } from './limits.ts';
import { LineSplitter } from './lines.ts';
import { type BodyReader, isRawLine, kindOf, type LineReceiver, malformed, type RawLine } from './reader.ts';

/**
 * One JSON object a line. Blank lines are skipped; a line that is anything else is rejected by itself. A body whose
 * only line is several detections is no NDJSON: rejecting that line would look like the loss of one.
 */
export function ndjsonReader(receiver: LineReceiver, isRead: IsRead = isField): BodyReader {
  return new NdjsonBody(receiver, isRead);
}

/** Whether the value of this name is read; any other may be there twice. */
export type IsRead = (name: string) => boolean;

/** Where one object ends and the next one begins, in a line that is no JSON. */
const NEXT_OBJECT = /\}[\s\u0085]*\{/;

type ParsedLine =
  | { readonly raw: RawLine }
  /** What the line is instead of an object; `several`: several objects, which should be lines of their own. */
  | { readonly found: string; readonly several: boolean }
  | { readonly problem: string };

function parseLine(text: string, isRead: IsRead): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (NEXT_OBJECT.test(text)) return { found: `several on one line: ${LINE_ENDS_LOST}`, several: true };
    // The parser's own message quotes the text, and so perhaps the number.
    return { found: `${text.length} characters that are not JSON`, several: false };
  }
  if (isRawLine(value)) {
    const problem = repeatedField(text, value, isRead);
    return problem === null ? { raw: value } : { problem };
  }
  if (!Array.isArray(value)) return { found: kindOf(value), several: false };
  return { found: `${kindOf(value)}: its Content-Type is application/json`, several: true };
}

/** Why a line cannot be read that has a field twice, or null: which of the two is meant would be a guess. */
export function repeatedField(text: string, value: unknown, matters: IsRead, levels = 1): string | null {
  const name = repeatedName(text, value, { levels, matters });
  return name === null ? null : `expected each field once; found ${name} twice`;
}

function notAnObject(line: number, found: string): LineError {
  return malformed(line, `expected a JSON object; found ${found}`);
}

/** A line by itself, from whichever body. */
export function readNdjsonLine(text: string, line: number, receiver: LineReceiver, isRead: IsRead): void {
  if (text.trim() === '') return;
  const parsed = parseLine(text, isRead);
  if ('raw' in parsed) receiver.raw(parsed.raw, line);
  else if ('problem' in parsed) receiver.reject(malformed(line, parsed.problem));
  else receiver.reject(notAnObject(line, parsed.found));
}

class NdjsonBody implements BodyReader {
  readonly #receiver: LineReceiver;
  readonly #isRead: IsRead;
  readonly #lines: LineSplitter;
  /** Lines that are not blank. */
  #count = 0;
  /** The first of them, until another follows, if it seems to be several detections. */
  #held: { readonly line: number; readonly found: string } | null = null;

  constructor(receiver: LineReceiver, isRead: IsRead) {
    this.#receiver = receiver;
    this.#isRead = isRead;
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
    if (held !== null) this.#receiver.reject(notAnObject(held.line, held.found));
  }

  #read(text: string, line: number): void {
    const parsed = parseLine(text, this.#isRead);
    if ('raw' in parsed) this.#receiver.raw(parsed.raw, line);
    else if ('problem' in parsed) this.#receiver.reject(malformed(line, parsed.problem));
    else if (parsed.several) this.#several(line, parsed.found);
    else this.#receiver.reject(notAnObject(line, parsed.found));
  }

  #several(line: number, found: string): void {
    if (this.#count === 1) this.#held = { line, found };
    else this.#receiver.reject(notAnObject(line, found));
  }
}
