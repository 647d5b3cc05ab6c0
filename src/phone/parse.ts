/**
 * Parsing: from written numbers to E.164. Every part of Ringfence reads numbers with this. A number is accepted if it
 * lies in an assigned range of its plan (libphonenumber, max metadata: `isValid()`). Where a number is asked about, a
 * possible length is enough (`isPossible()`): new ranges are in use before the metadata knows them. Its line type is
 * `unassigned` then. An assigned reading of a text is always preferred.
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
  type PhoneNumber as LibraryNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/core';
import { clean, cleanTelUri, type Digits, isTelUri } from './clean.ts';
import { MAX_E164_DIGITS, type ParseResult, type PhoneNumber } from './phone-number.ts';
import {
  callingCodeIn,
  callingCodeOf,
  countriesOf,
  countryOf,
  isAssigned,
  libraryMetadata,
  mayBeRewritten,
  possibleLengths,
  readAsItStands,
  readInternational,
  readPossible,
  trunkPrefixOf,
} from './plan.ts';
import type { Refusal } from './refusal.ts';
import * as refusal from './refusal.ts';

export { formatE164, type LineType, type ParseResult, type PhoneNumber } from './phone-number.ts';
export { isCountry } from './plan.ts';

/**
 * UTF-16 units. Nearly all of them can only be padding, since the number without it is bounded by itself (clean.ts).
 */
export const MAX_INPUT_LENGTH = 4096;

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** An assigned number; or why there is none, and the number that it is if a possible length is enough. */
type Outcome = Accepted | { readonly ok: false; readonly refusal: Refusal; readonly unassigned: PhoneNumber | null };
type Accepted = Extract<ParseResult, { readonly ok: true }>;

function refused(why: Refusal, unassigned: PhoneNumber | null = null): Outcome {
  return { ok: false, refusal: why, unassigned };
}

/**
 * Reads one phone number in an assigned range. Deterministic, never throws, and `detail` never quotes the input.
 * @param country ISO 3166-1 alpha-2, either case; the empty string counts as not given, as in `?country=`
 */
export function parseNumber(input: string, country?: string): ParseResult {
  const read = parse(input, country);
  return read.ok ? read : read.refusal;
}

/** As `parseNumber`, for a number that is asked about: one in no assigned range is read as well, if it is possible. */
export function parsePossible(input: string, country?: string): ParseResult {
  return possibleOf(parse(input, country));
}

function possibleOf(read: Outcome): ParseResult {
  if (read.ok) return read;
  return read.unassigned === null ? read.refusal : { ok: true, value: read.unassigned };
}

/**
 * What `parsePossible` makes of the rest of a text after its plus sign, if that is clear from its digits alone.
 * @returns null if not: then `parsePossible` is to be asked
 */
export function readClean(text: string, start: number): PhoneNumber | null {
  const value = readPossible(text, start);
  return value?.lineType === 'unassigned' && fromOldForm(text.slice(start)) !== null ? null : value;
}

