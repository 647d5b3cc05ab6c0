/**
 * Real feeds (not part of the repository): what of them is a number, and why the rest is not. Prints counts only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseNumber } from '../../../src/phone/parse.ts';

const DATA = resolve(import.meta.dirname, '../../../../shared/data');
const FILES = [
  { name: 'inventory-2025-02-28.tsv.gz', column: 0 },
  { name: 'detections-2025-03-01_2025-08-31.tsv.gz', column: 1 },
];

for (const { name, column } of FILES) {
  const file = resolve(DATA, name);
  const present = existsSync(file);
  if (!present) console.log(`shared-data.test: ${file} is not there; skipped`);

  test.skipIf(!present)(
    `every row of ${name} is a number or has a reason`,
    () => {
      const rows = gunzipSync(readFileSync(file)).toString('utf8').split('\n');
      if (rows.at(-1) === '') rows.pop();
      let valid = 0;
      const distinct = new Set<number>();
      const reasons: Record<string, number> = {};
      for (const row of rows) {
        const result = parseNumber(row.split('\t')[column] ?? '');
        if (result.ok) {
          valid++;
          distinct.add(result.value.number);
        } else {
          const reason = result.detail.slice(0, result.detail.indexOf(':'));
          reasons[reason] = (reasons[reason] ?? 0) + 1;
        }
      }
      const invalid = Object.values(reasons).reduce((sum, count) => sum + count, 0);
      console.log(name, { rows: rows.length, valid, distinct: distinct.size, invalid, reasons });
      expect(valid + invalid).toBe(rows.length);
      expect(valid / rows.length).toBeGreaterThan(0.99);
    },
    30_000,
  );
}
