import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ImportError } from './import-error.ts';

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
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  try {
    for await (const piece of bytes) yield decoder.decode(piece, { stream: true });
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  } catch (error) {
    throw readError(path, error);
  } finally {
    file.destroy();
  }
}

/** What went wrong with a file, said so that someone can do something about it. */
export function readError(path: string, error: unknown): ImportError {
  const name = basename(path);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = { cause: error };
  if (code === 'ENOENT') return new ImportError(`${path}: there is no such file`, cause);
  if (code === 'EISDIR') return new ImportError(`${path}: this is a folder; name the files in it`, cause);
  if (code === 'EACCES' || code === 'EPERM') return new ImportError(`${path}: no permission to read this file`, cause);
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return new ImportError(`${name}: expected UTF-8 text; convert it first, for example with iconv`, cause);
  }
  if (code.startsWith('Z_')) {
    return new ImportError(`${name}: expected whole gzip data; the file is damaged, cut short, or not gzip`, cause);
  }
  return new ImportError(`${name}: reading failed (${code || 'unknown reason'})`, cause);
}
