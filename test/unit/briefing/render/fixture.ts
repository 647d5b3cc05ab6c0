/** The published fortnight's figures, with a made-up rest; and a period in which nothing happened. */
import type { Briefing, Origin } from '../../../../src/briefing/briefing.ts';

const CAPTURED = 996_141;
const FIRST_TIME = 487_368;
const NAMED: readonly [group: string, share: number][] = [
  ['US/Canada', 0.25],
  ['PH', 0.12],
  ['HK', 0.09],
  ['ID', 0.07],
  ['VN', 0.055],
];
const REST =
  'GB BR IN MY TH DE FR International MX NG SG ES IT PL TR CO ZA AR KE PK EG MA UA RO NL SE AU NZ JP KR TW CL PE BD LK MM KH LA BA VC TV'.split(
    ' ',
  );

/** The named shares, the rest falling by a twelfth each, and what is left on the last one. */
function origins(): Origin[] {
  const counts = NAMED.map(([group, share]): [string, number] => [group, Math.floor(CAPTURED * share)]);
  let captured = 34_000;
  for (const group of REST) {
    counts.push([group, captured]);
    captured = Math.floor((captured * 11) / 12);
  }
  const sum = counts.reduce((total, [, n]) => total + n, 0);
  counts.push(['RU', CAPTURED - sum]);
  counts.sort(([, a], [, b]) => b - a);
  return counts.map(([group, n], i) => ({
    group,
    captured: n,
    firstTime: Math.floor(n * (0.3 + ((i * 7) % 11) / 30)),
    share: n / CAPTURED,
    ...comparedWith(n, group === 'NG' ? 0 : Math.round(n / (1 + ((i * 37 + 48) % 101) / 100 - 0.4))),
  }));
}

function comparedWith(compared: number, previous: number) {
  return { compared, previous, change: previous === 0 ? null : (compared - previous) / previous };
}

const DAYS = Array.from({ length: 15 }, (_, i) => i);

