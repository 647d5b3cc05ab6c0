/**
 * What the first lookup of a brand-new isolate reads, and how large a manifest is: as it is, and in the forms that it
 * could have. The others are arithmetic on the measured sizes; none of them is built.
 */

import { PAGE_RANKS } from '../../src/format/segment.ts';
import { CONNECTIONS } from '../../src/lib/concurrency.ts';
import { REFRESH_AFTER_MS } from '../../src/lib/swr-cache.ts';
import { SEGMENT_RECORDS } from '../../src/merge/segment-builder.ts';
import { atMost, type Bar, quantilesOf, type Row } from '../report.ts';
import type { ScaleModel, Sizes, TierSample } from './model.ts';
import { kibibytes, type Section, three } from './table.ts';

/** What a first lookup of a listed number may read before a store counts as too large (docs/decisions/0034). */
export const FIRST_LOOKUP_BYTES = 384 * 1024;
/** The bars: KiB, and reads in sequence before a brand-new isolate has its first answer. */
const UNLISTED_BAR = { kib: 256, reads: 2 };
const LISTED_BAR = { kib: 384, reads: 3 };

/** Segment entries in an index object of the two-level form. */
const INDEX_ENTRIES = 128;

/** What names an index object in the root: JSON in the style of the manifest's own. */
const INDEX_REFERENCE_BYTES = JSON.stringify({
  sha256: '0'.repeat(64),
  bytes: 60_000,
  first: 120_000_000_000,
  last: 120_000_000_000,
  segments: INDEX_ENTRIES,
  count: INDEX_ENTRIES * SEGMENT_RECORDS,
}).length;

/** Bytes of an index object besides its entries: a frame and an array. */
const INDEX_ENVELOPE_BYTES = 18;

interface Form {
  readonly name: string;
  readonly levels: 1 | 2;
  /** Share of the records that a segment has today. */
  readonly segmentShare: number;
}

const AS_IS: Form = { name: 'as it is', levels: 1, segmentShare: 1 };

export const FORMS: readonly Form[] = [
  AS_IS,
  { ...AS_IS, name: 'segments of half the size', segmentShare: 0.5 },
  { ...AS_IS, name: 'two levels', levels: 2 },
  { ...AS_IS, name: 'two levels, segments of half the size', levels: 2, segmentShare: 0.5 },
];

export const PRESENT_FORM = AS_IS;

interface FirstLookup {
  /** The mutable object: the manifest, or the root of the two-level form. */
  readonly manifestBytes: number;
  /** All that is read for an unlisted number, for one in the base, in two runs, in every run. */
  readonly missBytes: number;
  readonly hitBytes: number;
  readonly twoRunsBytes: number;
  readonly allRunsBytes: number;
  /** Reads in sequence. */
  readonly missReads: number;
  readonly hitReads: number;
}

/**
 * Manifest; with two levels the index object of each run of more than INDEX_ENTRIES segments, at the same time; a
 * numbers column of each run, up to CONNECTIONS at the same time; for a listed number a page of verdicts of every run
 * that has it, side by side: those of the base, the largest, and of the run with the next largest.
 */
export function firstLookup(form: Form, sample: TierSample, sizes: Sizes): FirstLookup {
  const records = sizes.segment.records * form.segmentShare;
  const { entryBytes } = sizes.manifest;
  const runs = sample.runs.map((numbers) => Math.ceil(numbers / records));
  const indexed = (segments: number) => form.levels === 2 && segments > INDEX_ENTRIES;
  const listBytes = (segments: number) =>
    indexed(segments) ? Math.ceil(segments / INDEX_ENTRIES) * INDEX_REFERENCE_BYTES : segments * entryBytes;
  const manifestBytes = sizes.manifest.envelopeBytes + runs.reduce((sum, segments) => sum + listBytes(segments), 0);
  const indexReads = runs.filter(indexed).length;
  const indexBytes = indexReads * (INDEX_ENVELOPE_BYTES + INDEX_ENTRIES * entryBytes);
  const missBytes = manifestBytes + indexBytes + columnsBytes(sample, sizes, records);
  const missReads = 1 + (indexReads > 0 ? 1 : 0) + Math.ceil(runs.length / CONNECTIONS);
  const verdictsARecord = sizes.segment.verdictsBytes / sizes.segment.records;
  const verdicts = sample.runs.map((numbers) => verdictsARecord * Math.min(numbers, PAGE_RANKS)).sort((a, b) => b - a);
  const hitBytes = missBytes + (verdicts[0] ?? 0);
  const twoRunsBytes = hitBytes + (verdicts[1] ?? 0);
  const allRunsBytes = missBytes + verdicts.reduce((sum, bytes) => sum + bytes, 0);
  return { manifestBytes, missBytes, hitBytes, twoRunsBytes, allRunsBytes, missReads, hitReads: missReads + 1 };
}

