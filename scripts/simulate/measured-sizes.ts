/** Bytes a number and a manifest entry, from the real encoders on made-up records (synthetic-records.ts). */

import type { Random } from '../../bench/support/random.ts';
import { BatchBuilder, openBatch } from '../../src/format/batch.ts';
import { EMPTY_MANIFEST, encodeManifest, type SegmentEntry } from '../../src/format/manifest.ts';
import { SEGMENT_NUMBERS } from '../../src/format/numbers.ts';
import { encodeNumbersSlice } from '../../src/format/numbers-slice.ts';
import { segmentBytes } from '../../src/format/segment.ts';
import { BatchCursor } from '../../src/merge/cursor.ts';
import { MergeDictionary } from '../../src/merge/dictionary.ts';
import { fold } from '../../src/merge/fold.ts';
import { segmentKey } from './metered-store.ts';
import { clusteredNumbers, detectionsOf } from './synthetic-records.ts';

export interface SegmentSizes {
  /** Records in a full segment: whole ten-thousand-blocks up to 32,768. */
  readonly records: number;
  readonly numbersBytes: number;
  readonly verdictsBytes: number;
  readonly evidenceBytes: number;
  readonly fileBytes: number;
  readonly entry: SegmentEntry;
}

/** More than one segment holds, so that the first one is cut as in a large merge. */
const SAMPLE_RECORDS = SEGMENT_NUMBERS + 10_000;

/** A full segment at the density of an inventory, folded from a batch and encoded. */
export async function measureSegment(random: Random, inventory: number): Promise<SegmentSizes> {
  const batch = sampleBatch(random, SAMPLE_RECORDS, inventory);
  const dictionary = new MergeDictionary();
  for await (const { segment } of fold([new BatchCursor(openBatch(batch), dictionary)], dictionary)) {
    const { shape } = segment;
    const fileBytes = segmentBytes(shape);
    return {
      records: shape.count,
      numbersBytes: shape.numbers.bytes,
      verdictsBytes: shape.verdicts.bytes,
      evidenceBytes: shape.evidenceIndex.bytes + shape.evidenceBlocksBytes,
      fileBytes,
      entry: { key: segmentKey(random, 0), ...shape },
    };
  }
  throw new Error('the fold of a sample gave no segment');
}

export function sampleBatch(random: Random, records: number, inventory: number) {
  const builder = new BatchBuilder();
  for (const detection of detectionsOf(random, clusteredNumbers(random, records, inventory))) builder.add(detection);
  return builder.finish({ bodySha256: '0'.repeat(64), accepted: records, rejected: 0, errors: [] });
}

/**
 * Numbers captured a day at the published scale, 996,141 in 15: a run that is not the base holds what was captured since
 * the one before it, so it took so many days to come together.
 */
const CAPTURED_PER_DAY = 66_400;
const FIRST_DAY = 19_400;

/** Bits a number in the numbers slice of a run with so many numbers: sparse runs take more, and so do recent ones. */
export class NumbersBits {
  readonly #points: readonly { readonly logNumbers: number; readonly bits: number }[];

  constructor(random: Random, sizes: readonly number[]) {
    this.#points = sizes.map((size) => {
      const count = Math.min(size, SEGMENT_NUMBERS);
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

export interface ManifestSizes {
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

/** An hour of minutes, a day of hours, three days (src/merge/retention.ts). */
export const RETAINED_GENERATIONS = 60 + 24 + 3;

/** Sizes of what the real encoder writes: a manifest is an envelope and so much a segment entry. */
export function measureManifest(random: Random, entry: SegmentEntry): ManifestSizes {
  const [none, some] = [0, 100].map((count) => encodeManifest(sampleManifest(random, entry, count)).length);
  if (none === undefined || some === undefined) throw new Error('unreachable: two sizes were encoded');
  return { envelopeBytes: none, entryBytes: (some - none) / 100 };
}

/** Digits of a segment's index at the end of its key (src/merge/write.ts). */
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
  const runs = [{ id: '00000000-0000-4000-8000-000000000000', firstHere: 20_000_000, segments }];
  return { ...EMPTY_MANIFEST, generation: 500_000, publishedAt: 1_790_000_000_000, runs, retained };
}
