/** Whether a source is beyond the bounds: pure, over figures alone. */
import type { Bounds, Reason } from './bounds.ts';
import { type DayFigures, type Figures, sharesOf, sum } from './figures.ts';

/** The longest window: long enough for a trickle to add up, short enough for an honest past not to hide a bad week. */
export const WINDOW_DAYS = 7;
/** What a jump is measured against. */
const JUMP_BASE_DAYS = 14;

export interface Evidence {
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
