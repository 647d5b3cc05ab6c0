/** One row of an input: from a line of bytes through the gate of the ingest to whoever collects it. */

import { attributesText, type Detection } from '../../src/format/attributes.ts';
import type { LineError } from '../../src/format/batch.ts';
import { MAX_LINE_CHARS, malformed, type RawLine } from '../../src/ingest/body.ts';
import { CsvRecord } from '../../src/ingest/csv.ts';
import { isBlank } from '../../src/ingest/fields.ts';
import { Rejection, type ValidationContext, validateLine } from '../../src/ingest/validate.ts';
import type { FileRow } from '../import/file-rows.ts';
import { type Columns, type Mapping, rowToRaw } from '../import/mapping.ts';

// What becomes of the rows of an input, in order.

export interface RowSink {
  /** Times are seconds since 1970; `attributes` is their text (src/format/attributes.ts). */
  accept(number: number, observedAt: number, firstSeenAt: number, sightings: number, attributes: AttributesRef): void;
  reject(error: LineError): void;
  /** Told of each accepted row that had no `observedAt` of its own. */
  undated(): void;
}

/** Attributes, and where they were last put: so that the text is looked up once a batch, not once a row. */
export interface AttributesRef {
  readonly text: string;
  /** The batch and the id in it, as the sink left them. */
  batch: number;
  id: number;
}

export function attributesRef(text: string): AttributesRef {
  return { text, batch: -1, id: -1 };
}

// The gate of the ingest for one row of a file: the same as for an upload. The fast way through it
// (fast-csv-row.ts) is held against this one.

export interface RowContext extends ValidationContext {
  /** `observedAt` of rows without one, as the API takes it. */
  readonly observedAt: string;
}

/** Hands a row on, or says why not. Returns the detection if it was accepted. */
export function checkRow(row: FileRow, context: RowContext, sink: RowSink): Detection | null {
  if ('error' in row) {
    sink.reject(row.error);
    return null;
  }
  const isDated = !isBlank(row.raw.observedAt);
  const raw: RawLine = isDated ? row.raw : { ...row.raw, observedAt: context.observedAt };
  const checked = validateLine(raw, context);
  if (checked instanceof Rejection) {
    sink.reject({ line: row.line, code: checked.code, detail: checked.detail });
    return null;
  }
  const { number, observedAt, firstSeenAt, sightings } = checked;
  if (!isDated) sink.undated();
  sink.accept(number, observedAt, firstSeenAt, sightings, attributesRef(attributesText(checked)));
  return checked;
}

// One line of CSV as a row, as `CsvRows` (src/ingest/csv.ts) reads it where each record is one line.

/**
 * A record goes on in the next line, or a quote is never closed: which of the two cannot be said from the line alone. Or
 * a CR alone ends a line, as old programs write it. So the whole file has to be read from its beginning, by the reader
 * of the import.
 */
export class NeedsWholeFile extends Error {
  override readonly name = 'NeedsWholeFile';
}

export interface CsvShape {
  readonly delimiter: string;
  readonly columns: Columns;
  readonly mapping: Mapping;
}

/** The fields of a line, null if it is blank. @throws NeedsWholeFile */
export function csvFields(text: string, line: number, delimiter: string): readonly string[] | null | FileRow {
  if (text.includes('\r')) throw new NeedsWholeFile();
  if (text.length > MAX_LINE_CHARS) return overlongRow(line);
  if (!text.includes('"')) return text.trim() === '' ? null : text.split(delimiter);
  const record = new CsvRecord(delimiter);
  const progress = record.feed(text);
  if (progress === 'open') throw new NeedsWholeFile();
  if (typeof progress === 'object') return { line, error: malformed(line, progress.problem) };
  return record.fields;
}

/** The row of a line, null if it is blank. @throws NeedsWholeFile */
export function csvRow(text: string, line: number, { delimiter, columns, mapping }: CsvShape): FileRow | null {
  const fields = csvFields(text, line, delimiter);
  if (fields === null || 'line' in fields) return fields;
  if (fields.length === columns.count) return { line, raw: rowToRaw(fields, columns, mapping) };
  const detail = `expected ${columns.count} fields as in the first row; found ${fields.length}`;
  return { line, error: malformed(line, detail) };
}

export function overlongRow(line: number): FileRow {
  return { line, error: malformed(line, `expected at most ${MAX_LINE_CHARS} characters; found more`) };
}

export function notUtf8Row(line: number): FileRow {
  return { line, error: malformed(line, 'expected UTF-8 text; found bytes that are not') };
}

// Cuts bytes that come in pieces into lines, ended by LF or CRLF, without making text of them.

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
      if (end - start > MAX_LINE_BYTES) this.#drop(piece.subarray(start, end - 1), line);
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
      // The last byte may be the CR of a CRLF that a piece ends in.
      if (this.#held.includes(CR) || bytes.subarray(0, -1).includes(CR)) throw new NeedsWholeFile();
      this.#overlong = true;
      this.#held = Buffer.alloc(0);
      return;
    }
    this.#held = Buffer.concat([this.#held, bytes]);
  }

  #drop(bytes: Buffer, line: number): void {
    if (bytes.includes(CR)) throw new NeedsWholeFile();
    this.#sink.overlong(line);
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
