import type { LineError } from '../format/batch.ts';
import { CsvRecord, type RecordProgress } from './csv-record.ts';
import { BodyError } from './errors.ts';
import { MAX_LINE_CHARS } from './limits.ts';
import { LineSplitter } from './lines.ts';
import { type BodyReader, malformed } from './reader.ts';

export interface CsvRowSink {
  /** `line` is where the record starts, `endLine` where it ends. */
  row(fields: readonly string[], line: number, endLine: number): void;
  reject(error: LineError): void;
}

interface HeldLine {
  /** Null if the line was too long to hold. */
  readonly text: string | null;
  readonly line: number;
}

interface OpenRecord {
  readonly record: CsvRecord;
  /** The lines of the record so far. */
  readonly lines: HeldLine[];
  chars: number;
}

/**
 * Reads CSV that comes in pieces of text, record by record; blank lines are skipped. A stray quote costs the line it is
 * in and no other: if a record that runs over several lines turns out not to be one, only its first line is rejected
 * and the others are read again. Each is read again at most once, because a line that opens a quote and does not close
 * it has an odd number of quotes, and the next such line ends the record, valid or not.
 */
export class CsvRows implements BodyReader {
  readonly #sink: CsvRowSink;
  readonly #delimiter: string;
  readonly #lines: LineSplitter;
  #open: OpenRecord | null = null;

  /** @param delimiter one character */
  constructor(sink: CsvRowSink, delimiter = ',') {
    this.#sink = sink;
    this.#delimiter = delimiter;
    this.#lines = new LineSplitter({
      line: (text, line) => this.#read({ text, line }),
      overlong: (line) => this.#read({ text: null, line }),
    });
  }

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
    while (this.#open !== null) this.#readAll(this.#giveUp(this.#open, 'expected a closing quote; found none'));
  }

  #read(line: HeldLine): void {
    this.#readAll([line]);
  }

  /** @param stack lines to read, the next one last */
  #readAll(stack: HeldLine[]): void {
    for (let line = stack.pop(); line !== undefined; line = stack.pop()) {
      const again = this.#readLine(line);
      for (const each of again) stack.push(each);
    }
  }

  /** Returns the lines to read again, the next one last. */
  #readLine(line: HeldLine): readonly HeldLine[] {
    const open = this.#open;
    if (open !== null) {
      open.lines.push(line);
      open.chars += (line.text?.length ?? 0) + 1;
      if (line.text === null || open.chars > MAX_LINE_CHARS) {
        return this.#giveUp(open, `expected a record of at most ${MAX_LINE_CHARS} characters; found no closing quote`);
      }
      return this.#progress(open, open.record.feed(line.text));
    }
    if (line.text === null) {
      this.#sink.reject(malformed(line.line, `expected at most ${MAX_LINE_CHARS} characters; found more`));
    } else if (line.text.includes('"')) {
      const record = new CsvRecord(this.#delimiter);
      const started = { record, lines: [line], chars: line.text.length };
      return this.#progress(started, record.feed(line.text));
    } else if (line.text.trim() !== '') {
      this.#sink.row(line.text.split(this.#delimiter), line.line, line.line);
    }
    return [];
  }

  #progress(open: OpenRecord, progress: RecordProgress): readonly HeldLine[] {
    if (typeof progress === 'object') return this.#giveUp(open, progress.problem);
    this.#open = progress === 'open' ? open : null;
    const first = open.lines[0];
    const last = open.lines.at(-1);
    if (progress === 'whole' && first !== undefined && last !== undefined) {
      this.#sink.row(open.record.fields, first.line, last.line);
    }
    return [];
  }

  #giveUp(open: OpenRecord, problem: string): HeldLine[] {
    this.#open = null;
    const [first, ...others] = open.lines;
    if (first !== undefined) this.#sink.reject(malformed(first.line, problem));
    return others.reverse();
  }
}

/** Characters that end lines in other formats, but not in CSV. */
const OTHER_LINE_END = /[\v\f\u0085\u2028\u2029]/;

/** @throws BodyError `invalid-body` if what seems to be the first record is more of them, ended by something else */
export function checkFirstRecord(fields: readonly string[]): void {
  if (!fields.some((field) => OTHER_LINE_END.test(field.trim()))) return;
  const found = 'found one that goes on after another line end (VT, FF, NEL, U+2028 or U+2029)';
  throw new BodyError('invalid-body', `expected a first line that ends in LF, CRLF or CR; ${found}`);
}

export interface RowShape {
  /** Fields of each row. */
  readonly count: number;
  /** Where the number is among them, from 0. */
  readonly number: number;
  readonly delimiter: string;
}

const NUMBER_LIKE = /^\s*[+(]?\d(?:[\s().-]*\d){6,}\s*$/;

/**
 * Whether a quoted field that goes on over line ends holds what would be rows of their own: then a quote was never
 * closed, and rows vanish in a column that nobody looks at.
 */
export function swallowsRows(fields: readonly string[], { count, number, delimiter }: RowShape): boolean {
  return fields.some((field, at) => {
    const lines = field.split('\n');
    if (lines.length === 1) return false;
    return lines.some((line, i) => {
      // Fields come before the first line, and follow the last.
      const before = i === 0 ? at : 0;
      const after = i === lines.length - 1 ? fields.length - 1 - at : 0;
      const cells = line.split(delimiter);
      return before + cells.length + after === count && NUMBER_LIKE.test(cells[number - before] ?? '');
    });
  });
}

/** Why such a record is rejected, with all the lines that it takes. */
export function swallowedRows(line: number, endLine: number): LineError {
  const detail = `expected a closing quote in its line; found one that makes a single field of rows down to line ${endLine}`;
  return malformed(line, detail);
}
