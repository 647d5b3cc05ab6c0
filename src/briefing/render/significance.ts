/**
 * Which changes are worth a word. Counts of independent events vary by chance, with a standard deviation of the root of
 * what is expected (Poisson). So the difference of two counts of equal stretches of time that differ by chance alone has
 * one of sqrt(a + b), and a ratio to a small count says nothing: from 1 to 15 is +1,400 %. Chance is the least that
 * varies, since numbers also come in uploads; and what is not named may be a change all the same.
 */

/**
 * What a percentage needs to be a part of, and a word on either side: from about 30 on a Poisson count is as good as
 * normal, and known to a fifth, 1/sqrt(30), of itself; that of fewer is a percentage of chance.
 */
export const MIN_COUNT = 30;
/**
 * Standard deviations. A briefing compares some twenty figures and may have a thousand projects: beyond four lie 6 of
 * 100,000 by chance, so that one in sixteen briefings of a thousand projects names one that did not change.
 */
const DEVIATIONS = 4;
export const DEVIATIONS_WORD = 'four';

/** Whether there is enough to be a percentage of. */
export function isEnough(before: number): boolean {
  return before >= MIN_COUNT;
}

/** Whether two counts of equal stretches of time differ by more than chance makes of such counts. */
export function isChange(now: number, before: number): boolean {
  return isEnough(Math.max(now, before)) && Math.abs(now - before) > DEVIATIONS * Math.sqrt(now + before);
}

export interface Portion {
  readonly part: number;
  readonly whole: number;
}

/** The same of shares: the two-proportion z-test, both wholes large enough to be shared out. */
export function isShareChange(now: Portion, before: Portion): boolean {
  if (!isEnough(now.whole) || !isEnough(before.whole)) return false;
  const pooled = (now.part + before.part) / (now.whole + before.whole);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / now.whole + 1 / before.whole));
  return Math.abs(now.part / now.whole - before.part / before.whole) > DEVIATIONS * deviation;
}
