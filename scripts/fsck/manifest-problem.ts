import { messageOf } from '../../src/merge/context.ts';

/** Seven digits or more that stand alone: not part of a key, a hash or a commit, so perhaps a phone number. */
const LONE_DIGITS = /(?<![0-9a-z-])\+?\d{7,}(?![0-9a-z-])/gi;

/**
 * What an error about a manifest says, fit to be logged: its reader quotes a value that it refuses, and the first and
 * last number of a segment are values. Other readers name places, sizes and hashes only.
 */
export function manifestProblem(error: unknown): string {
  return messageOf(error).replaceAll(LONE_DIGITS, '(digits)');
}
