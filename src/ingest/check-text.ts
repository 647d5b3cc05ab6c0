import { type Checked, type RejectCode, Rejection, shapeOf } from './rejection.ts';

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
  if (/\p{Cc}/u.test(text)) {
    return new Rejection(code, `expected ${field} without control characters; found one`);
  }
  // A lone surrogate (JSON can escape one) has no UTF-8 form, so two different texts would be stored as one.
  if (!text.isWellFormed()) return new Rejection(code, `expected ${field} as Unicode text; found half a character`);
  return text;
}
