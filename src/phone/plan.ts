/**
 * The number plans of libphonenumber's metadata with their patterns compiled once: a fast path to what
 * libphonenumber-js says of a number written as plain international digits.
 *
 * The library compiles several regular expressions from strings on every call (4-9 us). Here each is compiled when its
 * calling code is first seen, and kept: there are about 250 plans, so the cache needs no bound of its own.
 * Only the common case is decided: a number that needs no rewriting and lies in an assigned range. For all else the
 * answer is null, which means "ask the library", not "invalid". test/unit/phone/plan.test.ts holds the two equal.
 *
 * The steps are those of libphonenumber-js 1.13: source/parse.js (parsePhoneNumber), helpers/getCountryByCallingCode,
 * helpers/getCountryByNationalNumber and helpers/getNumberType.
 */

import { type CountryCode, isSupportedCountry } from 'libphonenumber-js/max';
import metadata from 'libphonenumber-js/max/metadata';
import { type LineType, MAX_E164_DIGITS, type PhoneNumber } from './phone-number.ts';

/** Positions in a plan and in its types, metadata version 4 (libphonenumber-js, source/metadata.js). */
const PATTERN = 2;
const LENGTHS = 3;
const NATIONAL_PREFIX = 5;
const NATIONAL_PREFIX_FOR_PARSING = 7;
const LEADING_DIGITS = 10;
const TYPES = 11;
const FIXED_LINE = 0;
const MOBILE = 1;
/** The other types in the order in which the library tries them, after the fixed lines. */
const NON_FIXED_TYPES: readonly (readonly [position: number, lineType: LineType])[] = [
  [MOBILE, 'mobile'],
  [3, 'premium_rate'],
  [2, 'toll_free'],
  [9, 'shared_cost'],
  [8, 'voip'],
  [4, 'personal_number'],
  [7, 'pager'],
  [6, 'uan'],
  [5, 'voicemail'],
];

/** Country calling codes have 1 to 3 digits (ITU-T E.164). */
const MAX_CALLING_CODE_DIGITS = 3;

interface Range {
  readonly lineType: LineType;
  /** Bit n is set if a national number of n digits is possible. */
  readonly lengths: number;
  readonly pattern: RegExp;
}

interface Plan {
  readonly country: string | null;
  readonly pattern: RegExp;
  /** Where given, matching it is what makes a number of a shared calling code this country's. */
  readonly leadingDigits: RegExp | null;
  readonly fixedLine: Range | null;
  readonly mobile: Range | null;
  /** The plan does not tell its fixed lines from its mobiles. */
  readonly fixedLineIsMobile: boolean;
  readonly others: readonly Range[];
}

interface CallingCode {
  readonly code: string;
  /** Matches if the digits after the code start with something the library may strip or rewrite. */
  readonly rewritten: RegExp | null;
  /** The main country of the calling code first. */
  readonly plans: readonly Plan[];
}

type RawPlan = readonly unknown[];

const geographic: Readonly<Record<string, readonly string[]>> = metadata.country_calling_codes;
const rawPlans: Readonly<Record<string, RawPlan>> = metadata.countries;
const nonGeographic: Readonly<Record<string, RawPlan>> = metadata.nonGeographic;

/** By the first three digits of a number: its calling code. No code is the beginning of another. */
const codeByFirstDigits: (string | undefined)[] = new Array(10 ** MAX_CALLING_CODE_DIGITS);
for (const code of [...Object.keys(geographic), ...Object.keys(nonGeographic)]) {
  const span = 10 ** (MAX_CALLING_CODE_DIGITS - code.length);
  codeByFirstDigits.fill(code, Number(code) * span, (Number(code) + 1) * span);
}
const compiledCodes = new Map<string, CallingCode>();

/** The country calling code that the digits start with, or null if there is none or only a part of one. */
export function callingCodeOf(digits: string): string | null {
  const code = codeByFirstDigits[Number(digits.slice(0, MAX_CALLING_CODE_DIGITS).padEnd(MAX_CALLING_CODE_DIGITS, '0'))];
  return code !== undefined && code.length <= digits.length ? code : null;
}

/** Countries that share a calling code, the main one first; none for a non-geographic code. */
export function countriesOf(callingCode: string): readonly string[] {
  return geographic[callingCode] ?? [];
}

/** Possible counts of digits of a national number, ascending, in a country or under a non-geographic calling code. */
export function possibleLengths(countryOrCallingCode: string): readonly number[] {
  const lengths = (rawPlans[countryOrCallingCode] ?? nonGeographic[countryOrCallingCode])?.[LENGTHS];
  return Array.isArray(lengths) ? lengths : [];
}

/** What is dialled before a national number inside a country, such as 0; null if nothing is. */
export function trunkPrefixOf(country: string): string | null {
  return text(rawPlans[country]?.[NATIONAL_PREFIX]);
}

