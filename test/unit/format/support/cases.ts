/**
 * The golden vectors' content: fictitious numbers (555-0100 to 555-0199 of any area code) and what may be said of them.
 */
import type { ActivityKey } from '../../../../src/format/activity.ts';
import { type Attributes, CHANNELS, type Detection, INDUSTRIES } from '../../../../src/format/attributes.ts';
import type { Manifest } from '../../../../src/format/manifest.ts';
import { wholeObject } from '../../../../src/format/segment.ts';
import { fictionNumber } from '../../../support/detections.ts';
import type { BatchContent, Contents, Kind } from './content.ts';
import { EXAMPLE_RECORDS } from './example.ts';
import type { PlainFact } from './facts.ts';
import type { PlainEntry, PlainRecord, PlainVerdict } from './plain.ts';
import { storedManifest } from './stored-manifest.ts';

/** 2026-01-05T12:00:00Z. */
const NOON = 1_767_614_400;
const LARGEST = 999_999_999_999_999;

const PLAIN: Attributes = {
  label: 'modem_pool_card',
  channel: 'otp_marketplace',
  industry: null,
  project: null,
  link: null,
  source: null,
};

const FULL: Attributes = {
  label: 'modem_pool_card',
  channel: 'api_receiver',
  industry: 'social_media',
  project: 'alpha',
  link: { host: 'codes.example', sha256: '0123456789abcdef'.repeat(4) },
  source: 'feed-1',
};

/** Their order by UTF-16 code units is not that by code points: U+1F4F1 comes before U+FF5E. */
const PROJECTS = ['naïve café', '短信验证码', '\u{1f4f1} app', '\uff5ewave', 'line\u2028separator "quoted" \\'];

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

function verdict(i: number, change: Partial<PlainVerdict> = {}): PlainVerdict {
  const labels = ['public_sms_receiver'];
  const firstDay = 20_400 + (i % 7);
  const lastDay = firstDay + (i % 5);
  return {
    firstDay,
    lastDay,
    sightings: 1 + (i % 3),
    labels,
    channels: ['public_receiver'],
    industries: [],
    ...change,
  };
}

function entry(i: number, attributes: Attributes): PlainEntry {
  const firstSeenAt = NOON + i * 3_661;
  return { ...attributes, firstSeenAt, lastSeenAt: firstSeenAt + (i % 4) * 86_400, sightings: 1 + (i % 3) };
}

const projectEntries = PROJECTS.map((project, i) => entry(i, { ...FULL, project }));

/** 150 records in three blocks of evidence, of five kinds. */
const manyRecords: PlainRecord[] = range(150).map((i) => {
  const number = fictionNumber(i < 100 ? i : i * 37);
  if (i % 50 === 49) {
    const seen = { firstDay: 20_458, lastDay: 20_463, sightings: 8 };
    return {
      ...{ number, ...seen, labels: ['modem_pool_card'], channels: ['api_receiver'], industries: ['social_media'] },
      evidence: projectEntries,
    };
  }
  const single = entry(i, { ...PLAIN, source: i % 2 === 0 ? null : 'feed-2' });
  return {
    number,
    firstDay: Math.floor(single.firstSeenAt / 86_400),
    lastDay: Math.floor(single.lastSeenAt / 86_400),
    sightings: single.sightings,
    ...{ labels: ['modem_pool_card'], channels: ['otp_marketplace'], industries: [] },
    evidence: [single],
  };
});

/**
 * 2,100 records: two pages of verdicts, the second with profiles that the first has in another order, and some more.
 */
const pagesOfRecords: PlainRecord[] = range(2_100).map((i) => {
  const source = `feed-${Math.floor(i / 700)}`;
  const single: PlainEntry = { ...entry(i % 4, i >= 2_048 && i % 2 === 0 ? FULL : PLAIN), source };
  const { label, channel, industry, firstSeenAt, lastSeenAt, sightings } = single;
  return {
    number: fictionNumber(i * 3),
    firstDay: Math.floor(firstSeenAt / 86_400),
    lastDay: Math.floor(lastSeenAt / 86_400),
    sightings,
    ...{ labels: [label], channels: [channel], industries: industry === null ? [] : [industry] },
    evidence: [single],
  };
});

