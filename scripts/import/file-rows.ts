/** Reads a file as rows, with the readers of src/ingest, and maps its columns to fields. */

import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { LineError } from '../../src/format/batch.ts';
import { BodyError, type BodyReader, isRawLine, kindOf, malformed, type RawLine } from '../../src/ingest/body.ts';
import { CsvRows, checkFirstRecord, swallowedRows, swallowsRows } from '../../src/ingest/csv.ts';
import { Utf8Text } from '../../src/ingest/decode.ts';
import { type IsRead, type JsonElement, JsonElements, ndjsonReader, repeatedField } from '../../src/ingest/json.ts';
import { MAX_AHEAD_SECONDS, MIN_OBSERVED_AT } from '../../src/ingest/validate.ts';
import { codeOf, fileProblem } from '../command/errors.ts';
import {
  type Columns,
  columnsOf,
  ImportError,
  isReadBy,
  KEY_PROPERTY,
  type Mapping,
  objectToRaw,
  rowToRaw,
  VALUE_PROPERTY,
} from './mapping.ts';

// What went wrong with a file, said so that someone can do something about it.

export function readError(path: string, error: unknown): ImportError {
  const name = basename(path);
  const code = codeOf(error);
  const cause = { cause: error };
  if (code === 'ENOENT' || code === 'ENOTDIR') return new ImportError(`${path}: there is no such file`, cause);
  if (code === 'EISDIR') return new ImportError(`${path}: this is a folder; name the files in it`, cause);
  if (code === 'EACCES' || code === 'EPERM') return new ImportError(`${path}: no permission to read this file`, cause);
  if (error instanceof BodyError) {
    return new ImportError(`${name}: ${error.detail}; convert it first, for example with iconv`, cause);
  }
  if (code.startsWith('Z_')) {
    return new ImportError(`${name}: expected whole gzip data; the file is damaged, cut short, or not gzip`, cause);
  }
  return new ImportError(`${name}: reading failed (${code || 'unknown reason'})`, cause);
}

/** @throws ImportError if something cannot be written to (or read from) a path of ours */
export function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === '') throw error;
    const problem = `cannot be written (${fileProblem(error)}); name another place with --state or --rejects`;
    throw new ImportError(`${path}: ${problem}`, { cause: error });
  }
}

type FileFormat =
  | { readonly kind: 'delimited'; readonly delimiter: ',' | '\t'; readonly gzip: boolean }
  | { readonly kind: 'ndjson' | 'json'; readonly gzip: boolean };

const EXTENSION = /\.(csv|tsv|ndjson|jsonl|json)(\.gz)?$/i;

/** @throws ImportError if the name does not tell */
export function formatOf(file: string): FileFormat {
  const match = EXTENSION.exec(file);
  if (match === null) {
    throw new ImportError(
      `${basename(file)}: expected a name that ends in .csv, .tsv, .ndjson, .jsonl or .json, with or without .gz`,
    );
  }
  const gzip = match[2] !== undefined;
  switch (match[1]?.toLowerCase()) {
    case 'csv':
      return { kind: 'delimited', delimiter: ',', gzip };
    case 'tsv':
      return { kind: 'delimited', delimiter: '\t', gzip };
    case 'json':
      return { kind: 'json', gzip };
    default:
      return { kind: 'ndjson', gzip };
  }
}

/** Pieces of the file as read from disk; gzip is inflated in pieces of the same size. */
const PIECE_BYTES = 64 * 1024;

/**
 * The text of a file in pieces, whatever its size; several gzip members (`cat a.gz b.gz`) are read as one.
 * @param onBytes told how many bytes of the file were read, as they are on disk
 * @throws ImportError if it cannot be read, is not whole gzip, or is not UTF-8
 */
async function* textOf(
  path: string,
  gzip: boolean,
  onBytes: (count: number) => void,
): AsyncGenerator<string, void, undefined> {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  file.on('data', (piece) => onBytes(piece.length));
  // The callback is there so that a failure surfaces only where the text is read, below.
  const bytes = gzip ? pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), () => undefined) : file;
  const utf8 = new Utf8Text();
  try {
    for await (const piece of bytes) yield utf8.push(piece);
    const rest = utf8.end();
    if (rest !== '') yield rest;
  } catch (error) {
    throw readError(path, error);
  } finally {
    file.destroy();
  }
}

/** One row of a file. `line` is 1-based: the line where it starts, or the element or member of a JSON file. */
export type FileRow =
  | { readonly line: number; readonly raw: RawLine }
  | { readonly line: number; readonly error: LineError };

export interface FileSource {
  readonly path: string;
  readonly format: FileFormat;
  /** Of a delimited file: whether the first row names the columns. */
  readonly header: boolean;
  readonly mapping: Mapping;
}

export interface RowHooks {
  /** Told how many bytes of the file were read, as they are on disk. */
  readonly onBytes: (count: number) => void;
  /** Told the names of columns and properties that are not mapped, some of them no fields. */
  readonly onNames?: (names: readonly string[]) => void;
}

