/**
 * Canaries: numbers that no honest source can have seen. A source that reports one goes into quarantine. Messages start
 * with "expected" and never repeat the value.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import type { Principal } from '../keys/key.ts';
import { count, instant } from '../lib/schema.ts';
import { oneLine } from '../lib/validate.ts';
import { formatE164 } from '../phone/phone-number.ts';
import { type Canary, type CanaryChange, MAX_CANARIES } from '../quality/canaries.ts';
import type { Ledger } from '../quality/ledger.ts';
import { recordForAll } from './audit.ts';
import { LISTED_EXAMPLE, number } from './lookup-docs.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { MAX_SMALL_BODY_BYTES, numberInQuery, parse, readAssignedNumber, readJson, readNumber } from './request.ts';
import { json, noContent, type Route } from './route.ts';
import type { ControlServices } from './services.ts';
import { readOrUnavailable } from './tenant.ts';

const MAX_NOTE_CHARS = 200;

export const canaryRequest = v.strictObject({
  number,
  note: v.nullish(v.pipe(oneLine(MAX_NOTE_CHARS), v.description('Where it was planted, for instance'))),
});

export const canaryAnswer = v.object({
  number: v.string(),
  note: v.nullable(v.string()),
  author: v.pipe(v.string(), v.description('Id of the API key')),
  createdAt: instant,
  hits: v.pipe(
    v.object({
      detections: count,
      lastAt: v.nullable(instant),
      sources: v.array(v.nullable(v.string())),
    }),
    v.description('Detections of it in merged uploads, and the sources that reported them'),
  ),
});

export const canariesAnswer = v.object({ canaries: v.array(canaryAnswer) });

const REQUEST = { number: LISTED_EXAMPLE.number, note: 'in the page source of our own test shop' };
const ANSWER = {
  ...REQUEST,
  author: '0a1b2c3d4e5f',
  createdAt: '2025-05-29T08:12:00.000Z',
  hits: { detections: 1, lastAt: '2025-05-30T09:00:00.000Z', sources: ['forum-scrape'] },
};

export function canaryRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/canaries',
      operationId: 'putCanary',
      tag: 'Sources',
      summary: 'Plant a canary, or change its note',
      description:
        'A canary is a number of yours that was given to nobody. From the next tick on, a source that reports it is ' +
        `quarantined. The number is never listed, unless it already is. There can be ${MAX_CANARIES} canaries.`,
      scope: 'admin',
      body: { 'application/json': { schema: canaryRequest, example: REQUEST } },
      answers: [{ status: 200, description: 'Stored', json: { schema: canaryAnswer, example: ANSWER } }],
      problems: ['invalid-number', 'invalid-request', 'payload-too-large', 'limit-reached', 'storage-unavailable'],
      handle: (context, principal) => put(services, context, principal),
    },
    {
      method: 'GET',
      path: '/v1/canaries',
      operationId: 'listCanaries',
      tag: 'Sources',
      summary: 'The canaries, and who reported them',
      scope: 'admin',
      answers: [
        {
          status: 200,
          description: 'In order of planting',
          json: { schema: canariesAnswer, example: { canaries: [ANSWER] } },
        },
      ],
      problems: ['storage-unavailable'],
      handle: async () => {
        const planted = await readOrUnavailable(services.quality.canaries.list());
        const ledger = await services.quality.ledger();
        const inOrder = planted.toSorted((a, b) => a.createdAt - b.createdAt);
        return json({ canaries: inOrder.map((canary) => answerOf(canary, ledger)) });
      },
    },
    {
      method: 'DELETE',
      path: '/v1/canaries',
      operationId: 'deleteCanary',
      tag: 'Sources',
      summary: 'Make a canary a number like any other',
      description:
        'Rows that were excluded because of it stay excluded, and a source that it put into quarantine stays there.',
      scope: 'admin',
      parameters: [
        {
          in: 'query',
          name: 'number',
          required: true,
          description: 'A plus sign may be sent as it is or as %2B, a space as %20',
          schema: v.string(),
          example: REQUEST.number,
        },
      ],
      answers: [{ status: 204, description: 'Deleted' }],
      problems: ['invalid-number', 'invalid-request', 'not-found', 'storage-unavailable', 'limit-reached'],
      handle: (context, principal) => remove(services, context, principal),
    },
  ];
}

async function put(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const { quality, now } = services;
  const request = parse(canaryRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES));
  // No line with an unassigned number is accepted, so nobody could be found out by one.
  const number = readAssignedNumber(request.number);
  const planted = { number, note: request.note || null, by: principal.id, createdAt: now() };
  const result = await quality.canaries.put(planted);
  if (result.kind !== 'done') throw failed(result);
  await recordForAll(services, principal, { action: 'canary.put', number, note: planted.note });
  return json(answerOf(result.canary, await quality.ledger()));
}

async function remove(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const text = numberInQuery(req.url);
  if (text === undefined) {
    throw new Problem('invalid-request', 'number: expected to be given', { members: { field: 'number' } });
  }
  const number = readNumber(text);
  const result = await services.quality.canaries.remove(number);
  if (result.kind !== 'done') throw failed(result);
  await recordForAll(services, principal, { action: 'canary.delete', number });
  return noContent();
}

function failed(result: Exclude<CanaryChange, { readonly kind: 'done' }>): Problem {
  if (result.kind === 'full') return new Problem('limit-reached', `expected at most ${result.limit}`);
  if (result.kind === 'not-found') return new Problem('not-found', 'expected a number that is a canary');
  return storageUnavailable('the change may or may not have been made; send it again');
}

function answerOf({ number, note, by, createdAt }: Canary, { hits }: Ledger) {
  const hit = hits.find((one) => one.number === number);
  const seen =
    hit === undefined
      ? { detections: 0, lastAt: null, sources: [] }
      : { detections: hit.detections, lastAt: new Date(hit.lastAt).toISOString(), sources: hit.sources };
  const created = new Date(createdAt).toISOString();
  return { number: formatE164(number), note, author: by, createdAt: created, hits: seen };
}
