import { describe, expect, it } from 'vitest';
import { knownNeighbours, measureClustering, realNumbers } from '../../../../bench/synthesize/report.ts';
import { firstTime, inventory } from './small.ts';

/** Shares of the history of 2025-02-28, by block: with 1, 3 and 10 others or more (docs/decisions/0009). */
const REAL = [
  [0.514, 0.428, 0.371],
  [0.601, 0.513, 0.435],
] as const;
/** What the generator is fitted to within, as a fraction of all numbers. */
const TOLERANCE = 0.02;

const numbers = Float64Array.from(inventory, ({ number }) => number).sort();
const shares = (of: Float64Array): number[] =>
  measureClustering(of).flatMap(({ atLeast }) => [atLeast[1], atLeast[3], atLeast[10]]);

function expectClose(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  for (const [i, share] of found.entries()) expect(Math.abs(share - (wanted[i] ?? 0))).toBeLessThan(tolerance);
}

describe('measureClustering', () => {
  it('counts the others in the same block', () => {
    const four = Float64Array.of(1_000_100, 1_000_101, 1_000_102, 1_000_199, 1_000_200, 1_001_000);
    expect(shares(four)).toEqual([4 / 6, 4 / 6, 0, 5 / 6, 5 / 6, 0]);
  });
});

describe('the synthetic inventory', () => {
  it('clusters as the real history does', () => expectClose(shares(numbers), REAL.flat(), TOLERANCE));

  it('does not come in order of number: few rows are near the one before', () => {
    let near = 0;
    for (const [i, { number }] of inventory.entries()) {
      if (i > 0 && Math.abs(number - (inventory[i - 1]?.number ?? 0)) < 1000) near++;
    }
    expect(near / inventory.length).toBeLessThan(0.01);
  });
});

describe('first-time numbers', () => {
  it('have known neighbours the day before as often as the real ones: 22 %', () => {
    const rows = firstTime.map(({ number, observedAt }) => ({ number, day: Math.floor(observedAt / 86_400) }));
    const { dayBefore, before } = knownNeighbours(numbers, rows, 3);
    expect(dayBefore).toBeGreaterThan(before);
    // 2,437 numbers in blocks of up to some hundreds: a few blocks more or less move it.
    expect(Math.abs(dayBefore - 0.22)).toBeLessThan(0.05);
  });
});

const real = realNumbers();
describe.skipIf(real === null)('the real history', () => {
  it('has the shares that the generator is fitted to', () => {
    expectClose(shares(real ?? new Float64Array()), REAL.flat(), 0.001);
  });
});
