/**
 * Sources over HTTP: what the detections of each are like, and the release or dropping of what is in quarantine.
 * Messages start with "expected" and never repeat the value.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import { MAX_NAME_CHARS } from '../format/attributes.ts';
import { idText, type SourceId } from '../format/source.ts';
import type { Principal } from '../keys/key.ts';
import { count, instant, share } from '../lib/schema.ts';
import { isoDay } from '../lib/time.ts';
import { LEDGER_DAYS, type Ledger } from '../quality/ledger.ts';
import { type SourceOverview, sourceOverviews } from '../quality/ledger-overview.ts';
import { REASONS } from '../quality/quarantine.ts';
import { recordForAll } from './audit.ts';
import { Problem } from './problem.ts';
import { MAX_SMALL_BODY_BYTES, parse, readJson } from './request.ts';
import { json, type Route } from './route.ts';
import type { ControlServices } from './services.ts';

const source = v.pipe(v.nullable(v.string()), v.description('null stands for detections that name no source'));

const figures = {
  lines: v.pipe(count, v.description('Lines that named the source, rejected ones included')),
  accepted: v.pipe(count, v.description('Detections')),
  invalid: v.pipe(count, v.description('Rejected lines whose number is none, without the unassigned ones')),
  unassigned: v.pipe(count, v.description('Rejected lines whose number is in no assigned range')),
  fixedLine: v.pipe(count, v.description('Detections of fixed lines')),
  numbers: v.pipe(count, v.description('Numbers, distinct within an upload')),
  known: v.pipe(count, v.description('Those of these numbers that were on record before')),
};

export const sourceAnswer = v.object({
  source,
  tenant: v.pipe(
    v.exactOptional(v.string()),
    v.description('The tenant of the source; absent for uploads from before owners were stored'),
  ),
  key: v.pipe(v.exactOptional(v.string()), v.description('Id of the API key, of detections that name no source')),
  every: v.pipe(
    v.exactOptional(v.literal(true)),
    v.description(
      'Everything that the key uploads, whatever source it names: it has too many sources in quarantine to tell them apart',
    ),
  ),
  state: v.pipe(
    v.picklist(['accepted', 'quarantined', 'trusted']),
    v.description(
      'trusted: it was released, and is not judged again for the reasons of its quarantine until `trustedUntil`',
    ),
  ),
  since: v.pipe(v.nullable(instant), v.description('Since when it has the state; null: there was no decision')),
  reasons: v.array(v.picklist(REASONS)),
  trustedUntil: v.nullable(instant),
  by: v.pipe(v.nullable(v.string()), v.description('Id of the API key that released or dropped last')),
  held: v.pipe(count, v.description('Detections kept out of the inventory until it is released or dropped')),
  due: v.pipe(count, v.description('Released detections that the next ticks merge')),
  dropped: v.pipe(count, v.description('Detections that are never merged; their uploads are kept')),
  totals: v.object(figures),
  shares: v.pipe(
    v.object({ invalid: share, unassigned: share, fixedLine: share, known: share }),
    v.description(
      '`invalid` (with the unassigned) and `unassigned` as fractions of lines, `fixedLine` of detections, `known` of numbers',
    ),
  ),
  days: v.pipe(
    v.array(v.object({ day: v.pipe(v.string(), v.isoDate()), ...figures })),
    v.description('UTC days on which its uploads were merged or held, oldest first'),
  ),
});

export const sourcesAnswer = v.object({
  sources: v.pipe(v.array(sourceAnswer), v.description('Those in quarantine first, then those with the most lines')),
  setAside: v.pipe(
    v.array(v.object({ batch: v.string(), reason: v.string(), detail: v.nullable(v.string()), at: instant })),
    v.description('Uploads that no tick could merge, kept but not served; the last 100, the latest first'),
  ),
  bounds: v.pipe(
    v.record(v.string(), v.number()),
    v.description('The bounds that sources are judged by (docs/QUALITY.md)'),
  ),
});

const name = v.pipe(
  v.string('expected text'),
  v.maxLength(MAX_NAME_CHARS, `expected at most ${MAX_NAME_CHARS} characters`),
);

const WHICH = 'If several sources have this name: which of them, as in GET /v1/sources';

/** Unknown fields are refused, and `source` must be given: null is a source too, so it has to be meant. */
export const sourceRequest = v.strictObject({
  source: v.pipe(
    v.nullable(
      v.pipe(
        v.string('expected text or null'),
        v.maxLength(MAX_NAME_CHARS, `expected at most ${MAX_NAME_CHARS} characters`),
      ),
    ),
    v.description('The name of the source, as in GET /v1/sources'),
  ),
  tenant: v.exactOptional(v.pipe(name, v.description(WHICH))),
  key: v.exactOptional(v.pipe(name, v.description(WHICH))),
  every: v.exactOptional(v.pipe(v.boolean('expected true or false'), v.description(WHICH))),
});

export const decisionAnswer = v.object({
  generation: v.pipe(count, v.description('The generation that was made')),
  source: sourceAnswer,
});

