/** What a benchmark hands back: a table, and the bars it is held to. Printed, and kept as bench/results/NAME.json. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of the table; every row of a benchmark has the same columns. */
export type Row = Readonly<Record<string, string | number>>;

export interface Bar {
  readonly what: string;
  readonly limit: number;
  readonly value: number;
  readonly met: boolean;
  /** Whether the value has to stay at or below the limit, or at or above it. */
  readonly wanted: 'at most' | 'at least';
}

export interface BenchResult {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
}

/** `full` is the published scale; `small` the form that CI runs: the same code on a share of the data. */
export type BenchSize = 'full' | 'small';

export interface BenchOptions {
  /** The folder of a checkout of the commit before, to be measured in turns with this one; null: none is given. */
  readonly before: string | null;
}

/** What bench/NAME/bench.ts exports as `run`. */
export type Benchmark = (size: BenchSize, options: BenchOptions) => Promise<BenchResult>;

export function atMost(what: string, value: number, limit: number): Bar {
  return { what, limit, value, met: value <= limit, wanted: 'at most' };
}

export function atLeast(what: string, value: number, limit: number): Bar {
  return { what, limit, value, met: value >= limit, wanted: 'at least' };
}

export function printResult({ name, rows, bars }: BenchResult): void {
  console.log(`\n${name}`);
  if (rows.length > 0) console.log(textTable(rows));
  if (bars.length === 0) return;
  console.log(
    textTable(
      bars.map((bar) => ({
        bar: bar.what,
        value: bar.value,
        limit: `${bar.wanted} ${bar.limit}`,
        met: bar.met ? 'yes' : 'NO',
      })),
    ),
  );
}

export function writeResult(folder: string, result: BenchResult): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Four significant digits: more would not come out again. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Percentiles by nearest rank, so that each one reported did occur. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function quantilesOf(values: readonly number[]): Quantiles {
  if (values.length === 0) throw new RangeError('there are no percentiles of no values');
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** Rows as columns of equal width, numbers to the right. */
export function textTable(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => cellText(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => (line[i] ?? '').length)));
  const isNumeric = columns.map((column) => rows.every((row) => typeof row[column] === 'number'));
  return cells
    .map((line) =>
      line
        .map((cell, i) => pad(cell, widths[i] ?? 0, isNumeric[i] === true))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** As a Markdown table: numbers to the right, thousands grouped. */
export function markdownTable(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const isNumeric = columns.map((column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(isNumeric.map((right) => (right ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map((column) => cellText(row[column])))),
  ].join('\n');
}

function cellText(value: string | number | undefined): string {
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumSignificantDigits: 6 }) : (value ?? '');
}

function pad(cell: string, width: number, toTheRight: boolean): string {
  return toTheRight ? cell.padStart(width) : cell.padEnd(width);
}
