/**
 * The rows of activity that a briefing is computed from, with what they name (channel, industry, project, host) as
 * small integers by activity key. A period with more rows than may be in memory is read part by part of the number
 * space.
 */

import { type ActivitySource, activityKeyText, type DayActivity, type KindSpan } from '../format/activity.ts';
import { CHANNELS, INDUSTRIES } from '../format/attributes.ts';
import type { Steps } from '../lib/cooperate.ts';
import { lowerBound, SourceHeap } from '../lib/sorted.ts';
import type { DaySpan } from './period.ts';

/** Stands for nothing named. */
export const NONE = -1;
export const API_RECEIVER = CHANNELS.indexOf('api_receiver');

/** Arrays by the index of an activity key; NONE where a key does not name the thing. */
export interface ActivityKeys {
  /** Index into CHANNELS. */
  readonly channel: Int32Array;
  /** Index into INDUSTRIES. */
  readonly industry: Int32Array;
  /** Index into `projects`. */
  readonly project: Int32Array;
  /** Index into `hosts`. */
  readonly host: Int32Array;
  /** Its place in the canonical order of activity keys (src/format/activity.ts). */
  readonly order: Int32Array;
  /** The projects, in the order of the first key that names each. */
  readonly projects: readonly string[];
  readonly hosts: readonly string[];
  /** For each project, the first day of any of its keys, over all history. */
  readonly projectFirstDay: Float64Array;
}

export function activityKeysOf(kinds: readonly KindSpan[]): ActivityKeys {
  const projects = new Map<string, number>();
  const hosts = new Map<string, number>();
  const project = Int32Array.from(kinds, ({ kind }) => indexIn(projects, kind.project));
  const projectFirstDay = new Float64Array(projects.size).fill(Number.POSITIVE_INFINITY);
  kinds.forEach(({ firstDay }, i) => {
    const index = project[i] as number;
    if (index !== NONE) projectFirstDay[index] = Math.min(projectFirstDay[index] as number, firstDay);
  });
  return {
    channel: Int32Array.from(kinds, ({ kind }) => CHANNELS.indexOf(kind.channel)),
    industry: Int32Array.from(kinds, ({ kind }) => (kind.industry === null ? NONE : INDUSTRIES.indexOf(kind.industry))),
    project,
    host: Int32Array.from(kinds, ({ kind }) => indexIn(hosts, kind.linkHost)),
    order: orderOf(kinds.map(({ kind }) => activityKeyText(kind))),
    projects: [...projects.keys()],
    hosts: [...hosts.keys()],
    projectFirstDay,
  };
}

function indexIn(indexes: Map<string, number>, text: string | null): number {
  if (text === null) return NONE;
  const known = indexes.get(text);
  if (known !== undefined) return known;
  indexes.set(text, indexes.size);
  return indexes.size - 1;
}

/** The rank of each text among all, in code unit order. */
function orderOf(texts: readonly string[]): Int32Array {
  const place = new Map([...new Set(texts)].sort().map((text, i) => [text, i]));
  return Int32Array.from(texts, (text) => place.get(text) ?? NONE);
}

/** Rows in memory at once; at most 24 bytes each, so 24 MiB of the 128 that an isolate has for everything. */
const MAX_ROWS = 2 ** 20;
const NO_LINKS = new Uint32Array();

export interface GatheredRows {
  /** By day, ascending. */
  readonly days: readonly DayActivity[];
  readonly rows: number;
  /** The part ends before this number; infinity: it is the last part. */
  readonly end: number;
}

export interface RowsWanted extends DaySpan {
  /** Links of days before this one are not read. */
  readonly linksFrom: number;
}

/**
 * Gathers the rows of numbers from `start` on: all of them, or as many as `maxRows` allows. Rejects when storage fails.
 */
export async function gatherRows(
  activity: ActivitySource,
  { from, to, linksFrom }: RowsWanted,
  start: number,
  maxRows = MAX_ROWS,
): Promise<GatheredRows> {
  let days: DayActivity[] = [];
  let rows = 0;
  let end = Number.POSITIVE_INFINITY;
  for await (const whole of activity.days(from, to)) {
    const day = cut(whole.day < linksFrom ? { ...whole, linkHigh: NO_LINKS, linkLow: NO_LINKS } : whole, start, end);
    if (day.rows === 0) continue;
    days.push(day);
    rows += day.rows;
    while (rows > maxRows) {
      const nearer = halfWay(days, start);
      // A single number may have more rows than that; its rows are not divided.
      if (nearer >= end) break;
      end = nearer;
      days = days.map((each) => cut(each, start, nearer)).filter((each) => each.rows > 0);
      rows = days.reduce((sum, each) => sum + each.rows, 0);
    }
  }
  return { days, rows, end };
}

/**
 * A number before which about half of the rows are, by the largest day. It lies after `start`, so that every part has
 * rows.
 */
function halfWay(days: readonly DayActivity[], start: number): number {
  const largest = days.reduce((a, b) => (b.rows > a.rows ? b : a));
  const middle = largest.numbers[largest.rows >>> 1] as number;
  return Math.max(middle, start + 1, (largest.numbers[0] as number) + 1);
}

/**
 * The rows of numbers in [start, end). They are copied unless they are all rows: a view would keep the others in
 * memory.
 */
function cut(day: DayActivity, start: number, end: number): DayActivity {
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

/**
 * Rows in one step. The work of a row that is ordered and tallied is told in records of a merge (src/lib/cooperate.ts).
 */
const STEP_ROWS = 512;
const ROW_WORK = 1 / 2;

/** Takes rows [from, to) of a day, which are all its rows of one number. */
type VisitRows = (day: DayActivity, from: number, to: number) => void;

/**
 * Visits the rows of many days in the order of number, then day.
 * @param days ascending, each with rows in number order
 */
export function* visitRows(days: readonly DayActivity[], visit: VisitRows): Steps<void> {
  let rows = 0;
  const next = new Uint32Array(days.length);
  const heap = new SourceHeap(Float64Array.from(days, (day) => numberAt(day, 0)));
  for (let index = heap.first; index >= 0; index = heap.first) {
    const day = days[index] as DayActivity;
    const from = next[index] as number;
    const number = day.numbers[from];
    let to = from + 1;
    while (to < day.rows && day.numbers[to] === number) to += 1;
    visit(day, from, to);
    next[index] = to;
    heap.advance(numberAt(day, to));
    rows += to - from;
    if (rows >= STEP_ROWS) {
      yield rows * ROW_WORK;
      rows = 0;
    }
  }
}

function numberAt({ rows, numbers }: DayActivity, row: number): number {
  return row < rows ? (numbers[row] as number) : Number.POSITIVE_INFINITY;
}
