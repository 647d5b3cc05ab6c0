/**
 * Parsing: from written numbers to E.164. Every part of Ringfence reads numbers with this. A number is accepted if it
 * lies in an assigned range of its plan (libphonenumber, max metadata: `isValid()`); a possible length is not enough.
 *
 * | written | read as |
 * | --- | --- |
 * | with `+`, or a `tel:` URI with `+` | international; `country` is not used |
 * | without `+`, no `country` | international digits; a leading `00` is the international prefix |
 * | without `+`, with `country` | as dialled in that country (national, or after its international prefix); failing that, as if no `country` were given |
 *
 * Digits can be a number in both readings. The national one wins: a caller that gives a country knows where its users
 * are, and mobile numbers are often written without their trunk prefix (German `157 1…` is also a number of Virginia,
 * `+1 571…`). One exception: digits that start with the country's own calling code in place of the trunk prefix that
 * its numbers have (`49151…`, not `0…`, with DE) are international where the national reading is no mobile. Open plans
 * such as DE, ID and AT list nearly every such string as a fixed line.
 *
 * Digits that are no number by any of these may be one in a form that plans have dropped (below).
 */

import {
  type CountryCode,
  getCountryCallingCode,
  type PhoneNumber as LibraryNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import { clean, cleanTelUri, type Digits, isTelUri } from './clean.ts';
import { LINE_TYPES, MAX_E164_DIGITS, type ParseResult, type PhoneNumber } from './phone-number.ts';
import { callingCodeOf, countriesOf, countryOf, possibleLengths, readInternational, trunkPrefixOf } from './plan.ts';
import * as refusal from './refusal.ts';

export { formatE164, type LineType, type ParseResult, type PhoneNumber } from './phone-number.ts';
export { isCountry } from './plan.ts';

/**
 * UTF-16 units. Nearly all of them can only be padding, since the number without it is bounded by itself (clean.ts).
 */
export const MAX_INPUT_LENGTH = 4096;

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * Reads one phone number. Deterministic, never throws, and `detail` never quotes the input.
 * @param country ISO 3166-1 alpha-2, either case; the empty string counts as not given, as in `?country=`
 */
export function parseNumber(input: string, country?: string): ParseResult {
  if (input.length > MAX_INPUT_LENGTH) return refusal.inputTooLong(MAX_INPUT_LENGTH);
  const home = country === undefined || country === '' ? null : countryOf(country);
  if (home === null && country) return refusal.COUNTRY_PARAMETER;
  // Most numbers of a feed are clean and need only a look at their characters and the plan's own patterns.
  const cleanFrom = startOfCleanDigits(input);
  if (cleanFrom === 1 || (cleanFrom === 0 && home === null)) {
    const value = readInternational(input.slice(cleanFrom));
    if (value !== null) return { ok: true, value };
  }
  const cleaned = cleanAny(input);
  if (!cleaned.ok) return cleaned;
  const read = parseDigits(cleaned, home);
  return read.ok && cleaned.afterX !== '' && canHideDigit(cleaned, home) ? refusal.LETTERS : read;
}

/**
 * The digits that `parseNumber` ignores after a number (an extension, parameters of a `tel:` URI, decimal zeros) are
 * digits of it to a reader that keeps nothing but digits.
 * @returns what that reader reads, to be parsed like any other text; null if nothing is ignored, or the text is refused
 */
function withIgnoredDigits(input: string): string | null {
  if (input.length > MAX_INPUT_LENGTH || startOfCleanDigits(input) !== -1) return null;
  const cleaned = cleanAny(input);
  return cleaned.ok ? cleaned.joined : null;
}

function cleanAny(input: string): Digits | refusal.Refusal {
  return isTelUri(input) ? cleanTelUri(input) : clean(input);
}

function parseDigits({ plus, digits }: Digits, home: CountryCode | null): ParseResult {
  if (plus) return parseInternational(digits);
  if (home !== null) return parseAtHome(digits, home);
  const read = parseWithoutCountry(digits);
  // A user who gave no country would not know the plan of another country, so the refusal does not speak of it.
  return read.ok || digits.startsWith('0') ? read : refusal.withoutCountry(read);
}

/** Whether some digit in place of the x makes a number. */
function canHideDigit(cleaned: Digits, home: CountryCode | null): boolean {
  const withDigit = (digit: number) => ({ ...cleaned, digits: `${cleaned.digits}${digit}${cleaned.afterX}` });
  return DIGITS.some((digit) => parseDigits(withDigit(digit), home).ok);
}

/** 1 for `+` and ASCII digits, 0 for ASCII digits, -1 for anything else. */
function startOfCleanDigits(input: string): number {
  const start = input.charCodeAt(0) === 0x2b ? 1 : 0;
  for (let i = start; i < input.length; i++) {
    const code = input.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return -1;
  }
  return start;
}

function parseWithoutCountry(digits: string): ParseResult {
  if (digits.startsWith('00')) return parseInternational(digits.slice(2));
  if (digits.startsWith('0')) return refusal.NATIONAL_WITHOUT_COUNTRY;
  return parseInternational(digits);
}

/** @param digits starting with a country calling code */
function parseInternational(digits: string): ParseResult {
  const value = readInternational(digits);
  if (value !== null) return { ok: true, value };
  const number = parsePhoneNumberFromString(`+${digits}`);
  if (number?.isValid()) return accept(number);
  const meant = parseOldForm(number, digits);
  if (meant !== null) return meant;
  const callingCode = callingCodeOf(digits);
  if (callingCode === null) return refusal.CALLING_CODE;
  return explain(
    callingCode,
    countriesOf(callingCode),
    number?.nationalNumber.length ?? digits.length - callingCode.length,
  );
}

/** @param digits as they would be dialled in `home`, or international digits */
function parseAtHome(digits: string, home: CountryCode): ParseResult {
  const number = parsePhoneNumberFromString(digits, home);
  const national = number?.isValid() ? accept(number) : null;
  if (national?.ok && !isRatherInternational(digits, home, national.value)) return national;
  const international = parseWithoutCountry(digits);
  if (international.ok) return international;
  if (national !== null) return national;
  const meant = parseOldForm(number, getCountryCallingCode(home) + digits);
  if (meant !== null) return meant;
  // A number dialled with the country's international prefix was never meant as a national one.
  if (number !== undefined && number.countryCallingCode !== getCountryCallingCode(home)) return international;
  return explain(getCountryCallingCode(home), [home], number?.nationalNumber.length ?? digits.length);
}

/**
 * @param number as the library read it, without the trunk prefix if it knows one
 * @param digits international digits, for numbers that the library could not read
 */
function parseOldForm(number: LibraryNumber | undefined, digits: string): ParseResult | null {
  const meant = fromOldForm(number?.number.slice(1) ?? digits);
  const read = meant === null ? undefined : parsePhoneNumberFromString(`+${meant}`);
  return read?.isValid() ? accept(read) : null;
}

/** The exception in the header. It may only be asked about a number that is assigned as `national` in `home`. */
function isRatherInternational(digits: string, home: CountryCode, national: PhoneNumber): boolean {
  const trunkPrefix = trunkPrefixOf(home);
  return (
    trunkPrefix !== null &&
    !digits.startsWith(trunkPrefix) &&
    digits.startsWith(getCountryCallingCode(home)) &&
    national.lineType !== 'mobile' &&
    national.lineType !== 'fixed_line_or_mobile'
  );
}

function accept(number: LibraryNumber): ParseResult {
  const digits = number.number.slice(1);
  // Some plans (DE, ID, JP, KR, NG, UY) have longer ranges. E.164 does not, and such integers would not be exact.
  if (digits.length > MAX_E164_DIGITS) return refusal.tooLongForE164(MAX_E164_DIGITS);
  const type = number.getType();
  return {
    ok: true,
    value: {
      number: Number(digits),
      country: number.country ?? null,
      lineType: type === undefined ? 'unknown' : LINE_TYPES[type],
    },
  };
}

/**
 * Explains why digits of a known plan are not a number.
 * @param countries the countries whose plans were tried; none for a non-geographic calling code
 * @param length count of digits without calling code and prefixes
 */
function explain(callingCode: string, countries: readonly string[], length: number): ParseResult {
  const plan = countries.length === 1 ? `country ${countries[0]}` : `calling code +${callingCode}`;
  const lengths = new Set((countries.length === 0 ? [callingCode] : countries).flatMap(possibleLengths));
  if (lengths.has(length)) return refusal.unassigned(plan);
  return refusal.wrongLength(
    length,
    [...lengths].sort((a, b) => a - b),
    plan,
  );
}

// Readings: the same text can be read as different numbers. Its plus sign may have been lost on the way here, as in an
// HTML form (then a space stands in its place, or nothing), and an SMS gateway may take the digits of an extension for
// digits of the number.

type Readings =
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

/**
 * Old forms: numbers as they were once written and, in messengers and address books, still are. The plans have dropped
 * these forms, so libphonenumber refuses them. Each has one meaning only: none is a number of today's plan, which is
 * tried first.
 *
 * | country | form | since | source |
 * | --- | --- | --- | --- |
 * | Mexico | `+52 1`, and at home `01`, `044` and `045`, before the ten digits; WhatsApp keeps `521` | void since 3 August 2019 | libphonenumber, metadata of MX: "Dialling tokens 01, 02, 044, 045 and 1 are removed" |
 * | Argentina | the 9 of calls from abroad and the 15 of calls at home in one number: `+54 9 11 15 …` | never right | ITU, national numbering plan of Argentina: one or the other |
 * | Brazil | mobiles of eight digits, before a 9 was put in front; WhatsApp keeps them outside of the area codes 11 to 28 | 2012 to 2016 | Anatel, resolution 553/2010 |
 * | Benin | eight digits, before 01 was put in front | 30 November 2024 | ITU, national numbering plan of Benin; libphonenumber 8.13.51 |
 *
 * Two forms are not listed, since each may mean something else: Argentinian mobiles without 9 and 15 (the same digits
 * are a fixed line), and Brazilian ones of eight digits that start with 7 (some still have eight).
 */
const OLD_FORMS: readonly (readonly [form: RegExp, now: string])[] = [
  [/^52(?:1|01|04[45])(?=\d{10}$)/, '52'],
  // The library knows which of the digits before the 15 are an area code, and replaces the 15 by a 9.
  [/^549(?=0?\d{2,4}15\d{6,8}$)/, '54'],
  [/^55(?<area>\d\d)(?=[689]\d{7}$)/, '55$<area>9'],
  [/^229(?=\d{8}$)/, '22901'],
];

/**
 * @param digits international digits that are not a number
 * @returns the digits that are meant, to be read again, if these have such a form; otherwise null
 */
export function fromOldForm(digits: string): string | null {
  for (const [form, now] of OLD_FORMS) if (form.test(digits)) return digits.replace(form, now);
  return null;
}
