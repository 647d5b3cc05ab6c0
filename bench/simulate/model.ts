/** What every section starts from, at each scale: sizes from the real encoders, and a year of the real tiers. */

import { CHANNELS, type Detection, INDUSTRIES } from '../../src/format/attributes.ts';
import { BatchBuilder, openBatch } from '../../src/format/batch.ts';
import { EMPTY_MANIFEST, encodeManifest, type Run, runNumbers, type SegmentEntry } from '../../src/format/manifest.ts';
import { encodeNumbersSlice } from '../../src/format/numbers-slice.ts';
import { headBytes, SEGMENT_FOOTER_BYTES } from '../../src/format/segment.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { planCompaction, planInline } from '../../src/merge/compact.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { BatchCursor, fold } from '../../src/merge/fold.ts';
import { MergeDictionary, SEGMENT_RECORDS } from '../../src/merge/segment-builder.ts';
import { SEGMENT_PREFIX } from '../../src/storage/keys.ts';
import { type Random, Zipf } from '../support/random.ts';
import { ASSIGNED_NUMBERS, BILLION, detectionsAMinute, ONE_STORE, SCALES, type Scale } from './assumptions.ts';

// Made-up detections to measure the encoders with: numbers in clusters as on the real list, everything else in
// proportions that make the columns no smaller than real ones.

/**
 * Of the clusters of the real list of 126,000 (numbers with less than 2,000 between them) nine in ten are a single
 * number, most others a few, and a few are whole blocks bought at once; between clusters the leaps are log-normal.
 */
const SINGLES = 0.9;
const BLOCKS = 0.02;
const BLOCK_MEAN = 36;
const GROUP_MEAN = 3;
const GROUP_GAP = 100;
const CLUSTER_MEAN = SINGLES + BLOCKS * (1 + BLOCK_MEAN) + (1 - SINGLES - BLOCKS) * (1 + GROUP_MEAN);
const LEAP_SIGMA = 1.8;

/** First and last observation: within these days since 1970, the span of three years. */
const FIRST_DAY = 19_400;
const DAYS = 1_100;
const PROJECTS = 300;
const API_RECEIVER_SHARE = 0.1432;
const OTP_MARKETPLACE_SHARE = 0.8555;

/** Ascending distinct numbers, as dense as a list of `inventory` numbers spread over all assigned ones. */
export function clusteredNumbers(random: Random, count: number, inventory: number): Float64Array {
  const meanLeap = (ASSIGNED_NUMBERS * CLUSTER_MEAN) / inventory;
  const medianLeap = meanLeap / Math.exp(LEAP_SIGMA ** 2 / 2);
  const numbers = new Float64Array(count);
  let last = 12_010_000_000;
  for (let i = 0; i < count; ) {
    last += 1 + Math.floor(medianLeap * Math.exp(LEAP_SIGMA * random.normal()));
    const kind = random.next();
    const isBlock = kind >= 1 - BLOCKS;
    const length = kind < SINGLES ? 1 : 1 + Math.ceil(random.exponential(isBlock ? BLOCK_MEAN : GROUP_MEAN));
    for (let j = 0; j < length && i < count; j++) {
      if (j > 0) last += isBlock ? 1 : 1 + random.below(GROUP_GAP);
      numbers[i++] = last;
    }
  }
  return numbers;
}

/** One detection of each number. */
function detectionsOf(random: Random, numbers: Float64Array): Detection[] {
  const projects = new Zipf(PROJECTS, 1);
  return Array.from(numbers, (number) => {
    const firstDay = FIRST_DAY + random.below(DAYS);
    const listedDays = random.chance(0.5)
      ? 0
      : Math.min(FIRST_DAY + DAYS - firstDay, Math.floor(random.exponential(90)));
    const channel = random.next();
    const isPrivate = channel < API_RECEIVER_SHARE;
    return {
      number,
      firstSeenAt: firstDay * 86_400 + random.below(86_400),
      observedAt: (firstDay + listedDays + 1) * 86_400 + random.below(86_400),
      sightings: 1 + Math.floor(random.exponential(random.chance(0.02) ? 400 : 1)),
      label: 'modem_pool_card',
      channel: isPrivate
        ? 'api_receiver'
        : channel < API_RECEIVER_SHARE + OTP_MARKETPLACE_SHARE
          ? 'otp_marketplace'
          : (CHANNELS[random.below(CHANNELS.length)] ?? 'other'),
      industry: INDUSTRIES[random.below(INDUSTRIES.length)] ?? null,
      project: `project-${projects.draw(random)}`,
      // One number, one project, one link: a digest that no other number shares.
      link: isPrivate ? { host: 'receiver.example', sha256: hexDigest(random) } : null,
      source: 'feed',
    };
  });
}

