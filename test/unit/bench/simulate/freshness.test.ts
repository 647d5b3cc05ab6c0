import { expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../../bench/simulate/assumptions.ts';
import { BUSY, QUIET, type Scenario, servedAt, simulateFreshness } from '../../../../bench/simulate/freshness.ts';
import {
  newUpload,
  poissonUploads,
  simulateTicks,
  type TickSettings,
} from '../../../../bench/simulate/tick-simulation.ts';
import { Random } from '../../../../bench/support/random.ts';

const RUNS = [1, 3, 30, 320];
const ticks: TickSettings = {
  cronMs: MINUTE_MS,
  untilMs: 24 * HOUR_MS,
  runSegments: RUNS,
  compactionSegments: 0,
  slowness: 1,
  outage: null,
};
const day: Scenario = { name: 'a day', requestsASecond: BUSY, runSegments: RUNS, days: 1 };
const p99 = (scenario: Partial<Scenario>) =>
  simulateFreshness(new Random(1), { ...day, ...scenario }).servedSeconds.p99;

test('the same seed gives the same figures, another one others', () => {
  expect(simulateFreshness(new Random(1), day)).toEqual(simulateFreshness(new Random(1), day));
  expect(simulateFreshness(new Random(1), day)).not.toEqual(simulateFreshness(new Random(2), day));
});

test('what helps lowers the 99th percentile, what hurts raises it', () => {
  const usual = p99({});
  expect(p99({ ticks: { cronMs: MINUTE_MS / 2 } })).toBeLessThan(usual - 15);
  expect(p99({ ticks: { slowness: 3 } })).toBeGreaterThan(usual + 5);
  const quiet = (isolate: NonNullable<Scenario['isolate']>) => p99({ requestsASecond: QUIET, days: 3, isolate });
  expect(quiet({})).toBeGreaterThan(usual);
  expect(quiet({ looksAfterMs: [25_000] })).toBeGreaterThan(quiet({}) + 1);
  expect(quiet({ waitMs: 60_000 })).toBeGreaterThan(quiet({}) + 15);
});

test('looking once more after the last request, and in a city that knows something, makes nothing older for anybody', () => {
  for (const requestsASecond of [QUIET, 1 / 60]) {
    const before = p99({ requestsASecond, days: 3, isolate: { looksAfterMs: [], waitMs: 30_000 } });
    expect(p99({ requestsASecond, days: 3 })).toBeLessThan(before + 0.5);
    expect(p99({ requestsASecond, days: 3, isolate: { isInBusyCity: true } })).toBeLessThan(before + 1);
  }
  const busy = p99({});
  expect(p99({ isolate: { isInBusyCity: true } })).toBeLessThan(busy + 1.5);
});

test.each([
  ['a steady stream', {}],
  ['bursts', { bursts: true }],
  ['every tick compacts', { compactionSegments: 40 }],
  ['ticks far closer than they are long', { cronMs: 5_000 }],
  ['an outage of an hour', { outage: { fromMs: 2 * HOUR_MS, toMs: 3 * HOUR_MS } }],
])('every accepted upload is served, once, and none before it was accepted: %s', (_name, change) => {
  const uploads = poissonUploads(new Random(1), 3, 25, 12 * HOUR_MS);
  if ('bursts' in change) for (let i = 0; i < 2_500; i++) uploads.push(newUpload(5 * HOUR_MS + i, 500));
  uploads.sort((a, b) => a.acceptedAt - b.acceptedAt);
  const { publications } = simulateTicks(new Random(2), uploads, { ...ticks, ...change });
  for (const { acceptedAt, publishedAt, generation } of uploads) {
    expect(publishedAt).toBeGreaterThan(acceptedAt);
    expect(publications[generation]).toEqual({ at: publishedAt, generation });
  }
  const served = servedAt(new Random(3), uploads, publications, { requestsASecond: BUSY, slowness: 1 });
  expect(new Set(served.map(({ upload }) => upload)).size).toBe(uploads.length);
  expect(served).toHaveLength(uploads.length);
  expect(served.every(({ upload, atMs }) => atMs > upload.publishedAt)).toBe(true);
});

test('generations count up, and each is published after the one before', () => {
  const uploads = poissonUploads(new Random(1), 3, 25, 6 * HOUR_MS);
  const { publications, lostRaces } = simulateTicks(new Random(2), uploads, { ...ticks, cronMs: 5_000 });
  expect(lostRaces).toBeGreaterThan(0);
  publications.forEach((publication, i) => {
    expect(publication.generation).toBe(i);
    expect(publication.at).toBeGreaterThanOrEqual(publications[i - 1]?.at ?? 0);
  });
});

test('a tick that begins in an outage publishes nothing', () => {
  const outage = { fromMs: HOUR_MS, toMs: 2 * HOUR_MS };
  const uploads = poissonUploads(new Random(1), 3, 25, 4 * HOUR_MS);
  const { publications, failed } = simulateTicks(new Random(2), uploads, { ...ticks, outage });
  expect(failed).toBeGreaterThanOrEqual(60);
  // A tick that began just before may still end within.
  const within = publications.filter(({ at }) => at > outage.fromMs + MINUTE_MS && at < outage.toMs);
  expect(within).toEqual([]);
});
