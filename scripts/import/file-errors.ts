/** What went wrong with a file, said so that someone can do something about it. */
import { basename } from 'node:path';
import { BodyError } from '../../src/ingest/errors.ts';
import { codeOf, fileProblem } from '../command/errors.ts';
import { ImportError } from './import-error.ts';

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
