/** GET /v1/briefings: the briefing of a period as JSON, as Markdown, or as a page to read and print. */
import type { Context } from 'hono';
import * as v from 'valibot';
import { type Briefing, briefingSchema } from '../briefing/briefing.ts';
import { type DaySpan, MAX_PERIOD_DAYS, spanDays } from '../briefing/period.ts';
import { renderHtml } from '../briefing/render/html.ts';
import { renderMarkdown } from '../briefing/render/markdown.ts';
import { FIRST_DATE } from '../format/attributes.ts';
import { dayOfMs, parseDay } from '../lib/time.ts';
import { Problem } from './problem.ts';
import { parse } from './request.ts';
import { json, type ParameterDoc, type Route } from './route.ts';

const EXPECTED = `expected a date as YYYY-MM-DD, from ${FIRST_DATE} to 9999-12-31`;

const day = v.pipe(
  v.string(EXPECTED),
  v.isoDate(EXPECTED),
  v.check((text) => parseDay(text) !== null && text >= FIRST_DATE, EXPECTED),
);

const briefingPath = v.object({ from: day, to: day });

/** The briefing of a short period of a small inventory. Its block has numbers that are reserved for fiction. */
export const BRIEFING_EXAMPLE: Briefing = {
  period: { from: '2025-05-16', to: '2025-05-17', days: 2, complete: true, until: '2025-05-17' },
  captured: 40,
  firstTime: 20,
  firstTimeShare: 0.5,
  inventory: 125_849,
  origins: [
    { group: 'US/Canada', captured: 30, firstTime: 18, share: 0.75, compared: 30, previous: 20, change: 0.5 },
    { group: 'PH', captured: 10, firstTime: 2, share: 0.25, compared: 10, previous: 0, change: null },
  ],
  channels: [
    { channel: 'otp_marketplace', firstTime: 15, share: 0.75 },
    { channel: 'api_receiver', firstTime: 5, share: 0.25 },
  ],
  industries: [{ industry: 'social_media', captured: 36, share: 0.9 }],
  trend: [
    { day: '2025-05-16', captured: 25, firstTime: 12 },
    { day: '2025-05-17', captured: 18, firstTime: 8 },
  ],
  compared: {
    period: { from: '2025-05-16', to: '2025-05-17', days: 2 },
    captured: 40,
    firstTime: 20,
    firstTimeShare: 0.5,
    inventory: 125_849,
    channels: [
      { channel: 'otp_marketplace', firstTime: 15, share: 0.75 },
      { channel: 'api_receiver', firstTime: 5, share: 0.25 },
    ],
    industries: [{ industry: 'social_media', captured: 36, share: 0.9 }],
  },
  previous: {
    period: { from: '2025-05-14', to: '2025-05-15', days: 2 },
    captured: 20,
    firstTime: 10,
    firstTimeShare: 0.5,
    inventory: 125_829,
    channels: [{ channel: 'otp_marketplace', firstTime: 10, share: 1 }],
    industries: [{ industry: 'social_media', captured: 20, share: 1 }],
  },
  projects: {
    count: 2,
    new: [
      {
        project: 'example-app',
        industry: 'social_media',
        firstDay: '2025-05-16',
        captured: 6,
        compared: 6,
        previous: 0,
        change: null,
      },
    ],
    newCount: 1,
    growing: [
      {
        project: 'example-app',
        industry: 'social_media',
        firstDay: '2025-05-16',
        captured: 6,
        compared: 6,
        previous: 0,
        change: null,
      },
    ],
  },
  links: {
    links: 5,
    numbers: 5,
    dedicated: 4,
    hosts: [{ host: 'codes.example', links: 5, numbers: 5, projects: 2 }],
  },
  blocks: [{ prefix: '+12025550', country: 'US', captured: 12, firstTime: 9 }],
  quarantined: [],
  generation: 1234,
  computedAt: '2025-05-18T00:15:02.000Z',
};

/** What the route needs of src/briefing/briefings.ts. */
export interface BriefingService {
  /** The briefing of a period that has begun. Rejects with StorageUnavailable. */
  get(span: DaySpan): Promise<Briefing>;
}

const TYPES = ['application/json', 'text/markdown', 'text/html'] as const;

/** For Markdown and the page, which people read. A browser may keep one to go back to; a cache on the way must not. */
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

interface BriefingRouteDeps {
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
          json: { schema: briefingSchema, example: BRIEFING_EXAMPLE },
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

// Which of the three is answered.

/**
 * More ranges than browsers send; what follows is ignored. Content negotiation follows RFC 9110 as far as a few fixed
 * media types need.
 */
const MAX_RANGES = 32;

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

/**
 * The offered type that an Accept header prefers; of equally preferred types the first one offered. The first one is
 * also the answer if the header is missing or accepts none, since an answer of another type says more than none.
 */
export function preferredType<const Type extends string>(
  header: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type {
  const ranges = (header ?? '').split(',', MAX_RANGES).map(parseRange);
  let [best] = offered;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/** The quality of the most specific range that names the type. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  for (const name of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const named = ranges.find(({ range }) => range === name);
    if (named !== undefined) return named.quality;
  }
  return 0;
}

function parseRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = weight === undefined ? 1 : Number(weight.slice('q='.length));
  return { range, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
