/** The lines of a file, plain or gzip, one at a time. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Rejects where they cannot be read any further. */
export function linesOf(path: string): AsyncIterable<string> {
  const file = createReadStream(path);
  // The callback is there so that a failure surfaces only where the lines are read.
  const input = path.endsWith('.gz') ? pipeline(file, createGunzip(), () => undefined) : file;
  return failingLines(input);
}

/** As readline cuts them; it does not pass a failure of its input on. */
async function* failingLines(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  let failure: unknown;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  input.on('error', (error) => {
    failure = error;
    lines.close();
  });
  yield* lines;
  if (failure !== undefined) throw failure;
}
