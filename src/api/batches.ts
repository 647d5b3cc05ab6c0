/**
 * Uploads after they were accepted: listing them with their state, withdrawing one, and releasing one that was set
 * aside.
 */
import type { Context } from 'hono';
import * as v from 'valibot';
import { MAX_NAME_CHARS } from '../format/attributes.ts';
import type { Principal } from '../keys/key.ts';
import { count, instant } from '../lib/schema.ts';
import { parseInstant } from '../lib/time.ts';
import { BATCH_STATES, type BatchRow, PAGE_BATCHES, POSITION, WITHDRAWAL_STEPS } from '../merge/batches.ts';
import { SET_ASIDE_REASONS } from '../merge/failing-batches.ts';
import { recordForAll } from './audit.ts';
import { Problem } from './problem.ts';
import { json, type ParameterDoc, type Route } from './route.ts';
import type { ControlServices } from './services.ts';

const by = v.pipe(v.string(), v.description('Id of the API key'));

const batchAnswer = v.object({
  batch: v.pipe(v.string(), v.description('The id, as in the answer to the upload')),
  state: v.pipe(
    v.picklist(BATCH_STATES),
    v.description(
      'waiting: the next ticks will merge it. merged: it is in the inventory, except for rows that are held back or were ' +
        'dropped with their source. held: all of its rows are held back with their sources. set-aside: it is kept out of ' +
        'the inventory by a rollback, or since no tick could merge it. withdrawing: it was withdrawn, and lookups answer as ' +
        'before until ticks have taken it out. withdrawn: no row of it is in the inventory',
    ),
  ),
  receivedAt: v.pipe(
    v.nullable(instant),
    v.description('null: the time is not known any more, since it had an Idempotency-Key and has been taken up'),
  ),
  takenUpAt: v.pipe(v.nullable(instant), v.description('When a tick took it up; null: it is waiting')),
  generation: v.pipe(v.nullable(count), v.description('The generation that took it up first')),
  accepted: v.pipe(v.nullable(count), v.description('Accepted lines; null: the batch cannot be read')),
  rejected: v.nullable(count),
  tenant: v.pipe(v.nullable(v.string()), v.description('The tenant that uploaded it; null: not known')),
  held: v.pipe(count, v.description('Accepted lines that are held back with their source')),
  sources: v.pipe(
    v.array(v.nullable(v.string())),
    v.description('The first twenty sources that it names; null stands for lines without one'),
  ),
  setAside: v.nullable(
    v.object({ reason: v.picklist(SET_ASIDE_REASONS), detail: v.nullable(v.string()), at: instant }),
  ),
  withdrawn: v.nullable(
    v.object({
      at: instant,
      by,
      step: v.pipe(
        v.nullable(v.picklist(WITHDRAWAL_STEPS)),
        v.description(
          'Progress while its state is withdrawing. queued: others are first. gathering: ticks read all kept batches. ' +
            'rewriting: ticks write the inventory without it',
        ),
      ),
    }),
  ),
});

const batchesAnswer = v.object({
  batches: v.pipe(
    v.array(batchAnswer),
    v.description('First the waiting batches, then those that ticks took up, latest first'),
  ),
  next: v.pipe(v.nullable(v.string()), v.description('The value of `after` for the next page; null: there is none')),
});

const withdrawAnswer = v.object({
  batch: v.string(),
  state: v.picklist(['withdrawing', 'withdrawn']),
  at: v.pipe(instant, v.description('When it was withdrawn first; a repeated request changes nothing')),
  by,
});

const releaseAnswer = v.object({ batch: v.string(), state: v.picklist(['waiting']) });

const BATCH = 'k-5f2b';
const EXAMPLE = {
  batch: BATCH,
  state: 'withdrawing',
  receivedAt: null,
  takenUpAt: '2025-05-29T08:13:00.000Z',
  generation: 1234,
  accepted: 1800,
  rejected: 3,
  tenant: 'default',
  held: 0,
  sources: ['complaints'],
  setAside: null,
  withdrawn: { at: '2025-05-29T09:40:00.000Z', by: '0a1b2c3d4e5f', step: 'gathering' },
} as const;

const ID_PARAMETER: ParameterDoc = {
  in: 'path',
  name: 'id',
  description: 'The id of the batch, as in the answer to the upload or in GET /v1/batches',
  schema: v.string(),
  required: true,
  example: BATCH,
};
/** The form of ids as src/ingest/accept.ts makes them, and tools that build batches offline. */
const ID = /^[0-9A-Za-z_-]{1,120}$/;