const FIGURES: Omit<Briefing, 'compared'> = {
  period: { from: '2025-05-16', to: '2025-05-30', days: 15, complete: true, until: '2025-05-30' },
  captured: CAPTURED,
  firstTime: FIRST_TIME,
  firstTimeShare: FIRST_TIME / CAPTURED,
  inventory: 20_870_000,
  origins: origins(),
  channels: [
    { channel: 'otp_marketplace', firstTime: 416_943, share: 416_943 / FIRST_TIME },
    { channel: 'api_receiver', firstTime: 69_791, share: 69_791 / FIRST_TIME },
    { channel: 'public_receiver', firstTime: 512, share: 512 / FIRST_TIME },
    { channel: 'number_trading', firstTime: 101, share: 101 / FIRST_TIME },
    { channel: 'other', firstTime: 21, share: 21 / FIRST_TIME },
  ],
  industries: [
    { industry: 'social_media', captured: 402_113, share: 402_113 / CAPTURED },
    { industry: 'communications', captured: 301_877, share: 301_877 / CAPTURED },
    { industry: 'short_video', captured: 188_204, share: 188_204 / CAPTURED },
    { industry: 'internet_services', captured: 97_340, share: 97_340 / CAPTURED },
    { industry: 'ecommerce', captured: 44_021, share: 44_021 / CAPTURED },
    { industry: 'finance', captured: 12_006, share: 12_006 / CAPTURED },
  ],
  trend: DAYS.map((i) => ({
    day: `2025-05-${16 + i}`,
    captured: 82_000 + ((i * 7919) % 13_001) - (i % 7 === 1 ? 21_000 : 0),
    firstTime: 30_000 + ((i * 5003) % 6007) - (i % 7 === 1 ? 9_000 : 0),
  })),
  previous: {
    period: { from: '2025-05-01', to: '2025-05-15', days: 15 },
    captured: 900_017,
    firstTime: 424_003,
    firstTimeShare: 424_003 / 900_017,
    inventory: 20_382_632,
    channels: [
      { channel: 'otp_marketplace', firstTime: 371_000, share: 371_000 / 424_003 },
      { channel: 'api_receiver', firstTime: 52_900, share: 52_900 / 424_003 },
      { channel: 'public_receiver', firstTime: 103, share: 103 / 424_003 },
    ],
    industries: [
      { industry: 'social_media', captured: 351_000, share: 351_000 / 900_017 },
      { industry: 'communications', captured: 290_000, share: 290_000 / 900_017 },
      { industry: 'short_video', captured: 170_100, share: 170_100 / 900_017 },
    ],
  },
  projects: {
    count: 1_204,
    newCount: 37,
    new: [
      {
        project: 'Example Chat',
        industry: 'communications',
        firstDay: '2025-05-17',
        captured: 8_321,
        compared: 8_321,
        previous: 0,
        change: null,
      },
      {
        project: 'A shop with a rather long name that goes on',
        industry: 'ecommerce',
        firstDay: '2025-05-19',
        captured: 1_207,
        compared: 1_207,
        previous: 0,
        change: null,
      },
      {
        project: '示例短视频',
        industry: 'short_video',
        firstDay: '2025-05-22',
        captured: 640,
        compared: 640,
        previous: 0,
        change: null,
      },
      {
        project: 'example-wallet',
        industry: null,
        firstDay: '2025-05-29',
        captured: 77,
        compared: 77,
        previous: 0,
        change: null,
      },
    ],
    growing: [
      {
        project: 'Example Social',
        industry: 'social_media',
        firstDay: '2024-02-03',
        captured: 120_403,
        compared: 120_403,
        previous: 61_022,
        change: 59_381 / 61_022,
      },
      {
        project: 'Example Mail',
        industry: 'internet_services',
        firstDay: '2023-11-30',
        captured: 40_112,
        compared: 40_112,
        previous: 33_180,
        change: 6_932 / 33_180,
      },
    ],
  },
  links: {
    links: 71_455,
    numbers: 70_012,
    dedicated: 66_931,
    hosts: [
      { host: 'sms.example.com', links: 31_200, numbers: 30_118, projects: 412 },
      {
        host: 'a-very-long-host-name-for-a-receiver.with.many.labels.example.net',
        links: 8_114,
        numbers: 8_009,
        projects: 57,
      },
      { host: 'otp.example.org', links: 940, numbers: 933, projects: 1 },
    ],
  },
  blocks: [
    { prefix: '+12025550', country: 'US', captured: 912, firstTime: 433 },
    { prefix: '+639170000', country: 'PH', captured: 897, firstTime: 20 },
    { prefix: '+85250000', country: 'HK', captured: 850, firstTime: 841 },
    { prefix: '+883510000', country: null, captured: 799, firstTime: 799 },
  ],
  quarantined: [
    {
      source: 'feed-b',
      since: '2025-05-27T04:12:00.000Z',
      reasons: ['invalid-numbers', 'uncorroborated'],
      detections: 40_871,
    },
    { source: null, since: '2025-05-28T11:00:00.000Z', reasons: ['sudden-jump'], detections: 306 },
  ],
  generation: 1_234,
  computedAt: '2025-06-01T00:03:11.000Z',
};

/** The days of an ended period are all compared. */
function wholly(figures: Omit<Briefing, 'compared'>): Briefing {
  const { period, captured, firstTime, firstTimeShare, inventory, channels, industries } = figures;
  const { from, to, days } = period;
  const headline = { captured, firstTime, firstTimeShare, inventory, channels, industries };
  return { ...figures, compared: { period: { from, to, days }, ...headline } };
}

export const FORTNIGHT = wholly(FIGURES);

const NOTHING = { captured: 0, firstTime: 0, firstTimeShare: 0, inventory: 0, channels: [], industries: [] };

/** One day without a detection, after one without. */
export const SILENCE = wholly({
  ...NOTHING,
  period: { from: '2025-05-16', to: '2025-05-16', days: 1, complete: true, until: '2025-05-16' },
  origins: [],
  trend: [{ day: '2025-05-16', captured: 0, firstTime: 0 }],
  previous: { ...NOTHING, period: { from: '2025-05-15', to: '2025-05-15', days: 1 } },
  projects: { count: 0, new: [], newCount: 0, growing: [] },
  links: { links: 0, numbers: 0, dedicated: 0, hosts: [] },
  blocks: [],
  quarantined: [],
  generation: 1,
  computedAt: '2025-05-17T00:00:05.000Z',
});
