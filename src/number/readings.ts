/**
 * The same text can be read as different numbers: its plus sign may have been lost on the way here, as in an HTML form
 * (then a space stands in its place, or nothing), and an SMS gateway may take the digits of an extension for digits of
 * the number.
 */
import { parseNumber, withIgnoredDigits } from './parse.ts';
import type { ParseResult, PhoneNumber } from './phone-number.ts';

export type Readings =
  | { readonly ok: true; readonly values: readonly [PhoneNumber, ...PhoneNumber[]] }
  | Extract<ParseResult, { readonly ok: false }>;

/**
 * The numbers that a text can mean, each once. The first is what `parseNumber` returns, a number or a refusal. If a
 * country is given and a plus may have been lost, the text is also read as international digits, without the country.
 * For each number found, the digits that were ignored after it are also read as part of it.
 */
export function readingsOf(input: string, country: string | undefined, plusMayBeLost: boolean): Readings {
  const countries = plusMayBeLost && country ? [country, undefined] : [country];
  const read = parseNumber(input, country);
  const joined = withIgnoredDigits(input);
  if (joined === null && countries.length === 1) return read.ok ? { ok: true, values: [read.value] } : read;
  const results = [read, ...countries.slice(1).map((other) => parseNumber(input, other))];
  if (joined !== null && results.some(({ ok }) => ok)) {
    results.push(...countries.map((one) => parseNumber(joined, one)));
  }
  const byNumber = new Map(results.flatMap((one) => (one.ok ? [[one.value.number, one.value]] : [])));
  const [first, ...others] = byNumber.values();
  if (first === undefined) return read.ok ? { ok: true, values: [read.value] } : read;
  return { ok: true, values: [first, ...others] };
}
