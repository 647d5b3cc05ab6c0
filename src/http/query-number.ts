/**
 * The number in a query, by the query as it was sent: decoded, an unescaped plus sign and a space are the same.
 *
 * `%2B` is a plus sign and `%20` a space, always. An unescaped `+` is a plus sign where a number can have one, before its
 * first digit: people paste numbers into URLs. Elsewhere it is what HTML forms and many clients make of a space, and so it
 * is wherever a `%2B` beside it shows that the sender escapes plus signs: `%2B1+202+555+0123`.
 */
export function numberInQuery(url: string): string | undefined {
  const { search } = new URL(url);
  for (const pair of search.slice(1).split('&')) {
    const [name = '', ...value] = pair.split('=');
    if (decoded(name) === 'number') return numberOf(value.join('='));
  }
  return undefined;
}

const ESCAPED_PLUS = /%2b/i;
const DIGIT = /\p{Nd}/u;

/** @param raw as it stands in the URL */
function numberOf(raw: string): string {
  const isFormEncoded = ESCAPED_PLUS.test(raw);
  const [first = '', ...others] = raw.split('+').map(decoded);
  return others.reduce((text, part) => text + (isFormEncoded || DIGIT.test(text) ? ' ' : '+') + part, first);
}

/** Percent-decoded; what cannot be is kept or becomes U+FFFD, as in all of a query. */
function decoded(raw: string): string {
  return new URLSearchParams(`raw=${raw}`).get('raw') ?? '';
}
