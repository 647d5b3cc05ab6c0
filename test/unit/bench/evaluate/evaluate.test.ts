import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluate, SCALES, Tally } from '../../../../bench/evaluate/evaluate.ts';
import {
  collectCells,
  fitRises,
  fitTable,
  STEPS,
  stepsReached,
  TABLE_FILE,
  tableSource,
} from '../../../../bench/evaluate/fit.ts';
import { countryOfNumber, KnownNumbers, Nulls } from '../../../../bench/evaluate/replay.ts';
import { jsonText, reportText } from '../../../../bench/evaluate/report.ts';
import { Random } from '../../../../bench/support/random.ts';
import { mobileRanges } from '../../../../bench/synthesize/number-ranges.ts';
import { readInternational } from '../../../../src/phone/plan.ts';
import { noCounts, pointsOf, SCORED_COUNTS } from '../../../../src/policy/score.ts';
import { historyOf, START, worldHistory } from './world.ts';

const history = worldHistory(40);
/** Quick, and still 10 above the lowest rate. */
const NULLS = 20_000;
const period = { from: START + 20, to: START + 39 };

describe('Nulls', () => {
  const known = new KnownNumbers(history);
  known.startDay(START + 40);

  it('draws from the same million what is not known', () => {
    const nulls = new Nulls(new Random(1));
    const number = history.numbers[7] ?? 0;
    const drawn = Array.from({ length: 500 }, () => nulls.inMillion(number, known) ?? 0);
    expect(drawn.every((one) => Math.floor(one / 1e6) === Math.floor(number / 1e6) && !known.has(one))).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(490);
  });

  it('draws valid mobiles of the country, and none where there is no country', () => {
    const nulls = new Nulls(new Random(1));
    for (const country of mobileRanges().map((ranges) => ranges.country)) {
      for (let i = 0; i < 20; i++) {
        const read = readInternational(String(nulls.inCountry(country, known)));
        expect(read?.country).toBe(country);
        expect(read?.lineType).toMatch(/mobile/);
      }
    }
    expect(nulls.inCountry(null, known)).toBeNull();
    expect(countryOfNumber(12025550123)).toBe('US');
  });

  it('gives a million up in which every number is known', () => {
    const all = { has: () => true } as unknown as KnownNumbers;
    expect(new Nulls(new Random(1)).inMillion(4_915_112_345_678, all)).toBeNull();
  });
});

describe('Tally', () => {
  it('keeps points and neighbours of each day', () => {
    const known = new KnownNumbers(history);
    known.startDay(START + 40);
    const number = history.numbers.find((one) => !known.has(one + 1)) ?? 0;
    const counts = { ...noCounts(), hundred: 3, thousand: 7, tenThousand: 9, recentThousand: 2, recentTenThousand: 2 };
    const tally = new Tally();
    tally.add(START, number + 1, counts, known);
    tally.add(START, 1, noCounts(), known);
    const points = tally.points.sum(new Map([[START, 3]]));
    expect([points[pointsOf(counts)], points[0], tally.hundred.day(START)?.[3]]).toEqual([3, 3, 1]);
    const shares = SCALES.map((_, scale) => [tally.share(scale, 0), tally.share(scale, 1)]);
    expect(shares.slice(1, 4)).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(shares[4]?.[0]).toBe(0.5);
  });
});

