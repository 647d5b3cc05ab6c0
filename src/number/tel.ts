/**
 * `tel:` URIs (RFC 3966): `tel:+63-917-…`, `tel:0917…;phone-context=+63`.
 *
 * `ext` and `isub` are ignored: they choose a telephone behind the number, and it is the number that is looked up. So
 * are other parameters, except those that start with `m-`, which RFC 3966 (5.4) forbids a reader to ignore.
 */
import { clean, type Digits, digitsIn } from './clean.ts';
import { type Refusal, telUri } from './refusal.ts';

const MIN_LOCAL_DIGITS = 4;
const SCHEME = /^\s*tel:/i;

export function isTelUri(input: string): boolean {
  return SCHEME.test(input);
}

/** Takes the digits out of a `tel:` URI, those of its phone-context before those of a local number. */
export function cleanTelUri(input: string): Digits | Refusal {
  const start = input.indexOf(':') + 1;
  const [subscriber = '', ...parameters] = input.slice(start).split(';');
  let context: string | null = null;
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=', 2);
    const key = name.trim().toLowerCase();
    if (key.startsWith('m-')) return telUri('expected no mandatory extension parameters (m-…)');
    if (key !== 'phone-context') continue;
    if (context !== null) return telUri('expected at most one phone-context');
    context = value;
  }
  const cleaned = clean(subscriber, start);
  if (!cleaned.ok) return cleaned;
  // Nothing else looks into a parameter that is ignored, and who keeps only digits keeps these.
  const after = digitsIn(parameters.join());
  if (after === null) return telUri('expected no digits of other scripts in its parameters');
  const all = cleaned.joined ?? (cleaned.plus ? '+' : '') + cleaned.digits;
  const local = after === '' ? cleaned : { ...cleaned, joined: all + after };
  // A number with a plus is complete: RFC 3966 gives it no context, and one that is there cannot change it.
  if (local.plus || context === null) return local;
  // No plan has shorter ones, and the middleware knows an answer by the last four digits of its number.
  if (local.digits.length < MIN_LOCAL_DIGITS)
    return telUri(`expected ${MIN_LOCAL_DIGITS} digits or more before a phone-context`);
  const prefix = clean(context);
  if (!prefix.ok || !prefix.plus) return telUri('expected a phone-context of + and a country calling code');
  // RFC 3966 (5.1.5) does not promise that the two together are a number. Google's libphonenumber reads them so too;
  // a trunk prefix between them is dropped later, and what is no assigned number is refused.
  return { ...local, plus: true, digits: prefix.digits + local.digits };
}