function detection(i: number, change: Partial<Detection> = {}): Detection {
  const observedAt = NOON + i * 60;
  return { number: fictionNumber(i), observedAt, firstSeenAt: observedAt, sightings: 1, ...PLAIN, ...change };
}

const batch: BatchContent = {
  detections: [
    detection(5, FULL),
    detection(3, { project: PROJECTS[1] ?? null }),
    detection(5, { observedAt: NOON - 86_400, firstSeenAt: NOON - 86_400 }),
    detection(3, { firstSeenAt: NOON - 400 * 86_400, sightings: 2 ** 31 - 1 }),
    detection(70_000, FULL),
    detection(5, FULL),
  ],
  receipt: {
    bodySha256: 'fedcba9876543210'.repeat(4),
    accepted: 6,
    rejected: 1,
    errors: [{ line: 4, code: 'invalid-number', detail: 'too short: expected 10 digits; found 7' }],
  },
};

const slice = (bytes: number, digit: string) => ({ bytes, sha256: digit.repeat(64) });

const manifest: Manifest = {
  generation: 42,
  commit: 'c0ffee',
  parent: 'decade',
  publishedAt: NOON * 1000,
  runs: [
    {
      id: 'r2',
      newNumbers: 1,
      segments: [
        {
          key: 'segments/r2-000000',
          ...{ first: fictionNumber(3), last: fictionNumber(5), count: 2 },
          ...{ offset: 0, numbers: slice(80, 'a'), verdictsBytes: 200, bytes: 808, parts: null },
        },
        {
          key: 'segments/r2-000000',
          ...{ first: fictionNumber(30_000), last: fictionNumber(50_000), count: 20_000 },
          ...{ offset: 808, numbers: slice(16, 'd'), verdictsBytes: 40_000, bytes: 100_000, parts: null },
        },
        {
          key: 'segments/r2-000001',
          ...{ first: fictionNumber(70_000), last: fictionNumber(70_001), count: 2 },
          ...{ offset: 0, numbers: slice(80, 'e'), verdictsBytes: 200, bytes: 808, parts: null },
        },
      ],
      noSlices: true,
    },
    {
      id: 'r1',
      newNumbers: 0,
      segments: [
        wholeObject(
          {
            key: 'segments/r1-000007',
            ...{ first: fictionNumber(3), last: fictionNumber(5), count: 2, numbers: slice(80, 'a') },
          },
          { verdicts: slice(200, 'b'), evidenceIndex: slice(32, 'c'), evidenceBlocksBytes: 320 },
        ),
      ],
    },
    { id: 'r0', newNumbers: 0, segments: [] },
  ],
  compaction: {
    inputs: ['r2', 'r1'],
    output: { key: 'compactions/0000000041-decade', count: 1 },
    resumeFrom: fictionNumber(0),
  },
  consumed: ['0001767614400000-b1'],
  replay: ['k-b2'],
  setAside: { key: 'set-aside/0000000042-c0ffee', count: 3 },
  history: 'manifests/0000000042-c0ffee#40+297',
  unscreened: ['k-b2'],
  missingSlices: ['segments/r2-000000'],
  activity: [
    {
      key: 'facts/a2-000000',
      ...{ firstDay: 20_400, lastDay: 20_430, rows: 12 },
      ...{ bytes: 345, directoryBytes: 200, crc32: 0xcafe },
    },
  ],
  watermarks: [
    { generation: 7, day: 20_400 },
    { generation: 42, day: 20_429 },
  ],
  ledger: 'ledgers/0000000042-c0ffee',
  withdrawals: null,
  retained: [{ generation: 41, commit: 'decade', publishedAt: NOON * 1000 - 60_000 }],
  lastTick: { at: NOON * 1000, batches: 1, detections: 6, newNumbers: 1, unreadable: 0 },
};