/** One numbers column of each run: that of the segment which could have the number. */
function columnsBytes({ runs }: TierSample, { bits }: Sizes, records: number): number {
  return runs.reduce((sum, numbers) => sum + (bits.of(numbers) * Math.min(numbers, records)) / 8, 0);
}

const LEAST_BASE = 1_000_000;
const MOST_NUMBERS = 2_000_000_000;

/**
 * The inventory at which the first lookup passes the bar of bytes: all runs but the base as in the sample, the base as
 * large as it takes: at most MOST_NUMBERS, and zero when it is not met with any base worth the name.
 */
export function breakingPoint(
  form: Form,
  sample: TierSample,
  sizes: Sizes,
  figure: 'missBytes' | 'hitBytes' | 'twoRunsBytes',
): number {
  const bytesWith = (base: number): number =>
    firstLookup(form, { ...sample, runs: [...sample.runs.slice(0, -1), base] }, sizes)[figure];
  let [low, high] = [0, MOST_NUMBERS];
  while (high - low > 10_000) {
    const middle = (low + high) / 2;
    if (bytesWith(middle) <= FIRST_LOOKUP_BYTES) low = middle;
    else high = middle;
  }
  return low < LEAST_BASE ? 0 : low;
}

// Manifests: their size, what refreshing them costs, and the first lookup, in the present form and in others.

const HOURS_A_FORTNIGHT = 14 * 24;
const MINUTES_A_DAY = 24 * 60;

export function manifestSection(models: readonly ScaleModel[]): Section {
  return {
    tables: [
      {
        id: 'manifest',
        title: 'The manifest, and what isolates read to keep up with it',
        rows: models.map(manifestRow),
      },
      { id: 'first-lookup', title: 'The first lookup of a new isolate', rows: models.flatMap(formRows) },
      { id: 'breaking', title: 'Inventory at which the first lookup passes 384 KiB', rows: breakingRows(models) },
    ],
    bars: models.slice(0, 1).flatMap(bars),
  };
}

/** The scale's own fortnight: later in the year the inventory has grown. */
function firstFortnight({ year }: ScaleModel): readonly TierSample[] {
  return year.samples.hourly.slice(0, HOURS_A_FORTNIGHT);
}

/** The moment of the year's first rewriting of the base at which the manifest names most. */
function rewriting({ year, sizes }: ScaleModel): TierSample {
  const isOfBase = ({ runs, compactionOutput }: TierSample) =>
    compactionOutput * sizes.segment.records >= (runs.at(-1) ?? 0);
  const first = year.samples.peaks.find(isOfBase);
  if (first === undefined) throw new Error('the base was not rewritten in a year');
  return first;
}

function manifestRow(model: ScaleModel): Row {
  const { scale, sizes } = model;
  const bytes = firstFortnight(model).map((sample) => firstLookup(PRESENT_FORM, sample, sizes).manifestBytes);
  const { p50 } = quantilesOf(bytes);
  const swapsADay = MINUTES_A_DAY * (1 - Math.exp(-scale.uploadsAMinute));
  return {
    numbers: scale.name,
    'segment entries': three((p50 - sizes.manifest.envelopeBytes) / sizes.manifest.entryBytes),
    'bytes an entry': three(sizes.manifest.entryBytes),
    'KiB, tiers in order': kibibytes(p50),
    'KiB, base being rewritten': kibibytes(firstLookup(PRESENT_FORM, rewriting(model), sizes).manifestBytes),
    'conditional reads a day, busy isolate': three(86_400_000 / (REFRESH_AFTER_MS + 200)),
    'of these changed': three(swapsADay),
    'MB a day, busy isolate': three((swapsADay * p50) / 1e6),
  };
}

