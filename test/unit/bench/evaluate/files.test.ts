import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readHistory } from '../../../../bench/evaluate/history.ts';
import { parseEvaluateOptions, parseFitOptions } from '../../../../bench/evaluate/options.ts';
import { detectionRow, inventoryRow, START } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-evaluate-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, rows: readonly string[]): string {
  const path = join(folder, name);
  const text = rows.map((row) => `${row}\n`).join('');
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

const A = 4_915_112_345_600;

describe('readHistory', () => {
  it('tells inventories from detections, plain and gzip, and keeps the earliest day of each number', async () => {
    const { history, files } = await readHistory([
      file('a.tsv', [detectionRow(A, START + 5), detectionRow(A + 1, START + 6)]),
      file('b.tsv.gz', ['digits\tfirst\tlast\tsightings', inventoryRow(A + 1, START), inventoryRow(A + 2, START + 1)]),
      file('c.tsv', [detectionRow(A + 2, START), detectionRow(A, START + 9)]),
    ]);
    expect([...history.numbers]).toEqual([A, A + 1, A + 2]);
    expect([...history.firstDays]).toEqual([START + 5, START, START]);
    expect(files.map(({ kind, rows }) => [kind, rows])).toEqual([
      ['detections', 2],
      ['inventory', 2],
      ['detections', 2],
    ]);
  });

  it('takes the UTC day of a time with an offset', async () => {
    const { history } = await readHistory([file('offset.tsv', [`2025-03-02T00:30:00+01:00\t${A}`])]);
    expect([...history.firstDays]).toEqual([START]);
  });

  it('leaves out and counts what is no number and what is no row', async () => {
    const rows = ['Number', '12345', String(A), String(A + 1)].map((digits) => `${digits}\t2025-03-01\t2025-03-01\t1`);
    const { history, files } = await readHistory([file('odd.tsv', [...rows, 'nothing'])]);
    expect([...history.numbers]).toEqual([A, A + 1]);
    expect(files).toMatchObject([{ rows: 5, refused: 2, unreadable: 1 }]);
  });

  it('says what it expected of a file that it cannot use, and quotes none of it', async () => {
    await expect(readHistory([join(folder, 'not-there.tsv')])).rejects.toThrow(/expected a file that can be read/);
    await expect(readHistory([file('empty.tsv', [])])).rejects.toThrow(/expected tab-separated rows.*there are none/);
    await expect(readHistory([file('other.tsv', ['a,b', 'c,d'])])).rejects.toThrow(/its first rows are neither/);
    const broken = file('broken.tsv', [detectionRow(A, START), 'x', 'y']);
    await expect(readHistory([broken])).rejects.toThrow(/2 of 3 rows of detections are not/);
    const notGzip = join(folder, 'plain.tsv.gz');
    writeFileSync(notGzip, detectionRow(A, START));
    await expect(readHistory([notGzip])).rejects.toThrow(/plain or gzip/);
    const all = await Promise.allSettled([readHistory([broken]), readHistory([notGzip])]);
    expect(JSON.stringify(all.map((one) => (one.status === 'rejected' ? String(one.reason) : '')))).not.toContain(
      String(A),
    );
  });
});

describe('options', () => {
  it('reads files, days and the seed', () => {
    const args = ['a.tsv', 'b.gz', '--from', '2025-09-01', '--to', '2025-09-30', '--seed', '3', '--json'];
    expect(parseEvaluateOptions(args)).toEqual({
      files: ['a.tsv', 'b.gz'],
      from: START + 184,
      to: START + 213,
      seed: 3,
      json: true,
    });
    expect(parseFitOptions(['a.tsv', '--check'])).toMatchObject({ from: START, to: START + 121, check: true });
    expect(parseEvaluateOptions(['--help'])).toBeNull();
    expect(parseFitOptions(['-h'])).toBeNull();
  });

  it.each([
    [['a.tsv'], /expected --from DATE with FILES/],
    [['a.tsv', '--from', '1.9.2025'], /expected --from as a date, YYYY-MM-DD/],
    [['a.tsv', '--from', '2025-02-30'], /expected --from as a date/],
    [['a.tsv', '--from', '2025-09-01', '--to', '2025-08-31'], /expected --to on or after --from \(2025-09-01\)/],
    [['a.tsv', '--from', '2025-09-01', '--seed', '-'], /--seed takes a whole number from 0 to 999999999/],
    [['a.tsv', '--since', '2025-09-01'], /--help lists the options/],
    [['a.tsv', '--from', '2025-09-01', '--check'], /--help lists the options/],
  ])('refuses %j', (args, message) => {
    expect(() => parseEvaluateOptions(args)).toThrow(message);
  });
});
