import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { halfMonthBefore, periodOf, spanBefore, spanDays } from '../../../src/briefing/period.ts';
import { CENSUS_CRON, HALF_MONTH_CRON } from '../../../src/crons.ts';
import { parseDay } from '../../../src/format/records.ts';

it('reads days of the calendar only', () => {
  expect(parseDay('1970-01-01')).toBe(0);
  expect(parseDay('2024-02-29')).toBe(Date.UTC(2024, 1, 29) / 86_400_000);
  for (const text of ['2025-02-29', '2025-2-1', '2025-13-01', '20250101', '2025-01-01T00:00:00Z', ' 2025-01-01', '']) {
    expect(parseDay(text)).toBeNull();
  }
});

it('puts the period before just before', () => {
  const span = { from: parseDay('2025-05-16') ?? 0, to: parseDay('2025-05-30') ?? 0 };
  expect(spanDays(span)).toBe(15);
  expect(periodOf(spanBefore(span))).toEqual({ from: '2025-05-01', to: '2025-05-15', days: 15 });
});

it.each([
  ['2025-06-01', '2025-05-16', '2025-05-31'],
  ['2025-06-15', '2025-05-16', '2025-05-31'],
  ['2025-06-16', '2025-06-01', '2025-06-15'],
  ['2025-06-30', '2025-06-01', '2025-06-15'],
  ['2025-01-01', '2024-12-16', '2024-12-31'],
  ['2024-03-01', '2024-02-16', '2024-02-29'],
])('the half-month before %s is %s to %s', (day, from, to) => {
  expect(periodOf(halfMonthBefore(parseDay(day) ?? 0))).toMatchObject({ from, to });
});

it('has the triggers that wrangler.toml fires', () => {
  const toml = readFileSync(join(import.meta.dirname, '..', '..', '..', 'wrangler.toml'), 'utf8');
  expect(toml).toContain(`crons = ["* * * * *", "${HALF_MONTH_CRON}", "${CENSUS_CRON}"]`);
});
