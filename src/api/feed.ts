/** The feed over HTTP. Replicas follow its manifest and fetch the slices that they lack, by content. */
import type { Context } from 'hono';
import type { Bytes } from '../lib/bytes.ts';
import { namesEtag, parseRange } from '../replica/feed.ts';
import { SLICE_HASH } from '../replica/feed-manifest.ts';
import { Problem } from './problem.ts';
import type { Endpoint } from './route.ts';
import type { FeedService } from './services.ts';

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

export const FEED_ROUTES: readonly Endpoint<{ readonly feed: FeedService }>[] = [
  {
    method: 'GET',
    path: '/v1/feed/manifest',
    operationId: 'feedManifest',
    scope: 'feed',
    handle: (context, { tenant }, { feed }) => manifest(feed, context, tenant),
  },
  {
    method: 'GET',
    path: '/v1/feed/slices/:hash',
    operationId: 'feedSlice',
    scope: 'feed',
    handle: (context, { tenant }, { feed }) => slice(context, (hash) => feed.slice(tenant, hash)),
  },
  {
    method: 'GET',
    path: '/v1/feed/segments/:hash',
    operationId: 'feedSegment',
    scope: 'feed',
    handle: (context, _key, { feed }) => slice(context, (hash) => feed.segment(hash)),
  },
];

async function manifest(feed: FeedService, { req }: Context, tenant: string): Promise<Response> {
  const { etag, encode } = await feed.manifest(tenant);
  const headers = { ...MANIFEST_HEADERS, etag };
  if (namesEtag(req.header('if-none-match') ?? null, etag)) return notModified(headers);
  return new Response(encode(), { headers });
}

async function slice({ req }: Context, read: (hash: string) => Promise<Bytes | null>): Promise<Response> {
  const hash = req.param('hash') ?? '';
  if (!SLICE_HASH.test(hash)) {
    throw new Problem('invalid-request', 'hash: expected 64 lower-case hex digits', { members: { field: 'hash' } });
  }
  const etag = `"${hash}"`;
  const headers = { ...SLICE_HEADERS, etag };
  const ifNoneMatch = req.header('if-none-match') ?? null;
  // Whoever has bytes with this hash has the right ones: there is no need to look whether the slice is still here.
  if (ifNoneMatch !== '*' && namesEtag(ifNoneMatch, etag)) return notModified(headers);
  const bytes = await read(hash);
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
