/**
 * Which changes are large enough to be called changes. Counts of independent events vary by chance, with a standard
 * deviation of the square root of what is expected (Poisson). So two counts over equally long times that differ by
 * chance alone have a difference with a standard deviation of sqrt(a + b), and a ratio to a small count says nothing:
 * from 1 to 15 is +1,400 %. Real counts vary more than by chance, since numbers also come in uploads; and a change that
 * is not named here may be one all the same.
 */

/**
 * The smallest count that percentages are given of, and that changes are named for: from about 30 on, a Poisson count
 * is nearly normal, with a relative deviation of a fifth, 1/sqrt(30). A percentage of less would mostly show chance.
 */
export const MIN_COUNT = 30;
/**
 * Standard deviations. A briefing compares some twenty figures and may have a thousand projects. By chance, 6 in
 * 100,000 lie beyond four deviations, so one in sixteen briefings with a thousand projects names one that did not
 * change.
 */
const DEVIATIONS = 4;
export const DEVIATIONS_WORD = 'four';

/** Whether a count is large enough for a percentage of it. */
export function isEnough(before: number): boolean {
  return before >= MIN_COUNT;
}

/** Whether two counts over equally long times differ by more than chance makes of such counts. */
export function isChange(now: number, before: number): boolean {
  return isEnough(Math.max(now, before)) && Math.abs(now - before) > DEVIATIONS * Math.sqrt(now + before);
}

export interface Portion {
  readonly part: number;
  readonly whole: number;
}

/** The same for shares: the two-proportion z-test, if both wholes are large enough to be shared out. */
export function isShareChange(now: Portion, before: Portion): boolean {
  if (!isEnough(now.whole) || !isEnough(before.whole)) return false;
  const pooled = (now.part + before.part) / (now.whole + before.whole);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / now.whole + 1 / before.whole));
  return Math.abs(now.part / now.whole - before.part / before.whole) > DEVIATIONS * deviation;
}
