/** Tables of the simulation: printed, written into docs/SCALE.md, and flattened into bench/results/simulate.json. */

import { join } from 'node:path';
import { PROJECT } from '../../scripts/command/paths.ts';
import { type Bar, markdownTable, type Row } from '../report.ts';

export interface Table {
  /** Names the table in docs/SCALE.md and in the results file. */
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Section {
  readonly tables: readonly Table[];
  readonly bars: readonly Bar[];
}

/** One row a figure: a results file has the same columns in every row. */
export function flatten({ id, rows }: Table): Row[] {
  return rows.flatMap((row) => {
    const [label, ...figures] = Object.entries(row);
    return figures.map(([figure, value]) => ({ table: id, row: String(label?.[1] ?? ''), figure, value }));
  });
}

/** Three significant digits: the assumptions do not carry more. */
export function three(value: number): number {
  return Number(value.toPrecision(3));
}

export function kibibytes(bytes: number): number {
  return three(bytes / 1024);
}

// The generated tables of docs/SCALE.md, between markers: <!-- table ID --> … <!-- end -->

export const SCALE_DOCUMENT = join(PROJECT, 'docs', 'SCALE.md');

const MARKED = /<!-- table ([a-z-]+) -->\n[\s\S]*?<!-- end -->/g;

/** The document with the tables as they are now. Throws when it asks for one that there is not, or leaves one out. */
export function withTables(document: string, tables: readonly Table[]): string {
  const missing = new Set(tables.map(({ id }) => id));
  const written = document.replace(MARKED, (_, id: string) => {
    const table = tables.find((candidate) => candidate.id === id);
    if (table === undefined)
      throw new Error(`there is no table "${id}": there are ${tables.map((t) => t.id).join(', ')}`);
    missing.delete(id);
    return `<!-- table ${id} -->\n${markdownTable(table.rows)}\n<!-- end -->`;
  });
  if (missing.size > 0) throw new Error(`the document has no place for: ${[...missing].join(', ')}`);
  return written;
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
