/**
 * The real history, if it is there, through the real merge: its figures against plain sets over the rows of its files.
 */
import { expect, test } from 'vitest';
import { hasSharedData, INVENTORY, sharedDetections } from '../../../bench/support/shared-data.ts';
import { plainBriefing } from './plain-briefing.ts';
import { briefingsOf, type Dates, merged, spanOf } from './support.ts';

if (!hasSharedData) console.log(`briefing/real-list.test: ${INVENTORY} and its companion are not there; skipped`);

const FORTNIGHTS: readonly Dates[] = [
  ['2025-04-01', '2025-04-15'],
  ['2025-05-16', '2025-05-30'],
];
/** What came later says nothing of them. */
const END_SECONDS = Date.UTC(2025, 5, 1) / 1000;

test.skipIf(!hasSharedData)(
  'two real fortnights',
  async () => {
    const detections = sharedDetections().filter(({ observedAt }) => observedAt < END_SECONDS);
    const world = await merged(detections.slice(0, 200_000), detections.slice(200_000));
    const { briefings } = briefingsOf(world);
    for (const dates of FORTNIGHTS) {
      const { generation, computedAt: _, quarantined, ...figures } = await briefings.get(spanOf(dates));
      expect(figures).toEqual(plainBriefing(detections, ...dates));
      expect([generation, quarantined]).toEqual([2, []]);
      const { captured, firstTime, inventory } = figures;
      console.log(`  ${dates.join(' to ')}: ${captured} captured, ${firstTime} first-time, inventory ${inventory}`);
    }
  },
  60_000,
);
