/**
 * Numbers of possible length in no range that the metadata knows: read where they are asked about, and nowhere else.
 */
import { describe, expect, test } from 'vitest';
import { parseNumber, parsePossible, readClean, readingsOf } from '../../../src/phone/parse.ts';
import type { ParseResult } from '../../../src/phone/phone-number.ts';

function outcome(read: ParseResult): string {
  if (!read.ok) return read.detail.slice(0, read.detail.indexOf(':'));
  const { country, lineType, number } = read.value;
  return `${country} ${lineType} ${number}`;
}

/** Reserved for fiction, or in no range: Ofcom's numbers for drama, North America's 555 as an area code. */
const GB = '447700900123';
const NANP = '15555550123';

describe('an unassigned number', () => {
  test.each<[what: string, text: string, read: string, country?: string]>([
    ['E.164', `+${GB}`, `null unassigned ${GB}`],
    ['with punctuation', '+44 7700-900.123', `null unassigned ${GB}`],
    ['digits of other scripts', '+٤٤٧٧٠٠٩٠٠١٢٣', `null unassigned ${GB}`],
    ['without a plus', GB, `null unassigned ${GB}`],
    ['international prefix 00', `00${GB}`, `null unassigned ${GB}`],
    ['a trunk prefix after the calling code', '+44 (0)7700 900123', `null unassigned ${GB}`],
    ['tel:', `tel:+${GB}`, `null unassigned ${GB}`],
    ['tel: with context', 'tel:07700900123;phone-context=+44', `null unassigned ${GB}`],
    ['an extension', `+${GB} ext 5`, `null unassigned ${GB}`],
    ['a spreadsheet', `${GB}.0`, `null unassigned ${GB}`],
    ['national', '07700 900123', `null unassigned ${GB}`, 'GB'],
    ['national, in another country of the plan', '07700 900123', `null unassigned ${GB}`, 'JE'],
    ['E.164, with a country', `+${GB}`, `null unassigned ${GB}`, 'US'],
    ['the calling code of the country, without a plus', GB, `null unassigned ${GB}`, 'GB'],
    ['North America', '(555) 555-0123', `null unassigned ${NANP}`, 'US'],
    ['leading digits that decide the country', '+44 1624 100000', 'IM unassigned 441624100000'],
    ['a calling code of one country', '+33 0 00 00 00 00', 'FR unassigned 33000000000'],
    ['a calling code of none', '+979 000 000 000', 'null unassigned 979000000000'],
  ])('%s: %j', (_what, text, expected, country) => {
    expect(outcome(parsePossible(text, country))).toBe(expected);
    // What is not asked about must be assigned; the refusal is counted.
    expect(parseNumber(text, country)).toMatchObject({ ok: false, isUnassigned: true });
    const readings = readingsOf(text, country, false);
    expect(readings).toMatchObject({ ok: true, values: [{ lineType: 'unassigned' }] });
  });

  test.each([
    ['011', 'US'],
    ['00', 'NL'],
    ['00', 'US'],
  ])('with the international prefix %s in %s', (prefix, country) => {
    const text = `${prefix} ${GB}`;
    expect(outcome(parsePossible(text, country))).toMatch(/^null unassigned/);
    expect(parseNumber(text, country).ok).toBe(false);
  });

  test.each<[what: string, text: string, reason: string, country?: string]>([
    ['too short', '+44 7700 90', 'too short'],
    ['too long for its plan', '+1 555 555 01234', 'too long'],
    ['too long for any number', '+49 0800 123456789012', 'too long'],
    // Only Canada has numbers of seven digits, and only some.
    ['a number without its area code', '+1 555 0123', 'unassigned'],
    ['a number without its area code, in Canada', '555-0123', 'unassigned', 'CA'],
    ['a number with a digit hidden', '+49 30 1234x5', 'letters'],
    // As digits without a plus or prefix anything is possible somewhere.
    ['a number of another country, without a plus', GB, 'too long', 'US'],
    ['a national number, its country unknown', '07700 900123', 'national number without country'],
  ])('%s is none: %j', (_what, text, reason, country) => {
    expect(outcome(parsePossible(text, country))).toBe(reason);
    expect(parseNumber(text, country)).toEqual(parsePossible(text, country));
  });
});

describe('an assigned number comes first', () => {
  test.each<[what: string, text: string, read: string, country?: string]>([
    ['an old form', '+55 31 8123-4567', 'BR mobile 5531981234567'],
    ['an old form at home', '97 00 00 00', 'BJ mobile 2290197000000', 'BJ'],
    ['an old form without a plus', '22997000000', 'BJ mobile 2290197000000'],
    ['digits of another country, without a plus', '442079460018', 'GB fixed_line 442079460018', 'NL'],
    ['national rather than international', '015712345678', 'DE mobile 4915712345678', 'DE'],
  ])('%s: %j', (_what, text, expected, country) => {
    expect(outcome(parsePossible(text, country))).toBe(expected);
    expect(parseNumber(text, country)).toEqual(parsePossible(text, country));
  });

  test('than of the digits of an old form', () => {
    expect(readClean('553181234567', 0)).toBeNull();
    expect(readClean('22997000000', 0)).toBeNull();
  });
});

describe('of a text with several readings', () => {
  const values = (text: string, country: string | undefined, plusMayBeLost: boolean) => {
    const read = readingsOf(text, country, plusMayBeLost);
    return read.ok ? read.values.map((value) => outcome({ ok: true, value })) : [];
  };

  test('those that are assigned are meant, if there are any', () => {
    // Ten digits of the United States, or of Egypt after a lost plus.
    const text = ' 2025550123';
    expect(values(text, 'US', true)).toEqual(['US fixed_line_or_mobile 12025550123']);
    expect(outcome(parsePossible('+2025550123'))).toBe('EG unassigned 2025550123');
  });

  test('all that are unassigned are, if none is assigned', () => {
    expect(values(' 5555550123', 'US', true)).toEqual([`null unassigned ${NANP}`, 'BR unassigned 5555550123']);
  });

  test('the digits after an assigned number make no unassigned one', () => {
    expect(values('+39 347 1234567 ext 8', undefined, false)[0]).toBe('IT mobile 393471234567');
    expect(values('+1 202 555 0123 ext 5', undefined, false)).toEqual(['US fixed_line_or_mobile 12025550123']);
    const text = '+372 5123 4567 ext 00';
    expect(outcome(parsePossible('+372 5123 4567 00'))).toMatch(/unassigned|too long/);
    expect(values(text, undefined, false)).toEqual(['EE mobile 37251234567']);
  });

  test('those after an unassigned number are read, so that they hide no listed one', () => {
    const [own, ...others] = values('+62 8121234 ext 5678', undefined, false);
    expect(own).toMatch(/^ID unassigned 628121234$/);
    expect(others).toEqual(['ID mobile 6281212345678']);
  });
});
