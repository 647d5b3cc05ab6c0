import { PARTS_LINES } from '../lib/one-line.ts';
import { type Checked, type RejectCode, Rejection, shapeOf } from './rejection.ts';

/**
 * Direction marks and zero-width spaces: with them a name looks like another, or reverses the text beside it. The two
 * joiners are part of how Persian, Hindi and emoji are written, so between characters beyond ASCII they are letters.
 */
const UNSEEN_IN_NAMES =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])/;

/** A name that people tell apart by reading: as `checkedText`, and without invisible characters. */
export function checkedName(value: unknown, field: string, code: RejectCode, maxChars: number): Checked<string | null> {
  const text = checkedText(value, field, code, maxChars);
  if (typeof text !== 'string' || !UNSEEN_IN_NAMES.test(text)) return text;
  return new Rejection(code, `expected ${field} without characters that nobody sees (U+200B, U+202E, …); found one`);
}

/**
 * A short text of one line, trimmed; null if it is absent or blank.
 * @param maxChars UTF-16 code units
 */
export function checkedText(value: unknown, field: string, code: RejectCode, maxChars: number): Checked<string | null> {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') return new Rejection(code, `expected ${field} as text; found ${shapeOf(value)}`);
  const text = value.trim();
  if (text === '') return null;
  if (text.length > maxChars) {
    return new Rejection(code, `expected ${field} of at most ${maxChars} characters; found ${text.length}`);
  }
  if (PARTS_LINES.test(text)) {
    return new Rejection(code, `expected ${field} without control characters and line separators; found one`);
  }
  // A lone surrogate (JSON can escape one) has no UTF-8 form, so two different texts would be stored as one.
  if (!text.isWellFormed()) return new Rejection(code, `expected ${field} as Unicode text; found half a character`);
  return text;
}
