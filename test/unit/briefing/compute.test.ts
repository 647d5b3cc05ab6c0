import { describe, expect, it } from 'vitest';
import { computeBriefing } from '../../../src/briefing/compute.ts';
import type { Inventory } from '../../../src/briefing/inventory.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { parseDay } from '../../../src/lib/time.ts';
import { memoryActivity } from '../../support/activity.ts';
import { plainBriefing } from './plain-briefing.ts';
import { mergedRuns, randomDetections } from './worlds.ts';

const NOW = Date.UTC(2025, 5, 10);

async function figuresOf(
  detections: readonly Detection[],
  inventory: Inventory,
  [from, to]: readonly [string, string],
  maxRows?: number,
  now = NOW,
) {
  const computed = await computeBriefing(
    { activity: memoryActivity(detections), inventory, quarantined: [] },
    { from: parseDay(from) ?? 0, to: parseDay(to) ?? 0 },
    { now, pace: UNPACED, ...(maxRows !== undefined && { maxRows }) },
  );
  const { generation, computedAt, quarantined, ...figures } = computed;
  expect({ generation, computedAt, quarantined }).toEqual({
    generation: 7,
    computedAt: new Date(now).toISOString(),
    quarantined: [],
  });
  return figures;
}

const FORTNIGHT = ['2025-05-16', '2025-05-30'] as const;

describe('a small world at random against plain sets over the raw rows', () => {
  const periods = [FORTNIGHT, ['2025-04-20', '2025-05-01'], ['2025-05-07', '2025-05-07'], ['2025-03-01', '2025-07-31']];

  it.each([1, 2, 3, 4, 5, 6])('%i', async (seed) => {
    const detections = randomDetections(60 * seed * seed, seed);
    const inventory = await mergedRuns(detections, seed % 4 || 1);
    for (const [from = '', to = ''] of periods) {
      expect(await figuresOf(detections, inventory, [from, to])).toEqual(
        plainBriefing(detections, from, to, '2025-06-10'),
      );
    }
  });

  it.each(['2025-05-16', '2025-05-17', '2025-05-23', '2025-05-30', '2025-05-31'])('as of %s', async (today) => {
    for (const seed of [11, 12, 13]) {
      const detections = randomDetections(800, seed);
      const inventory = await mergedRuns(detections, seed % 4 || 1);
      const figures = await figuresOf(detections, inventory, FORTNIGHT, undefined, Date.parse(`${today}T09:00:00Z`));
      expect(figures).toEqual(plainBriefing(detections, ...FORTNIGHT, today));
    }
  });

  it.each([1, 50, 333])('with at most %i rows in memory at a time', async (maxRows) => {
    const detections = randomDetections(3000, 7);
    const figures = await figuresOf(detections, await mergedRuns(detections, 5), FORTNIGHT, maxRows);
    expect(figures).toEqual(plainBriefing(detections, ...FORTNIGHT));
  });

  it('of nothing', async () => {
    const figures = await figuresOf([], await mergedRuns([], 0), FORTNIGHT);
    expect(figures).toEqual(plainBriefing([], ...FORTNIGHT));
    expect(figures).toMatchObject({ captured: 0, firstTimeShare: 0, inventory: 0, channels: [], origins: [] });
  });
});

it('of detections in the same second, the first kind in canonical order is the first', async () => {
  const [some] = randomDetections(1, 9);
  if (some === undefined) throw new Error('expected a detection');
  const observedAt = Date.UTC(2025, 4, 20, 10) / 1000;
  const same = { ...some, observedAt, firstSeenAt: observedAt, label: 'modem_pool_card', link: null };
  const all = (['other', 'access_tool', 'public_receiver'] as const).map((channel) => ({ ...same, channel }));
  for (const detections of [all, all.toReversed()]) {
    const { channels } = await figuresOf(detections, await mergedRuns(detections, 1), FORTNIGHT);
    expect(channels).toEqual([{ channel: 'access_tool', firstTime: 1, share: 1 }]);
  }
});

it('refuses facts of numbers that the inventory does not have', async () => {
  const detections = randomDetections(200, 8);
  const inventory = await mergedRuns(detections.slice(100), 1);
  await expect(figuresOf(detections, inventory, ['2025-03-01', '2025-07-31'])).rejects.toThrow(
    /inventory does not have/,
  );
});
