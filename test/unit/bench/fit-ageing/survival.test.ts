import { describe, expect, it } from 'vitest';
import { cohorts, power, Survival, twoExponentials, wilson } from '../../../../bench/fit-ageing/estimate.ts';
import type { History } from '../../../../bench/fit-ageing/history.ts';
import { Random } from '../../../../bench/support/random.ts';

/** The same history in every run. */
function randomFrom(seed: number): () => number {
  const random = new Random(seed);
  return () => random.next();
}

const START = 20_000;
const DAYS = 120;

/**
 * Numbers first seen on any of 300 days before START; each day a number comes back with `chance`, all independently.
 */
function constantRate(chance: number, count: number): History {
  const random = randomFrom(7);
  const numbers = Array.from({ length: count }, () => {
    let lastBefore: number | null = null;
    const days: number[] = [];
    for (let day = START - 1 - Math.floor(random() * 300); day < START + DAYS; day++) {
      if (lastBefore !== null && random() >= chance) continue;
      if (day < START) lastBefore = day;
      else days.push(day);
    }
    return { lastBefore, days };
  });
  return { numbers, startDay: START, endDay: START + DAYS - 1 };
}

describe('Survival', () => {
  it('is the product-limit estimate, by hand', () => {
    // Gaps: [0, 2] ends, [0, 4] open, [0, 4] ends, [0, 1] open, and one that is watched from age 3 and open at 8.
    const numbers = [
      { lastBefore: null, days: [102, 104] },
      { lastBefore: null, days: [100, 104] },
      { lastBefore: 96, days: [] },
      { lastBefore: null, days: [103] },
    ];
    const survival = new Survival({ numbers, startDay: 100, endDay: 104 });
    // 102-104 (2, ends), 104 (0, open), 100-104 (4, ends), 104 (0, open), 96 (3 to 8, open), 103 (0 to 1, open).
    expect([1, 2, 3, 4, 5, 8, 9].map((age) => survival.atRisk(age))).toEqual([3, 2, 1, 2, 1, 1, 0]);
    expect(survival.seenAgain(0, 1).share).toBe(0);
    expect(survival.seenAgain(0, 2).share).toBeCloseTo(1 / 2);
    expect(survival.seenAgain(0, 4).share).toBeCloseTo(1 - (1 / 2) * (1 / 2));
    expect(survival.seenAgain(2, 2).share).toBeCloseTo(1 / 2);
    expect(survival.seenAgain(4, 4)).toEqual({ share: 0, low: 0, high: 1 });
    expect(survival.oldestDays).toBe(8);
  });

  it.each([0.002, 0.02])('finds a rate of %f a day at every age, though gaps enter late and stay open', (chance) => {
    const survival = new Survival(constantRate(chance, 4000));
    const truth = 1 - (1 - chance) ** 60;
    for (const age of [0, 10, 50, 100]) {
      const { share, low, high } = survival.seenAgain(age, 60);
      expect(Math.abs(share - truth)).toBeLessThan(4 * ((high - low) / 3.92));
      expect(high - low).toBeLessThan(0.2);
      expect(low).toBeLessThan(share);
    }
  });
});

describe('cohorts', () => {
  it('counts numbers by days since last seen, and those seen in the window after', () => {
    const numbers = [
      { lastBefore: 90, days: [105] },
      { lastBefore: 90, days: [] },
      { lastBefore: 99, days: [100, 130] },
      { lastBefore: null, days: [101] },
    ];
    const counted = cohorts({ numbers, startDay: 100, endDay: 130 }, 100, 10, [0, 5, 20]);
    expect(counted).toEqual([
      { from: 0, to: 5, numbers: 1, again: 0 },
      { from: 5, to: 20, numbers: 2, again: 1 },
    ]);
  });
});

describe('wilson', () => {
  it('gives the interval as published for 10 of 100, and one of some width for none', () => {
    const { low, high } = wilson(10, 100);
    expect([low, high].map((each) => each.toFixed(4))).toEqual(['0.0552', '0.1744']);
    expect(wilson(0, 100)).toMatchObject({ share: 0, low: 0, high: expect.closeTo(0.037, 3) });
  });
});

describe('curves', () => {
  const ages = [1, 2, 4, 8, 15, 30, 60, 120, 240, 480, 960, 1400];

  it('come back from points that lie on them', () => {
    const sum = (days: number) => 0.6 * Math.exp(-days / 17) + 0.15 * Math.exp(-days / 500);
    const fitted = twoExponentials(ages.map((days) => ({ days, share: sum(days) })));
    for (const days of [3, 20, 100, 700]) expect(Math.abs(fitted.at(days) / sum(days) - 1)).toBeLessThan(0.05);
    expect(fitted.rms).toBeLessThan(0.01);
    const falling = (days: number) => 0.7 * (1 + days / 14) ** -0.9;
    expect(power(ages.map((days) => ({ days, share: falling(days) }))).rms).toBeLessThan(0.01);
  });

  it('never rise', () => {
    const { at } = twoExponentials(ages.map((days) => ({ days, share: days === 480 ? 0.2 : 1 / (days + 1) })));
    for (let day = 1; day < 2000; day++) expect(at(day)).toBeLessThanOrEqual(at(day - 1));
  });
});
