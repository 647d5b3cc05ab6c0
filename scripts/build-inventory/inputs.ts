/** The inputs of a build: what is read, and in which pieces. All of it can be handed to a worker thread. */

import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { type LineReceiver, MAX_LINE_CHARS } from '../../src/ingest/body.ts';
import { readNdjsonLine } from '../../src/ingest/json.ts';
import { type FileSource, formatOf, mayBeObserved, readError, rowsOf } from '../import/file-rows.ts';
import {
  type Columns,
  columnsOf,
  hasColumnNumbers,
  ImportError,
  isReadBy,
  type Mapping,
  objectToRaw,
} from '../import/mapping.ts';
import { FastCsvRows } from './fast-csv-row.ts';
import { BuildError } from './journal.ts';
import {
  type ByteLineSink,
  ByteLines,
  checkRow,
  csvFields,
  NeedsWholeFile,
  notUtf8Row,
  overlongRow,
  type RowContext,
  type RowSink,
} from './rows.ts';

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
  const date = new Date(mayBeObserved(file.modifiedMs, beganMs) ? file.modifiedMs : beganMs);
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
  if (text.trim() === '' || text.length > MAX_LINE_CHARS || /["\r]/.test(text)) return null;
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

// The rows of a piece of an input, from the file to the sink.

const PIECE_BYTES = 2 ** 20;
const LF = 0x0a;

/**
 * Reads a piece. Lines count from 1 in the piece; for a whole file they are those of the file.
 *
 * @param onPiece called now and then with the bytes read since the last call, where what was accepted can be put away
 * @returns how many lines begin in the piece; 0 for a whole file, which needs no counting
 * @throws NeedsWholeFile if the file has to be read as a whole
 * @throws BuildError `invalid-input` if it cannot be read
 */
export async function readRows(
  input: Input,
  range: InputRange,
  context: RowContext,
  sink: RowSink,
  onPiece: (bytes: number) => void,
): Promise<number> {
  if (range.isWhole) {
    await readWholeFile(input, context, sink, onPiece);
    return 0;
  }
  const lines = new ByteLines(lineSink(input, context, sink));
  if (input.format.gzip) await readGzip(input.path, range.start, lines, onPiece);
  else readPieces(input.path, range, lines, onPiece);
  return lines.lines;
}

function lineSink(input: Input, context: RowContext, sink: RowSink): ByteLineSink {
  const { format, mapping, layout } = input;
  if (format.kind === 'delimited' && layout?.columns) {
    return new FastCsvRows({ delimiter: format.delimiter, columns: layout.columns, mapping }, context, sink);
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  const isRead = isReadBy(mapping);
  const receiver = (line: number): LineReceiver => ({
    raw: (fields) => checkRow({ line, raw: objectToRaw(fields, mapping) }, context, sink),
    reject: (error) => checkRow({ line, error }, context, sink),
  });
  return {
    line(bytes, start, end, line) {
      let text: string;
      try {
        text = decoder.decode(bytes.subarray(start, end));
      } catch {
        checkRow(notUtf8Row(line), context, sink);
        return;
      }
      if (text.includes('\r')) throw new NeedsWholeFile();
      readNdjsonLine(text, line, receiver(line), isRead);
    },
    overlong: (line) => checkRow(overlongRow(line), context, sink),
  };
}

/** All lines that begin in the range, the last of them beyond its end if need be. */
function readPieces(path: string, range: InputRange, lines: ByteLines, onPiece: (bytes: number) => void): void {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    // One byte back: whether a line begins at the start shows in the byte before it. The first piece begins with one.
    let at = range.index === 0 ? range.start : range.start - 1;
    let isSkipping = range.index > 0;
    for (;;) {
      const count = readSync(file, buffer, 0, PIECE_BYTES, at);
      if (count === 0) break;
      let from = 0;
      if (isSkipping) {
        const end = buffer.subarray(0, count).indexOf(LF);
        from = end < 0 ? count : end + 1;
        isSkipping = end < 0;
        if (at + from >= range.end) return;
      }
      const goesOn = lines.push(buffer.subarray(from, count), range.end - at - from);
      at += count;
      onPiece(count - from);
      if (!goesOn || (at >= range.end && !lines.isOpen)) return;
    }
    lines.end();
  } finally {
    closeSync(file);
  }
}

/** All lines from `start` on, counted in what the file holds. */
async function readGzip(
  path: string,
  start: number,
  lines: ByteLines,
  onPiece: (bytes: number) => void,
): Promise<void> {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  let read = 0;
  file.on('data', (piece) => {
    read += piece.length;
  });
  try {
    let skip = start;
    // The callback is there so that a failure surfaces only where the bytes are read, below.
    for await (const piece of pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), () => undefined)) {
      lines.push(piece.subarray(Math.min(skip, piece.length)));
      skip = Math.max(0, skip - piece.length);
      onPiece(read);
      read = 0;
    }
    lines.end();
  } catch (error) {
    if (error instanceof NeedsWholeFile || error instanceof BuildError) throw error;
    const cause = readError(path, error);
    throw new BuildError('invalid-input', cause.message, { cause });
  } finally {
    file.destroy();
  }
}

async function readWholeFile(
  input: Input,
  context: RowContext,
  sink: RowSink,
  onPiece: (bytes: number) => void,
): Promise<void> {
  let bytes = 0;
  try {
    const onBytes = (count: number) => {
      bytes += count;
    };
    for await (const group of rowsOf(input, { onBytes })) {
      for (const row of group) checkRow(row, context, sink);
      onPiece(bytes);
      bytes = 0;
    }
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new BuildError('invalid-input', error.message, { cause: error });
  }
}
