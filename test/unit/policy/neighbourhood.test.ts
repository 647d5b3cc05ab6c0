import { describe, expect, it } from 'vitest';
import { isSuspect, neighbourhoodScore } from '../../../src/policy/neighbourhood.ts';

describe('isSuspect', () => {
  it('begins at three listed numbers in the block of 100', () => {
    expect([0, 1, 2, 3, 4, 99].map(isSuspect)).toEqual([false, false, false, true, true, true]);
  });
});

describe('neighbourhoodScore', () => {
  it('is that of the example in API.md, 0 without neighbours and even at the threshold', () => {
    expect(neighbourhoodScore(37, 120)).toBe(0.93);
    expect(neighbourhoodScore(0, 0)).toBe(0);
    expect(neighbourhoodScore(3, 0)).toBe(0.5);
  });

  it('stays in 0 to 1 and never falls when a count rises', () => {
    for (let hundred = 0; hundred <= 99; hundred++) {
      for (let thousand = hundred; thousand <= 999; thousand += 9) {
        const score = neighbourhoodScore(hundred, thousand);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThan(1);
        expect(neighbourhoodScore(hundred + 1, thousand)).toBeGreaterThanOrEqual(score);
        expect(neighbourhoodScore(hundred, thousand + 1)).toBeGreaterThanOrEqual(score);
        if (isSuspect(hundred)) expect(score).toBeGreaterThanOrEqual(0.5);
      }
    }
  });
});
