import { describe, expect, it } from 'vitest';
import { NEIGHBOURHOOD_TABLE } from '../../../src/generated/neighbourhood-table.ts';
import {
  isSuspectScore,
  MAX_POINTS,
  type NeighbourCounts,
  noCounts,
  pointsOf,
  SCORED_COUNTS,
  SUSPECT_SCORE,
  scoreOf,
  scoreOfPoints,
} from '../../../src/policy/score.ts';

const NONE: NeighbourCounts = noCounts();
const FIELDS = Object.keys(NONE) as (keyof NeighbourCounts)[];
const LEVELS = [0, 1, 2, 3, 5, 8, 13, 34, 89, 90, 99];

describe('scoreOf', () => {
  it('is 0 without neighbours among the 10,000, and only then', () => {
    expect(scoreOf(NONE)).toBe(0);
    expect(scoreOf({ ...NONE, tenThousand: 1 })).toBeGreaterThan(0);
  });

  it('is the logistic function of the points and the table', () => {
    const { points, logOdds } = NEIGHBOURHOOD_TABLE;
    const worth = (points.thousand[0]?.[1] ?? 0) + (points.hundred[0]?.[1] ?? 0);
    const odds = Math.exp((logOdds + worth) / 100);
    expect(scoreOf({ ...NONE, tenThousand: 1, thousand: 1, hundred: 1 })).toBeCloseTo(odds / (1 + odds), 12);
  });

  it('gives each step from its count on, and the last one to all above', () => {
    for (const count of SCORED_COUNTS) {
      const some = { ...NONE, tenThousand: 1 };
      let before = 0;
      for (const [from, worth] of NEIGHBOURHOOD_TABLE.points[count]) {
        expect(pointsOf({ ...some, [count]: from - 1 }), `${count} ${from - 1}`).toBe(1 + before);
        expect(pointsOf({ ...some, [count]: from }), `${count} ${from}`).toBe(1 + worth);
        before = worth;
      }
      expect(pointsOf({ ...some, [count]: 9_999 })).toBe(1 + before);
    }
  });

  it('never falls when a count rises, stays below 1, and reaches MAX_POINTS', () => {
    for (const a of LEVELS) {
      for (const b of LEVELS) {
        for (const field of FIELDS) {
          const counts = { ...NONE, tenThousand: 1 + a, thousand: a, hundred: b, recentThousand: b };
          const score = scoreOf(counts);
          expect(score).toBeLessThan(1);
          expect(scoreOf({ ...counts, [field]: counts[field] + 1 })).toBeGreaterThanOrEqual(score);
        }
      }
    }
    const most = Object.fromEntries(FIELDS.map((field) => [field, 9_999])) as Record<keyof NeighbourCounts, number>;
    expect(pointsOf(most)).toBe(MAX_POINTS);
  });
});

describe('isSuspectScore', () => {
  it('begins exactly at the points of the table', () => {
    const { suspectPoints } = NEIGHBOURHOOD_TABLE;
    expect(isSuspectScore(scoreOfPoints(suspectPoints))).toBe(true);
    expect(isSuspectScore(scoreOfPoints(suspectPoints - 1))).toBe(false);
    expect(SUSPECT_SCORE).toBeGreaterThan(0);
  });

  it('says yes to a block that is being worked through, no to a few old neighbours and to none', () => {
    const block = { ...NONE, tenThousand: 40, thousand: 40, hundred: 12, recentTenThousand: 30, recentThousand: 30 };
    expect(isSuspectScore(scoreOf({ ...block, recentHundred: 10, weekThousand: 8, weekTenThousand: 8 }))).toBe(true);
    expect(isSuspectScore(scoreOf({ ...NONE, tenThousand: 20, thousand: 6, hundred: 2 }))).toBe(false);
    expect(isSuspectScore(scoreOf(NONE))).toBe(false);
  });
});

describe('the table', () => {
  it('rises in every count, from whole points to whole points', () => {
    for (const count of SCORED_COUNTS) {
      const steps = NEIGHBOURHOOD_TABLE.points[count];
      expect(steps.length, count).toBeGreaterThan(0);
      for (const [i, [from, worth]] of steps.entries()) {
        expect(Number.isInteger(from) && Number.isInteger(worth)).toBe(true);
        expect(from).toBeGreaterThan(steps[i - 1]?.[0] ?? 0);
        expect(worth).toBeGreaterThan(steps[i - 1]?.[1] ?? 0);
      }
    }
  });
});
