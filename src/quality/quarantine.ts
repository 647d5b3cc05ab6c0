/**
 * Bounds of sources: what is counted of each, by the UTC day its uploads arrived, and when its shares are beyond a
 * bound.
 */

import * as v from 'valibot';
import { addCounts } from '../format/records.ts';
import { repeatedName } from '../lib/json.ts';
import { count, share } from '../lib/schema.ts';

export const dayFigures = v.object({
  /** UTC days since 1970, of the tick that merged the upload. */
  day: count,
  /** Lines that named the source, rejected ones included. Not counted, and 0, for uploads older than this count. */
  lines: count,
  /** Detections. */
  accepted: count,
  /** Lines whose number is not a number, without the unassigned ones. */
  invalid: count,
  /** Lines whose number has a possible length and is in no assigned range. */
  unassigned: count,
  /** Detections of numbers that the plan knows to be fixed lines. */
  fixedLine: count,
  /** Numbers, distinct within an upload. */
  numbers: count,
  /** How many of those numbers were on record before, by any source: at least as many as others had reported. */
  known: count,
});

export type DayFigures = Readonly<v.InferOutput<typeof dayFigures>>;
export type Figures = Omit<DayFigures, 'day'>;

export const NO_FIGURES: Figures = {
  lines: 0,
  accepted: 0,
  invalid: 0,
  unassigned: 0,
  fixedLine: 0,
  numbers: 0,
  known: 0,
};

export function sum(all: Iterable<Figures>): Figures {
  const total = { ...NO_FIGURES };
  for (const one of all) {
    total.lines = addCounts(total.lines, one.lines);
    total.accepted = addCounts(total.accepted, one.accepted);
    total.invalid = addCounts(total.invalid, one.invalid);
    total.unassigned = addCounts(total.unassigned, one.unassigned);
    total.fixedLine = addCounts(total.fixedLine, one.fixedLine);
    total.numbers = addCounts(total.numbers, one.numbers);
    total.known = addCounts(total.known, one.known);
  }
  return total;
}

/** What is left of a sum without one of its parts; 0 at least, since a sum is no less than its parts. */
export function minus(total: Figures, part: Figures): Figures {
  return {
    lines: total.lines - part.lines,
    accepted: total.accepted - part.accepted,
    invalid: total.invalid - part.invalid,
    unassigned: total.unassigned - part.unassigned,
    fixedLine: total.fixedLine - part.fixedLine,
    numbers: total.numbers - part.numbers,
    known: total.known - part.known,
  };
}

/** Fractions of 1; 0 where there is nothing to take a share of. */
export interface Shares {
  readonly invalid: number;
  readonly unassigned: number;
  readonly fixedLine: number;
  /** Of its numbers, on record before. */
  readonly known: number;
}

