import { expect, it } from 'vitest';
import { activeOn, censusOf, keepCensus, readCensus } from '../../../src/briefing/census.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { mergedRuns, randomDetections } from './worlds.ts';

const DAY_SECONDS = 86_400;
/** 2025-05-20. */
const TODAY = 20_228;
const HORIZONS: Readonly<Record<string, number>> = { modem_pool_card: 20, public_sms_receiver: 8 };

function horizonDaysOf(labels: readonly string[]): number {
  return Math.max(...labels.map((label) => HORIZONS[label] ?? Number.POSITIVE_INFINITY));
}

it.each([1, 2, 3])('counts who is active on each day to come, in world %i', async (seed) => {
  const detections = randomDetections(500, seed).filter(({ observedAt }) => observedAt < (TODAY + 1) * DAY_SECONDS);
  const inventory = await mergedRuns(detections, 3, 'all');
  const census = await censusOf(inventory, TODAY, horizonDaysOf);
  const byNumber = [...Map.groupBy(detections, ({ number }) => number).values()];
  expect(census).toMatchObject({ generation: 7, day: TODAY, numbers: byNumber.length });
  for (let day = TODAY; day < TODAY + 40; day++) {
    const active = byNumber.filter((all) => {
      const lastDay = Math.max(...all.map(({ observedAt }) => Math.floor(observedAt / DAY_SECONDS)));
      return day - lastDay < horizonDaysOf([...new Set(all.map(({ label }) => label))]);
    });
    expect(activeOn(census, day, byNumber.length)).toBe(active.length);
    // What is new since counts as active.
    expect(activeOn(census, day, byNumber.length + 5)).toBe(active.length + 5);
  }
  expect(activeOn(census, TODAY + 40, byNumber.length)).toBe(0);
});

it('counts numbers that never age out on every day', async () => {
  const detections = randomDetections(50, 4);
  const census = await censusOf(await mergedRuns(detections, 1, 'all'), TODAY, () => Number.POSITIVE_INFINITY);
  expect(census.expiring).toEqual([]);
  expect(activeOn(census, TODAY + 10_000, census.numbers)).toBe(census.numbers);
});

it('is kept, and read as nothing when it is damaged', async () => {
  const objects = new MemoryObjectStore();
  expect(await readCensus(objects)).toBeNull();
  const census = { generation: 3, day: TODAY, numbers: 9, expiring: [1, 0, 4] };
  await keepCensus(objects, census);
  expect(await readCensus(objects)).toEqual(census);
  expect(activeOn(census, TODAY, 9)).toBe(8);
  expect(activeOn(census, TODAY + 2, 9)).toBe(4);
  // The clock of the census may have been ahead; a rollback may have taken numbers away.
  expect(activeOn(census, TODAY - 1, 9)).toBe(8);
  expect(activeOn(census, TODAY + 2, 3)).toBe(0);
  await objects.put('census', new Uint8Array(30));
  expect(await readCensus(objects)).toBeNull();
});
