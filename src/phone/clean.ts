/**
 * Cleaning: from what people type and paste to bare ASCII digits, for written numbers and `tel:` URIs.
 *
 * | accepted | as |
 * | --- | --- |
 * | ASCII, full-width, Arabic-Indic and Extended Arabic-Indic digits | digits |
 * | + and its full-width and small forms, once, before the first digit | the mark of international form |
 * | spaces (no-break, thin, ideographic ...), dots, hyphens and dashes, slashes, brackets | punctuation, dropped |
 * | commas between groups of three digits | the grouping of a spreadsheet, dropped |
 * | a point or comma and zeros after an integer | the decimals of a spreadsheet, dropped: see `integerOf` |
 * | `ext 5`, `extension 5`, `x5`, `;ext=5` at the end | an extension, ignored: it is the number that is looked up |
 * | bidi marks, zero-width characters, soft hyphens: what copy and paste brings along | nothing |
 * | tabs and line breaks before and after the number | nothing |
 *
 * Anything else is refused, never skipped. All of the accepted characters are single UTF-16 units.
 */

import * as refusal from './refusal.ts';
import { type Refusal, telUri } from './refusal.ts';

export interface Digits {
  readonly ok: true;
  /** It was written with a plus sign, so the digits start with a country calling code. */
  readonly plus: boolean;
  /** ASCII digits, at least one. */
  readonly digits: string;
  /**
   * The digits of an extension written with an `x` alone; empty if there is none. The `x` may also stand for a hidden
   * digit of a number that goes on with these digits.
   */
  readonly afterX: string;
  /**
   * What a reader that keeps only digits would read: the plus, if there is one, and all digits in order, with those
   * after the number that are ignored here. null: none are ignored.
   */
  readonly joined: string | null;
}

type CodeRange = number | readonly [first: number, last: number];

/** Character codes by the plain character that stands for them in the rules below. */
const PLAIN: readonly (readonly [plain: string, codes: readonly CodeRange[]])[] = [
  ['+', [0x2b, 0xff0b, 0xfe62]],
  // Space, no-break space, ogham space, en quad to hair space (thin is 2009), narrow no-break, mathematical,
  // ideographic.
  [' ', [0x20, 0xa0, 0x1680, [0x2000, 0x200a], 0x202f, 0x205f, 0x3000]],
  // Hyphen-minus, hyphen to horizontal bar, minus, katakana prolonged sound mark (what a Japanese keyboard gives for a
  // dash), small em dash, small hyphen-minus, full-width hyphen-minus.
  ['-', [0x2d, [0x2010, 0x2015], 0x2212, 0x30fc, 0xfe58, 0xfe63, 0xff0d]],
  // Full stop, middle dot, one dot leader, full-width full stop.
  ['.', [0x2e, 0xb7, 0x2024, 0xff0e]],
  // Comma, full-width comma, Arabic decimal separator. Only spreadsheets have them in numbers.
  [',', [0x2c, 0xff0c, 0x66b]],
  ['/', [0x2f, 0xff0f]],
  // Round and square brackets, ASCII and full-width. They need not pair: half a pair is often lost in copying.
  ['(', [0x28, 0x29, 0x5b, 0x5d, 0xff08, 0xff09, 0xff3b, 0xff3d]],
  ['\n', [[0x09, 0x0d], 0x85, 0x2028, 0x2029]],
  // Soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width characters and bidi marks, bidi embeddings,
  // word joiner and invisible operators, bidi isolates, byte order mark.
  ['', [0xad, 0x61c, 0x180e, [0x200b, 0x200f], [0x202a, 0x202e], [0x2060, 0x2064], [0x2066, 0x2069], 0xfeff]],
];

/** The zeros of the accepted digits: ASCII, full-width, Arabic-Indic, Extended Arabic-Indic. 1 to 9 follow each. */
const ZEROS = [0x30, 0xff10, 0x660, 0x6f0];

let plainByCode: Map<number, string> | null = null;

/** Made for the first text that is not clean: most isolates are asked for none before their first answers. */
function plainCharacters(): ReadonlyMap<number, string> {
  if (plainByCode !== null) return plainByCode;
  plainByCode = new Map();
  for (const [plain, codes] of PLAIN) {
    for (const range of codes) {
      const [first, last] = typeof range === 'number' ? [range, range] : range;
      for (let code = first; code <= last; code++) plainByCode.set(code, plain);
    }
  }
  for (const zero of ZEROS) for (let digit = 0; digit <= 9; digit++) plainByCode.set(zero + digit, String(digit));
  return plainByCode;
}

/**
 * What may stand before a plus or the first digit. `-63...` or `/63...` would be a sum, a path or a part of a number.
 */
