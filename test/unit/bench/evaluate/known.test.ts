import { describe, expect, it } from 'vitest';
import type { History } from '../../../../bench/evaluate/history.ts';
import { KnownNumbers, replayDays } from '../../../../bench/evaluate/replay.ts';
import { type NeighbourCounts, noCounts, RECENT_DAYS } from '../../../../src/policy/score.ts';
import { historyOf, START, worldHistory } from './world.ts';

/** The definition of NeighbourCounts, number by number. */
function countedOneByOne({ numbers, firstDays }: History, number: number, day: number): NeighbourCounts {
  const count = (size: number, mostDays: number) =>
    numbers.reduce((sum, other, i) => {
      const age = day - (firstDays[i] ?? 0);
      const isBeside = Math.floor(other / size) === Math.floor(number / size);
      return sum + (other !== number && age >= 1 && age <= mostDays && isBeside ? 1 : 0);
    }, 0);
  return {
    hundred: count(100, Number.POSITIVE_INFINITY),
    thousand: count(1000, Number.POSITIVE_INFINITY),
    tenThousand: count(10_000, Number.POSITIVE_INFINITY),
    recentHundred: count(100, RECENT_DAYS),
    recentThousand: count(1000, RECENT_DAYS),
    recentTenThousand: count(10_000, RECENT_DAYS),
    weekThousand: count(1000, 7),
    weekTenThousand: count(10_000, 7),
  };
}

describe('KnownNumbers', () => {
  it('counts what the definition says, on every day', () => {
    const history = worldHistory(90);
    const known = new KnownNumbers(history);
    const counts = noCounts();
    let fresh = 0;
    for (const day of [START + 1, START + 8, START + RECENT_DAYS + 1, START + RECENT_DAYS + 2, START + 89]) {
      known.startDay(day);
      for (let i = 0; i < history.numbers.length; i += 3) {
        const number = (history.numbers[i] ?? 0) + 1;
        if (known.has(number)) continue;
        known.countInto(counts, number);
        expect(counts).toEqual(countedOneByOne(history, number, day));
        fresh += counts.weekThousand;
      }
    }
    expect(fresh).toBeGreaterThan(0);
  });

  it('has days at their edges: yesterday is known, today is not; 7 and 28 days are in, 8 and 29 are out', () => {
    const at = (age: number, i: number): [number, number] => [4_915_112_345_600 + i, START - age];
    const known = new KnownNumbers(historyOf([at(0, 1), at(1, 2), at(7, 3), at(8, 4), at(28, 5), at(29, 6)]));
    known.startDay(START);
    const counts = noCounts();
    known.countInto(counts, 4_915_112_345_600);
    expect(counts).toMatchObject({
      hundred: 5,
      recentHundred: 4,
      recentThousand: 4,
      weekThousand: 2,
      weekTenThousand: 2,
    });
    expect(known.has(4_915_112_345_601)).toBe(false);
  });

  it('knows the longer run beside a number', () => {
    const known = new KnownNumbers(historyOf([1, 2, 4, 5, 6, 9].map((i) => [4_915_112_345_600 + i, START - 1])));
    known.startDay(START);
    const run = (i: number) => known.runBeside(4_915_112_345_600 + i, 5);
    expect([0, 3, 7, 8, 20].map(run)).toEqual([2, 3, 3, 1, 0]);
  });
});

describe('replayDays', () => {
  it('hands out each first-time number once, with what was known that morning', () => {
    const history = worldHistory(20);
    const seen = new Map<number, number>();
    replayDays(history, { from: START + 5, to: START + 9 }, (day, numbers, known) => {
      for (const number of numbers) {
        expect(known.has(number)).toBe(false);
        seen.set(number, day);
      }
    });
    const expected = [...history.numbers].map((number, i): [number, number] => [number, history.firstDays[i] ?? 0]);
    expect(seen).toEqual(
      new Map(expected.filter(([, day]) => day >= START + 5 && day <= START + 9).sort((a, b) => a[1] - b[1])),
    );
  });
});
