import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  addUsage,
  dollarsBeyondAllowances,
  dollarsOf,
  listDollars,
  PRICED_UNITS,
  PRICES,
  timesUsage,
} from '../../../../bench/simulate/prices.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', '..', 'bench', 'simulate');

test.each(PRICED_UNITS)('%s has a price, an allowance and a source', (unit) => {
  const { dollars, per, includedAMonth, source } = PRICES[unit];
  expect(source).toMatch(/^https:\/\/developers\.cloudflare\.com\/\S+$/);
  expect(includedAMonth).toBeGreaterThan(0);
  expect(listDollars({ [unit]: per })).toBeCloseTo(dollars, 9);
  expect(dollarsBeyondAllowances({ [unit]: includedAMonth })).toBe(0);
  expect(dollarsBeyondAllowances({ [unit]: includedAMonth + per })).toBeCloseTo(dollars, 9);
  expect(dollarsOf(unit, 3 * per)).toBeCloseTo(3 * dollars, 9);
});

test('usage adds up and multiplies', () => {
  const usage = addUsage({ kvReads: 2, r2ClassA: 1 }, { kvReads: 3 });
  expect(usage).toEqual({ kvReads: 5, r2ClassA: 1 });
  expect(timesUsage(usage, 2)).toEqual({ kvReads: 10, r2ClassA: 2 });
});

test('no other file of the simulation has a price in it', () => {
  const others = readdirSync(FOLDER).filter((name) => name.endsWith('.ts') && name !== 'prices.ts');
  expect(others.length).toBeGreaterThan(10);
  for (const name of others) {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    expect(text, name).not.toMatch(/\b(?:0\.36|4\.50?|0\.015|0\.75|12\.50?|0\.30)\b|\$\d/);
  }
});
