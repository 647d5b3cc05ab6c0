import { expect, test } from 'vitest';
import { TODAY } from '../../../../bench/simulate/assumptions.ts';
import { drawDistinct, simulateCache, simulateFleet } from '../../../../bench/simulate/isolates.ts';
import { meanOf } from '../../../../bench/simulate/table.ts';
import { Random } from '../../../../bench/support/random.ts';

const input = {
  scale: TODAY,
  lookupsAMonth: 100_000_000,
  stores: 1,
  runSegments: [1, 3, 30, 320],
  compactionSegmentsAMonth: 500,
  segmentZipf: 0,
};

test('distinct slices: as many as the formula of drawing with replacement says', () => {
  const drawn = meanOf(drawDistinct(new Random(1), 320, 0, 300, 200));
  expect(Math.abs(drawn / (320 * (1 - (1 - 1 / 320) ** 300)) - 1)).toBeLessThan(0.02);
});

test('more lookups warm more isolates, and read less each', () => {
  const small = simulateFleet({ ...input, lookupsAMonth: 10_000_000 });
  const large = simulateFleet({ ...input, lookupsAMonth: 1_000_000_000 });
  expect(large.isolates).toBeGreaterThan(small.isolates);
  expect(large.slicesALife).toBeGreaterThan(small.slicesALife);
  const reads = (usage: typeof small.usage, lookups: number) => (usage.kvReads ?? 0) / lookups;
  expect(reads(large.usage, 1_000_000_000)).toBeLessThan(reads(small.usage, 10_000_000) / 5);
});

test('an isolate cannot read more slices on warming up than there are', () => {
  const { slicesALife } = simulateFleet({ ...input, lookupsAMonth: 100_000_000_000 });
  expect(slicesALife).toBeLessThanOrEqual(1 + 3 + 30 + 320);
});

test('the more uneven the traffic, the more the cache of an isolate answers', () => {
  const runs = [
    { segments: 100, bytes: 100_000 },
    { segments: 15_000, bytes: 48_000 },
  ];
  const even = simulateCache(new Random(1), { runs, zipf: 0 });
  const uneven = simulateCache(new Random(1), { runs, zipf: 1.2 });
  expect(uneven.readsALookup).toBeLessThan(even.readsALookup / 2);
  expect(even.hotMs.p50).toBeLessThan(even.coldMs.p50);
  // The base's slices hardly ever hit when traffic is even; those of the small run do.
  expect(even.readsALookup).toBeGreaterThan(0.9);
});

test('what fits the cache is read once', () => {
  const runs = [{ segments: 300, bytes: 80_000 }];
  expect(simulateCache(new Random(1), { runs, zipf: 0 }).readsALookup).toBe(0);
});