export function sharesOf({ lines, accepted, invalid, unassigned, fixedLine, numbers, known }: Figures): Shares {
  return {
    invalid: ratio(invalid + unassigned, lines),
    unassigned: ratio(unassigned, lines),
    // Only detections of counted lines can have been counted as fixed lines.
    fixedLine: ratio(fixedLine, Math.min(accepted, lines)),
    known: ratio(known, numbers),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

// What a source may be like. A bound is far beyond what honest feeds do, since holding an honest one back costs its
// operator a look, but is crossed by whoever fills a list with invented numbers (docs/QUALITY.md has the figures).

const wholeCount = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Every field has a default; a window is a tick, a day, or the week. */
const schema = v.strictObject({
  /** Lines in a window before any share is judged: below, a handful of typing errors is a high share. */
  minLines: v.optional(wholeCount, 200),
  /** Of lines: those whose number is none, for any reason. Invented digits are mostly not. */
  invalidShare: v.optional(share, 0.2),
  /** Of lines: numbers of a possible length in no assigned range. Typing errors change the length or hit one. */
  unassignedShare: v.optional(share, 0.15),
  /** Of accepted lines: fixed lines, where the plan tells them from mobiles. Modem pools hold SIM cards. */
  fixedLineShare: v.optional(share, 0.3),
  /** A day's detections against the median of the active days before it. */
  jumpFactor: v.optional(wholeCount, 10),
  /** A day below this is no jump: it could not shift the inventory. */
  jumpDetections: v.optional(wholeCount, 5_000),
  /** Active days before a jump can be told: bulk imports of a new source come on its first day. */
  jumpHistoryDays: v.optional(wholeCount, 7),
  /** Distinct numbers in a window before overlap with other sources is judged. */
  minNumbers: v.optional(wholeCount, 1_000),
  /** Of a source's numbers: those that were on record before. Below this nobody corroborates it. */
  knownShare: v.optional(share, 0.01),
  /** The same of all other sources together: only where overlap is usual does its absence mean anything. */
  usualKnownShare: v.optional(share, 0.2),
});

export type Bounds = Readonly<v.InferOutput<typeof schema>>;

export const DEFAULT_BOUNDS: Bounds = v.parse(schema, {});

/** Why a source is held back, in the order they are told. */
export const REASONS = [
  'canary',
  'invalid-numbers',
  'unassigned-ranges',
  'fixed-lines',
  'sudden-jump',
  'uncorroborated',
  /** Its release came after the generation that a rollback returned to. */
  'rollback',
] as const;
export type Reason = (typeof REASONS)[number];

/**
 * The defaults with what the variable RINGFENCE_QUALITY says laid over them.
 * @throws Error naming the field at fault, so that a deployment with a misspelt bound does not start
 */
export function parseBounds(text: string | undefined): Bounds {
  if (text === undefined || text.trim() === '') return DEFAULT_BOUNDS;
  const expected = 'RINGFENCE_QUALITY: expected a JSON object of bounds';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${expected}; found no JSON`);
  }
  const repeated = repeatedName(text, value);
  if (repeated !== null) throw new Error(`${expected}; found ${JSON.stringify(repeated)} twice`);
  // An array is an object too, and would be read as one without fields.
  if (Array.isArray(value)) throw new Error(`${expected}; found an array`);
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`${expected}; ${v.getDotPath(issue) ?? 'body'}: expected ${issue.expected ?? 'another value'}`);
}

// Whether a source is beyond the bounds: pure, over figures alone.

/** The longest window: long enough for a trickle to add up, short enough for an honest past not to hide a bad week. */
export const WINDOW_DAYS = 7;
/** What a jump is measured against. */
const JUMP_BASE_DAYS = 14;

interface Evidence {
  /** UTC days since 1970. */
  readonly today: number;
  /** Of the uploads in hand; what was merged before does not dilute it. */
  readonly tick: Figures;
  /** By day, oldest first, the uploads in hand among today's. */
  readonly days: readonly DayFigures[];
  /** All other sources in the longest window. */
  readonly others: Figures;
}

/** The bounds that a source is beyond, canaries aside: a hit needs no measure. */
export function brokenBounds(evidence: Evidence, bounds: Bounds): Reason[] {
  const { today, days, tick, others } = evidence;
  const ofToday = sum(days.filter(({ day }) => day === today));
  const ofWeek = sum(days.filter(({ day }) => day > today - WINDOW_DAYS));
  const reasons = new Set([tick, ofToday, ofWeek].flatMap((window) => beyondShares(window, bounds)));
  if (isJump(evidence, ofToday.accepted, bounds)) reasons.add('sudden-jump');
  if (isUncorroborated(ofWeek, others, bounds)) reasons.add('uncorroborated');
  return [...reasons];
}

function beyondShares(window: Figures, bounds: Bounds): Reason[] {
  if (window.lines < bounds.minLines) return [];
  const { invalid, unassigned, fixedLine } = sharesOf(window);
  const reasons: Reason[] = [];
  if (invalid > bounds.invalidShare) reasons.push('invalid-numbers');
  if (unassigned > bounds.unassignedShare) reasons.push('unassigned-ranges');
  // Lines enough, but accepted ones too few to tell: a share of three detections says nothing.
  if (window.accepted >= bounds.minLines && fixedLine > bounds.fixedLineShare) reasons.push('fixed-lines');
  return reasons;
}

function isJump({ today, days }: Evidence, detections: number, bounds: Bounds): boolean {
  const before = days.filter(({ day, accepted }) => day < today && accepted > 0).slice(-JUMP_BASE_DAYS);
  if (before.length < bounds.jumpHistoryDays || detections <= bounds.jumpDetections) return false;
  return detections > bounds.jumpFactor * median(before.map(({ accepted }) => accepted));
}

/**
 * That nobody else has a source's numbers is no fault of its own: a new region or a first import looks the same. It
 * counts only where others do overlap, and only together with half of what would be enough alone.
 */
function isUncorroborated(own: Figures, others: Figures, bounds: Bounds): boolean {
  if (own.numbers < bounds.minNumbers || others.numbers < bounds.minNumbers) return false;
  const { known, invalid, fixedLine } = sharesOf(own);
  if (known >= bounds.knownShare || sharesOf(others).known < bounds.usualKnownShare) return false;
  return invalid > bounds.invalidShare / 2 || fixedLine > bounds.fixedLineShare / 2;
}

/** The upper one of an even count. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
