/**
 * A decimal part is never a digit of the number: numbers as spreadsheets and data frames write them, beside numbers
 * that people write with points.
 */

import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { describe, expect, test } from 'vitest';
import { parseNumber } from '../../../src/phone/parse.ts';
import { samplesOfEveryRange } from './corpus.ts';

const RUNS = { seed: 11, numRuns: 10_000 };

/** Valid E.164 digits of all plans. */
const NUMBERS = samplesOfEveryRange(3, RUNS.seed)
  .map((sample) => sample.digits)
  .filter((digits) => {
    const parsed = parseNumber(`+${digits}`);
    return parsed.ok && parsed.value.number === Number(digits);
  });

/** The digits, or the reason of a refusal. */
function outcome(input: string, country?: string): string {
  const result = parseNumber(input, country);
  return result.ok ? String(result.value.number) : result.detail.slice(0, result.detail.indexOf(':'));
}

function groupedInThrees(digits: string, separator: string): string {
  return digits.replace(/(?<=\d)(?=(?:\d{3})+$)/g, separator);
}

describe('the decimals of a numeric column are dropped', () => {
  test.each([
    '62811555010.0',
    '62811555010.00',
    '62811555010.000000',
    '62811555010,0',
    '62811555010,00',
    '+62811555010.00',
    ' 62811555010.00 ',
    '(62811555010.00)',
    '62811555010 .00',
    '\u200e62811555010\u200e.00',
    '62,811,555,010',
    '62,811,555,010.00',
    '62.811.555.010,00',
    '62 811 555 010,00',
    '62 811 555 010.0',
    '62\u202f811\u202f555\u202f010,00',
    '６２８１１５５５０１０．００',
    '٦٢٨١١٥٥٥٠١٠٫٠٠',
    'tel:62811555010.00',
  ])('%s', (input) => expect(outcome(input)).toBe('62811555010'));

  test('those of a national number, too', () => expect(outcome('3023125012.0', 'DE')).toBe('493023125012'));
});

describe('other decimals are refused', () => {
  test.each<[input: string, country?: string]>([
    ['62811555010.5'],
    ['62811555010.50'],
    ['62811555010.01'],
    ['62811555010.123456'],
    ['62811555010,5'],
    ['+62811555010.5'],
    ['62811555010.5-'],
    ['62811555010.(5)'],
    ['62811555010.5 0'],
    ['62 811 555 010.5'],
    ['62 811 555 010,5000'],
    ['62,811,555,010.5'],
    ['62.811.555.010,5'],
    ['62.811.555.010.00'],
    ['62.811.555.010.5'],
    ['٦٢٨١١٥٥٥٠١٠٫٥'],
    ['６２８１１５５５０１０．５'],
    ['62811555010·5'],
    ['49 30 23125012.0'],
    ['49 30 23125012.00'],
    ['49 30 23125012,0'],
    ['49 30 23125012.5'],
    ['49 30 23125012.123'],
    ['49 30 23125012.5 '],
    ['+49 30 23125012.0'],
    ['+49-30-23125012.0'],
    ['+49 (0)30 23125012.0'],
    ['+49.30.23125012.0'],
    ['+49.30.23125012.123'],
    ['+49 30 231250.1234'],
    ['0049 30 23125012.0'],
    ['0049302312501.0'],
    ['(030) 23125012.5', 'DE'],
    ['030123456.0', 'DE'],
    ['0301234567890.00', 'DE'],
    ['(202) 555-0123.0', 'US'],
    ['2025550123.5', 'US'],
    ['202555012.3', 'US'],
    ['1202555012.3'],
    ['1202555,0123'],
    ['tel:62811555010.5'],
    ['tel:23125012.5;phone-context=+49-30'],
  ])('%s %s', (input, country) => expect(outcome(input, country)).toBe('decimal number'));

  test.each<[reason: string, input: string]>([
    ['letters', '6.2811555010E+10'],
    ['letters', '6,2811555010e10'],
    ['letters', '4.47911E+11'],
    ['unexpected character', '62811555010,-'],
    ['unexpected character', '62811555010,'],
    ['unexpected character', '62,81,15,55,010'],
    ['unexpected character', '06,12,34,56,78'],
    ['unexpected character', "62'811'555'010"],
    ['decimal number', '62811555010,00,00'],
    ['several numbers', '12025550123,12025550124'],
    ['several numbers', '12025550123, 12025550124'],
  ])('%s: %s', (reason, input) => expect(outcome(input)).toBe(reason));
});

