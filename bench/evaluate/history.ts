/** When each number was first seen, over everything that was read. */

import { CommandError } from '../../scripts/command/errors.ts';
import { checkInputFile } from '../../scripts/command/paths.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { parseInstant, SECONDS_PER_DAY } from '../../src/lib/time.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { linesOf } from '../support/lines.ts';

/** Ends an evaluation or a fit with a message for the person at the terminal: a file that cannot be used. */
export class EvaluateError extends CommandError {
  override readonly name = 'EvaluateError';
}

// Rows of the two kinds of file, tab-separated. An inventory has one row a number: digits, first seen, last seen,
// sightings. A detection file has one a detection: time, digits. They are told apart by where the date stands.

type FileKind = 'inventory' | 'detections';

const EXPECTED_COLUMNS =
  'tab-separated rows, either of an inventory (digits, first seen, last seen, sightings) or of detections (time, digits)';

interface Row {
  readonly digits: string;
  /** UTC day since 1970. */
  readonly day: number;
}

/** null: neither. A first row of column names is neither as well. */
function kindOf(line: string): FileKind | null {
  if (readDetection(line) !== null) return 'detections';
  return readInventory(line) !== null ? 'inventory' : null;
}

/** null: not a row of that kind. Whether the digits are a number is not asked here. */
function readRow(kind: FileKind, line: string): Row | null {
  return kind === 'inventory' ? readInventory(line) : readDetection(line);
}

function readInventory(line: string): Row | null {
  const [digits, firstSeen] = line.split('\t', 2);
  return rowOf(digits, firstSeen);
}

function readDetection(line: string): Row | null {
  const [time, digits] = line.split('\t', 2);
  return rowOf(digits, time);
}

function rowOf(digits: string | undefined, time: string | undefined): Row | null {
  if (digits === undefined || time === undefined) return null;
  const seconds = parseInstant(time);
  return seconds === null ? null : { digits, day: Math.floor(seconds / SECONDS_PER_DAY) };
}

/** Room for every number of a large feed; a Map cannot hold more than 2^24. */
const MAX_NUMBERS = 10_000_000;

export interface History {
  /** E.164 digits as integers, ascending, and the UTC day since 1970 on which each was first seen. */
  readonly numbers: Float64Array;
  readonly firstDays: Int32Array;
  /** Rows whose digits are no number by src/phone. */
  readonly refusedRows: number;
}

export class HistoryBuilder {
  readonly #firstDays = new Map<number, number>();
  #refusedRows = 0;

  /** @returns whether the digits are a number */
  add(digits: string, day: number): boolean {
    const parsed = parseNumber(digits);
    if (!parsed.ok) {
      this.#refusedRows++;
      return false;
    }
    const { number } = parsed.value;
    const known = this.#firstDays.get(number);
    if (known === undefined || day < known) this.#firstDays.set(number, day);
    if (this.#firstDays.size > MAX_NUMBERS)
      throw new RangeError(`expected at most ${MAX_NUMBERS} numbers in a history`);
    return true;
  }

  build(): History {
    const numbers = Float64Array.from(this.#firstDays.keys()).sort();
    const firstDays = Int32Array.from(numbers, (number) => this.#firstDays.get(number) ?? 0);
    return { numbers, firstDays, refusedRows: this.#refusedRows };
  }
}

/** The last UTC day since 1970 on which any number was first seen. */
export function lastDay({ firstDays }: History): number {
  return firstDays.reduce((last, day) => Math.max(last, day), 0);
}

// From files to a history: plain or gzip, inventories and detections in any order.

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
    const where = error instanceof CommandError ? '' : `${path}: `;
    throw new EvaluateError(`expected a file that can be read, plain or gzip: ${where}${messageOf(error)}`, {
      cause: error,
    });
  }
  if (kind === null) throw new EvaluateError(`${path}: expected ${EXPECTED_COLUMNS}; there are none`);
  // A few are what real feeds look like. Most means that the columns are not what they seemed.
  if (unreadable * 2 > rows) {
    throw new EvaluateError(`${path}: expected ${EXPECTED_COLUMNS}; ${unreadable} of ${rows} rows of ${kind} are not`);
  }
  return { path, kind, rows, refused, unreadable };
}
