import { type PhoneNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import metadata from 'libphonenumber-js/max/metadata';
import { describe, expect, test } from 'vitest';
import { formatE164, parseNumber } from '../../../src/phone/parse.ts';
import { MAX_E164_DIGITS } from '../../../src/phone/phone-number.ts';
import { countriesOf, trunkPrefixOf } from '../../../src/phone/plan.ts';
import { type Sample, samplesOfEveryRange } from './corpus.ts';

const SEED = 7;
const TRIED_PER_RANGE = 100;
const KEPT_PER_RANGE = 5;

/**
 * Where a number as dialled at home is also another one: toll-free numbers that start with the country's international
 * prefix (00 800 …, 001 800 …) and Gabon's mobile numbers of before 2019, whose 0 has become a digit of the new ones.
 * libphonenumber reads them the same way.
 */
const NATIONAL_FORMAT_AMBIGUOUS = ['BG TOLL_FREE', 'GA MOBILE', 'PA TOLL_FREE', 'QA TOLL_FREE', 'TH TOLL_FREE'];

interface Example extends Sample {
  readonly library: PhoneNumber;
}

/** Up to five numbers of each line type of each plan, all of which the library finds in that very plan and type. */
function examples(): { kept: Example[]; without: Sample[] } {
  const byRange = new Map<string, Example[]>();
  const tried = new Map<string, Sample>();
  for (const sample of samplesOfEveryRange(TRIED_PER_RANGE, SEED)) {
    const range = `${sample.plan} ${sample.type}`;
    const kept = byRange.get(range) ?? [];
    byRange.set(range, kept);
    tried.set(range, sample);
    const library = parsePhoneNumberFromString(`+${sample.digits}`);
    if (kept.length === KEPT_PER_RANGE || !library?.isValid() || library.number.length > 1 + MAX_E164_DIGITS) continue;
    // A plan that does not tell fixed lines from mobiles has both in one.
    const type = library.getType() === 'FIXED_LINE_OR_MOBILE' ? 'FIXED_LINE' : library.getType();
    const inPlan = (library.country ?? library.countryCallingCode) === sample.plan;
    if (inPlan && type === sample.type && library.number === `+${sample.digits}`) kept.push({ ...sample, library });
  }
  return {
    kept: [...byRange.values()].flat(),
    without: [...tried].filter(([range]) => byRange.get(range)?.length === 0).map(([, sample]) => sample),
  };
}

const { kept, without } = examples();

function inScript(digits: string, zero: number): string {
  return digits.replace(/\d/g, (digit) => String.fromCharCode(zero + Number(digit)));
}

/** All international spellings, by name. */
function spellings({ digits, library }: Example): Record<string, string> {
  const spaced = library.formatInternational();
  return {
    e164: `+${digits}`,
    digits,
    'international prefix': `00${digits}`,
    spaced,
    'no-break spaces': spaced.replace(/ /g, '\u00a0'),
    hyphens: spaced.replace(/ /g, '-'),
    'en dashes': spaced.replace(/[ -]/g, '\u2013'),
    brackets: spaced.replace(/^(\S+) (\S+)/, '($1) [$2]'),
    'full width': inScript(spaced, 0xff10).replace('+', '\uff0b'),
    'Arabic-Indic': inScript(digits, 0x660),
    'Extended Arabic-Indic': inScript(spaced, 0x6f0),
    pasted: `\u202a${spaced}\u202c\n`,
    'tel URI': library.getURI(),
    'tel URI with context': `tel:${library.nationalNumber};phone-context=+${library.countryCallingCode}`,
  };
}

describe('numbers of every line type of every plan', () => {
  test('there are examples of every range but those that another plan has first', () => {
    expect(new Set(kept.map((example) => example.callingCode)).size).toBe(
      Object.keys({ ...metadata.country_calling_codes, ...metadata.nonGeographic }).length,
    );
    for (const { plan, callingCode, type } of without) {
      // In Chile and Mexico the same numbers are fixed lines and mobiles, and count as the former here.
      expect(countriesOf(callingCode).length > 1 || type === 'MOBILE', `${plan} ${type}`).toBe(true);
    }
    console.log(`spellings.test: ${kept.length} examples; ${without.length} ranges belong to another plan first`);
  });

  test('parse to their country and type in every spelling', () => {
    for (const example of kept) {
      const expected = {
        ok: true,
        value: {
          number: Number(example.digits),
          country: example.library.country ?? null,
          lineType: example.library.getType()?.toLowerCase(),
        },
      };
      for (const [spelling, input] of Object.entries(spellings(example))) {
        expect(parseNumber(input), `${example.plan} ${example.type} ${spelling}`).toEqual(expected);
      }
      expect(formatE164(expected.value.number)).toBe(`+${example.digits}`);
    }
  });

  test('parse in their national format with their country', () => {
    const differing = new Set<string>();
    for (const { library, digits, plan, type } of kept) {
      if (library.country === undefined) continue;
      const parsed = parseNumber(library.formatNational(), library.country);
      if (!parsed.ok || parsed.value.number !== Number(digits)) differing.add(`${plan} ${type}`);
    }
    expect([...differing].sort()).toEqual(NATIONAL_FORMAT_AMBIGUOUS);
  });

  test('parse as international digits beside their country, but where the national reading wins', () => {
    for (const { library, digits } of kept) {
      const { country } = library;
      if (country === undefined) continue;
      const parsed = parseNumber(digits, country);
      if (!parsed.ok) throw new Error(`refused a ${library.getType()} number of ${country}: ${parsed.detail}`);
      if (parsed.value.number === Number(digits)) continue;
      expect(formatE164(parsed.value.number)).toBe(parsePhoneNumberFromString(digits, country)?.number);
      expect(trunkPrefixOf(country) === null || parsed.value.lineType === 'mobile', country).toBe(true);
    }
  });
});
