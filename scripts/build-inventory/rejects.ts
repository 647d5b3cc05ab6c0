/** The rejected rows of all inputs in one file, as the import writes it: file, line, code, detail; never a number. */
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LineError } from '../../src/format/batch.ts';
import { RejectsFile } from '../import/rejects-file.ts';
import type { ParsedInput } from './parse-inputs.ts';
import { rejectsName } from './parse-range.ts';

const ROWS_AT_ONCE = 1000;

/** Replaces an older file. Returns its path, or null if nothing was rejected. */
export async function writeRejects(
  path: string,
  folder: string,
  inputs: readonly ParsedInput[],
): Promise<string | null> {
  const file = RejectsFile.start(path);
  for (const { input, ranges } of inputs) {
    // Lines were counted in each piece, from 1.
    let before = input.layout?.lines ?? 0;
    for (const { range, parsed } of ranges) {
      const source = join(folder, rejectsName(range));
      if (existsSync(source))
        await copy(source, range.isWhole ? 0 : before, (rejects) => file.write(input.path, rejects));
      before += parsed.lines;
    }
  }
  return file.bytes > 0 ? path : null;
}

/** The path of the file that an earlier run of the build has written, or null if nothing was rejected. */
export function rejectsBefore(path: string, inputs: readonly ParsedInput[]): string | null {
  const codes = inputs.flatMap(({ ranges }) => ranges.flatMap(({ parsed }) => Object.keys(parsed.rejectedByCode)));
  return codes.length > 0 ? path : null;
}

async function copy(source: string, before: number, write: (rejects: readonly LineError[]) => void): Promise<void> {
  let held: LineError[] = [];
  for await (const text of createInterface({ input: createReadStream(source), crlfDelay: Number.POSITIVE_INFINITY })) {
    const { line, code, detail } = JSON.parse(text) as LineError;
    held.push({ line: before + line, code, detail });
    if (held.length < ROWS_AT_ONCE) continue;
    write(held);
    held = [];
  }
  write(held);
}
