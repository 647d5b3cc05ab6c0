import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isChange, isEnough, isShareChange } from '../../../../src/briefing/render/significance.ts';
import { random } from '../worlds.ts';

const TRIALS = 50_000;

/**
 * Of a count with this mean, by the waiting times between its events; for many of them by the normal one that it is
 * then.
 */
function poisson(mean: number, next: () => number): number {
  if (mean > 500) {
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const wait = () => -Math.log(1 - next());
  let count = 0;
  for (let time = wait(); time <= mean; time += wait()) count += 1;
  return count;
}

describe('a change of a count', () => {
  it.each([1, 10, 30, 100, 5000])('of %i on average that only chance makes is hardly ever called one', (mean) => {
    const next = random(mean);
    let called = 0;
    for (let i = 0; i < TRIALS; i++) if (isChange(poisson(mean, next), poisson(mean, next))) called += 1;
    // Beyond four deviations lie 6 of 100,000: 3 of these, and hardly ever more than 12.
    expect(called).toBeLessThanOrEqual(12);
  });

  it.each([
    [15, 1, false],
    [29, 0, false],
    [30, 0, true],
    [40, 30, false],
    [80, 30, true],
    [30, 80, true],
    [1000, 1100, false],
    [1000, 1200, true],
    [0, 0, false],
  ])('%i after %i: %s', (now, before, expected) => {
    expect(isChange(now, before)).toBe(expected);
  });

  it('does not depend on its direction', () => {
    fc.assert(fc.property(fc.nat(10_000), fc.nat(10_000), (a, b) => isChange(a, b) === isChange(b, a)));
  });
});

it('a percentage is one of thirty at least', () => {
  expect([0, 1, 29, 30].map(isEnough)).toEqual([false, false, false, true]);
});

describe('a change of a share', () => {
  const portion = (part: number, whole: number) => ({ part, whole });

  it.each([
    [0.5, 400, 400],
    [0.1, 2000, 50],
    [0.9, 60, 3000],
  ])('%d of %i and of %i that only chance makes is hardly ever called one', (share, whole, wholeBefore) => {
    const next = random(whole);
    const drawn = (n: number) => Array.from({ length: n }, () => next() < share).filter(Boolean).length;
    let called = 0;
    for (let i = 0; i < 3000; i++) {
      if (isShareChange(portion(drawn(whole), whole), portion(drawn(wholeBefore), wholeBefore))) called += 1;
    }
    expect(called).toBeLessThanOrEqual(4);
  });

  it('is one where it is beyond four deviations of both together', () => {
    // 0.5 and 0.6 of 400: a deviation is sqrt(0.55 * 0.45 * 2 / 400) = 0.0352, of 1,000 it is 0.0222.
    expect(isShareChange(portion(240, 400), portion(200, 400))).toBe(false);
    expect(isShareChange(portion(600, 1000), portion(500, 1000))).toBe(true);
    expect(isShareChange(portion(600, 1000), portion(25, 50))).toBe(false);
    expect(isShareChange(portion(29, 29), portion(0, 1000))).toBe(false);
    expect(isShareChange(portion(50, 50), portion(1000, 1000))).toBe(false);
  });
});
