import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatE164, isCountry, parseNumber } from '../../../src/phone/parse.ts';
import { samplesOfEveryRange } from './corpus.ts';

const RUNS = { seed: 42, numRuns: 5_000 };

/** Valid E.164 digits of all plans. */
const numbers = samplesOfEveryRange(3, RUNS.seed)
  .map((sample) => sample.digits)
  .filter((digits) => {
    const parsed = parseNumber(`+${digits}`);
    return parsed.ok && parsed.value.number === Number(digits);
  });

const PUNCTUATION = [
  ' ',
  '\u00a0',
  '\u2009',
  '-',
  '\u2011',
  '\u2013',
  '(',
  ')',
  '\u200b',
  '\u200e',
  '\u2066',
  '\ufeff',
];
const phoneCharacter = fc.constantFrom(
  ...'0123456789',
  ...PUNCTUATION,
  '+',
  '.',
  '/',
  '\n',
  ';',
  '=',
  'x',
  '٣',
  '۴',
  '５',
);
const input = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: phoneCharacter, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 25 }),
  fc.string({ unit: phoneCharacter, maxLength: 40 }).map((rest) => `tel:${rest};phone-context=+${rest.slice(0, 3)}`),
  fc.tuple(fc.constantFrom(...numbers), fc.nat(15), phoneCharacter).map(([digits, at, character]) => {
    return `+${digits.slice(0, at)}${character}${digits.slice(at)}`;
  }),
);
const country = fc.option(fc.oneof(fc.constantFrom('PH', 'US', 'de', 'GB', 'IT', ''), fc.string({ maxLength: 12 })), {
  nil: undefined,
});

describe('for any string', () => {
  test('the answer is a number or a reason that quotes nothing, and always the same', () => {
    fc.assert(
      fc.property(input, country, (text, home) => {
        const result = parseNumber(text, home);
        expect(parseNumber(text, home)).toEqual(result);
        if (result.ok) {
          const { number, country: found } = result.value;
          expect(Number.isSafeInteger(number)).toBe(true);
          expect(found === null || (isCountry(found) && found === found.toUpperCase())).toBe(true);
          // What was read is a number again, and the same one.
          expect(parseNumber(formatE164(number))).toEqual(result);
        } else {
          expect(result.code).toBe('invalid-number');
          expect(result.detail).toMatch(/^[a-zA-Z ]+: \S/);
          expect(result.detail).not.toMatch(/[0-9]{5}/);
          expect(result.detail).not.toMatch(/[^ -~…]/); // and so no digits of other scripts
        }
      }),
      RUNS,
    );
  });

  test('a number in the country parameter is not quoted either', () => {
    const result = parseNumber('09', numbers[0]);
    expect(result).toMatchObject({ ok: false, detail: expect.not.stringMatching(/[0-9]{5}/) });
  });
});

describe('for any valid number', () => {
  test('punctuation and invisible characters between the digits change nothing', () => {
    const noise = fc.array(fc.constantFrom('', '', ...PUNCTUATION), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(fc.constantFrom(...numbers), noise, (digits, between) => {
        const noisy = `+${[...digits].map((digit, i) => digit + between[i]).join('')}`;
        expect(parseNumber(noisy)).toEqual(parseNumber(`+${digits}`));
      }),
      RUNS,
    );
  });

  test('any country may stand beside a number with a plus', () => {
    fc.assert(
      fc.property(fc.constantFrom(...numbers), fc.constantFrom('PH', 'US', 'de', 'IT', ''), (digits, home) => {
        expect(parseNumber(`+${digits}`, home)).toEqual(parseNumber(`+${digits}`));
      }),
      RUNS,
    );
  });
});
