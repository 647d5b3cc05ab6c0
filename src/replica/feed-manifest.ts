/**
 * The manifest of the feed: what a replica needs of a generation, as JSON (docs/REPLICA.md). It names slices by their
 * SHA-256: the numbers slice of every segment, which proves its verdicts, and what the tenant decides with
 * (feed-config.ts). The same generation and configuration always give the same bytes.
 */
import * as v from 'valibot';
import type { Manifest, SegmentEntry } from '../format/manifest.ts';
import { SEGMENT_NUMBERS } from '../format/numbers.ts';
import type { SliceShape } from '../format/segment.ts';
import { decodeText, encodeText, FormatError, parseJson } from '../lib/bytes.ts';
import { count, instant, parseStored } from '../lib/schema.ts';

export const FEED_FORMAT = 2;
/** Before segments of version 2: all of them have `verdicts`. */
const FORMAT_BEFORE = 1;
/** KV values have at most 25 MiB, so slices have, and so has the configuration, which is read like one. */
const MAX_SLICE_BYTES = 25 * 2 ** 20;
/** A billion and a half numbers, at 24,576 a segment. */
const MAX_SEGMENTS = 65_536;
/** Tiers keep a handful of runs (docs/decisions/0005). */
const MAX_RUNS = 256;
/** A segment takes about 330 bytes, so there is room for more than MAX_SEGMENTS of them. */
export const MAX_MANIFEST_BYTES = 32 * 2 ** 20;
/** Keys of R2 have at most 1,024 bytes; ours have about 50. */
const KEY = /^[\x21-\x7e]{1,200}$/;
export const SLICE_HASH = /^[0-9a-f]{64}$/;

const slice = v.pipe(
  v.object({
    sha256: v.pipe(v.string(), v.regex(SLICE_HASH, 'expected 64 lower-case hex digits')),
    bytes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SLICE_BYTES)),
  }),
  v.description('Bytes at /v1/feed/slices/{sha256}'),
);

const segment = v.object({
  key: v.pipe(v.string(), v.regex(KEY, 'expected printable ASCII'), v.description('Names the segment in the origin')),
  first: v.pipe(count, v.description('The smallest of its numbers, E.164 digits as an integer')),
  last: count,
  count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(SEGMENT_NUMBERS)),
  numbers: slice,
  verdicts: v.pipe(
    v.exactOptional(slice),
    v.description(
      'Of a segment of version 1; without, numbers and verdicts are at /v1/feed/segments/{sha256 of numbers}',
    ),
  ),
  verdictsBytes: v.pipe(
    v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SLICE_BYTES))),
    v.description('Of any other: bytes of its verdicts'),
  ),
});

export const feedManifest = v.object({
  format: v.picklist([FEED_FORMAT, FORMAT_BEFORE]),
  generation: count,
  publishedAt: instant,
  runs: v.pipe(
    v.array(v.object({ segments: v.pipe(v.array(segment), v.minLength(1), v.maxLength(MAX_SEGMENTS)) })),
    v.maxLength(MAX_RUNS),
    v.description('Newest first; the segments of each in number order'),
  ),
  config: slice,
});

/** As it is sent. */
export type FeedManifestJson = v.InferOutput<typeof feedManifest>;

/** As it is used. */
export interface FeedManifest extends Omit<FeedManifestJson, 'publishedAt'> {
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
}

export type FeedSegment = v.InferOutput<typeof segment>;

export function feedManifestOf({ generation, publishedAt, runs }: Manifest, config: SliceShape): FeedManifest {
  return {
    format: FEED_FORMAT,
    generation,
    publishedAt,
    runs: runs.map(({ segments }) => ({ segments: segments.map(feedSegment) })),
    config: feedSlice(config),
  };
}

function feedSegment({ key, first, last, count, numbers, verdictsBytes, parts }: SegmentEntry): FeedSegment {
  const verdicts = parts === null ? { verdictsBytes } : { verdicts: feedSlice(parts.verdicts) };
  return { key, first, last, count, numbers: feedSlice(numbers), ...verdicts };
}

/** Puts the members in one order, so that the bytes are always the same. */
function feedSlice({ sha256, bytes }: SliceShape): SliceShape {
  return { sha256, bytes };
}

export function encodeFeedManifest(manifest: FeedManifest): Uint8Array<ArrayBuffer> {
  const json: FeedManifestJson = { ...manifest, publishedAt: new Date(manifest.publishedAt).toISOString() };
  return new Uint8Array(encodeText(JSON.stringify(json)));
}

/** Throws FormatError unless the bytes are a manifest of this version within its bounds. */
export function parseFeedManifest(bytes: Uint8Array<ArrayBuffer>): FeedManifest {
  const parsed = parseStored(
    feedManifest,
    parseJson(decodeText(bytes, 'feed manifest'), 'feed manifest'),
    'feed manifest',
  );
  const publishedAt = Date.parse(parsed.publishedAt);
  // The pattern accepts more forms of an offset than Date.parse does.
  if (Number.isNaN(publishedAt)) throw new FormatError('feed manifest: publishedAt: expected an ISO 8601 time');
  return { ...parsed, publishedAt };
}
