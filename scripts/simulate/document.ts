/** The generated tables of docs/SCALE.md, between markers: <!-- table ID --> … <!-- end --> */
import { join } from 'node:path';
import { markdownTable, type Table } from './table.ts';

export const SCALE_DOCUMENT = join(import.meta.dirname, '..', '..', 'docs', 'SCALE.md');

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
