/**
 * What the OpenAPI document says of the edge's routes. The control Worker has it: schemas, examples and texts would be
 * made in every isolate of the edge before its first answer.
 */
import * as v from 'valibot';
import { count } from '../lib/schema.ts';
import { HEALTH_PARTS, type Health } from '../lookup/health.ts';
import { NUMBER_PLAN, type NumberPlanVersion } from '../phone/plan.ts';
import { FEED_FORMAT, type FeedManifestJson, feedManifest, SLICE_HASH } from '../replica/feed-manifest.ts';
import { FILES } from './docs-page.ts';
import { EDGE_ROUTES } from './edge-app.ts';
import { LOOKUP_DOCS } from './lookup-docs.ts';
import type { OperationDoc, ParameterDoc, RouteDoc } from './route.ts';

/** Which metadata numbers are read with. */
export const numberPlanVersion = v.object({
  version: v.pipe(v.string(), v.description('Of libphonenumber-js, whose metadata it is')),
}) satisfies v.GenericSchema<NumberPlanVersion>;

export const healthAnswer = v.object({
  ok: v.boolean(),
  generation: v.pipe(v.nullable(count), v.description('null: nothing has been read yet')),
  ageSeconds: v.pipe(
    v.nullable(v.pipe(v.number(), v.minValue(0))),
    v.description('Since this isolate last confirmed that its snapshot is the newest'),
  ),
  numberPlan: v.pipe(numberPlanVersion, v.description('What lookups read numbers with')),
  failing: v.exactOptional(
    v.pipe(
      v.array(v.picklist(HEALTH_PARTS)),
      v.description('What is not available: a recent inventory, recent lookups, API keys, or policies'),
    ),
  ),
}) satisfies v.GenericSchema<Health>;

const HEALTH = { ok: true, generation: 1234, ageSeconds: 3, numberPlan: NUMBER_PLAN };

const sliceHash = v.pipe(v.string(), v.regex(SLICE_HASH, 'expected 64 lower-case hex digits'));

const NUMBERS = { sha256: '1d9f'.repeat(16), bytes: 48_216 };

const FEED_MANIFEST_EXAMPLE: FeedManifestJson = {
  format: FEED_FORMAT,
  generation: 1234,
  publishedAt: '2025-05-29T08:13:00.000Z',
  runs: [
    {
      segments: [
        {
          key: 'segments/0a1b2c3d-000000',
          first: 12_025_550_100,
          last: 12_025_550_199,
          count: 37,
          numbers: NUMBERS,
          verdictsBytes: 4_104,
        },
      ],
    },
  ],
  config: { sha256: 'e4b2'.repeat(16), bytes: 412 },
};

const IF_NONE_MATCH: ParameterDoc = {
  in: 'header',
  name: 'If-None-Match',
  description: 'The ETag that the client has',
  schema: v.string(),
};

/** What is the same of all bytes that are named by a hash. */
function immutableBytes(
  description: string,
  example: string,
): Pick<OperationDoc, 'parameters' | 'answers' | 'problems'> {
  return {
    parameters: [
      {
        in: 'path',
        name: 'hash',
        required: true,
        description,
        schema: sliceHash,
        example,
      },
      IF_NONE_MATCH,
      { in: 'header', name: 'Range', description: '`bytes=a-b`, `a-` or `-n`', schema: v.string() },
      {
        in: 'header',
        name: 'If-Range',
        description: 'The ETag of the slice that the range belongs to',
        schema: v.string(),
      },
    ],
    answers: [
      { status: 200, description: 'The bytes' },
      { status: 206, description: 'The range of bytes' },
      { status: 304, description: 'The client has them' },
    ],
    problems: ['invalid-request', 'not-found', 'range-not-satisfiable', 'storage-unavailable'],
  };
}

/** By operation id. */
const EDGE_DOCS: Readonly<Record<string, OperationDoc>> = {
  ...LOOKUP_DOCS,
  health: {
    tag: 'State',
    summary: 'Whether lookups can be answered',
    answers: [
      { status: 200, description: 'Lookups can be answered', json: { schema: healthAnswer, example: HEALTH } },
      {
        status: 503,
        description: 'Some or all lookups cannot be answered',
        json: { schema: healthAnswer, example: { ...HEALTH, ok: false, failing: ['lookups'] } },
      },
    ],
    problems: [],
  },
  feedManifest: {
    tag: 'Feed',
    summary: 'The manifest that replicas follow',
    description: 'It names slices by their SHA-256: see docs/REPLICA.md. Poll it with If-None-Match, once a minute.',
    parameters: [IF_NONE_MATCH],
    answers: [
      {
        status: 200,
        description: 'The slices of the current generation, and the one with the policy and overrides of the tenant',
        json: { schema: feedManifest, example: FEED_MANIFEST_EXAMPLE },
      },
      { status: 304, description: 'Nothing has changed' },
    ],
    problems: ['storage-unavailable'],
  },
  feedSlice: {
    tag: 'Feed',
    summary: 'The slice with this SHA-256',
    description: 'Immutable bytes (application/octet-stream). A request may ask for one range.',
    ...immutableBytes('The hash, as the manifest names it', FEED_MANIFEST_EXAMPLE.config.sha256),
  },
  feedSegment: {
    tag: 'Feed',
    summary: 'The segment whose numbers slice has this SHA-256, up to its evidence',
    description: 'Immutable bytes (application/octet-stream). A request may ask for one range.',
    ...immutableBytes('The hash of its `numbers`, as the manifest names them', NUMBERS.sha256),
  },
  docs: {
    tag: 'State',
    summary: 'This document as a page to read and try out',
    answers: [{ status: 200, description: 'text/html' }],
    problems: [],
  },
  docsFile: {
    tag: 'State',
    summary: 'Scripts and styles of that page',
    parameters: [
      {
        in: 'path',
        name: 'file',
        required: true,
        description: 'The name of the file',
        schema: v.picklist(FILES),
        example: 'init.js',
      },
    ],
    answers: [
      { status: 200, description: 'text/javascript or text/css' },
      { status: 304, description: 'The client has it' },
    ],
    problems: ['not-found'],
  },
};

/** The edge's routes with their descriptions. */
export const EDGE_ROUTE_DOCS: readonly RouteDoc[] = EDGE_ROUTES.map(({ method, path, operationId, scope }) => {
  const doc = EDGE_DOCS[operationId];
  if (doc === undefined) throw new RangeError(`expected a description of ${operationId}`);
  return { method, path, operationId, scope, ...doc };
});
