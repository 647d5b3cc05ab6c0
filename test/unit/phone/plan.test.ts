import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CountryCode, parsePhoneNumberFromString as parseByCore } from 'libphonenumber-js/core';
import { getCountries, parsePhoneNumberFromString as parseByMax } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, test } from 'vitest';
import { callingCodes } from '../../../scripts/generate-plan/metadata.ts';
import { compare, generated, verify } from '../../../scripts/generate-plan/verify.ts';
import { generatePlan, PLAN_FILE } from '../../../scripts/generate-plan.ts';
import { PLAN_VERSION } from '../../../src/generated/number-plan.ts';
import {
  callingCodeOf,
  countriesOf,
  isAssigned,
  libraryMetadata,
  readAssigned,
  readInternational,
  readPossible,
} from '../../../src/phone/plan.ts';
import { mutated, randomIntegers, samplesOfEveryRange } from './corpus.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
const SEED = 20251122;
/** Ten million are compared by `npm run generate-plan -- --verify 10000000`. */
const NUMBERS = 40_000;
/** Every isolate of every city loads the file. */
const MAX_KIB = { raw: 110, gzip: 32 };

describe('the generated file', () => {
  const written = readFileSync(join(PROJECT, PLAN_FILE), 'utf8');

  test('is what the script writes; otherwise: npm run generate-plan', () => {
    expect(written === generatePlan()).toBe(true);
  });

  test('is small', () => {
    expect(Buffer.byteLength(written) / 1024).toBeLessThan(MAX_KIB.raw);
    expect(gzipSync(written).length / 1024).toBeLessThan(MAX_KIB.gzip);
  });

  test('says of which version it is', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    expect(PLAN_VERSION).toBe(devDependencies['libphonenumber-js']);
  });
});

describe('the table and libphonenumber with all of its metadata', () => {
  test('agree on numbers made for every territory', () => {
    const { told, ...figures } = verify(NUMBERS, SEED);
    console.log(`plan.test: ${JSON.stringify(figures)}`);
    expect(told).toEqual([]);
    expect(figures).toMatchObject({ numbers: NUMBERS, territories: getCountries().length + 9, different: 0 });
    // All answers are there, and most of them do not need the library.
    expect(figures.assigned / NUMBERS).toBeGreaterThan(0.5);
    expect(figures.unassigned / NUMBERS).toBeGreaterThan(0.2);
    expect(1 - (figures.assigned + figures.unassigned) / NUMBERS).toBeGreaterThan(0.15);
    expect(figures.clean / (figures.assigned + figures.unassigned)).toBeGreaterThan(0.9);
  }, 60_000);

  test('agree on what becomes of numbers by the slips of writers and feeds', () => {
    const below = randomIntegers(SEED);
    const differing = samplesOfEveryRange(8, SEED)
      .flatMap((sample) => [sample.digits, mutated(sample, below), mutated(sample, below)])
      .flatMap((digits) => compare(digits).differing);
    expect(differing).toEqual([]);
  }, 60_000);

  test('agree on the example numbers of every country', () => {
    for (const country of getCountries()) {
      const digits = `${callingCodes().find(({ plans }) => plans.some((plan) => plan.country === country))?.code}${examples[country]}`;
      const { differing, expected } = compare(digits);
      expect(differing).toEqual([]);
      expect(expected?.lineType, country).toMatch(/mobile$/);
    }
  });

  test('agree on every length after every calling code', () => {
    const below = randomIntegers(SEED);
    const differing: string[] = [];
    for (const { code } of callingCodes()) {
      for (let length = 0; length <= 18; length++) {
        const any = () => Array.from({ length }, () => below(10)).join('');
        for (const national of [any(), any(), '0'.repeat(length), '9'.repeat(length)]) {
          differing.push(...compare(code + national).differing);
        }
      }
    }
    expect(differing).toEqual([]);
  });

  test('agree on every number of up to four digits', () => {
    const differing: string[] = [];
    for (let n = 0; n < 10_000; n++) {
      for (const digits of new Set([String(n), String(n).padStart(4, '0')]))
        differing.push(...compare(digits).differing);
    }
    expect(differing).toEqual([]);
  });
});

