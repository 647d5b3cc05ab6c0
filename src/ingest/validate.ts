/**
 * Checks the lines of uploads: each becomes a detection, or an error with its reason. Fields and their defaults are
 * those that `POST /v1/detections` documents; other fields are ignored. The same code runs in the Worker and in `npm
 * run import`.
 */
import { createHash } from 'node:crypto';
import {
  type Attributes,
  CHANNELS,
  type Channel,
  type Detection,
  FIRST_DATE,
  INDUSTRIES,
  type Industry,
  type LinkDigest,
  MAX_NAME_CHARS,
} from '../format/attributes.ts';
import { formatDay, parseInstant, SECONDS_PER_DAY } from '../lib/time.ts';
import { PARTS_LINES } from '../lib/validate.ts';
import { isCountry, type LineType, type PhoneNumber, parseNumber } from '../phone/parse.ts';
import type { RawLine } from './body.ts';
import { type Field, misnamedField, shapeOfText } from './fields.ts';

/** Why a line of an upload is not accepted: every code there is, and what it means. */
export const REJECT_REASONS = {
  'malformed-line':
    'the line is not a JSON object, or has a field twice, or is not a CSV record with the fields of the header, or too long',
  'misnamed-field':
    'the line has no such field but one of nearly its name: in other case, with "_" or "-", or misspelt',
  'invalid-number': 'no phone number is given, or it is in no assigned range of its number plan',
  'invalid-country': 'the country is not an ISO 3166-1 alpha-2 code with a number plan',
  'invalid-date': 'observedAt or firstSeen is no ISO 8601 date or date-time with offset, out of range, or out of order',
  'unknown-label': 'the label is not one of the configured labels',
  'unknown-channel': 'the channel is not one of the channels',
  'unknown-industry': 'the industry is not one of the industries',
  'invalid-text':
    'project or source is not a short text without control characters, line separators and characters that nobody sees',
  'invalid-link': 'the link is not an http(s) URL',
  'invalid-sightings': 'sightings is not an integer in range',
  'too-many-attributes':
    'the upload names more different sources, or says more different things, than one may: send the line in another',
} as const;

export type RejectCode = keyof typeof REJECT_REASONS;

/** A line that is not accepted. `detail` says what was expected and what was found, never a number or a link. */
export class Rejection {
  readonly code: RejectCode;
  readonly detail: string;
  /** The number is well-formed, but in no assigned range (src/phone/refusal.ts). */
  readonly isUnassigned: boolean;

  constructor(code: RejectCode, detail: string, isUnassigned = false) {
    this.code = code;
    this.detail = detail;
    this.isUnassigned = isUnassigned;
  }
}

type Result<T> = T | Rejection;

const MAX_SHOWN_CHARS = 40;

/** A value as a message may show it: a feed with its columns mixed up has numbers and links anywhere. */
function shapeOf(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value !== 'string') return typeof value;
  if (value.length > MAX_SHOWN_CHARS) return `${value.length} characters`;
  return `"${shapeOfText(value)}"`;
}

/** Like `shapeOf`, but shows what can only be a word: ASCII letters parted by `_`, `-` or spaces. */
export function wordOrShape(value: unknown): string {
  const isWord =
    typeof value === 'string' && value.length <= MAX_SHOWN_CHARS && /^[A-Za-z]+([ _-][A-Za-z]+)*$/.test(value);
  return isWord ? `"${value}"` : shapeOf(value);
}

/**
 * Direction marks and zero-width spaces: with them a name looks like another, or reverses the text beside it. The two
 * joiners are part of how Persian, Hindi and emoji are written, so between characters beyond ASCII they are letters.
 */
const UNSEEN_IN_NAMES =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])/;

/** A name that people tell apart by reading: as `checkedText`, and without invisible characters. */
function checkedName(value: unknown, field: string, code: RejectCode, maxChars: number): Result<string | null> {
  const text = checkedText(value, field, code, maxChars);
  if (typeof text !== 'string' || !UNSEEN_IN_NAMES.test(text)) return text;
  return new Rejection(code, `expected ${field} without characters that nobody sees (U+200B, U+202E, …); found one`);
}

/**
 * A short text of one line, trimmed; null if it is absent or blank.
 * @param maxChars UTF-16 code units
 */
function checkedText(value: unknown, field: string, code: RejectCode, maxChars: number): Result<string | null> {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') return new Rejection(code, `expected ${field} as text; found ${shapeOf(value)}`);
  const text = value.trim();
  if (text === '') return null;
  if (text.length > maxChars) {
    return new Rejection(code, `expected ${field} of at most ${maxChars} characters; found ${text.length}`);
  }
  if (PARTS_LINES.test(text)) {
    return new Rejection(code, `expected ${field} without control characters and line separators; found one`);
  }
  // A lone surrogate (JSON can escape one) has no UTF-8 form, so two different texts would be stored as one.
  if (!text.isWellFormed()) return new Rejection(code, `expected ${field} as Unicode text; found half a character`);
  return text;
}