/** 64 random hexadecimal digits. */
function hexDigest(random: Random): string {
  return Array.from({ length: 8 }, () =>
    random
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

// Bytes a number and a manifest entry, from the real encoders on made-up records.

interface SegmentSizes {
  /** Records in a full segment: whole ten-thousand-blocks up to 24,576. */
  readonly records: number;
  readonly numbersBytes: number;
  readonly verdictsBytes: number;
  readonly evidenceBytes: number;
  readonly fileBytes: number;
  readonly entry: SegmentEntry;
}

/** More than one segment holds, so that the first one is cut as in a large merge. */
const SAMPLE_RECORDS = SEGMENT_RECORDS + 10_000;

/** A full segment at the density of an inventory, folded from a batch and encoded. */
export async function measureSegment(random: Random, inventory: number): Promise<SegmentSizes> {
  const batch = sampleBatch(random, SAMPLE_RECORDS, inventory);
  const dictionary = new MergeDictionary();
  for await (const { segment } of fold([new BatchCursor(openBatch(batch), dictionary)], dictionary, UNPACED)) {
    const { shape } = segment;
    return {
      records: shape.count,
      numbersBytes: shape.numbers.bytes,
      verdictsBytes: shape.verdictsBytes,
      evidenceBytes: shape.bytes - headBytes(shape) - SEGMENT_FOOTER_BYTES,
      fileBytes: shape.bytes,
      entry: { key: segmentKey(random, 0), offset: 0, ...shape },
    };
  }
  throw new Error('the fold of a sample gave no segment');
}

/** A key as SegmentWriter makes them: 36 characters of attempt, six of index. */
function segmentKey(random: Random, index: number): string {
  const hex = (digits: number) =>
    random
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${SEGMENT_PREFIX}${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}-${String(index).padStart(6, '0')}`;
}

export function sampleBatch(random: Random, records: number, inventory: number) {
  const builder = new BatchBuilder();
  for (const detection of detectionsOf(random, clusteredNumbers(random, records, inventory))) builder.add(detection);
  return builder.finish({ bodySha256: '0'.repeat(64), accepted: records, rejected: 0, errors: [] });
}

/**
 * Numbers captured a day at the published scale, 996,141 in 15: a run that is not the base holds what was captured
 * since the one before it, so it took so many days to come together.
 */
const CAPTURED_PER_DAY = 66_400;

/** Bits a number in the numbers slice of a run with so many numbers: sparse runs take more, and so do recent ones. */
export class NumbersBits {
  readonly #points: readonly { readonly logNumbers: number; readonly bits: number }[];

  constructor(random: Random, sizes: readonly number[]) {
    this.#points = sizes.map((size) => {
      const count = Math.min(size, SEGMENT_RECORDS);
      const days = Math.ceil(size / CAPTURED_PER_DAY);
      const firstDay = Uint32Array.from({ length: count }, () => FIRST_DAY + random.below(days));
      const bytes = encodeNumbersSlice(clusteredNumbers(random, count, size), firstDay).length;
      return { logNumbers: Math.log(size), bits: (bytes * 8) / count };
    });
  }

  /** Between the measured sizes, a straight line over the logarithm. */
  of(runNumbers: number): number {
    const x = Math.log(Math.max(1, runNumbers));
    const upper = this.#points.findIndex(({ logNumbers }) => logNumbers >= x);
    const high = this.#points[upper === -1 ? this.#points.length - 1 : upper];
    const low = this.#points[upper <= 0 ? (upper === 0 ? 0 : this.#points.length - 1) : upper - 1];
    if (high === undefined || low === undefined) throw new RangeError('no sizes were measured');
    if (high === low) return high.bits;
    const share = (x - low.logNumbers) / (high.logNumbers - low.logNumbers);
    return low.bits + share * (high.bits - low.bits);
  }
}

interface ManifestSizes {
  /** A manifest without segments, as full of retained generations as one ever is. */
  readonly envelopeBytes: number;
  readonly entryBytes: number;
}

export interface Sizes {
  readonly segment: SegmentSizes;
  /** Of one upload as it is stored, with as many detections as one has on average. */
  readonly batchBytes: number;
  readonly manifest: ManifestSizes;
  readonly bits: NumbersBits;
}

/** An hour of minutes, a day of hours, three days (src/merge/publish-manifest.ts). */
export const RETAINED_GENERATIONS = 60 + 24 + 3;

/** Sizes of what the real encoder writes: a manifest is an envelope and so much a segment entry. */
export function measureManifest(random: Random, entry: SegmentEntry): ManifestSizes {
  const [none, some] = [0, 100].map((count) => encodeManifest(sampleManifest(random, entry, count)).length);
  if (none === undefined || some === undefined) throw new Error('unreachable: two sizes were encoded');
  return { envelopeBytes: none, entryBytes: (some - none) / 100 };
}

/** Digits of a segment's index at the end of its key (src/merge/segment-writer.ts). */
const INDEX_DIGITS = 6;

/** A manifest of one run with so many entries, in number order, all written by one attempt. */
export function sampleManifest(random: Random, entry: SegmentEntry, entries: number) {
  const span = Math.ceil((entry.last - entry.first) / 10_000) * 10_000;
  const attempt = segmentKey(random, 0).slice(0, -INDEX_DIGITS);
  const segments = Array.from({ length: entries }, (_, i) => ({
    ...entry,
    key: attempt + String(i).padStart(INDEX_DIGITS, '0'),
    first: entry.first + i * 2 * span,
    last: entry.last + i * 2 * span,
  }));
  const retained = Array.from({ length: RETAINED_GENERATIONS }, (_, i) => ({
    generation: 500_000 + i,
    commit: '00000000-0000-4000-8000-000000000000',
    publishedAt: 1_790_000_000_000 + i,
  }));
  const runs = [{ id: '00000000-0000-4000-8000-000000000000', newNumbers: 20_000_000, segments }];
  return { ...EMPTY_MANIFEST, generation: 500_000, publishedAt: 1_790_000_000_000, runs, retained };
}

// A year of minutes through the real planInline and planCompaction (src/merge/compact.ts), on runs that are only
// counts: what is rewritten, what a manifest names, how large the runs are.

const MINUTES_A_YEAR = 365 * 24 * 60;
const SAMPLE_EVERY_MINUTES = 60;

/**
 * The tiers at one instant: numbers of each run, newest first, and segments that a compaction has written.
 */
export interface TierSample {
  readonly runs: readonly number[];
  readonly compactionOutput: number;
}

/** Hourly, and the moments just before a compaction is published, when the manifest names most. */
interface TierSamples {
  readonly hourly: readonly TierSample[];
  readonly peaks: readonly TierSample[];
}

interface TierYear {
  readonly minutes: number;
  readonly detections: number;
  /** Generations that merged batches, and those that only took a compaction further. */
  readonly merges: number;
  readonly compactionTicks: number;
  readonly inlineRecords: number;
  readonly compactionRecords: number;
  readonly inlineSegments: number;
  readonly compactionSegments: number;
  /** Segments read whole to be rewritten. */
  readonly segmentReads: number;
  readonly baseRewrites: number;
  readonly mostRuns: number;
  readonly samples: TierSamples;
}

interface Compaction {
  readonly inputs: readonly Run[];
  readonly merged: Run;
  readonly totalSegments: number;
  doneSegments: number;
}

interface YearOptions {
  readonly scale: Scale;
  readonly segmentRecords: number;
  readonly minutes?: number;
}

export function simulateYear(
  random: Random,
  { scale, segmentRecords, minutes = MINUTES_A_YEAR }: YearOptions,
): TierYear {
  const segmentsOf = (run: Run) => Math.ceil(runNumbers(run) / segmentRecords);
  const firstTimeShare = scale.firstTimeAFortnight / scale.detectionsAFortnight;
  const mean = detectionsAMinute(scale);
  const total = { detections: 0, merges: 0, compactionTicks: 0, inlineRecords: 0, compactionRecords: 0 };
  const segments = { inline: 0, compaction: 0, reads: 0 };
  let runs: readonly Run[] = [countedRun('base', scale.numbers, scale.numbers)];
  let compaction: Compaction | null = null;
  let baseRewrites = 0;
  let mostRuns = 1;
  const hourly: TierSample[] = [];
  const peaks: TierSample[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    const detections = random.poisson(mean);
    if (detections > 0) {
      const busy: readonly string[] = compaction?.inputs.map(({ id }) => id) ?? [];
      const joined = planInline(runs, busy, detections, DEFAULT_BUDGET.inlineRecords);
      const news = countedRun(`m${minute}`, detections, detections * firstTimeShare);
      const merged = mergeRuns([news, ...runs.slice(0, joined)], runs.slice(joined), `m${minute}`);
      segments.reads += runs.slice(0, joined).reduce((sum, run) => sum + segmentsOf(run), 0);
      segments.inline += segmentsOf(merged);
      total.inlineRecords += runNumbers(merged);
      total.detections += detections;
      total.merges += 1;
      runs = [merged, ...runs.slice(joined)];
    }
    compaction ??= startCompaction(runs, segmentsOf, minute);
    if (compaction !== null) {
      total.compactionTicks += 1;
      compaction.doneSegments += DEFAULT_BUDGET.compactionSegments;
      if (compaction.doneSegments >= compaction.totalSegments) {
        const { inputs, merged } = compaction;
        peaks.push({ runs: runs.map(runNumbers), compactionOutput: compaction.totalSegments });
        const at = runs.findIndex(({ id }) => id === inputs[0]?.id);
        if (at + inputs.length === runs.length) baseRewrites += 1;
        runs = runs.toSpliced(at, inputs.length, merged);
        segments.compaction += compaction.totalSegments;
        segments.reads += inputs.reduce((sum, run) => sum + segmentsOf(run), 0);
        total.compactionRecords += runNumbers(merged);
        compaction = null;
      }
    }
    mostRuns = Math.max(mostRuns, runs.length);
    if (minute % SAMPLE_EVERY_MINUTES === 0) {
      hourly.push({ runs: runs.map(runNumbers), compactionOutput: compaction?.doneSegments ?? 0 });
    }
  }
  return {
    ...total,
    minutes,
    inlineSegments: segments.inline,
    compactionSegments: segments.compaction,
    segmentReads: segments.reads,
    baseRewrites,
    mostRuns,
    samples: { hourly, peaks },
  };
}

function startCompaction(runs: readonly Run[], segmentsOf: (run: Run) => number, minute: number): Compaction | null {
  const inputs = planCompaction(runs);
  if (inputs.length === 0) return null;
  const last = runs.findIndex(({ id }) => id === inputs.at(-1)?.id);
  const merged = mergeRuns(inputs, runs.slice(last + 1), `c${minute}`);
  return { inputs, merged, totalSegments: segmentsOf(merged), doneSegments: 0 };
}

/** A run as the tiers see it: one entry with all the numbers. */
function countedRun(id: string, count: number, newNumbers: number): Run {
  const place = { key: id, offset: 0, bytes: 0, verdictsBytes: 0, parts: null };
  const entry = { ...place, first: 0, last: 0, count, numbers: { bytes: 0, sha256: '' } };
  return { id, newNumbers, segments: [entry] };
}

/**
 * Newest first, into one. What a run has that is not first seen there is in some older one: in each of them in
 * proportion to its size.
 */
export function mergeRuns(inputs: readonly Run[], older: readonly Run[], id: string): Run {
  const olderNumbers = older.reduce((sum, run) => sum + runNumbers(run), 0);
  let count = 0;
  let newNumbers = 0;
  for (let i = 0; i < inputs.length; i++) {
    const run = inputs[i];
    if (run === undefined) continue;
    const rest = inputs.slice(i + 1).reduce((sum, other) => sum + runNumbers(other), 0);
    const known = runNumbers(run) - run.newNumbers;
    const inInputs = rest === 0 ? 0 : (known * rest) / (rest + olderNumbers);
    count += runNumbers(run) - inInputs;
    newNumbers += run.newNumbers;
  }
  return countedRun(id, count, newNumbers);
}

// What several sections need: measured sizes and the year of tiers, for each scale, computed once.

/** Run sizes at which the bits of a numbers column are measured: from a minute's detections up. */
const MEASURED_RUNS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000] as const;

/** Hours. */
export const MIDDLE_OF_THE_FORTNIGHT = 7 * 24;

export interface ScaleModel {
  readonly scale: Scale;
  readonly sizes: Sizes;
  readonly year: TierYear;
}

export async function modelScales(random: Random): Promise<ScaleModel[]> {
  const bits = new NumbersBits(random.stream('bits'), MEASURED_RUNS);
  const models: ScaleModel[] = [];
  for (const scale of SCALES) {
    // A range of a list is as dense as the list.
    const density = scale === ONE_STORE ? BILLION.numbers : scale.numbers;
    const segment = await measureSegment(random.stream(`segment ${density}`), density);
    const manifest = measureManifest(random.stream('manifest'), segment.entry);
    const year = simulateYear(random.stream(`year ${scale.name}`), { scale, segmentRecords: segment.records });
    const rows = Math.max(1, Math.round(detectionsAMinute(scale) / scale.uploadsAMinute));
    const batchBytes = sampleBatch(random.stream(`batch ${rows}`), rows, density).length;
    models.push({ scale, sizes: { segment, manifest, bits, batchBytes }, year });
  }
  return models;
}

/** Runs in segments, newest first, as they are in the middle of the first fortnight. */
export function typicalRuns({ year, sizes }: ScaleModel): readonly number[] {
  const sample = year.samples.hourly[MIDDLE_OF_THE_FORTNIGHT];
  if (sample === undefined) throw new RangeError('the simulated time is shorter than a fortnight');
  return sample.runs.map((numbers) => Math.ceil(numbers / sizes.segment.records));
}
