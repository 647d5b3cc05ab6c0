import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { briefingPeriodOf, halfMonthBefore, periodOf, spansOn } from '../../../src/briefing/period.ts';
import { parseDay } from '../../../src/lib/time.ts';
import { CENSUS_CRON, HALF_MONTH_CRON } from '../../../src/wiring/crons.ts';

it('reads days of the calendar only', () => {
  expect(parseDay('1970-01-01')).toBe(0);
  expect(parseDay('2024-02-29')).toBe(Date.UTC(2024, 1, 29) / 86_400_000);
  for (const text of ['2025-02-29', '2025-2-1', '2025-13-01', '20250101', '2025-01-01T00:00:00Z', ' 2025-01-01', '']) {
    expect(parseDay(text)).toBeNull();
  }
});

describe('a period of 15 days', () => {
  const span = { from: parseDay('2025-05-16') ?? 0, to: parseDay('2025-05-30') ?? 0 };
  const on = (today: string) => {
    const spans = spansOn(span, parseDay(today) ?? 0);
    return {
      ...briefingPeriodOf(spans),
      compared: spans.compared && periodOf(spans.compared),
      previous: periodOf(spans.previous),
    };
  };
  const whole = { from: '2025-05-16', to: '2025-05-30', days: 15 };

  it.each(['2025-05-31', '2025-09-01'])(
    'has ended on %s: all of it is compared with as many days just before',
    (today) => {
      expect(on(today)).toEqual({
        ...whole,
        complete: true,
        until: '2025-05-30',
        compared: whole,
        previous: { from: '2025-05-01', to: '2025-05-15', days: 15 },
      });
    },
  );

  it('goes on on its last day, which is not over and not compared', () => {
    expect(on('2025-05-30')).toEqual({
      ...whole,
      complete: false,
      until: '2025-05-30',
      compared: { from: '2025-05-16', to: '2025-05-29', days: 14 },
      previous: { from: '2025-05-02', to: '2025-05-15', days: 14 },
    });
  });

  it('on its second day compares one day with one', () => {
    const day = { from: '2025-05-16', to: '2025-05-16', days: 1 };
    const previous = { from: '2025-05-15', to: '2025-05-15', days: 1 };
    expect(on('2025-05-17')).toEqual({ ...whole, complete: false, until: '2025-05-17', compared: day, previous });
    expect(on('2025-05-16')).toEqual({ ...whole, complete: false, until: '2025-05-16', compared: null, previous });
  });

  it('has no figures before it begins', () => {
    expect(() => on('2025-05-15')).toThrow(/expected a period that has begun/);
  });
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
