/** Up to 1,000 numbers in, as many verdicts out, in the same order. */

import { parseNumber } from '../number/parse.ts';
import type { ParseResult } from '../number/phone-number.ts';
import type { LookupAnswer } from '../policy/answer.ts';
import { decide, unknownAnswer } from '../policy/decide.ts';
import type { Finding } from '../policy/finding.ts';
import { StorageUnavailable } from '../store/errors.ts';
import { MAX_BATCH_BODY_BYTES, readJson } from './body.ts';
import { decideContext } from './decide-context.ts';
import { BATCH_ERROR_EXAMPLE, CLEAR_EXAMPLE, LISTED_EXAMPLE } from './examples.ts';
import { batchAnswer, batchRequest, MAX_BATCH_NUMBERS } from './lookup-schema.ts';
import { storageUnavailable } from './problem.ts';
import { json } from './respond.ts';
import type { Route } from './route.ts';
import type { Finder, Services } from './services.ts';
import { parse } from './validate.ts';

interface BatchError {
  readonly input: unknown;
  readonly error: { readonly code: 'invalid-number'; readonly detail: string };
}

export function lookupBatchRoutes(services: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/lookup/batch',
      operationId: 'lookupBatch',
      tag: 'Lookup',
      summary: `Look up to ${MAX_BATCH_NUMBERS} numbers`,
      description:
        'The results stand in the order of the numbers. A number that is not one has an `error` in its place; one that ' +
        'the storage could not answer for has the verdict `unknown`. Counts as one request of the quota.',
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
      handle: async ({ req }) => {
        const { numbers, country, scenario } = parse(batchRequest, await readJson(req.raw, MAX_BATCH_BODY_BYTES));
        const parsed = numbers.map((input) => parseElement(input, country ?? undefined));
        const found = await findAll(services.finder, parsed);
        const context = decideContext(services, scenario, false);
        let next = 0;
        const results = parsed.map((result, i): LookupAnswer | BatchError => {
          if (!result.ok) return { input: numbers[i], error: { code: result.code, detail: result.detail } };
          const finding = found[next++] ?? null;
          return finding === null ? unknownAnswer(result.value) : decide(result.value, finding, context);
        });
        return json({ results });
      },
    },
  ];
}

function parseElement(input: unknown, country: string | undefined): ParseResult {
  if (typeof input === 'string') return parseNumber(input, country);
  return { ok: false, code: 'invalid-number', detail: 'not text: expected a phone number as text' };
}

/** Findings of the numbers that are ones, in order. */
async function findAll(finder: Finder, parsed: readonly ParseResult[]): Promise<readonly (Finding | null)[]> {
  const numbers = parsed.flatMap((result) => (result.ok ? [result.value.number] : []));
  if (numbers.length === 0) return [];
  try {
    return await finder.find(numbers, { evidence: false });
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    throw storageUnavailable('the numbers can be called neither listed nor clear at the moment', {
      verdict: 'unknown',
    });
  }
}
