/** libphonenumber-js' metadata, with the places in it by name. */
import { createRequire } from 'node:module';
import metadata from 'libphonenumber-js/max/metadata';
import type { LineType } from '../../src/phone/phone-number.ts';

const require = createRequire(import.meta.url);
const { version } = require('libphonenumber-js/package.json') as { readonly version: string };

/** Of the package, whose releases are those of the metadata. */
export const LIBRARY_VERSION = version;

/** Places in a plan, in the layout of this version (libphonenumber-js, source/metadata.js). */
const LAYOUT = 4;
const PATTERN = 2;
const LENGTHS = 3;
const FORMATS = 4;
const NATIONAL_PREFIX = 5;
const NATIONAL_PREFIX_FORMATTING = 6;
const NATIONAL_PREFIX_FOR_PARSING = 7;
const NATIONAL_PREFIX_IS_OPTIONAL = 9;
const LEADING_DIGITS = 10;
const TYPES = 11;

/** Places of the types in a plan, in the order in which the library tries them (helpers/getNumberType.js). */
const RANGES: readonly (readonly [place: number, lineType: LineType])[] = [
  [0, 'fixed_line'],
  [1, 'mobile'],
  [3, 'premium_rate'],
  [2, 'toll_free'],
  [9, 'shared_cost'],
  [8, 'voip'],
  [4, 'personal_number'],
  [7, 'pager'],
  [6, 'uan'],
  [5, 'voicemail'],
];
const MOBILE = 1;

type RawPlan = readonly unknown[];

/** The numbers of one line type in a plan. */
export interface Range {
  readonly lineType: LineType;
  readonly pattern: string;
  /** Possible counts of digits of a national number. */
  readonly lengths: readonly number[];
}

/** A country's plan, or that of a non-geographic calling code. */
export interface Plan {
  readonly country: string | null;
  readonly pattern: string;
  readonly lengths: readonly number[];
  /** Where given, matching it is what makes a number of a shared calling code this country's. */
  readonly leadingDigits: string | null;
  /** In the order in which the library tries them. */
  readonly ranges: readonly Range[];
  /** The plan does not tell its fixed lines from its mobiles. */
  readonly fixedLineIsMobile: boolean;
}

export interface CallingCode {
  readonly code: string;
  /** The main country first; one without a country for a non-geographic code. */
  readonly plans: readonly Plan[];
  /** What the library may strip or rewrite at the beginning of a national number. */
  readonly prefix: string | null;
}

/** Every calling code, in the metadata's order, which is that of the countries that share one as well. */
export function callingCodes(): CallingCode[] {
  if (metadata.version !== LAYOUT) throw new Error(`expected metadata of layout ${LAYOUT}, found ${metadata.version}`);
  const countries: Readonly<Record<string, RawPlan>> = metadata.countries;
  const nonGeographic: Readonly<Record<string, RawPlan>> = metadata.nonGeographic;
  return [
    ...Object.entries(metadata.country_calling_codes).map(([code, names]) =>
      callingCode(
        code,
        names.map((name): [string, RawPlan] => [name, countries[name] ?? []]),
      ),
    ),
    ...Object.entries(nonGeographic).map(([code, raw]) => callingCode(code, [[null, raw]])),
  ];
}

function callingCode(code: string, plans: readonly (readonly [string | null, RawPlan])[]): CallingCode {
  const main = plans[0]?.[1] ?? [];
  return {
    code,
    plans: plans.map(([country, raw]) => planOf(country, raw)),
    prefix: text(main[NATIONAL_PREFIX_FOR_PARSING]) ?? text(main[NATIONAL_PREFIX]),
  };
}

function planOf(country: string | null, raw: RawPlan): Plan {
  const types = Array.isArray(raw[TYPES]) ? raw[TYPES] : [];
  const lengths = numbers(raw[LENGTHS]);
  const mobile: unknown = types[MOBILE];
  return {
    country,
    pattern: text(raw[PATTERN]) ?? '',
    lengths,
    leadingDigits: text(raw[LEADING_DIGITS]),
    ranges: RANGES.flatMap(([place, lineType]) => rangeOf(types[place], lineType, lengths)),
    // The metadata leaves the mobile pattern out, or empty, where it is the fixed-line one.
    fixedLineIsMobile: !Array.isArray(mobile) || mobile[0] === '',
  };
}

/** A type is `[pattern, lengths?]`; without lengths of its own, those of the plan hold. */
function rangeOf(type: unknown, lineType: LineType, lengths: readonly number[]): Range[] {
  if (!Array.isArray(type)) return [];
  const pattern = text(type[0]);
  return pattern === null ? [] : [{ lineType, pattern, lengths: type[1] ? numbers(type[1]) : lengths }];
}

/** Absent strings are 0, '' or missing in the minified metadata. */
function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

/**
 * The plans without what only formatting reads, and without the patterns of types, which are in the automaton: what
 * the library needs to find the international digits of a text.
 *
 * To see whether a number without its prefix is possible, the library looks for its country among those that share the
 * calling code, by the patterns of their types where no leading digits decide, and takes that country's lengths, or, if
 * there is none, those of the country that it was given. A number that matches has a length of that country. So only a
 * country with a length that another one of the calling code does not have can make a difference, and only its types
 * are kept.
 */
export function plansForParsing(): {
  readonly version: number;
  readonly countries: Readonly<Record<string, readonly unknown[]>>;
  readonly nonGeographic: Readonly<Record<string, readonly unknown[]>>;
} {
  const countries: Readonly<Record<string, RawPlan>> = metadata.countries;
  const nonGeographic: Readonly<Record<string, RawPlan>> = metadata.nonGeographic;
  const sharing: Readonly<Record<string, readonly string[]>> = metadata.country_calling_codes;
  const needsTypes = (raw: RawPlan): boolean => {
    const others = (sharing[String(raw[0])] ?? []).map((country) => numbers(countries[country]?.[LENGTHS]));
    const hasOwnLength = numbers(raw[LENGTHS]).some((length) => others.some((other) => !other.includes(length)));
    return text(raw[LEADING_DIGITS]) === null && hasOwnLength;
  };
  const slim = (raw: RawPlan, keepsTypes: boolean): unknown[] => {
    const left = raw.slice(0, TYPES + 1);
    for (const place of [FORMATS, NATIONAL_PREFIX_FORMATTING, NATIONAL_PREFIX_IS_OPTIONAL]) left[place] = 0;
    if (!keepsTypes) left[TYPES] = 0;
    while (left.length > 0 && !left.at(-1)) left.pop();
    return left;
  };
  return {
    version: metadata.version,
    countries: Object.fromEntries(
      Object.entries(countries).map(([country, raw]) => [country, slim(raw, needsTypes(raw))]),
    ),
    nonGeographic: Object.fromEntries(Object.entries(nonGeographic).map(([code, raw]) => [code, slim(raw, false)])),
  };
}
