import * as v from 'valibot';
import { Problem } from './problem.ts';

/**
 * Checks a value a client sent.
 * @throws Problem `invalid-request` naming the first field at fault and what was expected of it, not what it held
 */
export function parse<const Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) {
    refuseMisspelt(schema, value);
    return parsed.output;
  }
  const [issue] = parsed.issues;
  const field = fieldOf(issue);
  throw new Problem('invalid-request', `${field}: ${expectation(issue)}`, { members: { field } });
}

/**
 * A field that is one of ours but for case, `_` and `-` is not passed over as unknown ones are: an answer that does without
 * an `asOf` or a `country` that was asked for is an answer to another question.
 */
function refuseMisspelt(schema: v.GenericSchema, value: unknown): void {
  if (!('entries' in schema) || typeof schema.entries !== 'object' || schema.entries === null) return;
  if (typeof value !== 'object' || value === null) return;
  const names = Object.keys(schema.entries);
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const folded = fold(name);
    const meant = names.find((one) => fold(one) === folded);
    if (meant === undefined) continue;
    const field = shownField(name);
    throw new Problem('invalid-request', `${field}: expected ${meant}`, { members: { field } });
  }
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
