/** Where detections come from: what each source is like, and what becomes of those in quarantine. */
import type { Context } from 'hono';
import type { ControlServices } from '../api/control-services.ts';
import { isoDay } from '../format/records.ts';
import type { Principal } from '../keys/scope.ts';
import { LEDGER_DAYS, type Ledger } from '../quality/ledger.ts';
import { type SourceOverview, sourceOverviews } from '../quality/overview.ts';
import { idText, type SourceId } from '../quality/source-id.ts';
import { MAX_SMALL_BODY_BYTES, readJson } from './body.ts';
import { Problem } from './problem.ts';
import { recordForAll } from './record.ts';
import { json } from './respond.ts';
import type { Route } from './route.ts';
import { decisionAnswer, sourceRequest, sourcesAnswer } from './sources-schema.ts';
import { parse } from './validate.ts';

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

/** As many as somebody looks at; the rest is in GET /v1/status as a count. */
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
