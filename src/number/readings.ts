/**
 * A text that is read as more than one number on its way to a telephone: its plus sign may be lost on its way here, as
 * an HTML form's is (a space stands in its place, or nothing), or what follows the number may become digits of it behind.
 */
import { parseNumber, withIgnoredDigits } from './parse.ts';
import type { ParseResult, PhoneNumber } from './phone-number.ts';

export type Readings =
  | { readonly ok: true; readonly values: readonly [PhoneNumber, ...PhoneNumber[]] }
  | Extract<ParseResult, { readonly ok: false }>;

/**
 * The numbers that a text can mean, each once. The first is what `parseNumber` reads, if that is a number; a refusal is
 * its own. With a country and a plus that may be lost, also the one that it is without the country, as international
 * digits. If either is a number, also those with the digits that are ignored after it.
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
