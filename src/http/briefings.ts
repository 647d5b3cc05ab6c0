/** A period's briefing as JSON, as Markdown, or as a page to read and print. */

import type { Context } from 'hono';
import type { Briefing } from '../briefing/briefing.ts';
import { type DaySpan, MAX_PERIOD_DAYS, spanDays } from '../briefing/period.ts';
import { renderHtml } from '../briefing/render/html.ts';
import { renderMarkdown } from '../briefing/render/markdown.ts';
import { dayOfMs, parseDay } from '../format/records.ts';
import { preferredType } from './accept.ts';
import { BRIEFING_EXAMPLE, briefingAnswer, briefingPath } from './briefings-schema.ts';
import { Problem } from './problem.ts';
import { json } from './respond.ts';
import type { ParameterDoc, Route } from './route.ts';
import { parse } from './validate.ts';

/** What the route needs of src/briefing/briefings.ts. */
export interface BriefingService {
  /** Of a period that has begun. Rejects with StorageUnavailable. */
  get(span: DaySpan): Promise<Briefing>;
}

const TYPES = ['application/json', 'text/markdown', 'text/html'] as const;

/** Of the two that people read. A browser may go back to one; a cache on the way must not keep it. */
const TEXT_HEADERS = {
  'cache-control': 'private, no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'Accept',
};

const DATES: readonly ParameterDoc[] = [
  {
    in: 'path',
    name: 'from',
    required: true,
    description: 'First day, UTC: today or before',
    schema: briefingPath.entries.from,
    example: '2025-05-16',
  },
  {
    in: 'path',
    name: 'to',
    required: true,
    description: `Last day, UTC, inclusive: at most ${MAX_PERIOD_DAYS} days in all. It may lie in the future: then the figures are those so far, and period.complete is false`,
    schema: briefingPath.entries.to,
    example: '2025-05-30',
  },
];

export interface BriefingRouteDeps {
  readonly briefings: BriefingService;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function briefingRoutes({ briefings, now }: BriefingRouteDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/briefings/:from/:to',
      operationId: 'briefing',
      tag: 'Briefings',
      summary: 'The briefing of a period, in exact figures',
      description:
        'JSON, or text/markdown or text/html if Accept prefers it. A computed briefing is stored, and computed again once further detections of the period have come in: see docs/BRIEFING.md.',
      scope: 'lookup',
      parameters: DATES,
      answers: [
        {
          status: 200,
          description: 'The briefing',
          json: { schema: briefingAnswer, example: BRIEFING_EXAMPLE },
          texts: ['text/markdown', 'text/html'],
        },
      ],
      problems: ['invalid-request', 'storage-unavailable'],
      handle: async ({ req }) => answer(await briefings.get(spanOf(req, dayOfMs(now()))), req.header('accept')),
    },
  ];
}

/** @param today UTC day since 1970 */
function spanOf(req: Context['req'], today: number): DaySpan {
  const { from, to } = parse(briefingPath, { from: req.param('from'), to: req.param('to') });
  const span = { from: parseDay(from) ?? 0, to: parseDay(to) ?? 0 };
  const days = spanDays(span);
  if (span.from > today) {
    throw new Problem('invalid-request', 'from: expected a day that has begun, in UTC', { members: { field: 'from' } });
  }
  if (days >= 1 && days <= MAX_PERIOD_DAYS) return span;
  const expected = days < 1 ? 'expected a day that is not before from' : `expected at most ${MAX_PERIOD_DAYS} days`;
  throw new Problem('invalid-request', `to: ${expected}`, { members: { field: 'to' } });
}

function answer(briefing: Briefing, accept: string | undefined): Response {
  const type = preferredType(accept, TYPES);
  if (type === 'application/json') return json(briefing, 200, { vary: 'Accept' });
  if (type === 'text/markdown') return text(renderMarkdown(briefing), type);
  const { html, contentSecurityPolicy } = renderHtml(briefing);
  return text(html, type, { 'content-security-policy': contentSecurityPolicy });
}

function text(body: string, type: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { headers: { ...TEXT_HEADERS, 'content-type': `${type}; charset=utf-8`, ...headers } });
}
