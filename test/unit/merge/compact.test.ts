import { expect, test } from 'vitest';
import type { Run } from '../../../src/format/manifest.ts';
import { planCompaction, planInline, TIER_RATIO } from '../../../src/merge/compact.ts';
import { SMALL_RUN } from '../../../src/merge/context.ts';

const slice = { bytes: 0, sha256: '' };

function runOf(id: string, count: number): Run {
  const entry = { key: id, first: 1, last: 2, count, numbers: slice };
  return { id, newNumbers: count, segments: [{ ...entry, offset: 0, bytes: 0, verdictsBytes: 0, parts: null }] };
}

const runsOf = (...sizes: number[]) => sizes.map((size, i) => runOf(`r${i}`, size));

test.each([
  ['nothing there', [], 50, 0],
  ['a small run is rewritten', [SMALL_RUN], 50, 1],
  ['a larger one is not', [SMALL_RUN + 1], 50, 0],
  ['unless the news have grown to a fifth of it', [40_000], 10_000, 1],
  ['a chain of small runs', [100, 900, 20_000, 900_000], 50, 3],
  ['but never above the budget', [30_000, 30_000, 30_000], 60_000, 2],
])('rewritten at once: %s', (_name, sizes, records, expected) => {
  expect(planInline(runsOf(...sizes), [], records, 131_072)).toBe(expected);
});

test('runs that are being compacted are left alone', () => {
  expect(planInline(runsOf(10, 20, 30), ['r1', 'r2'], 5, 131_072)).toBe(1);
});

test.each([
  ['one run', [500], []],
  ['tiers in order', [40_000, 400_000, 4_000_000], []],
  ['the newest has grown to a fifth of the next', [100_000, 400_000, 4_000_000], ['r0', 'r1']],
  ['which makes the next due too', [250_000, 800_000, 4_000_000], ['r0', 'r1', 'r2']],
  ['two of a size behind a small one', [100, 400_000, 500_000, 9_000_000], ['r1', 'r2']],
])('compacted: %s', (_name, sizes, expected) => {
  expect(planCompaction(runsOf(...sizes)).map(({ id }) => id)).toEqual(expected);
});

test('at most six runs for 20.87 million numbers, whatever the stream', () => {
  const worst: number[] = [];
  for (const minute of [50, 700, 40_000]) {
    let sizes = [20_870_000];
    for (let i = 0; i < 20_000; i++) {
      const joined = planInline(runsOf(...sizes), [], minute, 131_072);
      sizes = [minute + sizes.slice(0, joined).reduce((a, b) => a + b, 0), ...sizes.slice(joined)];
      const due = planCompaction(runsOf(...sizes)).map(({ id }) => Number(id.slice(1)));
      const [from] = due;
      if (from !== undefined) {
        const merged = sizes.slice(from, from + due.length).reduce((a, b) => a + b, 0);
        sizes = sizes.toSpliced(from, due.length, merged);
      }
      worst.push(sizes.length);
    }
  }
  expect(Math.max(...worst)).toBeLessThanOrEqual(6);
  expect(TIER_RATIO).toBe(5);
});
