/** What a lookup takes and answers. Messages start with "expected" and never repeat the value (validate.ts). */
import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';
import { isCountry } from '../number/country.ts';
import { LINE_TYPES } from '../number/phone-number.ts';
import type { LookupAnswer } from '../policy/answer.ts';
import { MAX_LEVEL } from '../policy/labels.ts';
import { OVERRIDE_LISTS, OVERRIDE_SCOPES } from '../policy/overrides.ts';
import { ACTIONS, VERDICTS } from '../policy/policy.ts';

export const MAX_BATCH_NUMBERS = 1000;
/** A name such as `signup` or `password-reset`. */
const MAX_SCENARIO_CHARS = 64;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const day = v.pipe(v.string(), v.isoDate());
const instant = v.pipe(v.string(), v.isoTimestamp());

export const country = v.pipe(
  v.string('expected text'),
  v.check((code) => code === '' || isCountry(code), 'expected an ISO 3166-1 alpha-2 code with a number plan'),
  v.description('ISO 3166-1 alpha-2, either case: where a number without calling code is dialled'),
);
export const scenario = v.pipe(
  v.string('expected text'),
  v.maxLength(MAX_SCENARIO_CHARS, `expected at most ${MAX_SCENARIO_CHARS} characters`),
  v.description('What the number is about to be used for, for the rules of the policy'),
);
export const number = v.pipe(
  v.string('expected text'),
  v.description('E.164, international digits, tel: URI, or national with `country`; the usual punctuation'),
);

export const lookupRequest = v.object({
  number,
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  evidence: v.nullish(
    v.pipe(v.boolean('expected true or false'), v.description('Also list where and when the number was seen')),
  ),
});

export const lookupQuery = v.object({
  number,
  country: v.optional(country),
  scenario: v.optional(scenario),
  evidence: v.optional(v.picklist(['true', 'false'], 'expected true or false')),
});

/** An element that is no text is an error of that element, not of the batch. */
export const batchRequest = v.object({
  numbers: v.pipe(
    v.array(v.unknown(), 'expected a list of numbers as text'),
    v.maxLength(MAX_BATCH_NUMBERS, `expected at most ${MAX_BATCH_NUMBERS} numbers`),
    v.description('Each as `number` of a single lookup'),
  ),
  country: v.nullish(country),
  scenario: v.nullish(scenario),
});

export const evidenceAnswer = v.object({
  label: v.string(),
  channel: v.picklist(CHANNELS),
  industry: v.nullable(v.picklist(INDUSTRIES)),
  project: v.nullable(v.string()),
  link: v.nullable(v.object({ host: v.string(), sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) })),
  source: v.nullable(v.string()),
  firstSeenAt: instant,
  lastSeenAt: instant,
  sightings: count,
});

export const lookupAnswer = v.object({
  number: v.pipe(v.string(), v.regex(/^\+[1-9][0-9]{0,14}$/), v.description('E.164')),
  country: v.nullable(v.string()),
  lineType: v.picklist([...Object.values(LINE_TYPES), 'unknown']),
  verdict: v.picklist(VERDICTS),
  level: v.nullable(v.pipe(count, v.maxValue(MAX_LEVEL))),
  labels: v.array(v.string()),
  channels: v.array(v.picklist(CHANNELS)),
  industries: v.array(v.picklist(INDUSTRIES)),
  firstSeen: v.nullable(day),
  lastSeen: v.nullable(day),
  sightings: v.nullable(count),
  neighbourhood: v.nullable(
    v.object({ hundred: count, thousand: count, score: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  ),
  action: v.nullable(v.picklist(ACTIONS)),
  rule: v.nullable(v.string()),
  generation: v.nullable(count),
  override: v.exactOptional(
    v.object({ list: v.picklist(OVERRIDE_LISTS), scope: v.picklist(OVERRIDE_SCOPES), expiresAt: v.nullable(instant) }),
  ),
  shadow: v.exactOptional(v.array(v.string())),
  failed: v.exactOptional(v.array(v.string())),
  evidence: v.exactOptional(v.nullable(v.array(evidenceAnswer))),
  stale: v.exactOptional(v.literal(true)),
  ageSeconds: v.exactOptional(count),
}) satisfies v.GenericSchema<LookupAnswer>;

export const batchError = v.object({
  input: v.pipe(v.unknown(), v.description('The element as it was sent')),
  error: v.object({ code: v.literal('invalid-number'), detail: v.string() }),
});

export const batchAnswer = v.object({
  results: v.pipe(v.array(v.union([lookupAnswer, batchError])), v.description('In the order of `numbers`')),
});
