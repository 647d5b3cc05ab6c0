import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { HistoryError, readHistory } from '../../../../bench/fit-ageing/history.ts';
import { report } from '../../../../bench/fit-ageing.ts';
import { DETECTIONS, hasSharedData, INVENTORY } from '../../../../bench/support/shared-data.ts';
import { DEFAULT_LEVELS } from '../../../../src/policy/ageing.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-fit-ageing-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

const INVENTORY_TEXT = '12025550100\t2025-01-01\t2025-01-10\t3\n12025550101\t2025-01-02\t2025-02-28\t1\n';
const DETECTIONS_TEXT =
  '2025-03-01T01:30:00+02:00\t12025550100\n2025-03-02T10:00:00Z\t12025550100\n2025-03-02T11:00:00Z\t12025550100\n';

describe('readHistory', () => {
  it('reads an inventory and detections, in UTC days, each day once', async () => {
    // The first detection is of the last of February in UTC: the inventory must be of before it.
    const inventory = write('inventory.tsv.gz', INVENTORY_TEXT.replace('2025-02-28', '2025-02-27'));
    const { numbers, startDay, endDay } = await readHistory([inventory, write('detections.tsv', DETECTIONS_TEXT)]);
    const day = (text: string) => Date.parse(text) / 86_400_000;
    expect([startDay, endDay]).toEqual([day('2025-02-28'), day('2025-03-02')]);
    expect(numbers).toEqual([
      { lastBefore: day('2025-01-10'), days: [day('2025-02-28'), day('2025-03-02')] },
      { lastBefore: day('2025-02-27'), days: [] },
    ]);
  });

  it.each([
    ['12025550100\t2025-01-01\n', 'line 1: expected an ISO date or time'],
    [`${DETECTIONS_TEXT}2025-03-01T01:30:00Z\n`, 'line 4: expected 2 or 4 columns, found 1'],
    ['', 'expected detections, found none'],
    [`${DETECTIONS_TEXT}${INVENTORY_TEXT}`, 'expected an inventory of before the first detection'],
  ])('refuses %j, without a number in the message', async (text, message) => {
    const error = await readHistory([write('bad.tsv', text)]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(HistoryError);
    expect(String(error)).toContain(message);
    expect(String(error).replace(folder, '')).not.toMatch(/\d{7}/);
  });
});

describe.skipIf(!hasSharedData)('on the shared history', () => {
  it('prints what docs/AGEING.md quotes, and the default steps lie where the shares fall', async () => {
    const text = report(await readHistory([INVENTORY, DETECTIONS]));
    expect(text).toContain('112334 numbers; detections of 2025-03-01 to 2025-08-31, 184 days');
    expect(text).toContain('| two exponentials | 0.590 exp(-d / 17.2) + 0.146 exp(-d / 495) |');
    const thresholds = text.slice(text.indexOf('Where the share falls below')).matchAll(/^\| ([\d.]+) \| (.*) \|$/gm);
    const days = [...thresholds].map(([, , cells = '']) => cells.split(' | ').map(Number));
    const { steps = {}, horizonDays = null } = DEFAULT_LEVELS.public_sms_receiver ?? {};
    const chosen = [...Object.keys(steps).map(Number), horizonDays ?? 0];
    expect(days).toHaveLength(chosen.length);
    for (const [i, day] of chosen.entries()) {
      // Between the estimate, its bound and the curve, give or take a day or two.
      expect(day).toBeGreaterThanOrEqual(Math.min(...(days[i] ?? [])) - 2);
      expect(day).toBeLessThanOrEqual(Math.max(...(days[i] ?? [])) + 2);
    }
  });
});

if (!hasSharedData) console.info('skipped: the shared history is not there, so the fit is not checked against it');
