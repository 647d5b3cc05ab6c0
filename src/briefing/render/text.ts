/**
 * The text of a briefing, before it becomes Markdown or HTML: how figures, days and names are written. A figure keeps
 * its exact value beside what is printed, and names from outside are kept apart from our own words, so that no writer
 * can forget to escape or to mark them.
 */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Period } from '../briefing.ts';

// Formatters are made when they are first needed, not at start-up.

/** Printed for a figure that does not exist, since what it would be compared with was 0. */
export const NO_FIGURE = '–';

let whole: Intl.NumberFormat | undefined;
let hundredths: Intl.NumberFormat | undefined;
let signedHundredths: Intl.NumberFormat | undefined;

/** `487,368` */
export function integer(n: number): string {
  whole ??= new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  return minus(whole.format(n));
}

/** `48.93 %`, from a fraction of 1: two decimals, halves away from zero. */
export function percent(share: number): string {
  hundredths ??= new Intl.NumberFormat('en', percentOptions('negative'));
  return `${minus(hundredths.format(share)).slice(0, -1)} %`;
}

/** `+12.34 %`, from a fraction of what was before; what rounds to nothing has no sign. */
export function change(fraction: number | null): string {
  return fraction === null ? NO_FIGURE : `${signed(fraction)} %`;
}

/** `+1.20 points`, from the difference of two shares. */
export function points(difference: number | null): string {
  return difference === null ? NO_FIGURE : `${signed(difference)} points`;
}

function signed(fraction: number): string {
  signedHundredths ??= new Intl.NumberFormat('en', percentOptions('exceptZero'));
  return minus(signedHundredths.format(fraction)).slice(0, -1);
}

/** As percent, since Intl then multiplies by a hundred in decimal before it rounds: `share * 100` would round twice. */
function percentOptions(signDisplay: 'negative' | 'exceptZero'): Intl.NumberFormatOptions {
  return { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay };
}

/** A minus sign is as wide as a plus; a hyphen is not. */
function minus(text: string): string {
  return text.replace('-', '−');
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const ISO_DAY = /^(\d{4})-(\d\d)-(\d\d)/;

interface DayParts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
}

/** @param iso a day or date-time, UTC */
function dayParts(iso: string): DayParts | null {
  const [, year, month, day] = ISO_DAY.exec(iso) ?? [];
  const name = MONTHS[Number(month) - 1];
  return year === undefined || name === undefined ? null : { year, month: name, day: String(Number(day)) };
}

/** `16 May 2025` */
export function longDay(iso: string): string {
  const parts = dayParts(iso);
  return parts === null ? iso : `${parts.day} ${parts.month} ${parts.year}`;
}

/** `16 May`, `3 Sep`: where the year is said nearby. */
export function shortDay(iso: string): string {
  const parts = dayParts(iso);
  return parts === null ? iso : `${parts.day} ${parts.month.slice(0, 3)}`;
}

/** `16 May 2025, 04:30 UTC` */
export function instant(iso: string): string {
  const time = /T(\d\d:\d\d)/.exec(iso)?.[1];
  return time === undefined ? longDay(iso) : `${longDay(iso)}, ${time} UTC`;
}

/** The first of two days, without what the second repeats: `16` before `30 May 2025`. */
function openingDay(from: string, to: string): string {
  const [a, b] = [dayParts(from), dayParts(to)];
  if (a === null || b === null || a.year !== b.year) return longDay(from);
  return a.month === b.month ? a.day : `${a.day} ${a.month}`;
}

/** Ids that do not become names by putting spaces in. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['otp_marketplace', 'OTP marketplace'],
  ['api_receiver', 'API receiver'],
  ['ecommerce', 'e-commerce'],
]);
const ALPHA_2 = /^[A-Z]{2}$/;
const BLOCK_DIGITS = 3;
/** The last three digits of a block, with any characters between them. */
const LAST_DIGITS = /(\d\D*){3}$/;

let countries: Intl.DisplayNames | undefined;

/** `OTP marketplace`, `short video`, from the id of a channel or an industry. */
export function spelled(id: string): string {
  return SPELLINGS.get(id) ?? id.replaceAll('_', ' ');
}

