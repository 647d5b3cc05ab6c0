/**
 * Texts that are kept and read by people later, in lists, logs and pages: names, reasons, notes. One line each, bounded,
 * and without control characters and whatever else parts a line. Marks of direction stay: scripts need them, and who prints
 * a text sees to what stands beside it.
 * Messages start with "expected" and never repeat the value (validate.ts).
 */
import * as v from 'valibot';

/** Control characters, CR and LF among them, and the separators of lines and paragraphs: they part what is one line. */
export const PARTS_LINES = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** A lone surrogate has no UTF-8 form: two different texts would be stored as one. */
export const isOneLine = v.check(
  (text: string) => !PARTS_LINES.test(text) && text.isWellFormed(),
  'expected one line of Unicode text',
);

/** Trimmed; may be empty. @param maxChars UTF-16 code units */
export function oneLine(maxChars: number) {
  return v.pipe(
    v.string('expected text'),
    v.trim(),
    v.maxLength(maxChars, `expected at most ${maxChars} characters`),
    isOneLine,
  );
}

/** The same, of one character at least. @param what it is, with its article */
export function namedLine(what: string, maxChars: number) {
  return v.pipe(oneLine(maxChars), v.minLength(1, `expected ${what}`));
}