/** UTF-16 code units; the longest links that browsers and logs pass on unharmed. */
export const MAX_LINK_CHARS = 2048;

/**
 * A receiver link as it is kept: whoever has the link reads the OTPs of its number, so only its host stays readable.
 * The digest is of the link as given, without the white space around it.
 */
function checkedLink(value: unknown): Result<LinkDigest | null> {
  const link = checkedText(value, 'link', 'invalid-link', MAX_LINK_CHARS);
  if (link === null || link instanceof Rejection) return link;
  const url = URL.parse(link);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const found = url === null ? 'text that is not a URL' : 'another scheme';
    return new Rejection('invalid-link', `expected an http or https URL; found ${found}`);
  }
  return { host: url.hostname, sha256: createHash('sha256').update(link).digest('hex') };
}

/** The configured labels, a `Set` of them for one; the order is that of messages. */
export interface Labels extends Iterable<string> {
  has(label: string): boolean;
}

export interface ValidationContext {
  /** Milliseconds since 1970: the default of `observedAt`. */
  readonly nowMs: number;
  readonly labels: Labels;
}

/** The mildest: nobody is blocked because a column was missing. No setting can take it from the configured labels. */
export const DEFAULT_LABEL = 'reported_abuse';
export const DEFAULT_CHANNEL: Channel = 'other';
/** The earliest observation that the API accepts, in seconds since 1970: the beginning of FIRST_DATE, UTC. */
export const MIN_OBSERVED_AT = Date.parse(FIRST_DATE) / 1000;
/** How far ahead of our clock a feed may date its observations, for clocks and time zones. Part of the API. */
export const MAX_AHEAD_SECONDS = SECONDS_PER_DAY;
/** Real aggregates stay below a few thousand; and 90,000 full uploads of this, of one number, add up to 2^53. */
export const MAX_SIGHTINGS = 1_000_000;
const MAX_NUMBER_CHARS = 128;
const MAX_WORD_CHARS = 64;

const CHANNEL_SET: ReadonlyMap<string, Channel> = new Map(CHANNELS.map((channel) => [channel, channel]));
const INDUSTRY_SET: ReadonlyMap<string, Industry> = new Map(INDUSTRIES.map((industry) => [industry, industry]));

/** An accepted line: the detection, and what its number is used for by its plan. */
interface AcceptedLine {
  readonly detection: Detection;
  readonly lineType: LineType;
}

/** Deterministic for a given context; never throws. Of several faults the first in this order is reported. */
export function validateLine(raw: RawLine, context: ValidationContext): Result<Detection> {
  const checked = checkLine(raw, context);
  return checked instanceof Rejection ? checked : checked.detection;
}

/** Like `validateLine`. */
export function checkLine(raw: RawLine, context: ValidationContext): Result<AcceptedLine> {
  const misnamed = misnamedField(Object.keys(raw));
  if (misnamed !== null) {
    return new Rejection('misnamed-field', `expected the field ${misnamed.field}; found ${misnamed.name}`);
  }
  const attributes = checkedAttributes(raw, context.labels);
  if (attributes instanceof Rejection) return attributes;
  const times = checkedTimes(raw, Math.floor(context.nowMs / 1000));
  if (times instanceof Rejection) return times;
  const sightings = checkedSightings(raw.sightings);
  if (sightings instanceof Rejection) return sightings;
  const number = checkedNumber(raw);
  if (number instanceof Rejection) return number;
  return { detection: { number: number.number, ...times, sightings, ...attributes }, lineType: number.lineType };
}

/** The source a line names, accepted or not; one that cannot be read counts as not named. */
export function sourceOfLine({ source }: RawLine): string | null {
  const text = checkedName(source, 'source', 'invalid-text', MAX_NAME_CHARS);
  return text instanceof Rejection ? null : text;
}