describe('points that are no decimal points', () => {
  test.each<[input: string, digits: string, country?: string]>([
    ['+49.30.231.25012', '493023125012'],
    ['+49.3023125012', '493023125012'],
    ['+49 30.23125012', '493023125012'],
    ['+49 (0)30.23125012', '493023125012'],
    ['0049.30.23125012', '493023125012'],
    ['030.23125012', '493023125012', 'DE'],
    ['030/231.25012', '493023125012', 'DE'],
    ['030 / 231 25-012', '493023125012', 'DE'],
    ['+49.3023125012.', '493023125012'],
    ['06.12.34.56.78', '33612345678', 'FR'],
    ['06.12.34.56.00', '33612345600', 'FR'],
    ['+33.6.12.34.56.78', '33612345678'],
    ['+352.27.12.34.5', '3522712345'],
    ['+1.2.0.2.5.5.5.0.1.2.3', '12025550123'],
    ['+1.2025550123', '12025550123'],
    ['+1.202.555.0123', '12025550123'],
    ['1 202 555.0123', '12025550123'],
    ['(202) 555.0123', '12025550123', 'US'],
    ['+1 (202) 555.0123', '12025550123'],
    ['202.555.0123', '12025550123', 'US'],
    ['+44 20 7946.0018', '442079460018'],
    ['+55 11 91234.5678', '5511912345678'],
    ['(11) 91234.5678', '5511912345678', 'BR'],
    ['02/512.34.56', '3225123456', 'BE'],
    ['0432 123.456', '390432123456', 'IT'],
    ['62.811.555.010', '62811555010'],
    ['+62.811.555.010', '62811555010'],
    ['5.491.123.456.789', '5491123456789'],
  ])('%s', (input, digits, country) => expect(outcome(input, country)).toBe(digits));
});

const number = fc.constantFrom(...NUMBERS);
const mark = fc.constantFrom('.', ',', '．', '，', '٫');
const decimals = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 6 });

describe('for any number', () => {
  test('as a numeric column has it: the integer, or refused if its decimals are not all zero', () => {
    const separator = fc.constantFrom('', ' ', '\u00a0', '\u202f', ',', '.');
    const text = fc.tuple(number, separator, mark, decimals, fc.constantFrom('', '+'));
    fc.assert(
      fc.property(text, ([digits, between, point, rest, plus]) => {
        const isPoint = point === '.' || point === '．';
        fc.pre(isPoint ? between !== '.' : between !== ',');
        // Shorter ones can be the beginning of a number that is written with one point.
        fc.pre(digits.length >= 9);
        const result = outcome(`${plus}${groupedInThrees(digits, between)}${point}${rest}`);
        if (/[1-9]/.test(rest)) expect(result).toMatch(/^[a-z ]+$/);
        else expect(result).toBe(digits);
      }),
      RUNS,
    );
  }, 60_000);

  test('as people write it, with decimals at its end: never another number', () => {
    const spelling = fc.nat(7);
    fc.assert(
      fc.property(number, spelling, mark, decimals, (digits, which, point, rest) => {
        fc.pre(digits.length >= 10 || rest.length <= 2);
        // Two digits more after points alone are a group more, as in French numbers.
        fc.pre(which !== DOTS || rest.length === 1 || point === ',');
        const library = parsePhoneNumberFromString(`+${digits}`);
        if (library === undefined) throw new Error('a number that the library does not know');
        const spaced = library.formatInternational();
        const text = [
          spaced,
          spaced.slice(1),
          spaced.replace(/ /g, '-'),
          spaced.replace(/ /g, '.'),
          spaced.replace(/^(\S+) (\S+)/, '$1 ($2)'),
          `00${spaced.slice(1)}`,
          library.getURI(),
          `\u202a${spaced}\u202c`,
        ][which];
        expect([digits, ...REFUSED]).toContain(outcome(`${text}${point}${rest}`));
      }),
      RUNS,
    );
  }, 60_000);
});

/** Of the spellings above. */
const DOTS = 3;
const REFUSED = ['decimal number', 'unexpected character', 'too long', 'wrong length', 'unassigned', 'too short'];
