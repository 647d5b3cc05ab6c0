import { expect, test } from 'vitest';
import { atLeast, atMost, round, textTable } from '../../bench/report.ts';

test('a bar is met up to its limit, and not beyond; what is no number meets none', () => {
  expect([atMost('a', 3, 3).met, atMost('a', 3.1, 3).met, atMost('a', Number.NaN, 3).met]).toEqual([
    true,
    false,
    false,
  ]);
  expect([atLeast('a', 3, 3).met, atLeast('a', 2.9, 3).met, atLeast('a', Number.NaN, 3).met]).toEqual([
    true,
    false,
    false,
  ]);
});

test('values are rounded to four digits, tables aligned', () => {
  expect([round(123456), round(0.0123456)]).toEqual([123500, 0.01235]);
  expect(
    textTable([
      { what: 'a', count: 5 },
      { what: 'longer', count: 12_000 },
    ]),
  ).toBe(['what     count', 'a            5', 'longer  12,000'].join('\n'));
});
