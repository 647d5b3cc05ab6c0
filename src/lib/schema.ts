/**
 * Schemas of values that stand in many documents, one owner each, and how a stored document is held against its schema.
 */
import * as v from 'valibot';
import { FormatError } from './bytes.ts';

/** How many of something: a whole number that a double holds exactly. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A fraction of 1. */
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** A date-time in UTC, ISO 8601. */
export const instant = v.pipe(v.string(), v.isoTimestamp());

/**
 * A stored document, as its schema has it. Throws FormatError with the place and what was expected there: what was
 * found is not quoted, since it may be a phone number.
 * @param what the document is called
 */
export function parseStored<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
  placeOf: (issue: v.BaseIssue<unknown>) => string | null = v.getDotPath,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  // Valibot's own messages repeat the value; ours, given with the check, start like this.
  const expected = issue.message.startsWith('expected ')
    ? issue.message
    : `expected ${issue.expected ?? 'another value'}`;
  throw new FormatError(`${what}: ${placeOf(issue) ?? 'body'}: ${expected}`);
}
