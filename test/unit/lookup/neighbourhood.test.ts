import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NumbersReader } from '../../../src/format/numbers-reader.ts';
import { encodeNumbersSlice, openNumbersSlice } from '../../../src/format/numbers-slice.ts';
import { neighboursAmong, neighboursOf } from '../../../src/lookup/neighbours.ts';
import { scoreOf } from '../../../src/policy/score.ts';

const BLOCK = 12_025_550_000;
const TODAY = 20_500;

/** Runs, newest first, and what they say together: in order of arrival, the oldest run tells the first seen. */
type Run = ReadonlyMap<number, number>;

function readerOf(run: Run): NumbersReader {
  const sorted = [...run].sort(([a], [b]) => a - b);
  return openNumbersSlice(
    encodeNumbersSlice(
      Float64Array.from(sorted, ([number]) => number),
      Uint32Array.from(sorted, ([, day]) => day),
    ),
  );
}

function plain(runs: readonly Run[], number: number) {
  const first = new Map(runs.flatMap((run) => [...run]));
  first.delete(number);
  const within = (size: number, days: number) =>
    [...first].filter(([other, day]) => Math.floor(other / size) === Math.floor(number / size) && day >= TODAY - days)
      .length;
  const all = Number.POSITIVE_INFINITY;
  const counts = {
    hundred: within(100, all),
    thousand: within(1_000, all),
    tenThousand: within(10_000, all),
    recentHundred: within(100, 28),
    recentThousand: within(1_000, 28),
    recentTenThousand: within(10_000, 28),
    weekThousand: within(1_000, 7),
    weekTenThousand: within(10_000, 7),
  };
  return { hundred: counts.hundred, thousand: counts.thousand, score: scoreOf(counts) };
}

const number = fc.oneof(
  fc.integer({ min: BLOCK, max: BLOCK + 9_999 }),
  fc.integer({ min: BLOCK + 1_200, max: BLOCK + 1_330 }),
  fc.integer({ min: BLOCK - 300, max: BLOCK + 10_300 }),
);
const age = fc.oneof(
  fc.integer({ min: -1, max: 10 }),
  fc.integer({ min: 20, max: 40 }),
  fc.integer({ min: 0, max: 900 }),
);
const run = fc
  .array(fc.tuple(number, age), { minLength: 1, maxLength: 250, size: 'max' })
  .map((rows): Run => new Map(rows.map(([n, days]) => [n, TODAY - days])));

describe('the neighbours of a number', () => {
  test('are those of plain maps, over any runs', () => {
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 4 }), fc.array(number, { maxLength: 30 }), (runs, asked) => {
        const readers = runs.map(readerOf);
        const listed = [...(runs[0] ?? new Map()).keys()].slice(0, 5);
        for (const each of [...asked, ...listed]) {
          expect(neighboursOf(readers, each, TODAY)).toEqual(plain(runs, each));
          const block = each - (each % 10_000);
          const around = new Map(
            runs.flatMap((one) => [...one]).filter(([n]) => n !== each && n - (n % 10_000) === block),
          );
          expect(neighboursAmong(around, each, TODAY)).toEqual(plain(runs, each));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('a number first seen by an older run is as old as that says, though a newer one has it again', () => {
    const old = new Map([[BLOCK + 5, TODAY - 300]]);
    const again = new Map([
      [BLOCK + 5, TODAY],
      [BLOCK + 7, TODAY - 100],
    ]);
    const asOld = neighboursOf([readerOf(again), readerOf(old)], BLOCK + 1, TODAY);
    const asNew = neighboursOf([readerOf(again)], BLOCK + 1, TODAY);
    expect(asOld.hundred).toBe(2);
    expect(asOld.score).toBeLessThan(asNew.score);
  });
});
