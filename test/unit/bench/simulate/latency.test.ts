import { beforeAll, expect, test } from 'vitest';
import { TODAY } from '../../../../bench/simulate/assumptions.ts';
import { type Circumstances, STANDING, simulateLatency } from '../../../../bench/simulate/latency.ts';
import { modelScales, type ScaleModel } from '../../../../bench/simulate/model.ts';
import { Random } from '../../../../bench/support/random.ts';

let model: ScaleModel;

beforeAll(async () => {
  const found = (await modelScales(new Random(1).stream('sizes'))).find(({ scale }) => scale === TODAY);
  if (found === undefined) throw new Error('there is no model of today');
  model = found;
}, 120_000);

const simulated = (lookupsAMonth: number, other: Partial<Circumstances> = {}, measured = 1_000) =>
  simulateLatency(new Random(2), model, lookupsAMonth, { ...STANDING, ...other }, measured);

test('every lookup counts once, by the weight of its city', () => {
  const { answers, inCity, leftFor } = simulated(10_000_000);
  expect(answers.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 6);
  expect(inCity + leftFor.heads + leftFor['numbers, rules'] + leftFor.verdicts).toBeCloseTo(1, 6);
  // What leaves its city takes as long as storage takes from afar, and what does not is quick.
  const slow = answers.filter(({ ms }) => ms > 20).reduce((sum, { weight }) => sum + weight, 0);
  expect(slow).toBeGreaterThan(0.9 * (1 - inCity));
});

test('the same seed gives the same answers', () => {
  expect(simulated(1_000_000, {}, 100)).toEqual(simulated(1_000_000, {}, 100));
});

test('more lookups, fewer cities, a refresh after the last one and a cache keep more of them in the city', () => {
  const { inCity } = simulated(1_000_000);
  expect(simulated(10_000_000).inCity).toBeGreaterThan(inCity + 0.2);
  expect(simulated(1_000_000, { cities: 20 }).inCity).toBeGreaterThan(inCity + 0.1);
  expect(simulated(1_000_000, { keepsUp: false }).inCity).toBeLessThan(inCity - 0.03);
  expect(simulated(1_000_000, { probedEveryMs: 50_000 }).inCity).toBeGreaterThan(inCity + 0.3);
  const scattered = simulated(10_000_000, { leastIsolates: 4 }).inCity;
  expect(simulated(10_000_000, { leastIsolates: 4, hasCity: false }).inCity).toBeLessThan(scattered - 0.03);
});
