/**
 * A query as it was sent: decoded, an unescaped plus sign and a space are the same.
 *
 * In a number, `%2B` is a plus sign and `%20` a space, always. An unescaped `+` is a plus sign where a number can have one,
 * before its first digit: people paste numbers into URLs. Elsewhere it is what HTML forms and many clients make of a
 * space, and so it is wherever a `%2B` beside it shows that the sender escapes plus signs: `%2B1+202+555+0123`.
 */
export function numberInQuery(url: string): string | undefined {
  const pair = pairsOf(url).find((one) => nameOf(one) === 'number');
  return pair === undefined ? undefined : numberOf(rawValueOf(pair));
}

/** Of the names, the first that the query has more than once. */
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

/** @param raw as it stands in the URL */
function numberOf(raw: string): string {
  const isFormEncoded = ESCAPED_PLUS.test(raw);
  const [first = '', ...others] = raw.split('+').map(decoded);
  return others.reduce((text, part) => text + (isFormEncoded || DIGIT.test(text) ? ' ' : '+') + part, first);
}

const ESCAPED = /[%+]/;

/** Percent-decoded, with a space for a plus; what cannot be decoded is kept or becomes U+FFFD. */
function decoded(raw: string): string {
  if (!ESCAPED.test(raw)) return raw;
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return new URLSearchParams(`raw=${raw}`).get('raw') ?? '';
  }
}
