/** From files to a history: plain or gzip, inventories and detections in any order. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CommandError } from '../command/errors.ts';
import { checkInputFile } from '../command/paths.ts';
import { EvaluateError } from './evaluate-error.ts';
import { type History, HistoryBuilder } from './history.ts';
import { EXPECTED_COLUMNS, type FileKind, kindOf, readRow } from './rows.ts';

/** Lines in which the kind of a file has to show: the first may be column names. */
const LINES_TO_TELL = 2;

export interface FileSummary {
  readonly path: string;
  readonly kind: FileKind;
  readonly rows: number;
  /** Rows whose digits are no valid number, and rows without the columns of their kind. Both are left out. */
  readonly refused: number;
  readonly unreadable: number;
}

/** @throws EvaluateError naming the file and what was expected of it */
export async function readHistory(
  paths: readonly string[],
): Promise<{ history: History; files: readonly FileSummary[] }> {
  const builder = new HistoryBuilder();
  const files: FileSummary[] = [];
  for (const path of paths) files.push(await readFileInto(builder, path));
  return { history: builder.build(), files };
}

async function readFileInto(builder: HistoryBuilder, path: string): Promise<FileSummary> {
  let kind: FileKind | null = null;
  let [lines, rows, refused, unreadable] = [0, 0, 0, 0];
  try {
    checkInputFile(path);
    for await (const line of linesOf(path)) {
      if (line === '') continue;
      lines++;
      if (kind === null) {
        kind = kindOf(line);
        if (kind === null && lines < LINES_TO_TELL) continue;
        if (kind === null) throw new EvaluateError(`${path}: expected ${EXPECTED_COLUMNS}; its first rows are neither`);
      }
      const row = readRow(kind, line);
      rows++;
      if (row === null) unreadable++;
      else if (!builder.add(row.digits, row.day)) refused++;
    }
  } catch (error) {
    if (error instanceof EvaluateError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const where = error instanceof CommandError ? '' : `${path}: `;
    throw new EvaluateError(`expected a file that can be read, plain or gzip: ${where}${reason}`, { cause: error });
  }
  if (kind === null) throw new EvaluateError(`${path}: expected ${EXPECTED_COLUMNS}; there are none`);
  // A few are what real feeds look like. Most means that the columns are not what they seemed.
  if (unreadable * 2 > rows) {
    throw new EvaluateError(`${path}: expected ${EXPECTED_COLUMNS}; ${unreadable} of ${rows} rows of ${kind} are not`);
  }
  return { path, kind, rows, refused, unreadable };
}

function linesOf(path: string): AsyncIterable<string> {
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
