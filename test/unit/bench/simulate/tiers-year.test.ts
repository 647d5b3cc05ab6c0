import { expect, test } from 'vitest';
import { BILLION, TODAY } from '../../../../bench/simulate/assumptions.ts';
import { mergeRuns, simulateYear } from '../../../../bench/simulate/model.ts';
import { Random } from '../../../../bench/support/random.ts';
import { type Run, runNumbers } from '../../../../src/format/manifest.ts';

const MONTH = 30 * 24 * 60;
const slice = { bytes: 0, sha256: '' };

function run(count: number, newNumbers: number): Run {
  const entry = { key: '', first: 0, last: 0, count, numbers: slice };
  return { id: `${count}`, newNumbers, segments: [{ ...entry, offset: 0, bytes: 0, verdictsBytes: 0, parts: null }] };
}

test('merging runs keeps the numbers first seen in them, and drops what they have in common', () => {
  const merged = mergeRuns([run(100, 40), run(1_000, 1_000)], [], 'm');
  expect(merged.newNumbers).toBe(1_040);
  // Sixty of the hundred were in the older run.
  expect(runNumbers(merged)).toBe(1_040);
  // With an older run of the same size beside it, half of the sixty were in that one.
  expect(runNumbers(mergeRuns([run(100, 40), run(1_000, 1_000)], [run(1_000, 1_000)], 'm'))).toBe(1_070);
});

test.each([TODAY, BILLION])(
  'a month at $name: detections come in, tiers stay few, the same seed gives the same',
  (scale) => {
    const options = { scale, segmentRecords: 32_700, minutes: MONTH };
    const year = simulateYear(new Random(1), options);
    expect(simulateYear(new Random(1), options)).toEqual(year);
    const expected = (scale.detectionsAFortnight / 14) * 30;
    expect(Math.abs(year.detections / expected - 1)).toBeLessThan(0.01);
    const last = year.samples.hourly.at(-1)?.runs ?? [];
    const inventory = last.reduce((a, b) => a + b, 0);
    const firstTime = (scale.firstTimeAFortnight / 14) * 30;
    expect(inventory).toBeGreaterThan(scale.numbers + firstTime * 0.95);
    expect(inventory).toBeLessThan(scale.numbers + expected);
    // Every detection is written at least once, every segment has at most so many records.
    expect(year.inlineRecords).toBeGreaterThanOrEqual(year.detections);
    expect(year.compactionSegments).toBeGreaterThanOrEqual(year.compactionRecords / 32_700);
    expect(last.length).toBeLessThanOrEqual(scale === TODAY ? 5 : 20);
  },
);
