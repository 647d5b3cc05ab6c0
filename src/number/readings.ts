/** A text whose plus sign may be lost on its way here, as an HTML form's is: a space stands in its place, or nothing. */
import { parseNumber } from './parse.ts';
import type { ParseResult, PhoneNumber } from './phone-number.ts';

export type Readings =
  | { readonly ok: true; readonly values: readonly [PhoneNumber, ...PhoneNumber[]] }
  | Extract<ParseResult, { readonly ok: false }>;

/**
 * The numbers that a text can mean: with a country and a plus that may be lost, also the one that it is without the
 * country, as international digits. The first is what `parseNumber` reads, if that is a number; a refusal is its own.
 */
export function readingsOf(input: string, country: string | undefined, plusMayBeLost: boolean): Readings {
  const read = parseNumber(input, country);
  const other = plusMayBeLost && country ? parseNumber(input) : read;
  if (!read.ok) return other.ok ? { ok: true, values: [other.value] } : read;
  if (!other.ok || other.value.number === read.value.number) return { ok: true, values: [read.value] };
  return { ok: true, values: [read.value, other.value] };
}
