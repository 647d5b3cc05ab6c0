/** One line of CSV as a row, as `CsvRows` (src/ingest/csv-rows.ts) reads it where each record is one line. */
import { CsvRecord } from '../../src/ingest/csv-record.ts';
import { MAX_LINE_CHARS } from '../../src/ingest/limits.ts';
import { malformed } from '../../src/ingest/reader.ts';
import type { FileRow } from '../import/file-rows.ts';
import { type Columns, type Mapping, rowToRaw } from '../import/mapping.ts';

/**
 * A record goes on in the next line, or a quote is never closed: which of the two cannot be said from the line alone,
 * so the whole file has to be read from its beginning.
 */
export class OpenQuote extends Error {
  override readonly name = 'OpenQuote';
}

export interface CsvShape {
  readonly delimiter: string;
  readonly columns: Columns;
  readonly mapping: Mapping;
}

/** The fields of a line, null if it is blank. @throws OpenQuote */
export function csvFields(text: string, line: number, delimiter: string): readonly string[] | null | FileRow {
  if (text.length > MAX_LINE_CHARS) return overlongRow(line);
  if (!text.includes('"')) return text.trim() === '' ? null : text.split(delimiter);
  const record = new CsvRecord(delimiter);
  const progress = record.feed(text);
  if (progress === 'open') throw new OpenQuote();
  if (typeof progress === 'object') return { line, error: malformed(line, progress.problem) };
  return record.fields;
}

/** The row of a line, null if it is blank. @throws OpenQuote */
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
