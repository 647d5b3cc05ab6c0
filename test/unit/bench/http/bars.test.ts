import { describe, expect, test } from 'vitest';
import { type Measures, regressionBars, speedBars, table } from '../../../../bench/http/bars.ts';
import { makersOf } from '../../../../bench/http/contender.ts';
import { BATCH, GET_EMPTY, GET_LISTED, GET_UNLISTED, measuredRoutes } from '../../../../bench/http/routes.ts';
import { Random } from '../../../../bench/support/random.ts';

const ROUTES = measuredRoutes({ warm: [12_025_550_100], unlisted: [12_025_550_101], anywhere: null }, new Random(3), {
  builtIn: 'a',
  tenRules: 'b',
});

const measured = (cpuRatio: number, rateRatio: number, beforeRatio = Number.NaN) =>
  ROUTES.map((route) => ({
    route,
    requestsASecond: 200,
    cpuMicros: 1,
    cpuRatio: cpuRatio * (route.numbersARequest === 1 ? 1 : 20),
    rateRatio,
    beforeRatio,
  }));

const difference = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
const atRate = (share: number | null, p99AboveMs: number) => ({
  share,
  requestsASecond: 5_000,
  lateP99Ms: 0.1,
  stalledShare: 0.01,
  routes: [GET_EMPTY, GET_UNLISTED, GET_LISTED].map((name) => ({
    name,
    requests: 1_000,
    quantiles: [0.3, 1, 2],
    above: name === GET_EMPTY ? [] : [0.1, p99AboveMs, 9].map(difference),
    calmAbove: name === GET_EMPTY ? [] : [0.1, p99AboveMs / 2, 9].map(difference),
  })),
});

const measures = (cpuRatio: number, rateRatio: number, p99AboveMs: number, beforeRatio?: number): Measures => ({
  saturated: measured(cpuRatio, rateRatio, beforeRatio),
  alone: measured(cpuRatio, rateRatio),
  reading: [],
  atRates: [atRate(0.25, 9), atRate(0.5, p99AboveMs), atRate(0.75, 9)],
  connections: 16,
  warmReads: 0,
  rightAnswers: 1200,
});

describe('the bars', () => {
  test('of the full form hold rates, latency at half of saturation, and the batch to the commit before', () => {
    const good = speedBars(measures(1.1, 0.95, 0.2, 2.1));
    expect(good.every(({ met }) => met)).toBe(true);
    const missed = speedBars(measures(1.1, 0.7, 1.2, 1.9)).filter(({ met }) => !met);
    expect(missed.map(({ value }) => value)).toEqual([
      ...Array.from({ length: 10 }, () => 0.7),
      1.2,
      0.6,
      1.2,
      0.6,
      1.9,
    ]);
    const limits = missed.map(({ limit }) => limit);
    expect(limits).toEqual([0.92, 0.88, 0.92, 0.88, 0.85, 0.82, 0.8, 0.8, 0.8, 0.8, 0.5, 0.5, 0.5, 0.5, 2]);
  });

  test('say nothing of the batch without a commit before', () => {
    expect(speedBars(measures(1.1, 0.95, 0.2)).some(({ what }) => what.startsWith(BATCH))).toBe(false);
  });

  test('of the small form hold CPU and storage reads, and no time', () => {
    expect(regressionBars({ ...measures(1.2, 0.1, 100), alone: null }).every(({ met }) => met)).toBe(true);
    const missed = regressionBars({ ...measures(7, 0.95, 0), warmReads: 1 });
    expect(missed.filter(({ met }) => !met)).toHaveLength(8);
  });
});

test('every row of the table has the same columns', () => {
  const rows = table(measures(1, 1, 0, 1));
  expect(rows).toHaveLength(2 * ROUTES.length + 9);
  expect(new Set(rows.map((row) => Object.keys(row).join())).size).toBe(1);
});

test('the commit before is to be a checkout with its libraries', async () => {
  await expect(makersOf('/no/such/folder')).rejects.toThrow('--before: expected the folder of another checkout');
});
