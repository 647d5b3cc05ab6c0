/**
 * CSV uploads. The syntax is that of RFC 4180: a delimiter separates fields; a field may be in double quotes, and then
 * holds delimiters, line breaks and doubled quotes. A quote anywhere else is an error, not a guess.
 */
import type { LineError } from '../format/batch.ts';
import { BodyError, type BodyReader, LINE_ENDS_LOST, type LineReceiver, MAX_LINE_CHARS, malformed } from './body.ts';
import { LineSplitter } from './decode.ts';
import { FIELDS, type Field, misnamedField, respeltField } from './fields.ts';

/** CSV with a header line. Columns that are not fields of a detection are passed over. */
export function csvReader(receiver: LineReceiver): BodyReader {
  return new CsvBody(receiver);
}

class CsvBody implements BodyReader {
  readonly #receiver: LineReceiver;
  readonly #rows: CsvRows;
  #columns: CsvColumns | null = null;

  constructor(receiver: LineReceiver) {
    this.#receiver = receiver;
    this.#rows = new CsvRows({
      row: (fields, line, endLine) => this.#row(fields, line, endLine),
      reject: (error) => {
        if (this.#columns !== null) return receiver.reject(error);
        throw new BodyError('invalid-body', `expected a CSV header; ${error.detail} (${LINE_ENDS_LOST})`);
      },
    });
  }

  push(text: string): void {
    this.#rows.push(text);
  }

  end(): void {
    this.#rows.end();
    if (this.#columns === null) throw new BodyError('invalid-body', 'expected a CSV header; found nothing');
  }

  #row(fields: readonly string[], line: number, endLine: number): void {
    const columns = this.#columns;
    if (columns === null) {
      const names = fields.map((name) => name.trim());
      this.#columns = columnsOf(names);
      this.#receiver.header?.(names);
    } else if (fields.length !== columns.count) {
      const expected = `expected ${columns.count} fields as in the header`;
      this.#receiver.reject(malformed(line, `${expected}; found ${fields.length}`));
    } else if (endLine > line && swallowsRows(fields, columns)) {
      this.#receiver.reject(swallowedRows(line, endLine));
    } else {
      const raw: Partial<Record<Field, string>> = {};
      for (const { field, position } of columns.known) raw[field] = fields[position] ?? '';
      this.#receiver.raw(raw, line);
    }
  }
}

interface CsvColumns extends RowShape {
  readonly known: readonly { readonly field: Field; readonly position: number }[];
}

/**
 * @param names of the header, without the white space around them
 * @throws BodyError `invalid-body` without a `number` column, with a field twice or under a misspelled name, or if it
 *   holds more than a header
 */
function columnsOf(names: readonly string[]): CsvColumns {
  checkFirstRecord(names);
  const known = FIELDS.flatMap((field) => {
    const position = names.indexOf(field);
    const last = names.lastIndexOf(field);
    if (position !== last) {
      const found = `found ${field} twice, in columns ${position + 1} and ${last + 1}`;
      throw new BodyError('invalid-body', `expected each column once in the CSV header; ${found}`);
    }
    return position < 0 ? [] : [{ field, position }];
  });
  const respelt = respeltField(names);
  if (respelt !== null) {
    const columns = `columns ${names.indexOf(respelt.field) + 1} and ${respelt.position + 1}`;
    const found = `found ${respelt.field} and ${respelt.name}, in ${columns}`;
    throw new BodyError('invalid-body', `expected each column once in the CSV header; ${found}`);
  }
  const misnamed = misnamedField(names);
  if (misnamed !== null) {
    throw new BodyError('invalid-body', `expected the CSV column ${misnamed.field}; found ${misnamed.name}`);
  }
  const number = names.indexOf('number');
  if (number < 0) {
    const found = `found ${names.length} others${names.some(isData) ? `, with numbers in them: ${LINE_ENDS_LOST}` : ''}`;
    throw new BodyError('invalid-body', `expected a CSV header with a number column; ${found}`);
  }
  return { count: names.length, number, delimiter: ',', known };
}

/** A name with so many digits is none: the header is missing, or rows stand in its place. */
function isData(name: string): boolean {
  return name.replace(/\D/g, '').length >= 7;
}

interface CsvRowSink {
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

interface RowShape {
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

/** A record after one more line: it is whole, it continues in the next line, or the reason why it is none. */
type RecordProgress = 'whole' | 'open' | { readonly problem: string };

const QUOTE = '"';

/** One record, fed line by line. A line break inside quotes becomes LF whatever it was. */
export class CsvRecord {
  readonly fields: string[] = [];
  readonly #delimiter: string;
  #field = '';
  #inQuotes = false;

  /** @param delimiter one character */
  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  feed(line: string): RecordProgress {
    let at = 0;
    if (this.#inQuotes) this.#field += '\n';
    for (;;) {
      if (!this.#inQuotes && line[at] === QUOTE) {
        this.#inQuotes = true;
        at += 1;
      }
      const end = this.#inQuotes ? this.#quoted(line, at) : this.#plain(line, at);
      if (typeof end !== 'number') return end;
      if (end === line.length) return 'whole';
      if (line[end] !== this.#delimiter) return { problem: 'expected a delimiter after a closing quote; found text' };
      at = end + 1;
    }
  }

  /** Takes the rest of a quoted field; returns where its closing quote ends. */
  #quoted(line: string, from: number): number | RecordProgress {
    let at = from;
    for (;;) {
      const quote = line.indexOf(QUOTE, at);
      if (quote < 0) {
        this.#field += line.slice(at);
        return 'open';
      }
      this.#field += line.slice(at, quote);
      if (line[quote + 1] !== QUOTE) {
        this.fields.push(this.#field);
        this.#field = '';
        this.#inQuotes = false;
        return quote + 1;
      }
      this.#field += QUOTE;
      at = quote + 2;
    }
  }

  /** Takes an unquoted field; returns where it ends. */
  #plain(line: string, from: number): number | RecordProgress {
    const delimiter = line.indexOf(this.#delimiter, from);
    const end = delimiter < 0 ? line.length : delimiter;
    const field = line.slice(from, end);
    if (field.includes(QUOTE)) return { problem: 'expected a quote only around a whole field; found one inside' };
    this.fields.push(field);
    return end;
  }
}
