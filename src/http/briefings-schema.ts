import * as v from 'valibot';
import type { Briefing } from '../briefing/briefing.ts';
import { parseDay } from '../format/records.ts';

export { briefingSchema as briefingAnswer } from '../briefing/schema.ts';

/** Detections before it are refused, so that no period before it has any. */
const FIRST_DATE = '2000-01-01';
const EXPECTED = `expected a date as YYYY-MM-DD, from ${FIRST_DATE} to 9999-12-31`;

const day = v.pipe(
  v.string(EXPECTED),
  v.isoDate(EXPECTED),
  v.check((text) => parseDay(text) !== null && text >= FIRST_DATE, EXPECTED),
);

export const briefingPath = v.object({ from: day, to: day });

/** A short period of a small inventory. The block is of numbers that are reserved for fiction. */
export const BRIEFING_EXAMPLE: Briefing = {
  period: { from: '2025-05-16', to: '2025-05-17', days: 2, complete: true, until: '2025-05-17' },
  captured: 40,
  firstTime: 20,
  firstTimeShare: 0.5,
  inventory: 125_849,
  origins: [
    { group: 'US/Canada', captured: 30, firstTime: 18, share: 0.75, compared: 30, previous: 20, change: 0.5 },
    { group: 'PH', captured: 10, firstTime: 2, share: 0.25, compared: 10, previous: 0, change: null },
  ],
  channels: [
    { channel: 'otp_marketplace', firstTime: 15, share: 0.75 },
    { channel: 'api_receiver', firstTime: 5, share: 0.25 },
  ],
  industries: [{ industry: 'social_media', captured: 36, share: 0.9 }],
  trend: [
    { day: '2025-05-16', captured: 25, firstTime: 12 },
    { day: '2025-05-17', captured: 18, firstTime: 8 },
  ],
  compared: {
    period: { from: '2025-05-16', to: '2025-05-17', days: 2 },
    captured: 40,
    firstTime: 20,
    firstTimeShare: 0.5,
    inventory: 125_849,
    channels: [
      { channel: 'otp_marketplace', firstTime: 15, share: 0.75 },
      { channel: 'api_receiver', firstTime: 5, share: 0.25 },
    ],
    industries: [{ industry: 'social_media', captured: 36, share: 0.9 }],
  },
  previous: {
    period: { from: '2025-05-14', to: '2025-05-15', days: 2 },
    captured: 20,
    firstTime: 10,
    firstTimeShare: 0.5,
    inventory: 125_829,
    channels: [{ channel: 'otp_marketplace', firstTime: 10, share: 1 }],
    industries: [{ industry: 'social_media', captured: 20, share: 1 }],
  },
  projects: {
    count: 2,
    new: [
      {
        project: 'example-app',
        industry: 'social_media',
        firstDay: '2025-05-16',
        captured: 6,
        compared: 6,
        previous: 0,
        change: null,
      },
    ],
    newCount: 1,
    growing: [
      {
        project: 'example-app',
        industry: 'social_media',
        firstDay: '2025-05-16',
        captured: 6,
        compared: 6,
        previous: 0,
        change: null,
      },
    ],
  },
  links: {
    links: 5,
    numbers: 5,
    dedicated: 4,
    hosts: [{ host: 'codes.example', links: 5, numbers: 5, projects: 2 }],
  },
  blocks: [{ prefix: '+12025550', country: 'US', captured: 12, firstTime: 9 }],
  quarantined: [],
  generation: 1234,
  computedAt: '2025-05-18T00:15:02.000Z',
};
