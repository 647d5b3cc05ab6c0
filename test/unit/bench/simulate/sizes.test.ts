import { beforeAll, describe, expect, test } from 'vitest';
import {
  breakingPoint,
  FIRST_LOOKUP_BYTES,
  FORMS,
  firstLookup,
  PRESENT_FORM,
} from '../../../../bench/simulate/first-lookup.ts';
import {
  clusteredNumbers,
  measureManifest,
  measureSegment,
  NumbersBits,
  RETAINED_GENERATIONS,
  type Sizes,
  sampleManifest,
} from '../../../../bench/simulate/model.ts';
import { Random } from '../../../../bench/support/random.ts';
import { encodeManifest } from '../../../../src/format/manifest.ts';
import { PAGE_RANKS } from '../../../../src/format/segment.ts';
import { thinRetained } from '../../../../src/merge/publish-manifest.ts';

let sizes: Sizes;
beforeAll(async () => {
  const segment = await measureSegment(new Random(1), 20_870_000);
  const bits = new NumbersBits(new Random(2), [1_000, 100_000, 10_000_000, 1_000_000_000]);
  sizes = { segment, bits, batchBytes: 3_000, manifest: measureManifest(new Random(3), segment.entry) };
});

/** Share of numbers with more than `neighbours` others in their block. */
function inBlocks(numbers: Float64Array, size: number, neighbours: number): number {
  const counts = new Map<number, number>();
  for (const number of numbers) {
    const block = Math.floor(number / size);
    counts.set(block, (counts.get(block) ?? 0) + 1);
  }
  return numbers.filter((number) => (counts.get(Math.floor(number / size)) ?? 0) > neighbours).length / numbers.length;
}

test('made-up numbers are ascending, and clustered as those of the real list of 126,000', () => {
  const numbers = clusteredNumbers(new Random(1), 100_000, 126_000);
  expect(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))).toBe(true);
  // 50.5, 42.1 and 36.5 % of the real ones have more than 1, 3 and 10 numbers in their hundred-block.
  expect(Math.abs(inBlocks(numbers, 100, 1) - 0.505)).toBeLessThan(0.06);
  expect(Math.abs(inBlocks(numbers, 100, 3) - 0.421)).toBeLessThan(0.06);
  expect(Math.abs(inBlocks(numbers, 100, 10) - 0.365)).toBeLessThan(0.06);
});

test('a manifest of so many segments is as large as said', () => {
  const { envelopeBytes, entryBytes } = sizes.manifest;
  const bytes = encodeManifest(sampleManifest(new Random(5), sizes.segment.entry, 330)).length;
  // The first rows of a run take some more: a key, and no difference to the number before.
  expect(Math.abs(bytes / (envelopeBytes + 330 * entryBytes) - 1)).toBeLessThan(0.01);
});

test('so many generations are retained in a store that publishes every minute', () => {
  let retained: { generation: number; commit: string; publishedAt: number }[] = [];
  const start = Date.UTC(2026, 0, 1);
  for (let generation = 0; generation < 5 * 24 * 60; generation++) {
    const publishedAt = start + generation * 60_000;
    retained = thinRetained([...retained, { generation, commit: '', publishedAt }], publishedAt);
  }
  expect(Math.abs(retained.length - RETAINED_GENERATIONS)).toBeLessThanOrEqual(3);
});

describe('the first lookup', () => {
  const sample = { runs: [15_000, 200_000, 2_000_000, 20_870_000], compactionOutput: 0 };

  const pageOfBytes = () => (sizes.segment.verdictsBytes / sizes.segment.records) * PAGE_RANKS;

  test('a listed number takes a page of verdicts on top, in one more read', () => {
    for (const form of FORMS) {
      const { missBytes, hitBytes, missReads, hitReads } = firstLookup(form, sample, sizes);
      expect(hitBytes - missBytes).toBeCloseTo(pageOfBytes(), 6);
      expect(hitReads).toBe(missReads + 1);
    }
  });

  test('a number in two runs takes a page of both, and no further read', () => {
    const { hitBytes, twoRunsBytes, hitReads } = firstLookup(PRESENT_FORM, sample, sizes);
    expect(twoRunsBytes - hitBytes).toBeCloseTo(pageOfBytes(), 6);
    expect(hitReads).toBe(3);
    const small = { runs: [PAGE_RANKS / 2, 20_870_000], compactionOutput: 0 };
    const { hitBytes: one, twoRunsBytes: two } = firstLookup(PRESENT_FORM, small, sizes);
    expect(two - one).toBeCloseTo(pageOfBytes() / 2, 6);
  });

  test('with more runs than a Worker has connections, numbers columns take a read more', () => {
    const many = { ...sample, runs: [...Array.from({ length: 6 }, () => 10_000), 20_870_000] };
    expect(firstLookup(PRESENT_FORM, many, sizes).missReads).toBe(3);
  });

  test('a compaction under way makes no difference: what it has written is listed apart', () => {
    for (const form of FORMS) {
      expect(firstLookup(form, { ...sample, compactionOutput: 320 }, sizes)).toEqual(firstLookup(form, sample, sizes));
    }
  });

  test('two levels cost one read more, and less than the list of a large inventory', () => {
    const billion = { runs: [...sample.runs.slice(0, -1), 1_000_000_000], compactionOutput: 0 };
    const two = FORMS.find(({ levels, segmentShare }) => levels === 2 && segmentShare === 1) ?? PRESENT_FORM;
    expect(firstLookup(two, billion, sizes).missReads).toBe(3);
    expect(firstLookup(two, billion, sizes).missBytes).toBeLessThan(
      firstLookup(PRESENT_FORM, billion, sizes).missBytes,
    );
  });

  test('at the breaking point the bar is just met', () => {
    const numbers = breakingPoint(PRESENT_FORM, sample, sizes, 'missBytes');
    const at = (base: number) =>
      firstLookup(PRESENT_FORM, { ...sample, runs: [...sample.runs.slice(0, -1), base] }, sizes).missBytes;
    expect(at(numbers)).toBeLessThanOrEqual(FIRST_LOOKUP_BYTES);
    expect(at(numbers * 1.01)).toBeGreaterThan(FIRST_LOOKUP_BYTES);
  });
});
