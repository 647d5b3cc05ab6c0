/**
 * What a lookup takes, by HTTP, by RPC or from a replica, and why one has no answer. Messages start with "expected" and
 * never repeat the value.
 */
import * as v from 'valibot';
import { FIRST_DATE } from '../format/attributes.ts';
import { parseDay } from '../lib/time.ts';
import { isOneLine, validate } from '../lib/validate.ts';
import { isCountry } from '../phone/plan.ts';

/**
 * The HTTP status of each error of a lookup, as in src/api/problem.ts. RPC and replicas return the error as a result.
 */
const STATUS = {
  'invalid-number': 400,
  'invalid-request': 400,
  'not-retained': 404,
  'quota-exceeded': 429,
  'storage-unavailable': 503,
} as const;

/** Long enough for a storage hiccup to pass, short enough for a sign-up form to try again. */
export const RETRY_AFTER_SECONDS = 5;

type LookupErrorCode = keyof typeof STATUS;

export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly code: LookupErrorCode;
  /** What was expected. */
  readonly detail: string;
  /** Further members of the problem, such as the name of the field at fault. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Seconds after which the same lookup may succeed; null: nobody knows. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: LookupErrorCode,
    detail: string,
    members: Readonly<Record<string, unknown>> = {},
    retryAfterSeconds: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.members = members;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): number {
    return STATUS[this.code];
  }
}

/** A scenario is a name such as `signup` or `password-reset`. */
const MAX_SCENARIO_CHARS = 64;

export const country = v.pipe(
  v.string('expected text'),
  v.check((code) => code === '' || isCountry(code), 'expected an ISO 3166-1 alpha-2 code with a number plan'),
);
export const scenario = v.pipe(
  v.string('expected text'),
  v.maxLength(MAX_SCENARIO_CHARS, `expected at most ${MAX_SCENARIO_CHARS} characters`),
  isOneLine,
);
export const number = v.string('expected text');

export const asOfDate = v.pipe(
  v.string('expected a date, YYYY-MM-DD, or the number of a generation'),
  v.isoDate('expected a date, YYYY-MM-DD'),
  v.check((text) => parseDay(text) !== null && text >= FIRST_DATE, `expected a date from ${FIRST_DATE} on`),
);
export const asOfGeneration = v.pipe(
  v.number('expected a date, YYYY-MM-DD, or the number of a generation'),
  v.safeInteger('expected an integer'),
  v.minValue(1, 'expected a generation from 1 on'),
);

export const lookupRequest = v.object({
  number,
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  evidence: v.nullish(v.boolean('expected true or false')),
  asOf: v.nullish(v.union([asOfDate, asOfGeneration], 'expected a date, YYYY-MM-DD, or a generation')),
  receipt: v.nullish(v.boolean('expected true or false')),
  plusMayBeLost: v.nullish(v.boolean('expected true or false')),
});

/** The number as it was written, and how it is to be looked up. */
export type LookupRequest = Readonly<v.InferOutput<typeof lookupRequest>>;

/** @throws LookupError `invalid-request` */
export function readRequest(input: unknown): LookupRequest {
  const checked = validate(lookupRequest, input);
  if (checked.ok) return checked.value;
  throw invalidRequest(checked.field, checked.expected);
}

export function invalidRequest(field: string, expected: string): LookupError {
  return new LookupError('invalid-request', `${field}: ${expected}`, { field });
}