export function batchRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/batches',
      operationId: 'listBatches',
      tag: 'Detections',
      summary: 'Uploads, and what has become of each',
      description: `A page looks at ${PAGE_BATCHES} batches at most and may show fewer, or none: go on with \`next\` until it is null.`,
      scope: 'admin',
      parameters: [
        {
          in: 'query',
          name: 'since',
          description:
            'ISO 8601 date, or date-time with offset: only batches that are waiting or were taken up since then',
          schema: v.optional(v.string()),
          example: '2025-05-29',
        },
        {
          in: 'query',
          name: 'source',
          description: 'Only batches with lines of this source; empty: with lines that name no source',
          schema: v.optional(v.pipe(v.string(), v.maxLength(MAX_NAME_CHARS))),
        },
        {
          in: 'query',
          name: 'after',
          description: 'The value of `next` on the page before',
          schema: v.optional(v.string()),
        },
      ],
      answers: [
        {
          status: 200,
          description: 'One page',
          json: { schema: batchesAnswer, example: { batches: [EXAMPLE], next: null } },
        },
      ],
      problems: ['invalid-request', 'storage-unavailable'],
      handle: (context) => list(services, context),
    },
    {
      method: 'POST',
      path: '/v1/batches/:id/withdraw',
      operationId: 'withdrawBatch',
      tag: 'Detections',
      summary: 'Withdraw an upload',
      description:
        'Takes back exactly this upload, whatever came after it. This is final: no rollback brings it back. Rows that are ' +
        'waiting, held or set aside are out at once. The next ticks take out the rows that are in the inventory; until they ' +
        'are done, lookups answer as before and the state is `withdrawing`. The upload is kept. If it is sent again with ' +
        'another Idempotency-Key, its detections count.',
      scope: 'admin',
      parameters: [ID_PARAMETER],
      answers: [
        {
          status: 200,
          description: 'Withdrawn. A repeated request gets the same answer',
          json: {
            schema: withdrawAnswer,
            example: { batch: BATCH, state: 'withdrawing', at: '2025-05-29T09:40:00.000Z', by: '0a1b2c3d4e5f' },
          },
        },
      ],
      problems: ['not-found', 'batch-unreadable', 'limit-reached', 'storage-unavailable'],
      handle: (context, principal) => withdraw(services, context, principal),
    },
    {
      method: 'POST',
      path: '/v1/batches/:id/release',
      operationId: 'releaseBatch',
      tag: 'Detections',
      summary: 'Merge an upload that was set aside',
      description:
        'For a batch that a rollback has set aside, or that no tick could merge: the next ticks merge it like any other.',
      scope: 'admin',
      parameters: [ID_PARAMETER],
      answers: [
        {
          status: 200,
          description: 'It will be merged. A request that is repeated before that gets the same answer',
          json: { schema: releaseAnswer, example: { batch: BATCH, state: 'waiting' } },
        },
      ],
      problems: ['not-found', 'not-set-aside', 'storage-unavailable'],
      handle: (context, principal) => release(services, context, principal),
    },
  ];
}

async function list({ batches }: ControlServices, { req }: Context): Promise<Response> {
  const after = req.query('after');
  const notNext = () => invalid('after', '`next` of a page');
  if (after !== undefined && !POSITION.test(after)) throw notNext();
  const source = req.query('source');
  if (source !== undefined && source.length > MAX_NAME_CHARS) {
    throw invalid('source', `at most ${MAX_NAME_CHARS} characters`);
  }
  const page = await batches.list({
    since: sinceOf(req.query('since')),
    source: source === '' ? null : source,
    after: after ?? null,
  });
  if (page === null) throw notNext();
  return json({ batches: page.rows.map(answerOf), next: page.next });
}

function sinceOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seconds = parseInstant(text);
  if (seconds === null) throw invalid('since', 'an ISO 8601 date, or date-time with an offset');
  return seconds * 1000;
}

function invalid(field: string, expected: string): Problem {
  return new Problem('invalid-request', `${field}: expected ${expected}`, { members: { field } });
}

function answerOf({ id, receivedAt, takenUpAt, setAside, withdrawn, ...row }: BatchRow) {
  return {
    batch: id,
    ...row,
    receivedAt: iso(receivedAt),
    takenUpAt: iso(takenUpAt),
    setAside: setAside && { ...setAside, at: new Date(setAside.at).toISOString() },
    withdrawn: withdrawn && { ...withdrawn, at: new Date(withdrawn.at).toISOString() },
  };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

async function withdraw(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const batch = idOf(req.param('id'));
  const result = await services.batches.withdraw(batch, principal.id);
  if (result.kind === 'not-found') throw notFound();
  if (result.kind === 'full') throw new Problem('limit-reached', `expected at most ${result.limit}`);
  if (result.kind === 'unreadable') {
    throw new Problem(
      'batch-unreadable',
      'expected a batch that can be read: put its object back from a copy of the bucket, and withdraw it then',
    );
  }
  if (result.isNew) await recordForAll(services, principal, { action: 'batch.withdraw', batch });
  return json({ batch, state: result.state, at: new Date(result.at).toISOString(), by: result.by });
}

async function release(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const batch = idOf(req.param('id'));
  const result = await services.batches.release(batch);
  if (result.kind === 'not-set-aside') {
    throw new Problem(
      'not-set-aside',
      'expected a batch that GET /v1/batches lists as set-aside; a withdrawal is final',
    );
  }
  if (result.isNew) await recordForAll(services, principal, { action: 'batch.release', batch });
  return json({ batch, state: 'waiting' });
}

function idOf(id: string | undefined): string {
  if (id === undefined || !ID.test(id)) throw notFound();
  return id;
}

function notFound(): Problem {
  return new Problem('not-found', 'expected the id of a batch, as its upload was answered');
}
