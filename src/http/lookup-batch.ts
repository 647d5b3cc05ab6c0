/** Up to 1,000 numbers in, as many verdicts out, in the same order. */

import { findFor } from '../lookup/lookup.ts';
import { parseNumber } from '../number/parse.ts';
import type { ParseResult } from '../number/phone-number.ts';
import { answerText } from '../policy/answer-text.ts';
import { decide, unknownAnswer } from '../policy/decide.ts';
import { MAX_BATCH_BODY_BYTES, readJson } from './body.ts';
import { BATCH_ERROR_EXAMPLE, CLEAR_EXAMPLE, LISTED_EXAMPLE } from './examples.ts';
import { batchAnswer, batchRequest, MAX_BATCH_NUMBERS } from './lookup-schema.ts';
import { jsonText } from './respond.ts';
import type { Route } from './route.ts';
import type { EdgeServices } from './services.ts';
import { parse } from './validate.ts';

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
