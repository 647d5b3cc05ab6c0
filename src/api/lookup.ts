/**
 * Lookups over HTTP, single and in batches. Messages start with "expected" and never repeat the value. What the OpenAPI
 * document says of them is in lookup-docs.ts, which the edge does not load.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import type { Principal } from '../keys/key.ts';
import { findFor, type LookupDeps, lookupNumber, lookupOne } from '../lookup/lookup.ts';
import {
  asOfDate,
  asOfGeneration,
  country,
  type LookupRequest,
  lookupRequest,
  number,
  scenario,
} from '../lookup/request.ts';
import { parsePossible } from '../phone/parse.ts';
import type { ParseResult } from '../phone/phone-number.ts';
import { answerText } from '../policy/answer.ts';
import { decide, unknownAnswer } from '../policy/decide.ts';
import { quickMissOf } from './quick-lookup.ts';
import { MAX_BATCH_BODY_BYTES, MAX_SMALL_BODY_BYTES, numberInQuery, parse, readJson } from './request.ts';
import { type Endpoint, jsonText } from './route.ts';

export const MAX_BATCH_NUMBERS = 1000;

export const lookupQuery = v.object({
  number,
  country: v.optional(country),
  scenario: v.optional(scenario),
  evidence: v.optional(v.picklist(['true', 'false'], 'expected true or false')),
  asOf: v.optional(
    v.pipe(v.string(), v.regex(/^(\d{1,15}|\d{4}-\d{2}-\d{2})$/, 'expected a date, YYYY-MM-DD, or a generation')),
  ),
  receipt: v.optional(v.picklist(['true', 'false'], 'expected true or false')),
});

/** An element that is not text is an error of that element, not of the whole batch. */
export const batchRequest = v.object({
  numbers: v.pipe(
    v.array(v.unknown(), 'expected a list of numbers as text'),
    v.maxLength(MAX_BATCH_NUMBERS, `expected at most ${MAX_BATCH_NUMBERS} numbers`),
  ),
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  asOf: v.optional(v.null('expected none: a batch is of now, and single lookups are of earlier moments')),
});

/** `asOf` in digits is a generation; anything else is a date. */
const DIGITS = /^\d+$/;
const asOfSchema = v.object({ asOf: v.union([asOfDate, asOfGeneration]) });

export const LOOKUP_ROUTES: readonly Endpoint<LookupDeps>[] = [
  {
    method: 'POST',
    path: '/v1/lookup',
    operationId: 'lookup',
    scope: 'lookup',
    handle: async ({ req }, { tenant }, services) => {
      const input = parse(lookupRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES));
      return jsonText(answerText(await lookupOne(services, tenant, input)));
    },
  },
  {
    method: 'GET',
    path: '/v1/lookup',
    operationId: 'lookupByQuery',
    scope: 'lookup',
    parameters: Object.keys(lookupQuery.entries).map((name) => ({ in: 'query', name })),
    handle: async (context, { tenant }, services) => {
      const { subject = null, probed = null } = quickMissOf(context) ?? {};
      const answer =
        subject === null
          ? await lookupOne(services, tenant, requestFromQuery(context))
          : await lookupNumber(services, tenant, subject, {}, probed);
      return jsonText(answerText(answer));
    },
  },
  { method: 'POST', path: '/v1/lookup/batch', operationId: 'lookupBatch', scope: 'lookup', handle: lookupBatch },
];

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

async function lookupBatch({ req }: Context, { tenant }: Principal, services: LookupDeps): Promise<Response> {
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
}

function parseElement(input: unknown, country: string | undefined): ParseResult {
  if (typeof input === 'string') return parsePossible(input, country);
  return { ok: false, code: 'invalid-number', detail: 'not text: expected a phone number as text' };
}

function errorText(error: BatchError): string {
  return JSON.stringify(error);
}