describe('the metadata that the library is given, and all of it', () => {
  test('make the same digits of any text, in any country', () => {
    const below = randomIntegers(SEED);
    const countries = getCountries();
    const metadata = libraryMetadata();
    const anyCountry = () => countries[below(countries.length)] as CountryCode;
    const differing: string[] = [];
    const check = (text: string, country?: CountryCode) => {
      const all = country === undefined ? parseByMax(text) : parseByMax(text, country);
      const ours = country === undefined ? parseByCore(text, metadata) : parseByCore(text, country, metadata);
      const isSame = ours?.number === all?.number && ours?.nationalNumber === all?.nationalNumber;
      // What is assigned is the table's to say, of a national number too.
      if (!isSame || (ours !== undefined && isAssigned(ours.number.slice(1)) !== all?.isValid())) {
        differing.push(`${text} ${country}: ${ours?.number}, all ${all?.number} ${all?.isValid()}`);
      }
    };
    let valid = 0;
    for (const { territory, digits } of generated(2_000, SEED)) {
      const own = countries.find((country) => country === territory);
      const code = callingCodeOf(digits) ?? '';
      const national = digits.slice(code.length);
      const sharing = countriesOf(code) as readonly CountryCode[];
      if (parseByMax(national, own)?.isValid()) valid++;
      check(`+${digits}`);
      for (const country of new Set([own ?? anyCountry(), ...sharing.slice(0, 4), anyCountry()])) {
        for (const written of [
          national,
          `0${national}`,
          `1${national}`,
          `8${national}`,
          digits,
          `00${digits}`,
          `011${digits}`,
        ]) {
          check(written, country);
        }
      }
    }
    expect(differing).toEqual([]);
    expect(valid).toBeGreaterThan(750);
  }, 60_000);
});

describe('readAssigned', () => {
  test('reads of bytes what readInternational reads of a text', () => {
    const below = randomIntegers(SEED);
    const texts = samplesOfEveryRange(1, SEED).flatMap((sample) => [sample.digits, mutated(sample, below)]);
    texts.push('', '1', '123', '12025550123x', '٤٤٧٧٠', '+12025550123', '4915123456789012');
    let assigned = 0;
    for (const text of texts) {
      const bytes = Buffer.from(`a${text}9`);
      const read = readAssigned(bytes, 1, bytes.length - 1);
      const expected = text.length > 15 ? null : readInternational(text);
      expect(read).toBe(expected?.number ?? -1);
      if (read >= 0) assigned += 1;
    }
    expect(assigned).toBeGreaterThan(1_000);
  });
});

describe('readPossible', () => {
  test.each<[text: string, start: number, read: string | null]>([
    ['12025550123', 0, 'US fixed_line_or_mobile 12025550123'],
    ['/v1/lookup?number=%2B12025550123', 21, 'US fixed_line_or_mobile 12025550123'],
    ['/v1/lookup?number=%2B12025550123&evidence=true', 21, null],
    ['+12025550123', 0, null],
    ['1202555012', 0, null],
    ['15555550123', 0, 'null unassigned 15555550123'],
    ['447700900123', 0, 'null unassigned 447700900123'],
    ['441624100000', 0, 'IM unassigned 441624100000'],
    ['979000000000', 0, 'null unassigned 979000000000'],
    ['33000000000', 0, null], // begins with a trunk prefix
    ['491512345678901', 0, 'DE unassigned 491512345678901'],
    ['4915123456789012', 0, null],
    ['٤٤٧٧٠٠٩٠٠١٢٣', 0, null],
    ['120255501 3', 0, null],
    ['', 0, null],
    ['1', 0, null],
    ['99912345678', 0, null],
  ])('%j from %i is %s', (text, start, expected) => {
    const read = readPossible(text, start);
    expect(read && `${read.country} ${read.lineType} ${read.number}`).toBe(expected);
    if (start === 0 && read?.lineType === 'unassigned') expect(readInternational(text)).toBeNull();
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
