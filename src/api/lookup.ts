/**
 * Lookups over HTTP, single and in batches: what they take and answer, with examples for the OpenAPI document. Messages
 * start with "expected" and never repeat the value. Numbers in examples are reserved for fiction and never assigned.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/attributes.ts';
import { count, instant } from '../lib/schema.ts';
import { findFor, lookupNumber, lookupOne } from '../lookup/lookup.ts';
import {
  AS_OF,
  asOfDate,
  asOfGeneration,
  country,
  type LookupRequest,
  lookupRequest,
  number,
  RECEIPT,
  scenario,
} from '../lookup/request.ts';
import { parseNumber } from '../phone/parse.ts';
import { LINE_TYPES, type ParseResult } from '../phone/phone-number.ts';
import { answerText, type LookupAnswer, RECEIPT_VERSION } from '../policy/answer.ts';
import { decide, unknownAnswer } from '../policy/decide.ts';
import { MAX_LEVEL } from '../policy/labels.ts';
import { OVERRIDE_LISTS, OVERRIDE_SCOPES } from '../policy/overrides.ts';
import { ACTIONS, VERDICTS } from '../policy/policy.ts';
import { labelRisk, labelRisks, policySource } from '../policy/schema.ts';
import { quickMissOf } from './quick-lookup.ts';
import { MAX_BATCH_BODY_BYTES, MAX_SMALL_BODY_BYTES, numberInQuery, parse, readJson } from './request.ts';
import { type AnswerDoc, jsonText, type ParameterDoc, type Route } from './route.ts';
import type { EdgeServices } from './services.ts';

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

export const MAX_BATCH_NUMBERS = 1000;
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const day = v.pipe(v.string(), v.isoDate());

const lookupQuery = v.object({
  number,
  country: v.optional(country),
  scenario: v.optional(scenario),
  evidence: v.optional(v.picklist(['true', 'false'], 'expected true or false')),
  asOf: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(\d{1,15}|\d{4}-\d{2}-\d{2})$/, 'expected a date, YYYY-MM-DD, or a generation'),
      v.description(AS_OF),
    ),
  ),
  receipt: v.optional(v.pipe(v.picklist(['true', 'false'], 'expected true or false'), v.description(RECEIPT))),
});

/** An element that is not text is an error of that element, not of the whole batch. */
export const batchRequest = v.object({
  numbers: v.pipe(
    v.array(v.unknown(), 'expected a list of numbers as text'),
    v.maxLength(MAX_BATCH_NUMBERS, `expected at most ${MAX_BATCH_NUMBERS} numbers`),
    v.description('Each as `number` of a single lookup'),
  ),
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  asOf: v.optional(v.null('expected none: a batch is of now, and single lookups are of earlier moments')),
});

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
  country: v.nullable(v.string()),
  lineType: v.picklist([...Object.values(LINE_TYPES), 'unknown']),
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

// GET and POST /v1/lookup: one number, one answer.

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

/** `asOf` in digits is a generation; anything else is a date. */
const DIGITS = /^\d+$/;
const asOfSchema = v.object({ asOf: v.union([asOfDate, asOfGeneration]) });

const QUERY: readonly ParameterDoc[] = [
  {
    in: 'query',
    name: 'number',
    required: true,
    description: 'The number; a plus sign may be sent as it is or as %2B, a space as %20',
    schema: lookupQuery.entries.number,
    example: LISTED_EXAMPLE.number,
  },
  {
    in: 'query',
    name: 'country',
    description: 'ISO 3166-1 alpha-2; an empty value counts as not given',
    schema: lookupQuery.entries.country,
  },
  {
    in: 'query',
    name: 'scenario',
    description: 'What the number is about to be used for, for rules of the policy',
    schema: lookupQuery.entries.scenario,
  },
  { in: 'query', name: 'evidence', description: 'Adds the evidence', schema: lookupQuery.entries.evidence },
  { in: 'query', name: 'asOf', description: 'Answers what was known then', schema: lookupQuery.entries.asOf },
  {
    in: 'query',
    name: 'receipt',
    description: 'Adds what the answer was computed from',
    schema: lookupQuery.entries.receipt,
  },
];

