/**
 * The real history (not part of the repository): the shipped table is what the fit makes of it, and what it catches.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from '../../../../bench/evaluate/evaluate.ts';
import { fitTable, TABLE_FILE, tableSource } from '../../../../bench/evaluate/fit.ts';
import { lastDay, readHistory } from '../../../../bench/evaluate/history.ts';
import { DEFAULT_SEED, parseEvaluateOptions, parseFitOptions } from '../../../../bench/evaluate/options.ts';

const DATA = resolve(import.meta.dirname, '../../../../../shared/data');
const present = existsSync(resolve(DATA, 'inventory-2025-02-28.tsv.gz'));
if (!present) console.log(`evaluate/real-data.test: ${DATA} is not there; skipped`);

test.skipIf(!present)('the shipped table is the one that the fit writes, byte for byte', async () => {
  const options = parseFitOptions([]);
  if (options === null) throw new Error('expected options');
  const { history } = await readHistory(options.files);
  const { table, cells } = fitTable(history, options, DEFAULT_SEED);
  const source = tableSource(table, { ...options, firstTime: cells.firstTime, nulls: cells.nulls });
  expect(source).toBe(readFileSync(TABLE_FILE, 'utf8'));
});

test.skipIf(!present)(
  'it catches a quarter of the months that were held back at 0.1 %, more than the rule of thumb',
  async () => {
    const options = parseEvaluateOptions([]);
    if (options === null) throw new Error('expected options');
    const { history } = await readHistory(options.files);
    const { firstTime, nulls } = evaluate(history, { from: options.from, to: lastDay(history) }, DEFAULT_SEED, 200_000);
    const [million] = nulls;
    expect(firstTime).toBe(1984);
    expect(million?.score[1]?.recall.value).toBeGreaterThan(0.26);
    expect(million?.score[2]?.recall.value).toBeGreaterThan((million?.hundred[2]?.recall.value ?? 1) + 0.03);
    expect(million?.suspect.falsePositives.value).toBeLessThan(0.001);
    expect(million?.suspect.recall.value).toBeGreaterThan(0.25);
  },
);
