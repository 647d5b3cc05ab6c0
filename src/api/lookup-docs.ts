/**
 * What the OpenAPI document says of lookups. Numbers in examples are reserved for fiction and never assigned.
 */

import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/attributes.ts';
import { count, instant } from '../lib/schema.ts';
import * as request from '../lookup/request.ts';
import { LINE_TYPES } from '../phone/phone-number.ts';
import { MAX_LEVEL } from '../policy/ageing.ts';
import { type LookupAnswer, RECEIPT_VERSION } from '../policy/answer.ts';
import { OVERRIDE_LISTS, OVERRIDE_SCOPES } from '../policy/overrides.ts';
import { ACTIONS, VERDICTS } from '../policy/policy.ts';
import { labelRisk, labelRisks, policySource } from '../policy/schema.ts';
import * as lookup from './lookup.ts';
import type { AnswerDoc, OperationDoc, ParameterDoc } from './route.ts';

// Of the request, with what it means.

export const country = v.pipe(
  request.country,
  v.description('ISO 3166-1 alpha-2, in either case: the country of a number that is given without a calling code'),
);
export const scenario = v.pipe(
  request.scenario,
  v.description('What the number is about to be used for. Rules of the policy can ask for it'),
);
export const number = v.pipe(
  request.number,
  v.description('E.164, international digits, tel: URI, or national with `country`; the usual punctuation'),
);
const AS_OF =
  'Answers what was known by the end of a UTC date (YYYY-MM-DD), or in a generation that is still retained. Rules and ' +
  'overrides are the present ones. An aggregated line counts as one sighting from its first day on, and in full from its last';
const RECEIPT = 'Adds what the answer was computed from, for `npm run verify-receipt`; not with `asOf`';
const PLUS_MAY_BE_LOST =
  'A plus sign may be lost before the digits, as HTML forms lose it: with `country`, the number is also read as ' +
  'international digits, and the answer is of the reading with the severest action';

const { evidence, asOf, receipt, plusMayBeLost } = request.lookupRequest.entries;

export const lookupRequest = v.object({
  number,
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  evidence: v.nullish(v.pipe(evidence.wrapped, v.description('Adds where and when the number was seen'))),
  asOf: v.nullish(v.pipe(asOf.wrapped, v.description(AS_OF))),
  receipt: v.nullish(v.pipe(receipt.wrapped, v.description(RECEIPT))),
  plusMayBeLost: v.nullish(v.pipe(plusMayBeLost.wrapped, v.description(PLUS_MAY_BE_LOST))),
}) satisfies v.GenericSchema<unknown, request.LookupRequest>;

const query = lookup.lookupQuery.entries;

export const batchRequest = v.object({
  numbers: v.pipe(lookup.batchRequest.entries.numbers, v.description('Each as `number` of a single lookup')),
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  asOf: lookup.batchRequest.entries.asOf,
});

const LOOKUP_EXAMPLE = { number: '+1 202-555-0123', scenario: 'signup' };

export const LISTED_EXAMPLE: LookupAnswer = {
  number: '+12025550123',
  country: 'US',
  lineType: 'fixed_line_or_mobile',
  verdict: 'listed',
  level: 9,
  labels: ['modem_pool_card'],
  channels: ['otp_marketplace'],
  industries: ['social_media'],
  firstSeen: '2025-05-17',
  lastSeen: '2025-05-29',
  sightings: 12,
  neighbourhood: { hundred: 37, thousand: 120, score: 0.93 },
  action: 'block',
  rule: 'modem-pool',
  generation: 1234,
};

export const CLEAR_EXAMPLE: LookupAnswer = {
  ...LISTED_EXAMPLE,
  number: '+14155550132',
  verdict: 'clear',
  level: null,
  labels: [],
  channels: [],
  industries: [],
  firstSeen: null,
  lastSeen: null,
  sightings: null,
  neighbourhood: { hundred: 0, thousand: 0, score: 0 },
  action: 'allow',
  rule: 'default',
};

const BATCH_ERROR_EXAMPLE = {
  input: '12',
  error: {
    code: 'invalid-number',
    detail: 'unknown country calling code: expected + and an assigned country calling code, then the national number',
  },
};

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const day = v.pipe(v.string(), v.isoDate());

export const evidenceAnswer = v.object({
  label: v.string(),
  channel: v.picklist(CHANNELS),
  industry: v.nullable(v.picklist(INDUSTRIES)),
  project: v.nullable(v.string()),
  link: v.nullable(v.object({ host: v.string(), sha256 })),
  source: v.nullable(v.string()),
  firstSeenAt: instant,
  lastSeenAt: instant,
  sightings: count,
});