/**
 * All rows in order, in groups no larger than a piece of text holds.
 * @throws ImportError if the file as a whole cannot be read
 */
export async function* rowsOf(
  source: FileSource,
  { onBytes, onNames = () => undefined }: RowHooks,
): AsyncGenerator<readonly FileRow[], void, undefined> {
  let rows: FileRow[] = [];
  const reader = readerOf(source, { row: (row) => rows.push(row), names: onNames });
  const take = () => {
    const taken = rows;
    rows = [];
    return taken;
  };
  for await (const text of textOf(source.path, source.format.gzip, onBytes)) {
    inFile(source.path, () => reader.push(text));
    yield take();
  }
  inFile(source.path, () => reader.end());
  yield take();
}

/** Says which file it is that cannot be read. */
function inFile(path: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (error instanceof BodyError) throw new ImportError(`${basename(path)}: ${error.detail}`, { cause: error });
    if (error instanceof ImportError) throw new ImportError(`${basename(path)}: ${error.message}`, { cause: error });
    throw error;
  }
}

interface RowSink {
  readonly row: (row: FileRow) => void;
  readonly names: (names: readonly string[]) => void;
}

function readerOf({ format, header, mapping }: FileSource, sink: RowSink): BodyReader {
  const reject = (error: LineError) => sink.row({ line: error.line, error });
  const isRead = isReadBy(mapping);
  const object = (fields: RawLine, line: number): FileRow => {
    const raw = objectToRaw(fields, mapping);
    sink.names(Object.keys(raw).filter((name) => name !== KEY_PROPERTY && name !== VALUE_PROPERTY));
    return { line, raw };
  };
  switch (format.kind) {
    case 'ndjson':
      return ndjsonReader({ raw: (fields, line) => sink.row(object(fields, line)), reject }, isRead);
    case 'json':
      return new JsonElements((element) => sink.row(elementRow(element, { mapping, isRead, object })), {
        members: true,
      });
    case 'delimited':
      return delimitedReader(format.delimiter, header, mapping, sink);
  }
}

function delimitedReader(delimiter: string, header: boolean, mapping: Mapping, sink: RowSink): BodyReader {
  let columns: Columns | null = null;
  const rows = new CsvRows(
    {
      row(fields, line, endLine) {
        if (columns === null) {
          checkFirstRecord(fields);
          columns = columnsOf(fields, header, mapping);
          sink.names(columns.others);
          if (header) return;
        }
        if (fields.length !== columns.count) {
          const detail = `expected ${columns.count} fields as in the first row; found ${fields.length}`;
          sink.row({ line, error: malformed(line, detail) });
        } else if (endLine > line && swallowsRows(fields, { ...columns, delimiter })) {
          sink.row({ line, error: swallowedRows(line, endLine) });
        } else {
          sink.row({ line, raw: rowToRaw(fields, columns, mapping) });
        }
      },
      reject(error) {
        if (columns === null) throw new ImportError(`the first row cannot be read: ${error.detail}`);
        sink.row({ line: error.line, error });
      },
    },
    delimiter,
  );
  return rows;
}

interface ElementReading {
  readonly mapping: Mapping;
  readonly isRead: IsRead;
  readonly object: (fields: RawLine, line: number) => FileRow;
}

function elementRow(element: JsonElement, { mapping, isRead, object }: ElementReading): FileRow {
  const line = element.index;
  if ('problem' in element) return { line, error: malformed(line, element.problem) };
  const { text, value } = parseElement(element);
  // The properties of a member's value are a level further in.
  const problem = repeatedField(text, value, isRead, element.container === 'object' ? 2 : 1);
  if (problem !== null) return { line, error: malformed(line, problem) };
  if (!isRawLine(value)) return { line, error: malformed(line, `expected an object; found ${kindOf(value)}`) };
  if (element.container === 'array') return object(value, line);
  if (mapping.map.number === undefined) {
    throw new ImportError(
      `this is one JSON object: say where its numbers are with --map 'number=${KEY_PROPERTY}', and so on`,
    );
  }
  return object(memberObject(value), line);
}

/** A member becomes an object of its key and its value; if the value is an object, also of that one's properties. */
function memberObject(member: RawLine): RawLine {
  const [key, value] = Object.entries(member)[0] ?? [];
  return { ...(isRawLine(value) ? value : {}), [KEY_PROPERTY]: key, [VALUE_PROPERTY]: value };
}

function parseElement(element: { readonly container: string; readonly index: number; readonly text: string }) {
  const text = element.container === 'object' ? `{${element.text}}` : element.text;
  try {
    return { text, value: JSON.parse(text) as unknown };
  } catch {
    // The parser's own message quotes the text, and so perhaps a number.
    throw new ImportError(`element ${element.index} is not JSON`);
  }
}

/** Whether something can have been observed when a file was last written. Milliseconds since 1970. */
export function mayBeObserved(modifiedMs: number, nowMs: number): boolean {
  return modifiedMs >= MIN_OBSERVED_AT * 1000 && modifiedMs <= nowMs + MAX_AHEAD_SECONDS * 1000;
}