/** With a capital letter, for the start of a row. */
export function titled(id: string): string {
  const text = spelled(id);
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** @param group of origins: an ISO 3166-1 alpha-2 code, or a group with a name of its own, such as `US/Canada` */
export function originName(group: string): string {
  if (!ALPHA_2.test(group)) return group;
  // The short style, since the long name of HK ends in "SAR China".
  countries ??= new Intl.DisplayNames('en', { type: 'region', style: 'short' });
  return countries.of(group) ?? group;
}

export function countryName(code: string | null): string {
  return code === null ? NO_FIGURE : originName(code);
}

/**
 * `+1 202 555 0xxx`: a thousand-block as its numbers are written, with the last three digits masked.
 * @param prefix international digits without the last three, with or without the plus
 */
export function blockMask(prefix: string): string {
  const first = `${prefix.startsWith('+') ? '' : '+'}${prefix}${'0'.repeat(BLOCK_DIGITS)}`;
  const spaced = parsePhoneNumberFromString(first)?.formatInternational() ?? '';
  // If the library cannot read the number, or writes it with other digits, it stays as it is.
  const isSame = spaced.replace(/\D/g, '') === first.slice(1);
  return (isSame ? spaced : first).replace(LAST_DIGITS, (digits) => digits.replaceAll(/\d/g, 'x'));
}

export type Part = string | Figure | Name | Time;

export interface Figure {
  readonly kind: 'figure';
  /** The value in the JSON, or one computed from it; null: there is none. */
  readonly value: number | null;
  readonly text: string;
}

/** A text from outside: the name of a project, a host, a source. */
export interface Name {
  readonly kind: 'name';
  readonly text: string;
}

export interface Time {
  readonly kind: 'time';
  /** ISO day or date-time. */
  readonly iso: string;
  readonly text: string;
}

export type Line = readonly Part[];

/** Makes a sentence from a template. */
export function line(texts: TemplateStringsArray, ...parts: readonly (Part | Line)[]): Line {
  return texts
    .flatMap((text, i): Part[] => {
      const part = parts[i];
      if (part === undefined) return [text];
      return [text, ...(isLine(part) ? part : [part])];
    })
    .filter((part) => part !== '');
}

function isLine(part: Part | Line): part is Line {
  return Array.isArray(part);
}

export function count(value: number): Figure {
  return { kind: 'figure', value, text: integer(value) };
}

/** A number with what it counts: `1 project` or `2 projects`. */
export function counted(value: number, one: string, many = `${one}s`): Line {
  return [count(value), ` ${value === 1 ? one : many}`];
}

export function share(value: number | null): Figure {
  return { kind: 'figure', value, text: value === null ? change(null) : percent(value) };
}

export function changeFigure(value: number | null): Figure {
  return { kind: 'figure', value, text: change(value) };
}

export function pointsFigure(value: number | null): Figure {
  return { kind: 'figure', value, text: points(value) };
}

/** Control and direction characters, which could hide or reorder what stands beside a name. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

export function name(text: string): Name {
  return { kind: 'name', text: text.replace(UNPRINTABLE, ' ').trim() };
}

export function day(iso: string): Time {
  return { kind: 'time', iso, text: longDay(iso) };
}

/** A day of the period, without its year if the period lies within one. */
export function dayOf({ from, to }: Period, iso: string): Time {
  const isOneYear = from.slice(0, 4) === to.slice(0, 4);
  return { kind: 'time', iso, text: isOneYear ? shortDay(iso) : longDay(iso) };
}

export function dateTime(iso: string): Time {
  return { kind: 'time', iso, text: instant(iso) };
}

/** `16–30 May 2025` */
export function periodLine({ from, to }: Period): Line {
  if (from === to) return [day(to)];
  const opening = openingDay(from, to);
  return [{ kind: 'time', iso: from, text: opening }, opening.includes(' ') ? ' – ' : '–', day(to)];
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(lines: readonly Line[]): Line {
  return lines.flatMap((parts, i): Line => {
    if (i === 0) return parts;
    return [i === lines.length - 1 ? ' and ' : ', ', ...parts];
  });
}