const STARTS_WITH_SEPARATOR = /^[ (]*[-./]/;
const PLUS_BEFORE_ALL_DIGITS = /^[ (]*\+?[^+]*$/;
const PLUS_BETWEEN_DIGITS = /\d[^+]*\+[^\d]*\d/;
const DIGITS_ON_TWO_LINES = /\d[^\d]*\n[^\d]*\d/;
/**
 * `030 1234/56` stands for two numbers and `030/123456` for one: one or two digits after a slash are an alternative
 * ending.
 */
const ALTERNATIVE_ENDING = /\d[^\d]*\/[^\d]*\d[^\d]*(?:\d[^\d]*)?$/;
const SEVERAL = [PLUS_BETWEEN_DIGITS, DIGITS_ON_TWO_LINES, ALTERNATIVE_ENDING];
/** The longest number without its padding: 15 digits, each with punctuation around it. */
const MAX_WRITTEN_CHARS = 128;
/** Characters that are never padding. */
const COUNTS = /[\d+/]/;
/** What may follow a number. The longest extensions in use have seven digits. */
const EXTENSION = /^;?\s*(extension|extn?|x)[\s.:=]*(\d{1,7})\s*$/i;

/**
 * Digits in groups of three from the right, at least two groups after the first, with the same separator between all.
 */
const GROUPED = /^[ (]*\+?[1-9]\d{0,2}([ .,])\d{3}(?:\1\d{3})+[ (]*$/;
/**
 * What may be an integer and its decimals: digits, in one piece or in groups of three, then a point or comma, then
 * digits.
 */
const QUANTITY = /^([ (]*(\+?)(?:\d{1,3}([ .,])\d{3}(?:\3\d{3})+|\d+))([^\d+.,]*[.,][^\d+]*)(\d.*)$/s;
const MARK = /[.,]/;
const DECIMAL_MARK = /^ ?[.,] ?$/;
const ZEROS_ONLY = /^0+[ (]*$/;
/** What stands before the last two groups of digits, these groups, and what stands between them. */
const LAST_GROUPS = /^(.*?)(\d+)([^\d]+)(\d+)[^\d]*$/s;
/** One comma with digits on both sides, and no other comma. */
const ONE_COMMA = /^[^,]*\d ?, ?(\d+)[^\d,]*$/;
/** What `(0)` becomes: both brackets are one character here. */
const TRUNK_ZERO = /\(0\(/;
/** With so many digits, what stands before the last point is mostly a whole number with its calling code. */
const MIN_WHOLE_DIGITS = 10;
/** With so many digits, what stands after a comma is another number. */
const MIN_NUMBER_DIGITS = 7;

/**
 * Takes the digits out of a written number, in time linear in the length of the input, which the caller has bounded.
 * @param offset characters before `input` in what the user wrote, so that a refusal names the position there
 */
export function clean(input: string, offset = 0): Digits | refusal.Refusal {
  const plains = plainCharacters();
  const text = input.trim();
  const start = offset + input.indexOf(text);
  let written = '';
  let last = '';
  let comma = 0;
  let afterX = '';
  let extensionDigits = '';
  for (let i = 0; i < text.length; i++) {
    const plain = plains.get(text.charCodeAt(i));
    if (plain === undefined) {
      const extension = EXTENSION.exec(text.slice(i));
      if (extension !== null) {
        const [, name = '', after = ''] = extension;
        extensionDigits = after;
        if (name.length === 1) afterX = extensionDigits;
        written = written.replace(/[ ,]+$/, '');
        break;
      }
      const isLetter = /^\p{L}/u.test(text.slice(i, i + 2)); // two units, for letters outside the basic plane
      return isLetter ? refusal.LETTERS : refusal.unexpectedCharacter(start + i + 1);
    }
    // The same punctuation several times in a row is padding.
    if (plain === '' || (plain === last && !COUNTS.test(plain))) continue;
    written += plain;
    last = plain;
    if (written.length > MAX_WRITTEN_CHARS) return refusal.inputTooLong(MAX_WRITTEN_CHARS);
    if (plain === ',' && comma === 0) comma = start + i + 1;
  }
  written = written.trim();
  if (written === '') return refusal.EMPTY;
  if (!/\d/.test(written)) return refusal.NO_DIGITS;
  if (STARTS_WITH_SEPARATOR.test(written)) return refusal.LEADING_SEPARATOR;
  const number = integerOf(written, comma);
  if (typeof number !== 'string') return number;
  if (SEVERAL.some((pattern) => pattern.test(number))) return refusal.SEVERAL;
  if (!PLUS_BEFORE_ALL_DIGITS.test(number)) return refusal.MISPLACED_PLUS;
  const digits = number.replace(/[^\d]/g, '');
  const plus = number.includes('+');
  const all = written.replace(/[^\d]/g, '') + extensionDigits;
  return { ok: true, plus, digits, afterX, joined: all === digits ? null : (plus ? '+' : '') + all };
}

/** The accepted digits in a text, as ASCII; null if it has digits of other scripts. */
function digitsIn(text: string): string | null {
  let digits = '';
  for (const [digit] of text.matchAll(/\p{Nd}/gu)) {
    const plain = plainCharacters().get(digit.charCodeAt(0));
    if (plain === undefined) return null;
    digits += plain;
  }
  return digits;
}

/**
 * Tells the decimals of a spreadsheet or a data frame from the points of a phone number. A decimal part is never a
 * digit of the number.
 *
 * | written | is | |
 * | --- | --- | --- |
 * | an integer (see `isInteger`), point or comma, zeros only | a numeric column | the zeros are dropped |
 * | the same, with other decimals, or with an integer that starts with 0 | a number that something is wrong with | refused |
 * | groups of three between commas | a numeric column | read |
 * | any other comma | decimals, a list | refused |
 * | a last point that is the only one, or has five digits or more right before it; and one or two digits after it (three after seven or more in one piece), or ten or more before it | decimals: phone numbers are not written so | refused |
 * | a last point with a single digit after it, if that is 0 or three digits or more stand right before | decimals, likewise | refused |
 * | any other point: `06.12.34.56.78`, `+1.2025550123`, `(11) 91234.5678`, `62.811.555.010` | punctuation | read |
 *
 * @param comma position of the first comma in what the user wrote, 0 if there is none
 * @returns what was written without decimals
 */
function integerOf(written: string, comma: number): string | refusal.Refusal {
  if (!MARK.test(written) || GROUPED.test(written)) return written;
  const [, integer = '', plus = '', separator = '', mark = '', decimals = ''] = QUANTITY.exec(written) ?? [];
  const digits = integer.replace(/[^\d]/g, '');
  const isQuantity = isInteger(digits, plus !== '', separator !== '');
  if (
    isQuantity &&
    DECIMAL_MARK.test(mark) &&
    mark.trim() !== separator &&
    ZEROS_ONLY.test(decimals) &&
    digits[0] !== '0'
  ) {
    return integer;
  }
  if (written.includes(',')) {
    const after = ONE_COMMA.exec(written)?.[1];
    if (after === undefined && !isQuantity) return refusal.unexpectedCharacter(comma);
    return after !== undefined && after.length >= MIN_NUMBER_DIGITS ? refusal.SEVERAL : refusal.DECIMAL;
  }
  return isQuantity || endsInDecimals(written) ? refusal.DECIMAL : written;
}

/**
 * Whether the digits before a mark are those of a numeric column and not the beginning of a phone number. In one piece,
 * there must be more than a calling code with the longest area code, such as `+380` with five digits, or `00` and the
 * same; in groups of three, more than the beginning of `+63 917 123.4567`.
 */
function isInteger(digits: string, hasPlus: boolean, isGrouped: boolean): boolean {
  const min = isGrouped || hasPlus ? 9 : digits[0] === '0' ? 10 : 7;
  return digits.length >= min;
}

/** For a number that is not written as in a numeric column and has points as its only marks. */
function endsInDecimals(written: string): boolean {
  const [, before = '', integer = '', between = '', last = ''] = LAST_GROUPS.exec(written) ?? [];
  if (!between.includes('.')) return false;
  const isMark = !before.includes('.') || integer.length >= 5;
  const isInPiece = !/\d/.test(before) && integer.length >= 7;
  const maxDecimals = isInPiece ? 3 : 2;
  if (last === '0' || (last.length === 1 && integer.length >= 3)) return true;
  return isMark && (last.length <= maxDecimals || significant(before + integer) >= MIN_WHOLE_DIGITS);
}

/** Counts digits without prefixes: leading zeros, and the `(0)` that is not dialled from abroad. */
function significant(written: string): number {
  return written.replace(TRUNK_ZERO, '').replace(/[^\d]/g, '').replace(/^0+/, '').length;
}

// `tel:` URIs (RFC 3966): `tel:+63-917-…`, `tel:0917…;phone-context=+63`.
//
// `ext` and `isub` are ignored: they choose a telephone behind the number, and the number is what is looked up. Other
// parameters are ignored too, except those that start with `m-`, which RFC 3966 (5.4) forbids a reader to ignore.

const MIN_LOCAL_DIGITS = 4;
const SCHEME = /^\s*tel:/i;

export function isTelUri(input: string): boolean {
  return SCHEME.test(input);
}

/** Takes the digits out of a `tel:` URI; for a local number, those of its phone-context come first. */
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
  // Nothing reads parameters that are ignored, but a reader that keeps only digits keeps the digits in them.
  const after = digitsIn(parameters.join());
  if (after === null) return telUri('expected no digits of other scripts in its parameters');
  const all = cleaned.joined ?? (cleaned.plus ? '+' : '') + cleaned.digits;
  const local = after === '' ? cleaned : { ...cleaned, joined: all + after };
  // A number with a plus is complete: RFC 3966 gives it no context, and a context that is there cannot change it.
  if (local.plus || context === null) return local;
  // No plan has shorter local numbers, and the middleware recognises an answer by the last four digits of its number.
  if (local.digits.length < MIN_LOCAL_DIGITS)
    return telUri(`expected ${MIN_LOCAL_DIGITS} digits or more before a phone-context`);
  const prefix = clean(context);
  if (!prefix.ok || !prefix.plus) return telUri('expected a phone-context of + and a country calling code');
  // RFC 3966 (5.1.5) does not promise that the two together are a number. Google's libphonenumber reads them like this,
  // too. A trunk prefix between them is dropped later, and what is not an assigned number is refused.
  return { ...local, plus: true, digits: prefix.digits + local.digits };
}
