/**
 * Attributes of detections: their vocabularies and their text.
 *
 * The text is the JSON array [label, channel, industry, project, link host, link SHA-256, source] as ECMAScript's
 * JSON.stringify writes it, null for what is absent. Batches and evidence store it, it identifies a line of evidence,
 * and its UTF-16 code unit order is the canonical order of such lines.
 */
import { FormatError, parseJson } from '../lib/bytes.ts';

/**
 * The closed vocabularies of the file format, by name. Their order is the canonical order of names in a profile
 * (docs/FORMAT.md), so names are only ever appended, never reordered or removed.
 */
export const CHANNELS = [
  'otp_marketplace',
  'api_receiver',
  'public_receiver',
  'number_trading',
  'access_tool',
  'other',
] as const;

export const INDUSTRIES = [
  'social_media',
  'communications',
  'short_video',
  'internet_services',
  'ecommerce',
  'finance',
  'gaming',
  'travel',
  'other',
] as const;

export type Channel = (typeof CHANNELS)[number];
export type Industry = (typeof INDUSTRIES)[number];

/** A private receiver link, kept without its secret: host in the clear, the whole URL only as a digest. */
export interface LinkDigest {
  /** Lower-case host name of the link. */
  readonly host: string;
  /** SHA-256 of the whole link as given, 64 lower-case hex digits. */
  readonly sha256: string;
}

/** No detection is dated before this day, which comes from a clock that was not set. */
export const FIRST_DATE = '2000-01-01';

/** The longest project or source, in UTF-16 units. */
export const MAX_NAME_CHARS = 128;

/** The attributes of a detection; detections of one number that share them are one line of its evidence. */
export interface Attributes {
  readonly label: string;
  readonly channel: Channel;
  readonly industry: Industry | null;
  readonly project: string | null;
  readonly link: LinkDigest | null;
  readonly source: string | null;
}

/** One accepted observation of a number (or one aggregated list entry), as validated at the edge. */
export interface Detection extends Attributes {
  /** E.164 digits as an integer, at most 15 digits. */
  readonly number: number;
  /** Seconds since 1970, UTC. The observation, or the last one of an aggregate. */
  readonly observedAt: number;
  /** Seconds since 1970, UTC; not after `observedAt`. Equal to it unless the line is an aggregate. */
  readonly firstSeenAt: number;
  /** How many observations the line stands for, at least 1. */
  readonly sightings: number;
}

export function attributesText(c: Attributes): string {
  return JSON.stringify([
    c.label,
    c.channel,
    c.industry,
    c.project,
    c.link?.host ?? null,
    c.link?.sha256 ?? null,
    c.source,
  ]);
}

/** Throws FormatError unless the text is one that `attributesText` writes. */
export function parseAttributes(text: string): Attributes {
  const fields = parseJson(text, 'attributes');
  if (!Array.isArray(fields) || fields.length !== 7) {
    throw new FormatError('attributes: expected an array of 7 fields');
  }
  const [label, channel, industry, project, host, sha256, source]: unknown[] = fields;
  if (typeof label !== 'string' || !isChannel(channel) || !(industry === null || isIndustry(industry))) {
    throw new FormatError('attributes: expected a label, a known channel and a known industry or null');
  }
  if (!isOptionalText(project) || !isOptionalText(host) || !isOptionalText(sha256) || !isOptionalText(source)) {
    throw new FormatError('attributes: expected project, link and source to be text or null');
  }
  const link = host !== null && sha256 !== null ? { host, sha256 } : null;
  const attributes = { label, channel, industry, project, link, source };
  // Two spellings of the same attributes would be two lines of evidence.
  if (attributesText(attributes) !== text) throw new FormatError('attributes: not in their canonical form');
  return attributes;
}

/**
 * What a profile is made of, of a text whose spelling has been checked by whoever wrote the batch. Throws FormatError
 * when it is none of `attributesText`.
 */
export function parseKind(text: string): Pick<Attributes, 'label' | 'channel' | 'industry'> {
  const fields = parseJson(text, 'attributes');
  const [label, channel, industry]: unknown[] = Array.isArray(fields) && fields.length === 7 ? fields : [];
  if (typeof label !== 'string' || !isChannel(channel) || !(industry === null || isIndustry(industry))) {
    throw new FormatError('attributes: expected 7 fields with a label, a known channel and a known industry or null');
  }
  return { label, channel, industry };
}

function isChannel(value: unknown): value is Channel {
  return CHANNELS.some((channel) => channel === value);
}

function isIndustry(value: unknown): value is Industry {
  return INDUSTRIES.some((industry) => industry === value);
}

function isOptionalText(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
