/** What a client sent, held against a schema. Nothing of it is quoted but names of fields that can be nothing else. */

import * as v from 'valibot';

type Validated<T> =
  | { readonly ok: true; readonly value: T }
  /** The first field at fault, and what was expected of it, not what it held. */
  | { readonly ok: false; readonly field: string; readonly expected: string };

export function validate<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): Validated<v.InferOutput<Schema>> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return misspelt(schema, value) ?? { ok: true, value: parsed.output };
  const [issue] = parsed.issues;
  return { ok: false, field: fieldOf(issue), expected: expectation(issue) };
}

/**
 * A field that is one of ours but for case, `_` and `-` is not passed over as unknown ones are: an answer that does
 * without an `asOf` or a `country` that was asked for is an answer to another question.
 */
function misspelt(schema: v.GenericSchema, value: unknown): Validated<never> | null {
  if (!('entries' in schema) || typeof schema.entries !== 'object' || schema.entries === null) return null;
  if (typeof value !== 'object' || value === null) return null;
  const names = Object.keys(schema.entries);
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const folded = fold(name);
    const meant = names.find((one) => fold(one) === folded);
    if (meant !== undefined) return { ok: false, field: shownField(name), expected: `expected ${meant}` };
  }
  return null;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** Ours. The name of an unknown field is the client's text and shown only if it can be nothing but a name. */
const FIELD_NAME = /^[A-Za-z]{1,40}(\.([A-Za-z]{1,40}|\d{1,4}))*$/;

function fieldOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? 'body' : shownField(path);
}

/** A field that a client named, as a message may show it. */
export function shownField(path: string): string {
  return FIELD_NAME.test(path) ? path : 'a field';
}

function expectation(issue: v.BaseIssue<unknown>): string {
  // Valibot's own messages repeat the value; ours, given with the check, start like this.
  if (issue.message.startsWith('expected ')) return issue.message;
  if (issue.expected === 'never') return 'expected no such field';
  if (issue.received === 'undefined') return 'expected to be given';
  return issue.expected === 'Object' ? 'expected an object' : `expected ${issue.expected ?? 'another value'}`;
}

// Texts that are kept and read by people later, in lists, logs and pages: names, reasons, notes. One line each,
// bounded, and without control characters and whatever else parts a line. Marks of direction stay: scripts need them,
// and who prints a text sees to what stands beside it. Messages start with "expected" and never repeat the value.

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
