/**
 * The number plans of all countries, and what they say of a number that is written as plain international digits. All
 * of it is libphonenumber's metadata, as scripts/generate-plan.ts has written it. Nothing is unpacked when this is
 * loaded: the table when the first number is read, and the plans for the library when it is first needed.
 *
 * Which number a text means is the library's to say for all but plain international digits (parse.ts). What a number is
 * is the table's. test/unit/phone/plan.test.ts holds both equal to libphonenumber with all of its metadata.
 */

import type { CountryCode, MetadataJson } from 'libphonenumber-js/core';
import { PLAN_TABLE, PLAN_VERSION, PLANS_FOR_PARSING } from '../generated/number-plan.ts';
import { LINE_TYPES, MAX_E164_DIGITS, type PhoneNumber } from './phone-number.ts';
import {
  type CallingCode,
  CODE_SHIFT,
  COUNTRY_MASK,
  COUNTRY_SHIFT,
  LINE_TYPE_MASK,
  MAY_BE_REWRITTEN,
  Table,
} from './table.ts';

export interface NumberPlanVersion {
  /** Of libphonenumber-js, whose metadata it is. */
  readonly version: string;
}

export const NUMBER_PLAN: NumberPlanVersion = { version: PLAN_VERSION };

let unpackedTable: Table | null = null;
let unpackedMetadata: MetadataJson | null = null;

function table(): Table {
  unpackedTable ??= new Table(PLAN_TABLE);
  return unpackedTable;
}

/** What the library is to parse with. It has neither line types nor formats. */
export function libraryMetadata(): MetadataJson {
  unpackedMetadata ??= {
    country_calling_codes: Object.fromEntries(
      table()
        .allCodes()
        .flatMap(({ code, countries }) => (countries.length === 0 ? [] : [[code, countries]])),
    ),
    ...JSON.parse(PLANS_FOR_PARSING),
  } as MetadataJson;
  return unpackedMetadata;
}

/** The country calling code that the digits start with, or null if there is none or only a part of one. */
export function callingCodeOf(digits: string): string | null {
  return table().codeOf(digits)?.code ?? null;
}

/** Countries that share a calling code, the main one first; none for a non-geographic code. */
export function countriesOf(callingCode: string): readonly string[] {
  const found = table().codeOf(callingCode);
  return found?.code === callingCode ? found.countries : [];
}

// Of one country's plan. Its places are those of metadata version 4 (libphonenumber-js, source/metadata.js).

const CALLING_CODE = 0;
const LENGTHS = 3;
const NATIONAL_PREFIX = 5;

/** Possible counts of digits of a national number, ascending, in a country or under a non-geographic calling code. */
export function possibleLengths(countryOrCallingCode: string): readonly number[] {
  const lengths: unknown = planOf(countryOrCallingCode)[LENGTHS];
  return Array.isArray(lengths) ? lengths : [];
}

/** What is dialled before a national number inside a country, such as 0; null if nothing is. */
export function trunkPrefixOf(country: string): string | null {
  const prefix = planOf(country)[NATIONAL_PREFIX];
  // Absent strings are 0, '' or missing in the metadata.
  return typeof prefix === 'string' && prefix !== '' ? prefix : null;
}

export function callingCodeIn(country: CountryCode): string {
  return String(planOf(country)[CALLING_CODE]);
}

function planOf(countryOrCallingCode: string): readonly unknown[] {
  const { countries, nonGeographic } = libraryMetadata();
  const plans: Readonly<Record<string, readonly unknown[]>> = countries;
  return plans[countryOrCallingCode] ?? nonGeographic[countryOrCallingCode as keyof typeof nonGeographic] ?? [];
}

// Reading digits.

/**
 * Reads international digits without `+`, prefixes or punctuation.
 * @returns the number if it is in an assigned range as it stands; null if only the library can say.
 */
export function readInternational(digits: string): PhoneNumber | null {
  const found = verdictOn(digits, 0);
  return (found & MAY_BE_REWRITTEN) === 0 && (found & LINE_TYPE_MASK) !== 0 ? numberOf(found, digits, 0) : null;
}

/** The same of ASCII bytes, as a number alone; -1 if only the library can say, or it is none. */
export function readAssigned(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > MAX_E164_DIGITS) return -1;
  const found = table().read(bytes, start, end);
  if (found === -1 || (found & MAY_BE_REWRITTEN) !== 0 || (found & LINE_TYPE_MASK) === 0) return -1;
  let number = 0;
  for (let i = start; i < end; i++) number = number * 10 + (bytes[i] as number) - 0x30;
  return number;
}

/**
 * Reads the rest of a text as international digits.
 * @returns the number if it is in an assigned range as it stands, or in none and has a possible length; null if only the
 *   library can say, or the rest is not ASCII digits
 */
export function readPossible(text: string, start: number): PhoneNumber | null {
  const found = verdictOn(text, start);
  return found === -1 || (found & MAY_BE_REWRITTEN) !== 0 ? null : numberOf(found, text, start);
}

/** As `readPossible`, of digits that are not to be rewritten, since the library has done so. */
export function readAsItStands(digits: string): PhoneNumber | null {
  const found = verdictOn(digits, 0);
  return found === -1 ? null : numberOf(found, digits, 0);
}

/** Whether international digits begin with what the library may strip or rewrite. */
export function mayBeRewritten(digits: string): boolean {
  const found = table().read(digits, 0, digits.length);
  return found !== -1 && (found & MAY_BE_REWRITTEN) !== 0;
}

/** Whether digits are in an assigned range as they stand, even if they are more than a number has. */
export function isAssigned(digits: string): boolean {
  const found = table().read(digits, 0, digits.length);
  return found !== -1 && (found & LINE_TYPE_MASK) !== 0;
}

/** @returns what Table.read returns; -1 as well for more digits than a number has */
function verdictOn(text: string, start: number): number {
  return text.length - start > MAX_E164_DIGITS ? -1 : table().read(text, start, text.length);
}

/** @returns null for a number that is not even possible */
function numberOf(verdict: number, text: string, start: number): PhoneNumber | null {
  const code = table().code(verdict >>> CODE_SHIFT);
  if (code === undefined) return null;
  const country = countryIn(code, (verdict >>> COUNTRY_SHIFT) & COUNTRY_MASK);
  const type = verdict & LINE_TYPE_MASK;
  const lineType = type === 0 ? 'unassigned' : (LINE_TYPES[type - 1] ?? 'unknown');
  if (type === 0 && !isPossible(text.length - start - code.code.length, code, country)) return null;
  let number = 0;
  for (let i = start; i < text.length; i++) number = number * 10 + text.charCodeAt(i) - 0x30;
  return { number, country, lineType };
}

function countryIn({ countries }: CallingCode, place: number): string | null {
  if (place > 0) return countries[place - 1] ?? null;
  return countries.length === 1 ? (countries[0] ?? null) : null;
}

/** By its length, as libphonenumber's isPossible(): in the main country's plan where the digits decide none. */
function isPossible(length: number, { code, countries }: CallingCode, country: string | null): boolean {
  return possibleLengths(country ?? countries[0] ?? code).includes(length);
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
  return Object.hasOwn(libraryMetadata().countries, upper) ? (upper as CountryCode) : null;
}

/**
 * Whether a code, in either case, names a country with a number plan. That is ISO 3166-1 alpha-2 without the places
 * that have no plan of their own (AQ, BV, GS, HM, PN, TF, UM), and with AC, TA and XK, which ISO only reserves.
 */
export function isCountry(code: string): boolean {
  return countryOf(code) !== null;
}