export function lookupRoutes(services: EdgeServices): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/lookup',
      operationId: 'lookup',
      tag: 'Lookup',
      summary: 'Look up one number',
      description: IGNORED_DIGITS,
      scope: 'lookup',
      body: { 'application/json': { schema: lookupRequest, example: LOOKUP_EXAMPLE } },
      answers: ANSWERS,
      problems: ['invalid-number', 'invalid-request', 'not-retained', 'payload-too-large', 'storage-unavailable'],
      handle: async ({ req }, { tenant }) => {
        const input = parse(lookupRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES));
        return jsonText(answerText(await lookupOne(services, tenant, input)));
      },
    },
    {
      method: 'GET',
      path: '/v1/lookup',
      operationId: 'lookupByQuery',
      tag: 'Lookup',
      summary: 'Look up one number named in the query',
      description: IGNORED_DIGITS,
      scope: 'lookup',
      parameters: QUERY,
      answers: ANSWERS,
      problems: ['invalid-number', 'invalid-request', 'not-retained', 'storage-unavailable'],
      handle: async (context, { tenant }) => {
        const { subject = null, probed = null } = quickMissOf(context) ?? {};
        const answer =
          subject === null
            ? await lookupOne(services, tenant, requestFromQuery(context))
            : await lookupNumber(services, tenant, subject, {}, probed);
        return jsonText(answerText(answer));
      },
    },
  ];
}

function requestFromQuery({ req }: Context): LookupRequest {
  const { number, country, scenario, evidence, asOf, receipt } = parse(lookupQuery, {
    ...req.query(),
    number: numberInQuery(req.url),
  });
  return {
    number,
    country,
    scenario,
    evidence: evidence === 'true',
    asOf: asOf === undefined ? null : parse(asOfSchema, { asOf: DIGITS.test(asOf) ? Number(asOf) : asOf }).asOf,
    receipt: receipt === 'true',
  };
}

// POST /v1/lookup/batch: up to 1,000 numbers, and as many answers in the same order.

interface BatchError {
  readonly input: unknown;
  readonly error: { readonly code: 'invalid-number'; readonly detail: string };
}

export function lookupBatchRoutes(services: EdgeServices): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/lookup/batch',
      operationId: 'lookupBatch',
      tag: 'Lookup',
      summary: `Look up to ${MAX_BATCH_NUMBERS} numbers`,
      description:
        'The results are in the order of the numbers. A text that is not a number has an `error` in its place; a number that ' +
        'storage could not answer for has the verdict `unknown`. Digits that follow a number (an extension, decimal ' +
        'zeros) are ignored, as in an upload. Counts as one request of the quota.',
      scope: 'lookup',
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
          json: {
            schema: batchAnswer,
            example: { results: [LISTED_EXAMPLE, CLEAR_EXAMPLE, BATCH_ERROR_EXAMPLE] },
          },
        },
      ],
      problems: ['invalid-request', 'payload-too-large', 'storage-unavailable'],
      handle: async ({ req }, { tenant }) => {
        const { numbers, country, scenario } = parse(batchRequest, await readJson(req.raw, MAX_BATCH_BODY_BYTES));
        const parsed = numbers.map((input) => parseElement(input, country ?? undefined));
        const asked = parsed.flatMap((result) => (result.ok ? [result.value.number] : []));
        const { findings, rules } = await findFor(services, tenant, asked, { evidence: false });
        const { labels: levels } = services;
        const context = { ...rules, levels, now: services.now(), scenario: scenario ?? null, evidence: false };
        let next = 0;
        const results = parsed.map((result, i) => {
          if (!result.ok) return errorText({ input: numbers[i], error: { code: result.code, detail: result.detail } });
          const finding = findings[next++] ?? null;
          return answerText(finding === null ? unknownAnswer(result.value) : decide(result.value, finding, context));
        });
        return jsonText(`{"results":[${results.join(',')}]}`);
      },
    },
  ];
}

function parseElement(input: unknown, country: string | undefined): ParseResult {
  if (typeof input === 'string') return parseNumber(input, country);
  return { ok: false, code: 'invalid-number', detail: 'not text: expected a phone number as text' };
}

function errorText(error: BatchError): string {
  return JSON.stringify(error);
}
