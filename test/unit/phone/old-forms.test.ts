import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNumber } from '../../../src/phone/parse.ts';
import { readInternational } from '../../../src/phone/plan.ts';
import { samplesOfEveryRange } from './corpus.ts';

const RUNS = { seed: 5, numRuns: 2_000 };

function read(input: string, country?: string): number | string {
  const result = parseNumber(input, country);
  return result.ok ? result.value.number : result.detail.slice(0, result.detail.indexOf(':'));
}

describe('forms that the plans have dropped', () => {
  test.each<[written: string, number: number, country?: string]>([
    ['+52 1 55 1234 5678', 525512345678],
    ['+5215512345678', 525512345678],
    ['5215512345678', 525512345678],
    ['5215512345678', 525512345678, 'MX'],
    ['5215512345678', 525512345678, 'GB'],
    ['+52 1 55 1234 5678', 525512345678, 'US'],
    ['+52 044 55 1234 5678', 525512345678],
    ['+52 01 55 1234 5678', 525512345678],
    ['044 55 1234 5678', 525512345678, 'MX'],
    ['045 55 1234 5678', 525512345678, 'MX'],
    ['01 55 1234 5678', 525512345678, 'MX'],
    ['tel:+52-1-55-1234-5678', 525512345678],
    ['+54 9 11 15 2345-6789', 5491123456789],
    ['+54 9 011 15 2345-6789', 5491123456789],
    ['9 11 15 2345-6789', 5491123456789, 'AR'],
    ['+54 9 2966 15 412345', 5492966412345],
    ['+54 11 15 2345-6789', 5491123456789],
    ['+55 31 8123-4567', 5531981234567],
    ['+55 21 6123-4567', 5521961234567],
    ['(31) 9123-4567', 5531991234567, 'BR'],
    ['031 8123-4567', 5531981234567, 'BR'],
    ['+55 (0)31 8123-4567', 5531981234567],
    ['+229 97 00 00 00', 2290197000000],
    ['97 00 00 00', 2290197000000, 'BJ'],
  ])('%s is %i %s', (written, number, country) => expect(read(written, country)).toBe(number));

  test.each<[what: string, written: string, outcome: number | string, country?: string]>([
    ['an Argentinian number without 9 and 15 is a fixed line', '+54 11 2345 6789', 541123456789],
    ['a Brazilian one with a 7 has eight digits', '+55 11 7123-4567', 551171234567],
    ['a Brazilian fixed line gets no 9', '+55 31 3123-4567', 553131234567],
    ['a Mexican one with too few digits', '+52 1 55 1234 567', 525512345671, 'never'],
    ['1 and ten digits without a calling code are North American', '1 551 234 5678', 15512345678, 'MX'],
    // Denmark has it as it stands, and Brazil had it.
    ['a number of today comes first', '45 8123 4567', 4581234567, 'BR'],
    ['ten digits after +52 1 that are no number', '+52 1 000 000 0000', 'too long'],
  ])('%s', (_what, written, outcome, country) => {
    if (country === 'never') expect(read(written)).not.toBe(outcome);
    else expect(read(written, country)).toBe(outcome);
  });
});

test('no number of any plan of today has such a form, and each form is read as a number of its country', () => {
  const samples = samplesOfEveryRange(30, RUNS.seed).filter(({ digits }) => readInternational(digits) !== null);
  for (const { digits } of samples) expect(read(`+${digits}`)).toBe(Number(digits));
  const mobiles = (plan: string, pattern: RegExp) =>
    fc.constantFrom(
      ...samples.filter((one) => one.plan === plan && pattern.test(one.digits)).map(({ digits }) => digits),
    );
  const forms: [numbers: fc.Arbitrary<string>, old: (digits: string) => string[]][] = [
    [mobiles('MX', /^52/), (d) => ['1', '01', '044', '045'].map((prefix) => `+52 ${prefix} ${d.slice(2)}`)],
    [mobiles('AR', /^54911/), (d) => [`+54911 15 ${d.slice(5)}`, `+54 11 15 ${d.slice(5)}`]],
    [mobiles('BR', /^55\d\d9[689]\d{7}$/), (d) => [`+${d.slice(0, 4)} ${d.slice(5)}`]],
    [mobiles('BJ', /^22901/), (d) => [`+229 ${d.slice(5)}`]],
  ];
  for (const [numbers, old] of forms) {
    fc.assert(
      fc.property(numbers, (digits) => {
        for (const written of old(digits)) expect(read(written), written).toBe(Number(digits));
      }),
      RUNS,
    );
  }
}, 60_000);