function checkedAttributes(raw: RawLine, labels: Labels): Result<Attributes> {
  const label = checkedText(raw.label, 'label', 'unknown-label', MAX_WORD_CHARS);
  if (label instanceof Rejection) return label;
  if (label === null && !labels.has(DEFAULT_LABEL)) {
    return new Rejection('unknown-label', `expected label ${[...labels].join(', ')}; found none`);
  }
  if (label !== null && !labels.has(label)) return unknownWord('label', label, labels);
  const channel = checkedText(raw.channel, 'channel', 'unknown-channel', MAX_WORD_CHARS);
  if (channel instanceof Rejection) return channel;
  const knownChannel = CHANNEL_SET.get(channel ?? DEFAULT_CHANNEL);
  if (knownChannel === undefined) return unknownWord('channel', channel, CHANNELS);
  const industry = checkedText(raw.industry, 'industry', 'unknown-industry', MAX_WORD_CHARS);
  if (industry instanceof Rejection) return industry;
  const knownIndustry = industry === null ? null : INDUSTRY_SET.get(industry);
  if (knownIndustry === undefined) return unknownWord('industry', industry, INDUSTRIES);
  const project = checkedName(raw.project, 'project', 'invalid-text', MAX_NAME_CHARS);
  if (project instanceof Rejection) return project;
  const source = checkedName(raw.source, 'source', 'invalid-text', MAX_NAME_CHARS);
  if (source instanceof Rejection) return source;
  const link = checkedLink(raw.link);
  if (link instanceof Rejection) return link;
  return { label: label ?? DEFAULT_LABEL, channel: knownChannel, industry: knownIndustry, project, link, source };
}

function unknownWord(
  field: 'label' | 'channel' | 'industry',
  found: string | null,
  known: Iterable<string>,
): Rejection {
  return new Rejection(`unknown-${field}`, `expected ${field} ${[...known].join(', ')}; found ${wordOrShape(found)}`);
}

function checkedTimes(
  raw: RawLine,
  nowSeconds: number,
): Result<{ readonly observedAt: number; readonly firstSeenAt: number }> {
  const observedAt = checkedTime(raw.observedAt, 'observedAt', nowSeconds) ?? nowSeconds;
  if (observedAt instanceof Rejection) return observedAt;
  const firstSeenAt = checkedTime(raw.firstSeen, 'firstSeen', nowSeconds) ?? observedAt;
  if (firstSeenAt instanceof Rejection) return firstSeenAt;
  if (firstSeenAt > observedAt) {
    const found = `${formatDay(firstSeenAt)} after ${formatDay(observedAt)}`;
    return new Rejection('invalid-date', `expected firstSeen not after observedAt; found ${found}`);
  }
  return { observedAt, firstSeenAt };
}

function checkedTime(value: unknown, field: Field, nowSeconds: number): Result<number> | null {
  if (value === undefined || value === null) return null;
  const text = typeof value === 'string' ? value.trim() : null;
  if (text === '') return null;
  // A bare number may be seconds or milliseconds, or a day count of a spreadsheet: not for us to guess.
  const seconds = text === null ? null : parseInstant(text);
  if (seconds === null) {
    const expected = `expected ${field} as YYYY-MM-DD or as a date-time with Z or an offset`;
    return new Rejection('invalid-date', `${expected}; found ${shapeOf(value)}`);
  }
  if (seconds < MIN_OBSERVED_AT) {
    const expected = `expected ${field} not before ${formatDay(MIN_OBSERVED_AT)}`;
    return new Rejection('invalid-date', `${expected}; found ${formatDay(seconds)}`);
  }
  if (seconds > nowSeconds + MAX_AHEAD_SECONDS) {
    const expected = `expected ${field} at most one day ahead of ${formatDay(nowSeconds)}`;
    return new Rejection('invalid-date', `${expected}; found ${formatDay(seconds)}`);
  }
  return seconds;
}

function checkedSightings(value: unknown): Result<number> {
  if (value === undefined || value === null) return 1;
  const text = typeof value === 'string' ? value.trim() : null;
  if (text === '') return 1;
  const count = text !== null && /^\d{1,10}$/.test(text) ? Number(text) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= MAX_SIGHTINGS) return count;
  const found = typeof count === 'number' ? (count > MAX_SIGHTINGS ? 'more' : 'another number') : shapeOf(value);
  return new Rejection('invalid-sightings', `expected an integer from 1 to ${MAX_SIGHTINGS}; found ${found}`);
}

function checkedNumber(raw: RawLine): Result<PhoneNumber> {
  const country = checkedText(raw.country, 'country', 'invalid-country', MAX_WORD_CHARS);
  if (country instanceof Rejection) return country;
  if (country !== null && !isCountry(country)) {
    const expected = 'expected a two-letter country code (ISO 3166-1) with a number plan';
    return new Rejection('invalid-country', `${expected}; found ${wordOrShape(country)}`);
  }
  const { number } = raw;
  // Integers are what a spreadsheet makes of numbers; their digits are international.
  const text = typeof number === 'number' && Number.isSafeInteger(number) ? String(number) : number;
  if (typeof text !== 'string' || text.length > MAX_NUMBER_CHARS || text.trim() === '') {
    const found = typeof text === 'string' ? `${text.trim().length} characters` : shapeOf(text);
    return new Rejection('invalid-number', `expected a phone number; found ${found}`);
  }
  const parsed = parseNumber(text.trim(), country ?? undefined);
  return parsed.ok ? parsed.value : new Rejection(parsed.code, parsed.detail, parsed.isUnassigned);
}
