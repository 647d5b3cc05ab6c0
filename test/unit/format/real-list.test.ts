/** What a number costs on real lists, cut into segments by the merge itself. Prints sizes, never numbers. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { detectionOf, hasSharedData, INVENTORY, sharedDetections } from '../../../bench/support/shared-data.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { BatchBuilder, openBatch } from '../../../src/format/batch.ts';
import {
  type EncodedSegment,
  headBytes,
  openHead,
  SEGMENT_ALIGNMENT,
  SEGMENT_FOOTER_BYTES,
} from '../../../src/format/segment.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { BatchCursor, fold } from '../../../src/merge/fold.ts';
import { MergeDictionary } from '../../../src/merge/segment-builder.ts';

/**
 * The goals of docs/decisions/0002-partitioned-elias-fano.md; for the numbers, frame, directory and padding included.
 */
const NUMBERS_BITS = 14.5;
const VERDICTS_BYTES = 4;

async function segmentsOf(detections: readonly Detection[]): Promise<EncodedSegment[]> {
  const builder = new BatchBuilder();
  for (const detection of detections) builder.add(detection);
  const receipt = { bodySha256: '', accepted: detections.length, rejected: 0, errors: [] };
  const dictionary = new MergeDictionary();
  const cursor = new BatchCursor(openBatch(builder.finish(receipt)), dictionary);
  const segments: EncodedSegment[] = [];
  for await (const { segment } of fold([cursor], dictionary, UNPACED)) segments.push(segment);
  return segments;
}

async function measure(name: string, detections: readonly Detection[]): Promise<void> {
  const expected = Map.groupBy(detections, ({ number }) => number);
  const segments = await segmentsOf(detections);
  const sum = (size: (segment: EncodedSegment) => number) => segments.reduce((total, each) => total + size(each), 0);
  const count = sum(({ shape }) => shape.count);
  const bits = (sum(({ shape }) => shape.numbers.bytes) * 8) / count;
  const bytes = sum(({ shape }) => shape.verdictsBytes) / count;
  const evidence = sum(({ shape }) => shape.bytes - headBytes(shape) - SEGMENT_FOOTER_BYTES) / count;
  console.log(
    `${name}: ${segments.length} segments\n` +
      `  numbers column: ${bits.toFixed(2)} bits a number on ${count} numbers\n` +
      `  verdicts column: ${bytes.toFixed(2)} bytes a number; evidence: ${evidence.toFixed(2)} bytes a number`,
  );
  expect(count).toBe(expected.size);
  expect(bits).toBeLessThanOrEqual(NUMBERS_BITS);
  expect(bytes).toBeLessThanOrEqual(VERDICTS_BYTES);
  await checkSegments(segments, expected);
}

/** The sample package: numbers with the day they were last seen. */
function sampleDetections(): Detection[] {
  const path = createRequire(import.meta.url).resolve('@ip1sms/disposable-phone-numbers/number-list.json');
  const list = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  return Object.entries(list)
    .map(([digits, day]) => detectionOf(digits, day, day, 1))
    .filter((each) => each !== null);
}

/** Every number is found with its own verdict, and no ten-thousand-block is in two segments. */
async function checkSegments(
  segments: readonly EncodedSegment[],
  expected: ReadonlyMap<number, readonly Detection[]>,
): Promise<void> {
  let lastBlock = -1;
  for (const segment of segments) {
    expect(Math.floor(segment.shape.first / SEGMENT_ALIGNMENT)).toBeGreaterThan(lastBlock);
    lastBlock = Math.floor(segment.shape.last / SEGMENT_ALIGNMENT);
    const { shape, file } = segment;
    const { numbers, verdicts } = await openHead(file.subarray(0, headBytes(shape)), shape, UNPACED);
    let wrong = 0;
    numbers.all().forEach((number, rank) => {
      const own = expected.get(number) ?? [];
      const sightings = own.reduce((sum, each) => sum + each.sightings, 0);
      const lastDay = own.reduce((last, each) => Math.max(last, Math.floor(each.observedAt / 86_400)), 0);
      const isRight =
        numbers.find(number) === rank && verdicts.sightings(rank) === sightings && verdicts.lastDay(rank) === lastDay;
      if (!isRight) wrong += 1;
    });
    expect(wrong).toBe(0);
  }
}

if (!hasSharedData) console.log(`real-list.test: ${INVENTORY} and its companion are not there; skipped`);

test.skipIf(!hasSharedData)('the shared history', () => measure('shared history', sharedDetections()), 60_000);

test('the sample package', () => measure('sample package', sampleDetections()), 60_000);