describe('evaluate', () => {
  const evaluation = evaluate(history, period, 1, NULLS);

  it('counts what it evaluated, and ranks the blocks being worked through above random numbers', () => {
    expect(evaluation.firstTime).toBe(history.firstDays.filter((day) => day >= START + 20).length);
    expect(evaluation.knownBefore).toBe(history.numbers.length - evaluation.firstTime);
    expect(evaluation.days).toBe(20);
    expect(evaluation.nullsEach).toBe(Math.ceil(NULLS / evaluation.firstTime));
    const [million] = evaluation.nulls;
    // Over half are in blocks, whose first day in ten nobody could foresee.
    expect(million?.score[1]?.recall.value).toBeGreaterThan(0.4);
    expect(million?.score[1]?.recall.value).toBeLessThan(0.6);
    const recalls = million?.score.map(({ recall }) => recall.value) ?? [];
    expect(recalls).toEqual([...recalls].sort((a, b) => a - b));
    for (const { recall } of million?.score ?? []) {
      expect(recall.low).toBeLessThanOrEqual(recall.value);
      expect(recall.high).toBeGreaterThanOrEqual(recall.value);
    }
  });

  it('finds no more than chance where there is nothing to find', () => {
    const random = new Random(9);
    const scattered = historyOf(
      Array.from({ length: 600 }, (_, i) => [4_915_112_000_000 + random.below(1_000_000), START + (i % 40)]),
    );
    const [million] = evaluate(scattered, period, 1, NULLS).nulls;
    expect(million?.score[3]?.recall.value).toBeLessThan(0.03);
  });

  it('is the same for the same seed', () => {
    expect(evaluate(history, period, 1, NULLS)).toEqual(evaluation);
    expect(evaluate(history, period, 2, NULLS)).not.toEqual(evaluation);
  });

  it('is printed whole, without any number', () => {
    const files = [{ path: 'x/a.tsv', kind: 'detections' as const, rows: 600, refused: 2, unreadable: 1 }];
    const text = reportText(evaluation, files);
    expect(text).toContain('a.tsv: detections, 600 rows; left out: 2 not a valid number, 1 without the columns');
    expect(text).toContain('2025-03-21 to 2025-04-09');
    for (const rate of ['0.05 %', '0.10 %', '0.20 %', '0.50 %']) expect(text).toContain(rate);
    expect(text).not.toMatch(/undefined|NaN|Infinity/);
    expect(text + jsonText(evaluation, files)).not.toMatch(/4915112\d{6}/);
    expect(JSON.parse(jsonText(evaluation, files))).toMatchObject({
      period: { from: '2025-03-21' },
      firstTime: evaluation.firstTime,
    });
  });

  it('says what is missing', () => {
    expect(() => evaluate(history, { from: START + 40, to: START + 50 }, 1)).toThrow(/expected first-time numbers/);
    expect(() => evaluate(history, { from: START, to: START + 9 }, 1)).toThrow(
      /expected numbers first seen before --from/,
    );
  });
});

describe('fit', () => {
  it('finds the odds that the cells were made with', () => {
    const rises = [[1.2, 0.5], [0.8]];
    const cells = [];
    for (let a = 0; a <= 2; a++) {
      for (let b = 0; b <= 1; b++) {
        const logOdds = -2 + (a > 0 ? 1.2 : 0) + (a > 1 ? 0.5 : 0) + (b > 0 ? 0.8 : 0);
        // So many that the penalty does not show.
        cells.push({ reached: [a, b], firstTime: 1e7 * Math.exp(logOdds), nulls: 1e7 });
      }
    }
    const firstTime = cells.reduce((sum, cell) => sum + cell.firstTime, 0);
    const fit = fitRises({ cells, firstTime, nulls: 100 * firstTime }, [2, 1]);
    expect(fit.logOdds).toBeCloseTo(-2, 2);
    for (const [i, ofCount] of rises.entries()) {
      for (const [j, rise] of ofCount.entries()) expect(fit.rises[i]?.[j]).toBeCloseTo(rise, 2);
    }
  });

  it('never lets a further neighbour count against a number', () => {
    const cells = [
      { reached: [0], firstTime: 50, nulls: 1000 },
      { reached: [1], firstTime: 1, nulls: 1000 },
    ];
    expect(fitRises({ cells, firstTime: 51, nulls: 2000 }, [1]).rises).toEqual([[0]]);
  });

  it('counts the steps that are reached', () => {
    expect([0, 1, 2, 3, 4, 5, 1000].map((count) => stepsReached(STEPS.hundred, count))).toEqual([0, 1, 2, 3, 3, 4, 10]);
  });

  it('makes a table that holds the false positives of its own null numbers', () => {
    const { table, cells } = fitTable(history, period, 1);
    expect(fitTable(history, period, 1).table).toEqual(table);
    const collected = collectCells(history, period, new Random(4));
    expect(collected.firstTime).toBe(cells.firstTime);
    const suspects = (which: 'firstTime' | 'nulls') =>
      cells.cells.reduce((sum, cell) => {
        let points = 1;
        for (const [i, count] of SCORED_COUNTS.entries()) {
          const reached = STEPS[count][(cell.reached[i] ?? 0) - 1] ?? 0;
          points += table.points[count].findLast(([from]) => from <= reached)?.[1] ?? 0;
        }
        return sum + (points >= table.suspectPoints ? cell[which] : 0);
      }, 0);
    expect(suspects('nulls') / cells.nulls).toBeLessThanOrEqual(0.001);
    expect(suspects('firstTime') / cells.firstTime).toBeGreaterThan(0.4);
    const source = tableSource(table, { ...period, firstTime: cells.firstTime, nulls: cells.nulls });
    expect(source).toContain(`suspectPoints: ${table.suspectPoints},`);
    expect(source).toContain('2025-03-21 to 2025-04-09');
    // It is put in the place of the table that the product reads.
    expect(readFileSync(TABLE_FILE, 'utf8').slice(0, 50)).toBe(source.slice(0, 50));
  });
});
