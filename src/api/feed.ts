/** The feed over HTTP. Replicas follow its manifest and fetch the slices that they lack, by content. */
import type { Context } from 'hono';
import * as v from 'valibot';
import { namesEtag, parseRange } from '../replica/feed.ts';
import { type FeedManifestJson, feedManifest, SLICE_HASH } from '../replica/feed-manifest.ts';
import { Problem } from './problem.ts';
import type { ParameterDoc, Route } from './route.ts';
import type { FeedService } from './services.ts';

export { feedManifest };

const sliceHash = v.pipe(v.string(), v.regex(SLICE_HASH, 'expected 64 lower-case hex digits'));

const NUMBERS = { sha256: '1d9f'.repeat(16), bytes: 48_216 };
const VERDICTS = { sha256: '5c07'.repeat(16), bytes: 120_984 };

const FEED_MANIFEST_EXAMPLE: FeedManifestJson = {
  format: 1,
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
          verdicts: VERDICTS,
        },
      ],
    },
  ],
  config: { sha256: 'e4b2'.repeat(16), bytes: 412 },
};

/**
 * A cache may keep the manifest and must ask before using it. It is private, since it names the tenant's own
 * configuration.
 */
const MANIFEST_HEADERS = {
  'cache-control': 'private, no-cache',
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
};
/**
 * Caches count on no longer than a year. Slices are private, since a shared cache would answer without asking for a
 * key.
 */
const SLICE_HEADERS = {
  'cache-control': 'private, max-age=31536000, immutable',
  'content-type': 'application/octet-stream',
  'x-content-type-options': 'nosniff',
  'accept-ranges': 'bytes',
};

const IF_NONE_MATCH: ParameterDoc = {
  in: 'header',
  name: 'If-None-Match',
  description: 'The ETag that the client has',
  schema: v.string(),
};

export function feedRoutes(services: { readonly feed: FeedService }): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/feed/manifest',
      operationId: 'feedManifest',
      tag: 'Feed',
      summary: 'The manifest that replicas follow',
      description: 'It names slices by their SHA-256: see docs/REPLICA.md. Poll it with If-None-Match, once a minute.',
      scope: 'feed',
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
      handle: (context, { tenant }) => manifest(services.feed, context, tenant),
    },
    {
      method: 'GET',
      path: '/v1/feed/slices/:hash',
      operationId: 'feedSlice',
      tag: 'Feed',
      summary: 'The slice with this SHA-256',
      description: 'Immutable bytes (application/octet-stream). A request may ask for one range.',
      scope: 'feed',
      parameters: [
        {
          in: 'path',
          name: 'hash',
          required: true,
          description: 'The hash, as the manifest names it',
          schema: sliceHash,
          example: FEED_MANIFEST_EXAMPLE.config.sha256,
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
      handle: (context, { tenant }) => slice(services.feed, context, tenant),
    },
  ];
}

async function manifest(feed: FeedService, { req }: Context, tenant: string): Promise<Response> {
  const { etag, encode } = await feed.manifest(tenant);
  const headers = { ...MANIFEST_HEADERS, etag };
  if (namesEtag(req.header('if-none-match') ?? null, etag)) return notModified(headers);
  return new Response(encode(), { headers });
}

async function slice(feed: FeedService, { req }: Context, tenant: string): Promise<Response> {
  const hash = req.param('hash') ?? '';
  if (!SLICE_HASH.test(hash)) {
    throw new Problem('invalid-request', 'hash: expected 64 lower-case hex digits', { members: { field: 'hash' } });
  }
  const etag = `"${hash}"`;
  const headers = { ...SLICE_HEADERS, etag };
  const ifNoneMatch = req.header('if-none-match') ?? null;
  // Whoever has bytes with this hash has the right ones: there is no need to look whether the slice is still here.
  if (ifNoneMatch !== '*' && namesEtag(ifNoneMatch, etag)) return notModified(headers);
  const bytes = await feed.slice(tenant, hash);
  if (bytes === null) {
    throw new Problem('not-found', 'expected the hash of a slice of the current manifest: read the manifest again');
  }
  if (ifNoneMatch === '*') return notModified(headers);
  return bytesResponse(bytes, rangeHeader(req.raw, etag), headers);
}

/** The Range header, if it applies: to a GET only, and only to this representation. */
function rangeHeader({ method, headers }: Request, etag: string): string | null {
  const ifRange = headers.get('if-range');
  return method === 'GET' && (ifRange === null || ifRange === etag) ? headers.get('range') : null;
}

function bytesResponse(
  bytes: Uint8Array<ArrayBuffer>,
  header: string | null,
  headers: Readonly<Record<string, string>>,
): Response {
  const range = parseRange(header, bytes.length);
  if (range === 'unsatisfiable') {
    throw new Problem('range-not-satisfiable', `expected a range within ${bytes.length} bytes`, {
      headers: { 'content-range': `bytes */${bytes.length}` },
    });
  }
  if (range === null) {
    return new Response(bytes, { headers: { ...headers, 'content-length': String(bytes.length) } });
  }
  const { offset, length } = range;
  const contentRange = `bytes ${offset}-${offset + length - 1}/${bytes.length}`;
  return new Response(bytes.subarray(offset, offset + length), {
    status: 206,
    headers: { ...headers, 'content-length': String(length), 'content-range': contentRange },
  });
}

/** A 304 has the headers of the 200 that it stands for, without those about a body. */
function notModified({ 'content-type': _, ...headers }: Readonly<Record<string, string>>): Response {
  return new Response(null, { status: 304, headers });
}
