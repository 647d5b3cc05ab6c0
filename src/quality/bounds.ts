/**
 * What a source may be like. A bound is far beyond what honest feeds do, since holding an honest one back costs its
 * operator a look, but is crossed by whoever fills a list with invented numbers (docs/QUALITY.md has the figures).
 */
import * as v from 'valibot';
import { repeatedName } from '../format/json-names.ts';

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Every field has a default; a window is a tick, a day, or the week. */
const schema = v.strictObject({
  /** Lines in a window before any share is judged: below, a handful of typing errors is a high share. */
  minLines: v.optional(count, 200),
  /** Of lines: those whose number is none, for any reason. Invented digits are mostly not. */
  invalidShare: v.optional(share, 0.2),
  /** Of lines: numbers of a possible length in no assigned range. Typing errors change the length or hit one. */
  unassignedShare: v.optional(share, 0.15),
  /** Of accepted lines: fixed lines, where the plan tells them from mobiles. Modem pools hold SIM cards. */
  fixedLineShare: v.optional(share, 0.3),
  /** A day's detections against the median of the active days before it. */
  jumpFactor: v.optional(count, 10),
  /** A day below this is no jump: it could not shift the inventory. */
  jumpDetections: v.optional(count, 5_000),
  /** Active days before a jump can be told: bulk imports of a new source come on its first day. */
  jumpHistoryDays: v.optional(count, 7),
  /** Distinct numbers in a window before overlap with other sources is judged. */
  minNumbers: v.optional(count, 1_000),
  /** Of a source's numbers: those that were on record before. Below this nobody corroborates it. */
  knownShare: v.optional(share, 0.01),
  /** The same of all other sources together: only where overlap is usual does its absence mean anything. */
  usualKnownShare: v.optional(share, 0.2),
});

export type Bounds = Readonly<v.InferOutput<typeof schema>>;

export const DEFAULT_BOUNDS: Bounds = v.parse(schema, {});

/** Why a source is held back, in the order they are told. */
export const REASONS = [
  'canary',
  'invalid-numbers',
  'unassigned-ranges',
  'fixed-lines',
  'sudden-jump',
  'uncorroborated',
  /** Its release came after the generation that a rollback returned to. */
  'rollback',
] as const;
export type Reason = (typeof REASONS)[number];

/**
 * The defaults with what the variable RINGFENCE_QUALITY says laid over them.
 * @throws Error naming the field at fault, so that a deployment with a misspelt bound does not start
 */
export function parseBounds(text: string | undefined): Bounds {
  if (text === undefined || text.trim() === '') return DEFAULT_BOUNDS;
  const expected = 'RINGFENCE_QUALITY: expected a JSON object of bounds';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${expected}; found no JSON`);
  }
  const repeated = repeatedName(text, value);
  if (repeated !== null) throw new Error(`${expected}; found ${JSON.stringify(repeated)} twice`);
  // An array is an object too, and would be read as one without fields.
  if (Array.isArray(value)) throw new Error(`${expected}; found an array`);
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`${expected}; ${v.getDotPath(issue) ?? 'body'}: expected ${issue.expected ?? 'another value'}`);
}
