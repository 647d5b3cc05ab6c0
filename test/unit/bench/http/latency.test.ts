import { describe, expect, test } from 'vitest';
import {
  differences,
  drawSchedule,
  type Samples,
  SHARES,
  sortedSamples,
  stalledTurns,
} from '../../../../bench/http/latency.ts';
import { Random } from '../../../../bench/support/random.ts';

describe('the schedule', () => {
  const { at, route } = drawSchedule(new Random(1), 3, { requestsASecond: 1_000, seconds: 30 });

  test('has the rate that was asked for, and ascends', () => {
    expect(at.length).toBeGreaterThan(29_000);
    expect(at.length).toBeLessThan(31_000);
    expect(at.every((each, i) => i === 0 || each >= (at[i - 1] as number))).toBe(true);
    expect(at[at.length - 1]).toBeLessThan(30_000);
  });

  test('has every route once in each turn, in an order that changes', () => {
    const orders = new Set<string>();
    for (let turn = 0; turn < 200; turn++) {
      const slices = [0, 1, 2].map((slice) => {
        const from = (turn * 3 + slice) * 50;
        const inside = Array.from(route.filter((_, i) => (at[i] as number) >= from && (at[i] as number) < from + 50));
        expect(new Set(inside).size).toBe(1);
        return inside[0];
      });
      expect([...slices].sort()).toEqual([0, 1, 2]);
      orders.add(slices.join());
    }
    expect(orders.size).toBe(6);
  });
});

test('a stall takes out the turns that it is in, and the one in which its requests are made up for', () => {
  expect([...stalledTurns([], 150)]).toEqual([]);
  expect([...stalledTurns([{ from: 310, to: 330 }], 150)]).toEqual([2]);
  expect([...stalledTurns([{ from: 140, to: 420 }], 150)]).toEqual([0, 1, 2, 3]);
});

describe('the difference', () => {
  const random = new Random(2);
  const [BLOCKS, EACH] = [40, 500];
  /** Latencies of two routes in blocks, of which each has a mood of its own that both share. */
  const drawn = (shiftMs: number, moodMs: number): [Samples, Samples] => {
    const moods = Array.from({ length: BLOCKS }, () => random.exponential(moodMs));
    const draw = (shift: number) =>
      sortedSamples(
        Float64Array.from({ length: BLOCKS * EACH }, (_, i) => {
          return 1 + shift + (moods[Math.floor(i / EACH)] as number) + random.exponential(0.1);
        }),
        Uint32Array.from({ length: BLOCKS * EACH }, (_, i) => Math.floor(i / EACH)),
        BLOCKS,
      );
    return [draw(shiftMs), draw(0)];
  };

  test('of a route that takes longer is found, with an interval that has it inside and zero outside', () => {
    const found = differences(...drawn(0.5, 0.01), random);
    expect(found).toHaveLength(SHARES.length);
    for (const { value, low, high } of found.slice(0, 2)) {
      expect(value).toBeCloseTo(0.5, 1);
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
      expect(low).toBeGreaterThan(0.3);
    }
  });

  test('of two equal routes is zero within its interval', () => {
    for (const { low, high } of differences(...drawn(0, 0.01), random)) {
      expect(low).toBeLessThan(0.02);
      expect(high).toBeGreaterThan(-0.02);
    }
  });

  test('is that of the percentiles of all requests', () => {
    const [own, other] = drawn(0.5, 5);
    const rank = Math.ceil(0.99 * BLOCKS * EACH) - 1;
    const expected = (own.values[rank] as number) - (other.values[rank] as number);
    expect(differences(own, other, random)[1]?.value).toBe(expected);
  });

  test('pairs the two routes of a block: a mood that both share does not blur it', () => {
    const [median] = differences(...drawn(0.5, 5), random);
    expect(median?.value).toBeCloseTo(0.5, 0);
    const [calm] = differences(...drawn(0.5, 0.01), random);
    const width = (each: typeof calm) => (each?.high ?? 0) - (each?.low ?? 0);
    // Whole blocks are drawn again, so that what neighbours share shows in the interval.
    expect(width(median)).toBeGreaterThan(width(calm));
  });
});
