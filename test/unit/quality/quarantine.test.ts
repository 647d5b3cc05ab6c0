import { describe, expect, test } from 'vitest';
import {
  type Bounds,
  brokenBounds,
  DEFAULT_BOUNDS,
  type Figures,
  NO_FIGURES,
  parseBounds,
  sharesOf,
} from '../../../src/quality/quarantine.ts';

const TODAY = 20_000;

/** Figures of a window; all accepted lines unless said otherwise. */
function figures(lines: number, more: Partial<Figures> = {}): Figures {
  return { ...NO_FIGURES, lines, accepted: lines, ...more };
}

/** As if all of it came in one tick today, before nothing. */
function judged(own: Figures, bounds: Bounds = DEFAULT_BOUNDS, others: Figures = NO_FIGURES) {
  return brokenBounds({ today: TODAY, tick: own, days: [{ day: TODAY, ...own }], others }, bounds);
}

/** Days of so many detections, the last of them today. */
function history(...accepted: number[]) {
  const days = accepted.map((count, i) => ({ ...figures(count), day: TODAY - accepted.length + 1 + i }));
  return brokenBounds({ today: TODAY, tick: figures(accepted.at(-1) ?? 0), days, others: NO_FIGURES }, DEFAULT_BOUNDS);
}

describe('shares', () => {
  test('are of lines, and of detections', () => {
    const own = { lines: 400, accepted: 200, invalid: 60, unassigned: 40, fixedLine: 50, numbers: 100, known: 25 };
    expect(sharesOf(own)).toEqual({ invalid: 0.25, unassigned: 0.1, fixedLine: 0.25, known: 0.25 });
    expect(sharesOf(NO_FIGURES)).toEqual({ invalid: 0, unassigned: 0, fixedLine: 0, known: 0 });
  });

  test.each([
    ['invalid-numbers', { accepted: 240, invalid: 60 }, { accepted: 239, invalid: 61 }],
    ['unassigned-ranges', { accepted: 255, unassigned: 45 }, { accepted: 254, unassigned: 46 }],
    ['fixed-lines', { fixedLine: 90 }, { fixedLine: 91 }],
  ] as const)('%s: at the bound it is within, beyond it is not', (reason, within, beyond) => {
    expect(judged(figures(300, within))).toEqual([]);
    expect(judged(figures(300, beyond))).toEqual([reason]);
  });

  test('say nothing of fewer lines than it takes', () => {
    expect(judged(figures(199, { accepted: 0, unassigned: 199 }))).toEqual([]);
    expect(judged(figures(200, { accepted: 0, unassigned: 200 }))).toEqual(['invalid-numbers', 'unassigned-ranges']);
    // Plenty of lines, and nearly none accepted: three fixed lines are no share.
    expect(judged(figures(300, { accepted: 3, fixedLine: 3 }))).toEqual([]);
  });

  test('are of the lines that were counted: detections of older uploads are neither good nor bad', () => {
    expect(judged({ ...NO_FIGURES, accepted: 1_000_000 })).toEqual([]);
    expect(judged(figures(300, { accepted: 1_000_000, fixedLine: 91 }))).toEqual(['fixed-lines']);
  });

  test('of one bad upload are not hidden by a good past, nor a bad week by good days', () => {
    const past = { day: TODAY - 1, ...figures(100_000) };
    const bad = figures(300, { fixedLine: 200 });
    const day = { day: TODAY, ...figures(50_000, { fixedLine: 200 }) };
    expect(brokenBounds({ today: TODAY, tick: bad, days: [past, day], others: NO_FIGURES }, DEFAULT_BOUNDS)).toEqual([
      'fixed-lines',
    ]);
    const trickle = [6, 5, 4, 3, 2, 1, 0].map((ago) => ({ day: TODAY - ago, ...figures(30, { fixedLine: 20 }) }));
    const tick = figures(30, { fixedLine: 20 });
    expect(brokenBounds({ today: TODAY, tick, days: trickle, others: NO_FIGURES }, DEFAULT_BOUNDS)).toEqual([
      'fixed-lines',
    ]);
    // A day further back it is not enough.
    expect(brokenBounds({ today: TODAY + 1, tick, days: trickle, others: NO_FIGURES }, DEFAULT_BOUNDS)).toEqual([]);
  });
});

describe('a sudden jump', () => {
  const week = [600, 500, 700, 600, 650, 600, 640];

  test('is more than ten times the median of a known past', () => {
    expect(history(...week, 6_000)).toEqual([]);
    expect(history(...week, 6_001)).toEqual(['sudden-jump']);
    // One earlier outlier does not make the next one usual.
    expect(history(...week, 90_000, 6_500)).toEqual(['sudden-jump']);
  });

  test('is none on the first days of a source, whatever is imported', () => {
    expect(history(5_000_000)).toEqual([]);
    expect(history(...week.slice(1), 5_000_000)).toEqual([]);
  });

  test('is none below what could shift the inventory', () => {
    expect(history(1, 1, 1, 1, 1, 1, 1, 5_000)).toEqual([]);
    expect(history(1, 1, 1, 1, 1, 1, 1, 5_001)).toEqual(['sudden-jump']);
  });

  test('is measured against active days only', () => {
    expect(history(...week.flatMap((count) => [0, count]), 6_001)).toEqual(['sudden-jump']);
  });
});

describe('numbers that nobody else reports', () => {
  const usual = figures(0, { accepted: 5_000, numbers: 5_000, known: 2_000 });
  const own = (more: Partial<Figures>) => figures(2_000, { numbers: 2_000, known: 10, ...more });

  test('are no fault alone', () => {
    expect(judged(own({}), DEFAULT_BOUNDS, usual)).toEqual([]);
  });

  test('are one together with half of what is enough alone', () => {
    expect(judged(own({ fixedLine: 301 }), DEFAULT_BOUNDS, usual)).toEqual(['uncorroborated']);
    expect(judged(own({ accepted: 1_790, invalid: 210 }), DEFAULT_BOUNDS, usual)).toEqual(['uncorroborated']);
    expect(judged(own({ fixedLine: 300 }), DEFAULT_BOUNDS, usual)).toEqual([]);
  });

  test('mean nothing where others do not overlap either, or are not there', () => {
    const strangers = figures(0, { accepted: 5_000, numbers: 5_000, known: 900 });
    expect(judged(own({ fixedLine: 301 }), DEFAULT_BOUNDS, strangers)).toEqual([]);
    expect(judged(own({ fixedLine: 301 }), DEFAULT_BOUNDS, NO_FIGURES)).toEqual([]);
    expect(judged(own({ fixedLine: 301, known: 20 }), DEFAULT_BOUNDS, usual)).toEqual([]);
  });
});

describe('bounds', () => {
  test('are the defaults with what is set laid over them', () => {
    expect(parseBounds(undefined)).toEqual(DEFAULT_BOUNDS);
    expect(parseBounds(' ')).toEqual(DEFAULT_BOUNDS);
    const set = parseBounds('{"fixedLineShare": 0.5}');
    expect(set).toEqual({ ...DEFAULT_BOUNDS, fixedLineShare: 0.5 });
    expect(judged(figures(300, { fixedLine: 140 }), set)).toEqual([]);
  });

  test.each([
    '{',
    '[]',
    '{"fixedLines": 1}',
    '{"fixedLineShare": 2}',
    '{"minLines": 0}',
    '{"minLines": 9, "minLines": 9}',
  ])('refuse %s', (text) => {
    expect(() => parseBounds(text)).toThrow(/^RINGFENCE_QUALITY: expected a JSON object of bounds; /);
  });
});
