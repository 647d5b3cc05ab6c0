/** What `npm run evaluate` and `npm run fit-neighbourhood` take on their command lines. */
import { parseArguments, wholeNumberOption } from '../../scripts/command/arguments.ts';
import { UsageError } from '../../scripts/command/errors.ts';
import { isoDay, parseInstant, SECONDS_PER_DAY } from '../../src/lib/time.ts';
import { historyFiles } from '../support/shared-data.ts';

export const DEFAULT_SEED = 1;
const MAX_SEED = 999_999_999;
/** What the table was fitted to, and the months that were kept back; both are in the default files. */
const FIT_FROM = '2025-03-01';
const FIT_TO = '2025-06-30';
const HELD_BACK_FROM = '2025-07-01';

const FILES_HELP = `FILES are inventories (rows of digits, first seen, last seen, sightings) and detections (rows of time, digits) in any
number and order, tab-separated, plain or .gz; they are told apart by their columns. Without FILES, those of
../shared/data are read if they are there.`;

export const EVALUATE_HELP = `How well the neighbourhood score tells numbers that are about to be listed from random ones.

  npm run evaluate -- FILES --from DATE [options]

${FILES_HELP}

  --from DATE   evaluate numbers first seen on this UTC day or later; all before is history
                (needed with FILES; default ${HELD_BACK_FROM}, what the table was not fitted to)
  --to DATE     the last day to evaluate            (default: the last day in the files)
  --seed N      of the random numbers to compare with (default ${DEFAULT_SEED})
  --json        print JSON
  --help

Each number is scored against exactly what was known the day before it was first seen.
`;

export const FIT_HELP = `Fits the neighbourhood table to a history and writes src/generated/neighbourhood-table.ts.

  npm run fit-neighbourhood -- [FILES] [options]

${FILES_HELP}

  --from DATE   fit to numbers first seen on this UTC day or later (default ${FIT_FROM})
  --to DATE     and on this day or earlier                          (default ${FIT_TO})
  --seed N      of the random numbers to tell them from             (default ${DEFAULT_SEED})
  --check       write nothing; exit status 1 if the table would differ from the one that is there
  --help

The same files and options give the same bytes.
`;

interface EvaluateOptions {
  readonly files: readonly string[];
  /** UTC days since 1970; `to` null: the last day in the files. */
  readonly from: number;
  readonly to: number | null;
  readonly seed: number;
  readonly json: boolean;
}

interface FitOptions {
  readonly files: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly seed: number;
  readonly check: boolean;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option and what was expected
 */
export function parseEvaluateOptions(args: readonly string[]): EvaluateOptions | null {
  const { values, positionals } = parseArguments(args, { ...COMMON, json: FLAG }, { positionals: true });
  if (values.help) return null;
  if (positionals.length > 0 && values.from === undefined) {
    throw new UsageError('expected --from DATE with FILES: the first UTC day to evaluate, such as 2025-09-01');
  }
  const from = dayOption('from', values.from ?? HELD_BACK_FROM);
  const to = values.to === undefined ? null : dayOption('to', values.to);
  inOrder(from, to ?? from);
  return {
    files: historyFiles(positionals),
    from,
    to,
    seed: wholeNumberOption('--seed', values.seed ?? String(DEFAULT_SEED), 0, MAX_SEED),
    json: values.json,
  };
}

/** As parseEvaluateOptions. */
export function parseFitOptions(args: readonly string[]): FitOptions | null {
  const { values, positionals } = parseArguments(args, { ...COMMON, check: FLAG }, { positionals: true });
  if (values.help) return null;
  const from = dayOption('from', values.from ?? FIT_FROM);
  const to = dayOption('to', values.to ?? FIT_TO);
  inOrder(from, to);
  return {
    files: historyFiles(positionals),
    from,
    to,
    seed: wholeNumberOption('--seed', values.seed ?? String(DEFAULT_SEED), 0, MAX_SEED),
    check: values.check,
  };
}

function inOrder(from: number, to: number): void {
  if (to < from) throw new UsageError(`expected --to on or after --from (${isoDay(from)}); found ${isoDay(to)}`);
}

function dayOption(option: string, text: string): number {
  const seconds = /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseInstant(text) : null;
  if (seconds !== null) return seconds / SECONDS_PER_DAY;
  throw new UsageError(`expected --${option} as a date, YYYY-MM-DD; found ${text}`);
}

const FLAG = { type: 'boolean', default: false } as const;
const COMMON = {
  from: { type: 'string' },
  to: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;