const factKinds: readonly ActivityKey[] = [
  {
    ...{ label: 'modem_pool_card', channel: 'api_receiver', industry: 'finance', project: 'é "quoted"' },
    ...{ linkHost: 'codes.example', source: 'feed-1' },
  },
  { label: 'modem_pool_card', channel: 'otp_marketplace', industry: null, project: null, linkHost: null, source: null },
];

/** Two kinds, one with links, on three days; a second at each end of its day. */
const facts: readonly PlainFact[] = [20_400, 20_401, 20_430].flatMap((day, d) =>
  range(4).flatMap((i) =>
    factKinds.flatMap((kind, k) => {
      const firstSeenAt = day * 86_400 + (i === 0 ? 0 : i === 3 ? 86_399 : i * 7_000 + d);
      const link = kind.linkHost === null ? null : `0123456789abcde${i}`;
      return k === 0 && i % 2 === 1 ? [] : [{ day, number: fictionNumber(i * 40 + d), kind, link, firstSeenAt }];
    }),
  ),
);

/** Content of each vector by kind and name; the shape of a segment follows from its records. */
export const CASES: { readonly [K in Exclude<Kind, 'segment'>]: Readonly<Record<string, Contents[K]>> } & {
  readonly segment: Readonly<Record<string, readonly PlainRecord[]>>;
} = {
  numbers: {
    single: [fictionNumber(42)],
    run: range(100).map(fictionNumber),
    bitmap: range(100)
      .filter((i) => i % 3 !== 1)
      .map(fictionNumber),
    'elias-fano-close': range(13).map((i) => fictionNumber(i * 8 + (i % 3))),
    'elias-fano-far': range(80).map((i) => fictionNumber(i * 100 + ((i * 37) % 100))),
    'several-groups': range(20).flatMap((area) => range(8).map((i) => fictionNumber(area * 300 + 11 + i))),
    'span-over-2-32': [0, 1, 42_949, 42_950, 79_998, 79_999].map(fictionNumber),
    'largest-15-digits': [fictionNumber(0), LARGEST - 1, LARGEST],
  },
  fresh: {
    single: [20_400],
    all: range(70).map((i) => 20_400 + (i % 32)),
    'one-day': range(300).map(() => 20_400),
    none: [...range(40).map(() => 20_000), 20_400],
    'several-stretches': range(1100).map((i) => 20_400 - ((i * 37) % 500)),
  },
  verdicts: {
    'no-exceptions': range(40).map((i) => verdict(i)),
    exceptions: range(200).map((i) => {
      if (i === 17) return verdict(i, { sightings: 1_000_000 });
      if (i === 18) return verdict(i, { firstDay: 11_000, lastDay: 20_400 });
      if (i >= 133 && i < 141)
        return verdict(i, { labels: ['reported_abuse'], industries: INDUSTRIES.slice(0, i - 132) });
      if (i === 199) return verdict(i, { firstDay: 20_500, lastDay: 24_000, sightings: 2 ** 53 - 1 });
      return verdict(i);
    }),
    'width-32': range(400).map((i) => verdict(i, { sightings: 1 + i * 10_000_000 + (i === 399 ? 2 ** 33 : 0) })),
    'several-profiles': range(27).map((i) =>
      verdict(i, {
        labels: [['modem_pool_card'], ['modem_pool_card', 'étiquette'], ['\u{1f4f1}', '\uff5e']][i % 3] ?? [],
        channels: CHANNELS.filter((_, bit) => ((i + 1) >> (bit % 4)) & 1),
        industries: INDUSTRIES.filter((_, bit) => ((i + 1) >> (bit % 5)) & 1),
      }),
    ),
  },
  evidence: {
    'all-fields': [[entry(0, PLAIN)], [entry(1, FULL), entry(2, PLAIN)], [entry(3, FULL)]],
    'many-entries': [range(130).map((i) => entry(i, { ...PLAIN, project: `project ${i}` })), [entry(9, PLAIN)]],
    'non-ascii': [projectEntries],
    'several-blocks': manyRecords.map(({ evidence }) => evidence),
    'large-values': [
      [{ ...PLAIN, firstSeenAt: 0, lastSeenAt: 2 ** 32 - 1, sightings: 2 ** 53 - 1 }],
      [{ ...PLAIN, firstSeenAt: 2 ** 32 - 1, lastSeenAt: 2 ** 32 - 1, sightings: 1 }],
    ],
  },
  segment: { example: EXAMPLE_RECORDS, 'several-blocks': manyRecords, 'several-pages': pagesOfRecords },
  batch: { rows: batch, empty: { detections: [], receipt: { ...batch.receipt, accepted: 0 } } },
  facts: { rows: facts },
  manifest: {
    runs: storedManifest(manifest),
    withdrawals: storedManifest({
      ...manifest,
      withdrawals: { key: 'withdrawals/0000000042-c0ffee', pending: 1, replacing: true },
    }),
  },
  aside: {
    reasons: [
      { id: '0001767614400000-b3', reason: 'rollback', detail: null, at: NOON * 1000, by: 'key-1' },
      { id: 'k-b4', reason: 'failed', detail: 'FormatError: expected a lower sum', at: NOON * 1000 + 1, by: null },
      { id: 'k-b5', reason: 'failed', detail: 'sent twice, é', at: NOON * 1000 + 2, by: 'key-2' },
      { id: 'k-b6', reason: 'exhausted', detail: null, at: NOON * 1000 + 3, by: null },
    ],
  },
  withdrawals: {
    gathering: {
      withdrawn: [
        { id: 'k-b6', at: NOON * 1000, by: 'key-1', outSince: 41 },
        { id: 'k-b7', at: NOON * 1000 + 1, by: 'key-2', outSince: null },
      ],
      pending: [
        { id: 'k-b7', from: fictionNumber(0) },
        { id: 'b1', from: 0 },
      ],
      job: {
        batches: [{ id: 'k-b7', from: fictionNumber(0), to: fictionNumber(9) }],
        gathered: {
          ...{ generation: 42, cursor: '0001767614400000-b1', isWhole: false },
          queue: [
            { id: 'k-b4' },
            { id: 'b1', of: { source: null, every: true } },
            { id: 'b1', of: { source: 'feed-1' } },
          ],
          skip: ['k-b4'],
        },
        side: manifest.runs[0]?.segments ?? [],
        sideFacts: manifest.activity,
        facts: { inputs: ['facts/a2-000000'], done: 1, output: manifest.activity },
      },
    },
  },
  parcel: { parts: { parts: ['0102030405', '', '0a0b0c0d0e0f1011'], manifest: '52464d46' } },
  output: { segments: manifest.runs[0]?.segments ?? [], none: [] },
  withdrawn: { batch: { at: NOON * 1000, by: 'key-1' } },
  history: {
    merged: [
      {
        ...{ generation: 42, commit: 'c0ffee', parent: 'decade', writtenAt: NOON * 1000 },
        ...{ batches: ['b1', 'k-b4'], replayed: ['b0'] },
      },
    ],
    several: [
      {
        ...{ generation: 43, commit: 'decaf', parent: 'c0ffee', writtenAt: NOON * 1000 + 60_000 },
        ...{ batches: [], replayed: [] },
        released: [
          { batch: 'b1', source: 'feed-1' },
          { batch: 'k-b4', source: null },
          { batch: 'b0', source: null, every: true },
        ],
      },
      {
        ...{ generation: 42, commit: 'c0ffee', parent: 'decade', writtenAt: NOON * 1000 },
        ...{ batches: ['b1', 'k-b4'], replayed: ['b0'] },
      },
      { generation: 41, commit: 'decade', parent: 'facade', writtenAt: NOON * 1000 - 1, batches: ['b0'], replayed: [] },
    ],
    first: [{ generation: 1, commit: 'facade', parent: null, writtenAt: 0, batches: ['b'], replayed: [] }],
  },
};