const SOURCE = 'forum-scrape';
const FIGURES = { lines: 450, accepted: 300, invalid: 0, unassigned: 150, fixedLine: 0, numbers: 300, known: 0 };
const QUARANTINED = {
  source: SOURCE,
  tenant: 'acme',
  state: 'quarantined',
  since: '2025-05-29T08:12:00.000Z',
  reasons: ['invalid-numbers', 'unassigned-ranges'],
  trustedUntil: null,
  by: null,
  held: 300,
  due: 0,
  dropped: 0,
  totals: FIGURES,
  shares: { invalid: 0.3333, unassigned: 0.3333, fixedLine: 0, known: 0 },
  days: [{ day: '2025-05-29', ...FIGURES }],
} as const;
const DECISION_PROBLEMS = [
  'invalid-request',
  'not-quarantined',
  'ambiguous-source',
  'payload-too-large',
  'storage-unavailable',
] as const;
const BODY = { 'application/json': { schema: sourceRequest, example: { source: SOURCE } } };

/** As many as somebody reads; GET /v1/status counts all of them. */
const MAX_SET_ASIDE = 100;

export function sourceRoutes(services: ControlServices): readonly Route[] {
  const { quality } = services;
  return [
    {
      method: 'GET',
      path: '/v1/sources',
      operationId: 'listSources',
      tag: 'Sources',
      summary: 'Figures of each source of detections, and which sources are in quarantine',
      description: `Figures are of the last ${LEDGER_DAYS} days. A source is the text of the field \`source\`, within a tenant: two tenants' feeds of one name are two sources. Lines without a source are one source of each API key.`,
      scope: 'admin',
      answers: [
        {
          status: 200,
          description: 'Sources, and the bounds that they are judged by',
          json: {
            schema: sourcesAnswer,
            example: { sources: [QUARANTINED], setAside: [], bounds: { invalidShare: 0.2 } },
          },
        },
      ],
      problems: ['storage-unavailable'],
      handle: async () => {
        const overviews = sourceOverviews(await quality.ledger(), services.now(), LEDGER_DAYS);
        const setAside = (await quality.setAside()).slice(0, MAX_SET_ASIDE);
        return json({
          sources: overviews.map(answerOf),
          setAside: setAside.map(({ id, reason, detail, at }) => {
            return { batch: id, reason, detail, at: new Date(at).toISOString() };
          }),
          bounds: quality.bounds,
        });
      },
    },
    {
      method: 'POST',
      path: '/v1/sources/release',
      operationId: 'releaseSource',
      tag: 'Sources',
      summary: 'Release a source from quarantine',
      description:
        'The next ticks merge its held detections, each once and without canaries. For 30 days the source is not judged ' +
        'again for the reasons of its quarantine.',
      scope: 'admin',
      body: BODY,
      answers: [
        {
          status: 200,
          description: 'Released',
          json: {
            schema: decisionAnswer,
            example: { generation: 1235, source: { ...QUARANTINED, state: 'trusted', held: 0, due: 300 } },
          },
        },
      ],
      problems: DECISION_PROBLEMS,
      handle: (context, principal) => decide(services, 'release', context, principal),
    },
    {
      method: 'POST',
      path: '/v1/sources/drop',
      operationId: 'dropSource',
      tag: 'Sources',
      summary: 'Drop what is held of a source',
      description:
        'Dropped detections are never merged, though their uploads are kept. The source stays in quarantine: what it reports ' +
        'from now on is held.',
      scope: 'admin',
      body: BODY,
      answers: [
        {
          status: 200,
          description: 'Dropped',
          json: {
            schema: decisionAnswer,
            example: { generation: 1235, source: { ...QUARANTINED, held: 0, dropped: 300 } },
          },
        },
      ],
      problems: DECISION_PROBLEMS,
      handle: (context, principal) => decide(services, 'drop', context, principal),
    },
  ];
}

async function decide(
  services: ControlServices,
  decision: 'release' | 'drop',
  { req }: Context,
  principal: Principal,
): Promise<Response> {
  const choice = parse(sourceRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES));
  const result = await services.quality[decision](choice, principal.id);
  if (result.kind === 'not-quarantined') {
    throw new Problem('not-quarantined', 'source: expected one that GET /v1/sources lists as quarantined');
  }
  if (result.kind === 'ambiguous') {
    throw new Problem('ambiguous-source', 'expected tenant, key or every to tell one of the candidates', {
      members: { candidates: result.candidates },
    });
  }
  const { generation, id } = result;
  await recordForAll(services, principal, { action: `source.${decision}`, source: id, generation });
  const overview = overviewOf(result.ledger, id, services.now());
  return json({ generation, source: answerOf(overview) });
}

function overviewOf(ledger: Ledger, id: SourceId, now: number): SourceOverview {
  const text = idText(id);
  const found = sourceOverviews(ledger, now, LEDGER_DAYS).find((one) => idText(one) === text);
  if (found === undefined) throw new RangeError('the ledger has nothing of the source it was changed for');
  return found;
}

function answerOf({ days, since, trustedUntil, ...rest }: SourceOverview) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...rest,
    since: iso(since),
    trustedUntil: iso(trustedUntil),
    days: days.map((figures) => ({ ...figures, day: isoDay(figures.day) })),
  };
}
