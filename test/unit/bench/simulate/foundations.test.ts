import { expect, test } from 'vitest';
import { quantilesOf } from '../../../../bench/report.ts';
import { EventQueue } from '../../../../bench/support/event-queue.ts';
import { meanMs, Random, Zipf, zipfShares } from '../../../../bench/support/random.ts';

const DRAWS = 40_000;
const draws = (draw: (random: Random) => number) => {
  const random = new Random(7);
  return Array.from({ length: DRAWS }, () => draw(random));
};
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test('the same seed draws the same, another seed or stream something else', () => {
  const first = (random: Random) => [random.next(), random.below(1000), random.poisson(3)];
  expect(first(new Random(5))).toEqual(first(new Random(5)));
  expect(first(new Random(5))).not.toEqual(first(new Random(6)));
  expect(first(new Random(5).stream('a'))).not.toEqual(first(new Random(5).stream('b')));
});

test('latencies have the median and 99th percentile asked for', () => {
  const latency = { medianMs: 60, p99Ms: 400 };
  const drawn = draws((random) => random.latencyMs(latency));
  const { p50, p99 } = quantilesOf(drawn);
  expect(p50 / 60).toBeCloseTo(1, 1);
  expect(Math.abs(p99 / 400 - 1)).toBeLessThan(0.1);
  expect(mean(drawn) / meanMs(latency)).toBeCloseTo(1, 1);
});

test.each([0.05, 3, 500])('a Poisson count of mean %d', (expected) => {
  expect(mean(draws((random) => random.poisson(expected))) / expected).toBeCloseTo(1, 1);
});

test('Zipf: shares add up, the first rank is drawn as often as its share says', () => {
  const shares = zipfShares(50, 1);
  expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  const zipf = new Zipf(50, 1);
  const drawn = draws((random) => zipf.draw(random));
  expect(drawn.filter((rank) => rank === 0).length / DRAWS).toBeCloseTo(shares[0] ?? 0, 1);
  expect(Math.max(...drawn)).toBe(49);
});

test('percentiles are values that occurred', () => {
  expect(quantilesOf([5, 1, 4, 2, 3])).toEqual({ p50: 3, p90: 5, p99: 5, max: 5 });
  expect(() => quantilesOf([])).toThrow('no values');
});

test('events run in order of time, then of planning, and may plan others', () => {
  const queue = new EventQueue();
  const seen: string[] = [];
  const random = new Random(3);
  const times = Array.from({ length: 200 }, () => random.below(50));
  times.forEach((at, i) => {
    queue.plan(at, () => seen.push(`${String(at).padStart(2, '0')}-${String(i).padStart(3, '0')}`));
  });
  queue.plan(10, () => queue.plan(49.5, () => seen.push('49.5')));
  queue.run();
  expect(seen).toEqual([...seen].sort());
  expect(seen).toHaveLength(201);
  expect(() => queue.plan(1, () => {})).toThrow('before now');
});
