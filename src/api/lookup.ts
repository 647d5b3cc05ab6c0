/**
 * Lookups over HTTP, single and in batches. Messages start with "expected" and never repeat the value. What the OpenAPI
 * document says of them is in lookup-docs.ts, which the edge does not load.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import type { Principal } from '../keys/key.ts';
import type { Probed } from '../lookup/finder.ts';
import { contextAtOnce, enough, findFor, type LookupDeps, lookupNumber, lookupOne } from '../lookup/lookup.ts';
import {
  asOfDate,
  asOfGeneration,
  country,
  type LookupRequest,
  lookupRequest,
  number,
  scenario,
} from '../lookup/request.ts';
import { parsePossible, readClean } from '../phone/parse.ts';
import type { ParseResult } from '../phone/phone-number.ts';
import type { Refusal } from '../phone/refusal.ts';
import { answerText, type Finding, type LookupAnswer } from '../policy/answer.ts';
import { type DecideContext, decideText, unknownAnswer } from '../policy/decide.ts';
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
    handle: async (context, { tenant }, services) => {
      const answer =
        (await answerToMiss(context, tenant, services)) ??
        (await lookupOne(services, tenant, parse(lookupRequest, await readLookup(context))));
      return jsonText(answerText(answer));
    },
  },
  {
    method: 'GET',
    path: '/v1/lookup',
    operationId: 'lookupByQuery',
    scope: 'lookup',
    parameters: Object.keys(lookupQuery.entries).map((name) => ({ in: 'query', name })),
    handle: async (context, { tenant }, services) => {
      const answer =
        (await answerToMiss(context, tenant, services)) ??
        (await lookupOne(services, tenant, requestFromQuery(context)));
      return jsonText(answerText(answer));
    },
  },
  { method: 'POST', path: '/v1/lookup/batch', operationId: 'lookupBatch', scope: 'lookup', handle: lookupBatch },
];

/** The answer to a request that the quick lookup has read, but could not answer; null: it has not read it. */
async function answerToMiss(context: Context, tenant: string, services: LookupDeps): Promise<LookupAnswer | null> {
  const miss = quickMissOf(context);
  if (miss === null || miss.subject === null) return null;
  return lookupNumber(services, tenant, miss.subject, { scenario: miss.scenario }, miss.probed);
}

function readLookup(context: Context): Promise<unknown> {
  return readJson(context.req.raw, MAX_SMALL_BODY_BYTES, quickMissOf(context)?.body);
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

async function lookupBatch({ req }: Context, { tenant }: Principal, services: LookupDeps): Promise<Response> {
  const { numbers, country, scenario = null } = parse(batchRequest, await readJson(req.raw, MAX_BATCH_BODY_BYTES));
  const batch = new Batch(numbers, country ?? undefined);
  const rest = batch.answerAtOnce(services, contextAtOnce(services, tenant, scenario, services.now()));
  if (rest !== null) await batch.answer(services, tenant, scenario, rest);
  return jsonText(batch.text);
}

const NOT_TEXT: Refusal = { ok: false, code: 'invalid-number', detail: 'not text: expected a phone number as text' };

/** Some numbers of a batch in their order. */
interface Parsed {
  readonly parsed: readonly ParseResult[];
  /** The texts of those that were written as E.164; what else a number was written as is no part of its answer. */
  readonly written: readonly (string | undefined)[];
}

/** The first number that memory cannot answer. */
interface Rest {
  readonly from: number;
  readonly probed: Probed | null;
}

/**
 * Numbers that are read, then looked up, then answered: each step is a loop of its own, so that its code and its tables
 * stay in the processor's caches. More at once would only be more to remember.
 */
const STRIDE_NUMBERS = 128;

/** Answers its numbers in their order. */
class Batch {
  readonly #numbers: readonly unknown[];
  readonly #country: string | undefined;
  #text = '';

  constructor(numbers: readonly unknown[], country: string | undefined) {
    this.#numbers = numbers;
    this.#country = country;
  }

  get text(): string {
    return `{"results":[${this.#text}]}`;
  }

  /**
   * Until memory lacks something; null: it has all that the batch takes. @param context null: the rules are not at hand
   */
  answerAtOnce({ finder }: LookupDeps, context: DecideContext | null): Rest | null {
    if (context === null) return { from: 0, probed: null };
    for (let from = 0; from < this.#numbers.length; from += STRIDE_NUMBERS) {
      const { parsed, written } = this.#parse(from, from + STRIDE_NUMBERS);
      const findings: (Finding | null)[] = [];
      let rest: Rest | null = null;
      for (let i = 0; i < parsed.length && rest === null; i++) {
        const result = parsed[i] as ParseResult;
        const probed = result.ok ? finder.probe(result.value.number, context.now) : null;
        const finding = enough(probed, context);
        if (result.ok && finding === null) rest = { from: from + i, probed };
        else findings.push(finding);
      }
      for (let i = 0; i < findings.length; i++) {
        const result = parsed[i] as ParseResult;
        const finding = findings[i] ?? null;
        if (!result.ok) this.#write(errorText(this.#numbers[from + i], result));
        else if (finding !== null) this.#write(decideText(result.value, finding, context, written[i]));
      }
      if (rest !== null) return rest;
    }
    return null;
  }

  /** @throws LookupError `storage-unavailable` if storage answers for none of these numbers */
  async answer(services: LookupDeps, tenant: string, scenario: string | null, { from, probed }: Rest): Promise<void> {
    const { parsed, written } = this.#parse(from, this.#numbers.length);
    const asked = parsed.flatMap((result) => (result.ok ? [result.value.number] : []));
    const { findings, rules } = await findFor(services, tenant, asked, { evidence: false }, probed);
    const context = { ...rules, levels: services.labels, now: services.now(), scenario, evidence: false };
    let next = 0;
    for (const [i, result] of parsed.entries()) {
      if (!result.ok) {
        this.#write(errorText(this.#numbers[from + i], result));
        continue;
      }
      const finding = findings[next++] ?? null;
      const { value } = result;
      this.#write(
        finding === null ? answerText(unknownAnswer(value)) : decideText(value, finding, context, written[i]),
      );
    }
  }

  #parse(from: number, to: number): Parsed {
    const parsed: ParseResult[] = [];
    const written: (string | undefined)[] = [];
    for (const input of this.#numbers.slice(from, to)) {
      const isText = typeof input === 'string';
      // A number with its plus sign is read the same in every country.
      const value = isText && input.startsWith('+') ? readClean(input, 1) : null;
      if (value !== null) parsed.push({ ok: true, value });
      else parsed.push(isText ? parsePossible(input, this.#country) : NOT_TEXT);
      written.push(isText && value !== null ? input : undefined);
    }
    return { parsed, written };
  }

  #write(text: string): void {
    this.#text += this.#text === '' ? text : `,${text}`;
  }
}

function errorText(input: unknown, { code, detail }: Refusal): string {
  return JSON.stringify({ input, error: { code, detail } } satisfies BatchError);
}