/**
 * Reads international digits without `+`, prefixes or punctuation.
 * @returns the number if it is in an assigned range as it stands; null if only the library can say.
 */
export function readInternational(digits: string): PhoneNumber | null {
  if (digits.length > MAX_E164_DIGITS) return null;
  const code = callingCodeOf(digits);
  if (code === null) return null;
  const { plans, rewritten } = compiledCodes.get(code) ?? compileCode(code);
  const national = digits.slice(code.length);
  if (rewritten?.test(national)) return null;
  for (const plan of plans) {
    // Leading digits decide the country by themselves: if its ranges do not have the number, no other country's count.
    const decided = plans.length === 1 || plan.leadingDigits?.test(national) === true;
    if (!decided && plan.leadingDigits !== null) continue;
    const lineType = lineTypeIn(plan, national);
    if (lineType !== null) return { number: Number(digits), country: plan.country, lineType };
    if (decided) return null;
  }
  return null;
}

function lineTypeIn(plan: Plan, national: string): LineType | null {
  if (!plan.pattern.test(national)) return null;
  if (plan.fixedLine !== null && isIn(plan.fixedLine, national)) {
    if (plan.fixedLineIsMobile) return 'fixed_line_or_mobile';
    return plan.mobile !== null && isIn(plan.mobile, national) ? 'fixed_line_or_mobile' : 'fixed_line';
  }
  for (const range of plan.others) if (isIn(range, national)) return range.lineType;
  return null;
}

function isIn(range: Range, national: string): boolean {
  return ((range.lengths >>> national.length) & 1) === 1 && range.pattern.test(national);
}

function compileCode(code: string): CallingCode {
  const countries = geographic[code];
  const plans = countries?.map((country) => compilePlan(rawPlans[country] ?? [], country)) ?? [
    compilePlan(nonGeographic[code] ?? [], null),
  ];
  const main = (countries === undefined ? nonGeographic[code] : rawPlans[countries[0] ?? '']) ?? [];
  const prefix = text(main[NATIONAL_PREFIX_FOR_PARSING]) ?? text(main[NATIONAL_PREFIX]);
  const compiled: CallingCode = {
    code,
    // Many of these patterns also match nothing at all, which rewrites nothing: hence "not still at the start".
    rewritten: prefix === null ? null : new RegExp(`^(?:${prefix})(?<!^)`),
    plans,
  };
  compiledCodes.set(code, compiled);
  return compiled;
}

function compilePlan(raw: RawPlan, country: string | null): Plan {
  const types = Array.isArray(raw[TYPES]) ? raw[TYPES] : [];
  const mobile: unknown = types[MOBILE];
  const others: Range[] = [];
  for (const [position, lineType] of NON_FIXED_TYPES) {
    const range = compileRange(types[position], raw, lineType);
    if (range !== null) others.push(range);
  }
  const leadingDigits = text(raw[LEADING_DIGITS]);
  return {
    country,
    pattern: entire(text(raw[PATTERN]) ?? ''),
    leadingDigits: leadingDigits === null ? null : new RegExp(`^(?:${leadingDigits})`),
    fixedLine: compileRange(types[FIXED_LINE], raw, 'fixed_line'),
    mobile: others.find((range) => range.lineType === 'mobile') ?? null,
    // The metadata leaves the mobile pattern out, or empty, where it is the fixed-line one.
    fixedLineIsMobile: !Array.isArray(mobile) || mobile[0] === '',
    others,
  };
}

/** A type is `[pattern, lengths?]`; without lengths of its own, those of the plan hold. */
function compileRange(type: unknown, plan: RawPlan, lineType: LineType): Range | null {
  if (!Array.isArray(type)) return null;
  const pattern = text(type[0]);
  if (pattern === null) return null;
  const lengths: unknown = type[1] || plan[LENGTHS];
  let bits = 0;
  for (const length of Array.isArray(lengths) ? lengths : []) bits |= 1 << Number(length);
  return { lineType, lengths: bits, pattern: entire(pattern) };
}

function entire(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** Absent strings are 0, '' or missing in the minified metadata. */
function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Two ASCII letters: `toUpperCase` alone would turn a lone `ß` into the code of South Sudan. */
const TWO_LETTERS = /^[A-Za-z]{2}$/;

/**
 * The upper-case code of a country that has a number plan in the metadata, or null. Either case is taken, since feeds
 * and forms write both; everything that leaves this module is upper case.
 */
export function countryOf(code: string): CountryCode | null {
  if (!TWO_LETTERS.test(code)) return null;
  const upper = code.toUpperCase();
  return isSupportedCountry(upper) ? upper : null;
}

/**
 * Whether a code, in either case, names a country with a number plan. That is ISO 3166-1 alpha-2 without the places
 * that have no plan of their own (AQ, BV, GS, HM, PN, TF, UM), and with AC, TA and XK, which ISO only reserves.
 */
export function isCountry(code: string): boolean {
  return countryOf(code) !== null;
}
