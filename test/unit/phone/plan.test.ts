import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import metadata from 'libphonenumber-js/max/metadata';
import { describe, expect, test } from 'vitest';
import { fromOldForm, parseNumber } from '../../../src/phone/parse.ts';
import { MAX_E164_DIGITS, type PhoneNumber } from '../../../src/phone/phone-number.ts';
import { callingCodeOf, readInternational } from '../../../src/phone/plan.ts';
import { mutated, randomIntegers, samplesOfEveryRange } from './corpus.ts';

const SEED = 20251122;
const PER_RANGE = 70;
const MUTANTS_PER_SAMPLE = 2;

/** What libphonenumber-js says by itself. */
function byLibrary(digits: string): PhoneNumber | null {
  const number = parsePhoneNumberFromString(`+${digits}`);
  if (!number?.isValid() || number.number.length > 1 + MAX_E164_DIGITS) return null;
  const lineType = number.getType()?.toLowerCase() as PhoneNumber['lineType'];
  return { number: Number(number.number.slice(1)), country: number.country ?? null, lineType };
}

function same(a: PhoneNumber | null, b: PhoneNumber | null): boolean {
  return a?.number === b?.number && a?.country === b?.country && a?.lineType === b?.lineType;
}

describe('the short way and the plain library', () => {
  test('the metadata has the layout that plan.ts reads', () => {
    expect(metadata.version).toBe(4);
  });

  test('agree on generated and mutated numbers of every plan', () => {
    const below = randomIntegers(SEED);
    const samples = samplesOfEveryRange(PER_RANGE, SEED);
    const tally = { numbers: 0, valid: 0, short: 0 };
    const differing: string[] = [];
    const check = (digits: string) => {
      const meant = fromOldForm(parsePhoneNumberFromString(`+${digits}`)?.number.slice(1) ?? digits);
      const expected = byLibrary(digits) ?? (meant === null ? null : byLibrary(meant));
      const short = readInternational(digits);
      const parsed = parseNumber(`+${digits}`);
      tally.numbers++;
      if (expected !== null) tally.valid++;
      if (short !== null) tally.short++;
      if ((short !== null && !same(short, expected)) || !same(parsed.ok ? parsed.value : null, expected)) {
        differing.push(digits);
      }
    };
    for (const sample of samples) {
      check(sample.digits);
      for (let i = 0; i < MUTANTS_PER_SAMPLE; i++) check(mutated(sample, below));
    }
    console.log(`plan.test: ${tally.numbers} numbers, ${tally.valid} valid, ${tally.short} of them the short way`);
    expect(differing).toEqual([]);
    expect(tally.numbers).toBeGreaterThanOrEqual(200_000);
    // The mutants exercise both answers; most of the valid numbers do not need the library.
    expect(tally.valid).toBeGreaterThan(80_000);
    expect(tally.numbers - tally.valid).toBeGreaterThan(80_000);
    expect(tally.short / tally.valid).toBeGreaterThan(0.9);
  }, 60_000);

  test('agree on every number of up to four digits', () => {
    for (let n = 0; n < 10_000; n++) {
      for (const digits of new Set([String(n), String(n).padStart(4, '0')])) {
        const parsed = parseNumber(`+${digits}`);
        expect(same(parsed.ok ? parsed.value : null, byLibrary(digits)), digits).toBe(true);
      }
    }
  });
});

describe('callingCodeOf', () => {
  test.each([
    ['1', '1'],
    ['12', '1'],
    ['63', '63'],
    ['6', null],
    ['800', '800'],
    ['80', null],
    ['8', null],
    ['999123', null],
    ['0', null],
    ['', null],
  ])('%j starts with %s', (digits, code) => expect(callingCodeOf(digits)).toBe(code));
});
