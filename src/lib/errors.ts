/** What an error says, without what may be a phone number. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Seven digits or more that stand alone: not part of a key, a hash or a commit, so perhaps a phone number. */
const LONE_DIGITS = /(?:%2b|(?<![0-9a-z-])\+?)\d{7,}(?![0-9a-z-])/gi;

/**
 * What an error says, fit to be logged: the reader of a manifest quotes a value that it refuses, and the first and
 * last number of a segment are values. Other readers name places, sizes and hashes only.
 */
export function loggableMessage(error: unknown): string {
  return messageOf(error).replaceAll(LONE_DIGITS, '(digits)');
}