function parse(input: string, country: string | undefined): Outcome {
  if (input.length > MAX_INPUT_LENGTH) return refused(refusal.inputTooLong(MAX_INPUT_LENGTH));
  const home = country === undefined || country === '' ? null : countryOf(country);
  if (home === null && country) return refused(refusal.COUNTRY_PARAMETER);
  // Most numbers of a feed are clean and need only a look at their characters and the table.
  const cleanFrom = startOfCleanDigits(input);
  if (cleanFrom === 1 || (cleanFrom === 0 && home === null)) {
    const value = readInternational(input.slice(cleanFrom));
    if (value !== null) return { ok: true, value };
  }
  const cleaned = cleanAny(input);
  if (!cleaned.ok) return refused(cleaned);
  const read = parseDigits(cleaned, home);
  if (cleaned.afterX === '' || !canHideDigit(cleaned, home)) return read;
  return refused(read.ok ? refusal.LETTERS : read.refusal);
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

function cleanAny(input: string): Digits | Refusal {
  return isTelUri(input) ? cleanTelUri(input) : clean(input);
}

function parseDigits({ plus, digits }: Digits, home: CountryCode | null): Outcome {
  if (plus) return parseInternational(digits);
  if (home !== null) return parseAtHome(digits, home);
  const read = parseWithoutCountry(digits);
  if (read.ok || digits.startsWith('0')) return read;
  // A user who gave no country would not know the plan of another country, so the refusal does not speak of it.
  return refused(refusal.withoutCountry(read.refusal), read.unassigned);
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

function parseWithoutCountry(digits: string): Outcome {
  if (digits.startsWith('00')) return parseInternational(digits.slice(2));
  if (digits.startsWith('0')) return refused(refusal.NATIONAL_WITHOUT_COUNTRY);
  return parseInternational(digits);
}

/** @param digits starting with a country calling code */
function parseInternational(digits: string): Outcome {
  const read = mayBeRewritten(digits) ? (byLibrary(`+${digits}`)?.number.slice(1) ?? digits) : digits;
  const found = assigned(read) ?? parseOldForm(read);
  if (found !== null) return found;
  const callingCode = callingCodeOf(digits);
  if (callingCode === null) return refused(refusal.CALLING_CODE);
  const why = explain(callingCode, countriesOf(callingCode), read.length - callingCode.length);
  return refused(why, readAsItStands(read));
}

/** @param digits as they would be dialled in `home`, or international digits */
function parseAtHome(digits: string, home: CountryCode): Outcome {
  const callingCode = callingCodeIn(home);
  const number = byLibrary(digits, home);
  const read = number?.number.slice(1) ?? callingCode + digits;
  const national = number === undefined ? null : assigned(read);
  if (national?.ok && !isRatherInternational(digits, home, national.value)) return national;
  const international = parseWithoutCountry(digits);
  if (international.ok) return international;
  const found = national ?? parseOldForm(read);
  if (found !== null) return found;
  // A number dialled with the country's international prefix was never meant as a national one.
  if (number !== undefined && number.countryCallingCode !== callingCode) {
    return refused(international.refusal, international.unassigned ?? readAsItStands(read));
  }
  const why = explain(callingCode, [home], read.length - callingCode.length);
  return refused(why, unassignedAtHome(digits, home, readAsItStands(read), international.unassigned));
}

/**
 * Of two readings that are both no more than possible, the one that is meant. Digits with neither a plus nor a prefix
 * count as international only if they begin with the country's own calling code: anything is possible somewhere.
 */
function unassignedAtHome(
  digits: string,
  home: CountryCode,
  national: PhoneNumber | null,
  international: PhoneNumber | null,
): PhoneNumber | null {
  if (national !== null && !isRatherInternational(digits, home, national)) return national;
  const isInternational = digits.startsWith('00') || digits.startsWith(callingCodeIn(home));
  return isInternational ? (international ?? national) : national;
}

/** Which digits the library reads: it strips prefixes, and rewrites what is dialled otherwise from abroad. */
function byLibrary(text: string, home?: CountryCode): LibraryNumber | undefined {
  const metadata = libraryMetadata();
  return home === undefined
    ? parsePhoneNumberFromString(text, metadata)
    : parsePhoneNumberFromString(text, home, metadata);
}

/**
 * @param digits international digits, which are not to be rewritten any more
 * @returns null if they are in no assigned range
 */
function assigned(digits: string): Outcome | null {
  if (!isAssigned(digits)) return null;
  // Some plans (DE, ID, JP, KR, NG, UY) have longer ranges. E.164 does not, and such integers would not be exact.
  const value = readAsItStands(digits);
  return value === null ? refused(refusal.tooLongForE164(MAX_E164_DIGITS)) : { ok: true, value };
}

/** @param digits international digits, without the trunk prefix if the library knows one */
function parseOldForm(digits: string): Outcome | null {
  const meant = fromOldForm(digits);
  return meant === null ? null : assigned(byLibrary(`+${meant}`)?.number.slice(1) ?? meant);
}

/** The exception in the header. It may only be asked about a number that is possible as `national` in `home`. */
function isRatherInternational(digits: string, home: CountryCode, national: PhoneNumber): boolean {
  const trunkPrefix = trunkPrefixOf(home);
  return (
    trunkPrefix !== null &&
    !digits.startsWith(trunkPrefix) &&
    digits.startsWith(callingCodeIn(home)) &&
    national.lineType !== 'mobile' &&
    national.lineType !== 'fixed_line_or_mobile'
  );
}

/**
 * Explains why digits of a known plan are not a number.
 * @param countries the countries whose plans were tried; none for a non-geographic calling code
 * @param length count of digits without calling code and prefixes
 */
function explain(callingCode: string, countries: readonly string[], length: number): Refusal {
  // Some plans have longer numbers, of which no lookup could be made.
  if (callingCode.length + length > MAX_E164_DIGITS) return refusal.tooLongForE164(MAX_E164_DIGITS);
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
 * The numbers that a text can mean, each once. The first is what `parsePossible` returns, a number or a refusal. If a
 * country is given and a plus may have been lost, the text is also read as international digits, without the country.
 * For each number found, the digits that were ignored after it are also read as part of it.
 *
 * An unassigned number is meant only if the text can mean no assigned one, and the digits after an assigned number make
 * no unassigned one of it: else people would be held to a rule on unassigned numbers for what nobody reads in theirs.
 */
export function readingsOf(input: string, country: string | undefined, plusMayBeLost: boolean): Readings {
  const own = parse(input, country);
  const countries = plusMayBeLost && country ? [country, undefined] : [country];
  const read = [own, ...countries.slice(1).map((other) => parse(input, other))];
  const isAssignedMeant = read.some(({ ok }) => ok);
  const accepted = (one: Outcome) => (isAssignedMeant ? one : possibleOf(one));
  const results = read.map(accepted);
  const joined = withIgnoredDigits(input);
  if (joined !== null && results.some(({ ok }) => ok)) {
    results.push(...countries.map((one) => accepted(parse(joined, one))));
  }
  const byNumber = new Map(results.flatMap((one) => (one.ok ? [[one.value.number, one.value]] : [])));
  const [first, ...others] = byNumber.values();
  if (first !== undefined) return { ok: true, values: [first, ...others] };
  return own.ok ? { ok: true, values: [own.value] } : own.refusal;
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
