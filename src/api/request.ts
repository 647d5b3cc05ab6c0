/** Reads what a client sent: JSON bodies within a bound, values by their schema, and numbers in queries. */
import type * as v from 'valibot';
import { readBounded } from '../lib/http-body.ts';
import { repeatedName } from '../lib/json.ts';
import { shownField, validate } from '../lib/validate.ts';
import { parseNumber, parsePossible } from '../phone/parse.ts';
import type { ParseResult } from '../phone/phone-number.ts';
import { Problem } from './problem.ts';

/**
 * Checks a value that a client sent.
 * @throws Problem `invalid-request` naming the first field at fault and what was expected of it, not what it held
 */
export function parse<const Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const checked = validate(schema, value);
  if (checked.ok) return checked.value;
  const { field, expected } = checked;
  throw new Problem('invalid-request', `${field}: ${expected}`, { members: { field } });
}

/**
 * The number that a text stands for, as a lookup reads it.
 * @throws Problem `invalid-number`
 */
export function readNumber(text: string, country?: string): number {
  return numberIn(parsePossible(text, country));
}

/**
 * The number that a text stands for, as an upload reads it: one in an assigned range.
 * @throws Problem `invalid-number`
 */
export function readAssignedNumber(text: string): number {
  return numberIn(parseNumber(text));
}

function numberIn(parsed: ParseResult): number {
  if (parsed.ok) return parsed.value.number;
  throw new Problem(parsed.code, parsed.detail, { members: { field: 'number' } });
}

/**
 * A lookup has a few hundred bytes, and so has a key or a rollback; 4,096 characters of a padded number fit too, as
 * UTF-8.
 */
export const MAX_SMALL_BODY_BYTES = 16 * 1024;
/** A hundred rules of two thousand characters, escaped; a thousand numbers to try them on. */
export const MAX_POLICY_BODY_BYTES = 512 * 1024;
/**
 * 1,000 numbers of 128 characters, escaped: more than any real batch, whose numbers take about 16 bytes each, without
 * padding.
 */
export const MAX_BATCH_BODY_BYTES = 1024 * 1024;

/**
 * The JSON value in the body of a request, whatever its Content-Type says.
 * @throws Problem `payload-too-large`, or `invalid-request` if it is not JSON, or a field is given twice in it
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge(maxBytes);
  // If a length is declared, the platform makes sure that the body has it; otherwise the bytes are counted here.
  const text = declared === null ? await readText(request.body, maxBytes) : await request.text().catch(brokenOff);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold the number.
    throw invalidBody('expected JSON');
  }
  const repeated = repeatedName(text, value);
  if (repeated === null) return value;
  const field = shownField(repeated);
  throw new Problem('invalid-request', `${field}: expected once; found twice`, { members: { field } });
}

async function readText(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string> {
  const bytes = await readBounded(body, maxBytes).catch(brokenOff);
  if (bytes === null) throw tooLarge(maxBytes);
  return new TextDecoder().decode(bytes);
}

/** If a body does not arrive, the client broke off; mostly nobody is there to read this problem. */
function brokenOff(): never {
  throw invalidBody('expected a whole body');
}

function invalidBody(expected: string): Problem {
  return new Problem('invalid-request', `body: ${expected}`, { members: { field: 'body' } });
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('payload-too-large', `body: expected at most ${maxBytes} bytes`);
}

/**
 * The number in a query, as the sender meant it. After the usual decoding, an unescaped plus sign and a space would be
 * the same.
 *
 * `%2B` is always a plus sign and `%20` a space. An unescaped `+` is a plus sign where a number can have one, before
 * its first digit, since people paste numbers into URLs. Elsewhere it is a space, as HTML forms and many clients write
 * it; and it is a space wherever a `%2B` stands beside it, which shows that the sender escapes plus signs:
 * `%2B1+202+555+0123`.
 */
export function numberInQuery(url: string): string | undefined {
  const pair = pairsOf(url).find((one) => nameOf(one) === 'number');
  return pair === undefined ? undefined : numberOf(rawValueOf(pair));
}

/** The first of the names that the query has more than once. */
export function repeatedInQuery(url: string, names: readonly string[]): string | undefined {
  const pairs = pairsOf(url);
  if (pairs.length < 2) return undefined;
  const given = pairs.map(nameOf);
  return names.find((name) => given.indexOf(name) !== given.lastIndexOf(name));
}

function pairsOf(url: string): readonly string[] {
  const start = url.indexOf('?');
  if (start === -1) return [];
  const end = url.indexOf('#', start);
  return url.slice(start + 1, end === -1 ? undefined : end).split('&');
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return decoded(equals === -1 ? pair : pair.slice(0, equals));
}

function rawValueOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? '' : pair.slice(equals + 1);
}

const ESCAPED_PLUS = /%2b/i;
const DIGIT = /\p{Nd}/u;

/** @param raw the value as it stands in the URL */
function numberOf(raw: string): string {
  const isFormEncoded = ESCAPED_PLUS.test(raw);
  const [first = '', ...others] = raw.split('+').map(decoded);
  return others.reduce((text, part) => text + (isFormEncoded || DIGIT.test(text) ? ' ' : '+') + part, first);
}

const ESCAPED = /[%+]/;

/** Percent-decoded, with a space for a plus. What cannot be decoded is kept, or becomes U+FFFD. */
function decoded(raw: string): string {
  if (!ESCAPED.test(raw)) return raw;
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return new URLSearchParams(`raw=${raw}`).get('raw') ?? '';
  }
}
