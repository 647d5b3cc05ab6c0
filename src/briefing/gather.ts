/**
 * The rows of a period's days for a part of the number space: as many as may be in memory at once. A period with more
 * is computed part by part, from the smallest number on, and its days are read once for each part.
 */
import type { DayFacts, FactsSource } from '../format/day-facts.ts';
import { lowerBound } from '../format/lower-bound.ts';
import type { DaySpan } from './period.ts';

/** At most 24 bytes each, so 24 MiB: an isolate has 128 for all that goes on in it. */
export const MAX_ROWS = 2 ** 20;
const NO_LINKS = new Uint32Array();

export interface GatheredRows {
  /** By day, ascending. */
  readonly days: readonly DayFacts[];
  readonly rows: number;
  /** The part ends before this number; infinity: nothing follows. */
  readonly end: number;
}

export interface RowsWanted extends DaySpan {
  /** Of days before it the links are left out. */
  readonly linksFrom: number;
}

/** Rows of numbers from `start` on: all of them, or as many as `maxRows` allows. Rejects when storage fails. */
export async function gatherRows(
  facts: FactsSource,
  { from, to, linksFrom }: RowsWanted,
  start: number,
  maxRows = MAX_ROWS,
): Promise<GatheredRows> {
  let days: DayFacts[] = [];
  let rows = 0;
  let end = Number.POSITIVE_INFINITY;
  for await (const whole of facts.days(from, to)) {
    const day = cut(whole.day < linksFrom ? { ...whole, linkHigh: NO_LINKS, linkLow: NO_LINKS } : whole, start, end);
    if (day.rows === 0) continue;
    days.push(day);
    rows += day.rows;
    while (rows > maxRows) {
      const nearer = halfWay(days, start);
      // A single number can have more rows than that: they are not parted.
      if (nearer >= end) break;
      end = nearer;
      days = days.map((each) => cut(each, start, nearer)).filter((each) => each.rows > 0);
      rows = days.reduce((sum, each) => sum + each.rows, 0);
    }
  }
  return { days, rows, end };
}

/** Where about half of the rows come before: by the largest day. After `start`, so that every part has some. */
function halfWay(days: readonly DayFacts[], start: number): number {
  const largest = days.reduce((a, b) => (b.rows > a.rows ? b : a));
  const middle = largest.numbers[largest.rows >>> 1] as number;
  return Math.max(middle, start + 1, (largest.numbers[0] as number) + 1);
}

/** The rows of numbers in [start, end), copied unless they are all: a view would keep the rest in memory. */
function cut(day: DayFacts, start: number, end: number): DayFacts {
  const from = lowerBound(day.numbers, start);
  const to = lowerBound(day.numbers, end);
  if (from === 0 && to === day.rows) return day;
  return {
    day: day.day,
    rows: to - from,
    numbers: day.numbers.slice(from, to),
    firstSeenAt: day.firstSeenAt.slice(from, to),
    kind: day.kind.slice(from, to),
    linkHigh: day.linkHigh.slice(from, to),
    linkLow: day.linkLow.slice(from, to),
  };
}
