/** Periods of whole days: half-months, and what is compared while a period is not over. */
import { DAY_MS, isoDay } from '../lib/time.ts';
import type { BriefingPeriod, Period } from './briefing.ts';

/** UTC days since 1970, both inclusive. */
export interface DaySpan {
  readonly from: number;
  readonly to: number;
}

/** A leap year: nobody compares longer periods with the one before. */
export const MAX_PERIOD_DAYS = 366;
/** Where a calendar month is cut in two. */
const FIRST_HALF_DAYS = 15;

export function spanDays({ from, to }: DaySpan): number {
  return to - from + 1;
}

export function periodOf(span: DaySpan): Period {
  return { from: isoDay(span.from), to: isoDay(span.to), days: spanDays(span) };
}

/** The days of a period, as they stand on a given day. */
export interface PeriodSpans {
  readonly whole: DaySpan;
  /** The days that figures cover: until today. */
  readonly elapsed: DaySpan;
  /** The days that are over, which are compared; null: there are none. */
  readonly compared: DaySpan | null;
  /** As many days just before the period; one if none are compared. */
  readonly previous: DaySpan;
}

/**
 * @param today UTC day since 1970
 * @throws RangeError if the period has not begun
 */
export function spansOn(whole: DaySpan, today: number): PeriodSpans {
  if (whole.from > today) throw new RangeError('expected a period that has begun');
  const over = { from: whole.from, to: Math.min(whole.to, today - 1) };
  const compared = spanDays(over) > 0 ? over : null;
  const days = compared === null ? 1 : spanDays(compared);
  return {
    whole,
    elapsed: { from: whole.from, to: Math.min(whole.to, today) },
    compared,
    previous: { from: whole.from - days, to: whole.from - 1 },
  };
}

export function briefingPeriodOf({ whole, elapsed, compared }: PeriodSpans): BriefingPeriod {
  return { ...periodOf(whole), complete: compared?.to === whole.to, until: isoDay(elapsed.to) };
}

/** The last half of a calendar month (1st to 15th, 16th to its end) that was over when `day` began. */
export function halfMonthBefore(day: number): DaySpan {
  const date = new Date(day * DAY_MS);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY_MS;
  if (date.getUTCDate() > FIRST_HALF_DAYS) return { from: first, to: first + FIRST_HALF_DAYS - 1 };
  const firstOfLast = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1, 1) / DAY_MS;
  return { from: firstOfLast + FIRST_HALF_DAYS, to: first - 1 };
}
