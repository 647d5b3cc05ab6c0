/** One number in, one verdict out. */
import type { Context } from 'hono';
import * as v from 'valibot';
import { lookupNumber, lookupOne } from '../lookup/lookup.ts';
import { asOfDate, asOfGeneration, type LookupRequest, lookupRequest } from '../lookup/request.ts';
import { answerText } from '../policy/answer-text.ts';
import { MAX_SMALL_BODY_BYTES, readJson } from './body.ts';
import { LISTED_EXAMPLE, LOOKUP_EXAMPLE } from './examples.ts';
import { lookupAnswer, lookupQuery } from './lookup-schema.ts';
import { numberInQuery } from './query-number.ts';
import { quickMissOf } from './quick-lookup.ts';
import { jsonText } from './respond.ts';
import type { AnswerDoc, ParameterDoc, Route } from './route.ts';
import type { EdgeServices } from './services.ts';
import { parse } from './validate.ts';

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

/** A generation; anything else is a date. */
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
