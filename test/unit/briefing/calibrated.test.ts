/** The synthetic fortnight at a two-hundredth of its size has the published proportions, and exactly its own counts. */
import { beforeAll, expect, it } from 'vitest';
import { synthesisOptions } from '../../../bench/synthesize/layout.ts';
import type { Briefing } from '../../../src/briefing/briefing.ts';
import { fortnightRows, inventoryRows } from '../../support/synthetic.ts';
import { briefingsOf, merged, spanOf, synthetic } from './support.ts';

/** Of 20,382,632 known before, 996,141 captured and 487,368 first-time. */
const OPTIONS = synthesisOptions({ numbers: 101_913, captured: 4981, firstTime: 2437 });

let briefing: Briefing;

beforeAll(async () => {
  const inventory = [...inventoryRows(OPTIONS)].map(synthetic);
  const world = await merged(inventory, [...fortnightRows(OPTIONS)].map(synthetic));
  briefing = await briefingsOf(world).briefings.get(spanOf(['2025-05-16', '2025-05-30']));
}, 60_000);

it('captured, first-time and inventory', () => {
  expect(briefing).toMatchObject({ captured: 4981, firstTime: 2437, inventory: 104_350 });
  expect(briefing.firstTimeShare).toBeCloseTo(0.48925, 3);
  expect(briefing.previous.inventory).toBe(101_913);
});

it('channels', () => {
  const [first, second] = briefing.channels;
  expect([first?.channel, second?.channel]).toEqual(['otp_marketplace', 'api_receiver']);
  expect(first?.share).toBeCloseTo(0.8555, 3);
  expect(second?.share).toBeCloseTo(0.1432, 3);
});

it('origins and industries, in order', () => {
  expect(briefing.origins.slice(0, 5).map(({ group }) => group)).toEqual(['US/Canada', 'PH', 'HK', 'ID', 'VN']);
  expect(briefing.industries.slice(0, 4).map(({ industry }) => industry)).toEqual([
    'social_media',
    'communications',
    'short_video',
    'internet_services',
  ]);
});

it('adds up', () => {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  expect(total(briefing.origins.map(({ captured }) => captured))).toBe(briefing.captured);
  expect(total(briefing.origins.map(({ firstTime }) => firstTime))).toBe(briefing.firstTime);
  expect(total(briefing.channels.map(({ firstTime }) => firstTime))).toBe(briefing.firstTime);
  expect(total(briefing.trend.map(({ firstTime }) => firstTime))).toBe(briefing.firstTime);
  expect(briefing.trend).toHaveLength(15);
});
