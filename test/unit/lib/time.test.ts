import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDay, parseInstant } from '../../../src/lib/time.ts';

test.each([
  ['2025-03-01', Date.UTC(2025, 2, 1)],
  ['2024-02-29', Date.UTC(2024, 1, 29)],
  ['2025-03-01T07:10:04Z', Date.UTC(2025, 2, 1, 7, 10, 4)],
  ['2025-03-01t07:10:04z', Date.UTC(2025, 2, 1, 7, 10, 4)],
  ['2025-03-01 07:10:04+01:00', Date.UTC(2025, 2, 1, 6, 10, 4)],
  ['2025-03-01T00:10:00+0130', Date.UTC(2025, 1, 28, 22, 40, 0)],
  ['2025-03-01T23:30-08', Date.UTC(2025, 2, 2, 7, 30)],
  ['2025-03-01T07:10:04.999999Z', Date.UTC(2025, 2, 1, 7, 10, 4)],
])('%s', (text, expectedMs) => {
  expect(parseInstant(text)).toBe(expectedMs / 1000);
});

test.each([
  '',
  '2025-3-1',
  '2025-02-29',
  '2025-04-31',
  '2025-13-01',
  '2025-00-10',
  '2025-01-00',
  '0050-01-01x',
  '2025-03-01T07:10:04',
  '2025-03-01T24:00:00Z',
  '2025-03-01T07:60Z',
  '2025-03-01T07:10:60Z',
  '2025-03-01T07:10:04+24:00',
  '2025-03-01T07:10:04+01:60',
  '2025-03-01T07:10:04 Z',
  '2025-03-01T07:10:04.Z',
  '20250301',
  '1740812400',
  '01/03/2025',
  '2025-W09-6',
  '٢٠٢٥-٠٣-٠١',
])('%j is not a time', (text) => {
  expect(parseInstant(text)).toBeNull();
});

test('agrees with Date on every time that Date writes', () => {
  const date = fc.date({ min: new Date(0), max: new Date(Date.UTC(2100, 0, 1)), noInvalidDate: true });
  fc.assert(
    fc.property(date, (at) => {
      const seconds = Math.floor(at.getTime() / 1000);
      expect(parseInstant(at.toISOString())).toBe(seconds);
      expect(parseInstant(formatDay(seconds))).toBe(Math.floor(seconds / 86_400) * 86_400);
    }),
  );
});
