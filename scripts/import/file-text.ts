import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Utf8Text } from '../../src/ingest/utf8-text.ts';
import { readError } from './file-errors.ts';

/** Pieces of the file as read from disk; gzip is inflated in pieces of the same size. */
const PIECE_BYTES = 64 * 1024;

/**
 * The text of a file in pieces, whatever its size; several gzip members (`cat a.gz b.gz`) are read as one.
 * @param onBytes told how many bytes of the file were read, as they are on disk
 * @throws ImportError if it cannot be read, is not whole gzip, or is not UTF-8
 */
export async function* textOf(
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
