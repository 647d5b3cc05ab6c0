/**
 * From what people type and paste to bare ASCII digits.
 *
 * | accepted | as |
 * | --- | --- |
 * | ASCII, full-width, Arabic-Indic and Extended Arabic-Indic digits | digits |
 * | + and its full-width and small forms, once, before the first digit | the mark of international form |
 * | spaces (no-break, thin, ideographic ...), dots, hyphens and dashes, slashes, brackets | punctuation, dropped |
 * | bidi marks, zero-width characters, soft hyphens: what copy and paste brings along | nothing |
 * | tabs and line breaks before and after the number | nothing |
 *
 * Anything else is refused, never skipped. All of the accepted characters are single UTF-16 units.
 */
import * as refusal from './refusal.ts';

export interface Digits {
  readonly ok: true;
  /** Written with a plus sign, so the digits start with a country calling code. */
  readonly plus: boolean;
  /** ASCII digits, at least one. */
  readonly digits: string;
}

type CodeRange = number | readonly [first: number, last: number];

/** Character codes by the plain character that stands for them while the rules below are checked. */
const PLAIN: readonly (readonly [plain: string, codes: readonly CodeRange[]])[] = [
  ['+', [0x2b, 0xff0b, 0xfe62]],
  // Space, no-break space, ogham space, en quad to hair space (thin is 2009), narrow no-break, mathematical, ideographic.
  [' ', [0x20, 0xa0, 0x1680, [0x2000, 0x200a], 0x202f, 0x205f, 0x3000]],
  // Hyphen-minus, hyphen to horizontal bar, minus, katakana prolonged sound mark (what a Japanese keyboard gives for a
  // dash), small em dash, small hyphen-minus, full-width hyphen-minus.
  ['-', [0x2d, [0x2010, 0x2015], 0x2212, 0x30fc, 0xfe58, 0xfe63, 0xff0d]],
  // Full stop, middle dot, one dot leader, full-width full stop.
  ['.', [0x2e, 0xb7, 0x2024, 0xff0e]],
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

const plainByCode = new Map<number, string>();
for (const [plain, codes] of PLAIN) {
  for (const range of codes) {
    const [first, last] = typeof range === 'number' ? [range, range] : range;
    for (let code = first; code <= last; code++) plainByCode.set(code, plain);
  }
}
for (const zero of ZEROS) for (let digit = 0; digit <= 9; digit++) plainByCode.set(zero + digit, String(digit));

/** What may stand before a plus or the first digit; `-63...` or `/63...` would be a sum, a path or half a number. */
const STARTS_WITH_SEPARATOR = /^[ (]*[-./]/;
const PLUS_BEFORE_ALL_DIGITS = /^[ (]*\+?[^+]*$/;
const PLUS_BETWEEN_DIGITS = /\d[^+]*\+[^\d]*\d/;
const DIGITS_ON_TWO_LINES = /\d[^\d]*\n[^\d]*\d/;
/** `030 1234/56` stands for two numbers, `030/123456` for one: one or two digits after a slash are another ending. */
const ALTERNATIVE_ENDING = /\d[^\d]*\/[^\d]*\d[^\d]*(?:\d[^\d]*)?$/;
const SEVERAL = [PLUS_BETWEEN_DIGITS, DIGITS_ON_TWO_LINES, ALTERNATIVE_ENDING];
/** How spreadsheets and data frames write an integer column with gaps. The 0 would become a digit of the number. */
const DECIMAL = /^\+?\d+\.0$/;

/**
 * Takes the digits out of a written number. Linear in the length of the input, which the caller has bounded.
 * @param offset characters before `input` in what the user wrote, so that a refusal names the position in that
 */
export function clean(input: string, offset = 0): Digits | refusal.Refusal {
  let written = '';
  for (let i = 0; i < input.length; i++) {
    const plain = plainByCode.get(input.charCodeAt(i));
    if (plain === undefined) {
      const isLetter = /^\p{L}/u.test(input.slice(i, i + 2)); // two units, for letters outside the basic plane
      return isLetter ? refusal.LETTERS : refusal.unexpectedCharacter(offset + i + 1);
    }
    written += plain;
  }
  written = written.trim();
  if (written === '') return refusal.EMPTY;
  if (!/\d/.test(written)) return refusal.NO_DIGITS;
  if (STARTS_WITH_SEPARATOR.test(written)) return refusal.LEADING_SEPARATOR;
  if (SEVERAL.some((pattern) => pattern.test(written))) return refusal.SEVERAL;
  if (!PLUS_BEFORE_ALL_DIGITS.test(written)) return refusal.MISPLACED_PLUS;
  if (DECIMAL.test(written)) return refusal.DECIMAL;
  return { ok: true, plus: written.includes('+'), digits: written.replace(/[^\d]/g, '') };
}