export const lookupAnswer = v.object({
  number: v.pipe(v.string(), v.regex(/^\+[1-9][0-9]{0,14}$/), v.description('E.164')),
  country: v.pipe(
    v.nullable(v.string()),
    v.description(
      'ISO 3166-1 alpha-2, by number plan; null for plans of no one country, and for an unassigned number where its ' +
        'digits do not tell the countries of its calling code apart',
    ),
  ),
  lineType: v.pipe(
    v.picklist(LINE_TYPES),
    v.description(
      'By the range of the number plan that the number lies in; `unassigned`: in none, though it has a possible length, ' +
        'as numbers of a new range do',
    ),
  ),
  verdict: v.picklist(VERDICTS),
  level: v.nullable(v.pipe(count, v.maxValue(MAX_LEVEL))),
  labels: v.array(v.string()),
  channels: v.array(v.picklist(CHANNELS)),
  industries: v.array(v.picklist(INDUSTRIES)),
  firstSeen: v.nullable(day),
  lastSeen: v.nullable(day),
  sightings: v.pipe(
    v.nullable(count),
    v.description('The exact number of accepted detections; 9007199254740991 stands for that many or more'),
  ),
  neighbourhood: v.nullable(
    v.object({ hundred: count, thousand: count, score: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  ),
  action: v.nullable(v.picklist(ACTIONS)),
  rule: v.nullable(v.string()),
  generation: v.nullable(count),
  expired: v.exactOptional(
    v.pipe(v.literal(true), v.description("The number was listed, so long ago that it may be somebody else's by now")),
  ),
  override: v.exactOptional(
    v.object({ list: v.picklist(OVERRIDE_LISTS), scope: v.picklist(OVERRIDE_SCOPES), expiresAt: v.nullable(instant) }),
  ),
  shadow: v.exactOptional(v.array(v.string())),
  failed: v.exactOptional(v.array(v.string())),
  evidence: v.exactOptional(v.nullable(v.array(evidenceAnswer))),
  asOf: v.exactOptional(
    v.union([
      v.object({ date: day, complete: v.exactOptional(v.literal(false)) }),
      v.object({ generation: count, publishedAt: instant }),
    ]),
  ),
  receipt: v.exactOptional(
    v.object({
      version: v.literal(RECEIPT_VERSION),
      decidedAt: instant,
      commit: v.string(),
      segments: v.array(v.object({ key: v.string(), numbers: sha256, verdicts: sha256, evidence: sha256 })),
      scenario: v.nullable(v.string()),
      policy: policySource,
      levels: labelRisks,
      unknownLabel: labelRisk,
    }),
  ),
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

const ANSWERS: readonly AnswerDoc[] = [
  {
    status: 200,
    description: 'What is known of the number, and the action that the policy decides',
    json: { schema: lookupAnswer, example: LISTED_EXAMPLE },
  },
];

const IGNORED_DIGITS =
  'Digits that follow the number (of an extension, of parameters of a `tel:` URI, decimal zeros) are not part of it. Where ' +
  'they make another number, to which a gateway that keeps only digits would send, both are looked up, and the answer is ' +
  'of the one with the severest action; of two alike, of the one without them.';

const QUERY: readonly ParameterDoc[] = [
  {
    in: 'query',
    name: 'number',
    required: true,
    description: 'The number; a plus sign may be sent as it is or as %2B, a space as %20',
    schema: number,
    example: LISTED_EXAMPLE.number,
  },
  {
    in: 'query',
    name: 'country',
    description: 'ISO 3166-1 alpha-2; an empty value counts as not given',
    schema: v.optional(country),
  },
  {
    in: 'query',
    name: 'scenario',
    description: 'What the number is about to be used for, for rules of the policy',
    schema: v.optional(scenario),
  },
  { in: 'query', name: 'evidence', description: 'Adds the evidence', schema: query.evidence },
  {
    in: 'query',
    name: 'asOf',
    description: 'Answers what was known then',
    schema: v.optional(v.pipe(query.asOf.wrapped, v.description(AS_OF))),
  },
  {
    in: 'query',
    name: 'receipt',
    description: 'Adds what the answer was computed from',
    schema: v.optional(v.pipe(query.receipt.wrapped, v.description(RECEIPT))),
  },
];

/** By operation id. */
export const LOOKUP_DOCS = {
  lookup: {
    tag: 'Lookup',
    summary: 'Look up one number',
    description: IGNORED_DIGITS,
    body: { 'application/json': { schema: lookupRequest, example: LOOKUP_EXAMPLE } },
    answers: ANSWERS,
    problems: ['invalid-number', 'invalid-request', 'not-retained', 'payload-too-large', 'storage-unavailable'],
  },
  lookupByQuery: {
    tag: 'Lookup',
    summary: 'Look up one number named in the query',
    description: IGNORED_DIGITS,
    parameters: QUERY,
    answers: ANSWERS,
    problems: ['invalid-number', 'invalid-request', 'not-retained', 'storage-unavailable'],
  },
  lookupBatch: {
    tag: 'Lookup',
    summary: `Look up to ${lookup.MAX_BATCH_NUMBERS} numbers`,
    description:
      'The results are in the order of the numbers. A text that is not a number has an `error` in its place; a number that ' +
      'storage could not answer for has the verdict `unknown`. Digits that follow a number (an extension, decimal ' +
      'zeros) are ignored, as in an upload. Counts as one request of the quota.',
    body: {
      'application/json': {
        schema: batchRequest,
        example: { numbers: [LISTED_EXAMPLE.number, CLEAR_EXAMPLE.number, BATCH_ERROR_EXAMPLE.input] },
      },
    },
    answers: [
      {
        status: 200,
        description: 'One result for each number',
        json: { schema: batchAnswer, example: { results: [LISTED_EXAMPLE, CLEAR_EXAMPLE, BATCH_ERROR_EXAMPLE] } },
      },
    ],
    problems: ['invalid-request', 'payload-too-large', 'storage-unavailable'],
  },
} as const satisfies Readonly<Record<string, OperationDoc>>;
