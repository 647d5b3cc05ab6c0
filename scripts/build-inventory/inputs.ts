/** The inputs of a build: what is read, and in which pieces. All of it can be handed to a worker thread. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { MAX_LINE_CHARS } from '../../src/ingest/limits.ts';
import { MAX_AHEAD_SECONDS, MIN_OBSERVED_AT } from '../../src/ingest/validate.ts';
import { readError } from '../import/file-errors.ts';
import { formatOf } from '../import/file-format.ts';
import type { FileSource } from '../import/file-rows.ts';
import { ImportError } from '../import/import-error.ts';
import { type Columns, columnsOf, hasColumnNumbers, type Mapping } from '../import/mapping.ts';
import { BuildError } from './build-error.ts';
import { csvFields } from './csv-line.ts';

/** Bytes of a file that are one task: about as many rows as one batch holds. */
export const RANGE_BYTES = 32 * 2 ** 20;
/** A UTF-8 byte order mark, and a header of the longest line that is read. */
const HEADER_BYTES = 3 + 3 * MAX_LINE_CHARS + 2;

export interface OpenedFile extends FileSource {
  readonly sizeBytes: number;
  /** Milliseconds since 1970, as the file system has it: a file that was touched is another input. */
  readonly modifiedMs: number;
  /**
   * How a delimited file is laid out, if it can be read from anywhere: `start` is where the rows begin, and `lines` how
   * many come before them. Null for a file that has to be read from its beginning.
   */
  readonly layout: { readonly columns: Columns | null; readonly start: number; readonly lines: number } | null;
}

export interface Input extends OpenedFile {
  /** Of rows without one. */
  readonly observedAt: string;
}

/** A piece of an input: the rows whose lines begin in it. */
export interface InputRange {
  readonly input: number;
  /** Of the pieces of this input, from 0. */
  readonly index: number;
  /** Bytes, of what gzip holds if it is that. */
  readonly start: number;
  readonly end: number;
  /** The file is read from its beginning by the reader of the import, which needs no layout. */
  readonly isWhole: boolean;
}

/** @throws BuildError `invalid-input` if it cannot be read, or its header does not say where the numbers are */
export function openFile(path: string, mapping: Mapping, header: boolean | undefined): OpenedFile {
  try {
    const { size, mtimeMs } = statSync(path);
    const source = { path, format: formatOf(path), header: header ?? !hasColumnNumbers(mapping), mapping };
    return { ...source, sizeBytes: size, modifiedMs: Math.floor(mtimeMs), layout: layoutOf(source, size) };
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const cause = error instanceof ImportError ? error : readError(path, error);
    throw new BuildError('invalid-input', cause.message, { cause: error });
  }
}

/**
 * @param observedAt of rows without one; null: when the file was last written, or if nothing can have been observed
 *   then, when the build began
 */
export function inputOf(file: OpenedFile, observedAt: string | null, beganMs: number): Input {
  const { modifiedMs } = file;
  const isPlausible = modifiedMs >= MIN_OBSERVED_AT * 1000 && modifiedMs <= beganMs + MAX_AHEAD_SECONDS * 1000;
  const date = new Date(isPlausible ? modifiedMs : beganMs);
  return { ...file, observedAt: observedAt ?? `${date.toISOString().slice(0, 19)}Z` };
}

function layoutOf(source: FileSource, sizeBytes: number): OpenedFile['layout'] {
  const { format, header, mapping, path } = source;
  if (sizeBytes === 0) return null;
  if (format.kind === 'ndjson') return { columns: null, start: 0, lines: 0 };
  if (format.kind !== 'delimited') return null;
  const head = readHead(path, format.gzip);
  const bom = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  const end = head.indexOf(0x0a, bom);
  const line = end < 0 ? head.subarray(bom) : head.subarray(bom, end);
  const text = line.toString('utf8').replace(/\r$/, '');
  // A header that is blank, quoted over several lines or too long is read, or refused, by the reader of whole files.
  if (text.trim() === '' || text.length > MAX_LINE_CHARS || text.includes('"')) return null;
  const fields = csvFields(text, 1, format.delimiter);
  if (fields === null || 'line' in fields) return null;
  try {
    const columns = columnsOf(fields, header, mapping);
    if (!header) return { columns, start: bom, lines: 0 };
    return { columns, start: end < 0 ? head.length : end + 1, lines: 1 };
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new BuildError('invalid-input', `${basename(path)}: ${error.message}`, { cause: error });
  }
}

/** The beginning of what the file holds, the whole header if that is not too long to be read. */
function readHead(path: string, gzip: boolean): Buffer {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEADER_BYTES);
    const read = head.subarray(0, readSync(file, head, 0, HEADER_BYTES, 0));
    // What follows is missing on purpose; damage shows when the file is read.
    return gzip ? gunzipSync(read, { finishFlush: constants.Z_SYNC_FLUSH }) : read;
  } finally {
    closeSync(file);
  }
}

/** The pieces of an input in order; a file without a layout is one, and so is gzip, which has to be read in order. */
export function rangesOf(input: Input, index: number, rangeBytes = RANGE_BYTES): InputRange[] {
  if (input.layout === null) return [wholeFile(index)];
  const { start } = input.layout;
  const ranges: InputRange[] = [];
  if (input.format.gzip) return [{ input: index, index: 0, start, end: Number.POSITIVE_INFINITY, isWhole: false }];
  for (let start = input.layout.start; start < input.sizeBytes; start += rangeBytes) {
    const end = Math.min(start + rangeBytes, input.sizeBytes);
    ranges.push({ input: index, index: ranges.length, start, end, isWhole: false });
  }
  return ranges;
}

/** A file as one piece, read from its beginning. */
export function wholeFile(input: number): InputRange {
  return { input, index: 0, start: 0, end: Number.POSITIVE_INFINITY, isWhole: true };
}
