/** The rows of a piece of an input, from the file to the sink. */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { readNdjsonLine } from '../../src/ingest/ndjson.ts';
import type { LineReceiver } from '../../src/ingest/reader.ts';
import { readError } from '../import/file-errors.ts';
import { rowsOf } from '../import/file-rows.ts';
import { ImportError } from '../import/import-error.ts';
import { isReadBy, objectToRaw } from '../import/mapping.ts';
import { BuildError } from './build-error.ts';
import { type ByteLineSink, ByteLines } from './byte-lines.ts';
import { checkRow, type RowContext } from './checked-row.ts';
import { notUtf8Row, OpenQuote, overlongRow } from './csv-line.ts';
import { FastCsvRows } from './fast-csv-row.ts';
import type { Input, InputRange } from './inputs.ts';
import type { RowSink } from './row-sink.ts';

const PIECE_BYTES = 2 ** 20;
const LF = 0x0a;

/**
 * Reads a piece. Lines count from 1 in the piece; for a whole file they are those of the file.
 *
 * @param onPiece called now and then with the bytes read since the last call, where what was accepted can be put away
 * @returns how many lines begin in the piece; 0 for a whole file, which needs no counting
 * @throws OpenQuote if the file has to be read as a whole
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
    if (error instanceof OpenQuote || error instanceof BuildError) throw error;
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