function formRows(model: ScaleModel): Row[] {
  const { scale, sizes } = model;
  return FORMS.map((form) => {
    const lookups = firstFortnight(model).map((sample) => firstLookup(form, sample, sizes));
    const worst = firstLookup(form, rewriting(model), sizes);
    const most = (figure: (lookup: (typeof lookups)[number]) => number) => quantilesOf(lookups.map(figure)).max;
    return {
      form: `${scale.name}: ${form.name}`,
      'manifest or root, KiB': kibibytes(quantilesOf(lookups.map((lookup) => lookup.manifestBytes)).p50),
      'unlisted, KiB p50': kibibytes(quantilesOf(lookups.map((lookup) => lookup.missBytes)).p50),
      'listed, KiB max': kibibytes(most(({ hitBytes }) => hitBytes)),
      'in two runs, KiB max': kibibytes(most(({ twoRunsBytes }) => twoRunsBytes)),
      'in every run, KiB max': kibibytes(most(({ allRunsBytes }) => allRunsBytes)),
      'listed, base being rewritten': kibibytes(worst.hitBytes),
      'in two runs, base being rewritten': kibibytes(worst.twoRunsBytes),
      'reads in sequence, at most': `${Math.max(
        worst.missReads,
        most(({ missReads }) => missReads),
      )} / ${Math.max(
        worst.hitReads,
        most(({ hitReads }) => hitReads),
      )}`,
    };
  });
}

/** With the tiers as they are in the middle of the fortnight. */
function breakingRows(models: readonly ScaleModel[]): Row[] {
  const [model] = models;
  const sample = model === undefined ? undefined : firstFortnight(model)[HOURS_A_FORTNIGHT / 2];
  if (model === undefined || sample === undefined) return [];
  const millions = (numbers: number) => {
    if (numbers === 0) return 'always above';
    return numbers > MOST_NUMBERS - 1e6 ? 'beyond 2,000M' : `${three(numbers / 1e6)}M`;
  };
  return FORMS.map((form) => ({
    form: form.name,
    'unlisted number': millions(breakingPoint(form, sample, model.sizes, 'missBytes')),
    'listed number': millions(breakingPoint(form, sample, model.sizes, 'hitBytes')),
    'listed in two runs': millions(breakingPoint(form, sample, model.sizes, 'twoRunsBytes')),
  }));
}

function bars(model: ScaleModel): Bar[] {
  const lookups = firstFortnight(model).map((sample) => firstLookup(PRESENT_FORM, sample, model.sizes));
  const most = (figure: (lookup: ReturnType<typeof firstLookup>) => number) => quantilesOf(lookups.map(figure)).max;
  const worst = firstLookup(PRESENT_FORM, rewriting(model), model.sizes);
  const what = `first lookup at ${model.scale.name}`;
  return [
    atMost(`${what}, unlisted, KiB`, kibibytes(most(({ missBytes }) => missBytes)), UNLISTED_BAR.kib),
    atMost(`${what}, listed, KiB`, kibibytes(most(({ hitBytes }) => hitBytes)), LISTED_BAR.kib),
    atMost(`${what}, listed in two runs, KiB`, kibibytes(most(({ twoRunsBytes }) => twoRunsBytes)), LISTED_BAR.kib),
    atMost(`${what}, unlisted, base being rewritten, KiB`, kibibytes(worst.missBytes), UNLISTED_BAR.kib),
    atMost(`${what}, listed, base being rewritten, KiB`, kibibytes(worst.hitBytes), LISTED_BAR.kib),
    atMost(`${what}, listed in two runs, base being rewritten, KiB`, kibibytes(worst.twoRunsBytes), LISTED_BAR.kib),
    atMost(
      `${what}, unlisted, reads in sequence`,
      most(({ missReads }) => missReads),
      UNLISTED_BAR.reads,
    ),
    atMost(
      `${what}, listed, reads in sequence`,
      most(({ hitReads }) => hitReads),
      LISTED_BAR.reads,
    ),
  ];
}
