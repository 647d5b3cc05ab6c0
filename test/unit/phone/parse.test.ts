import { type CountryCode, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, test } from 'vitest';
import { formatE164, isCountry, MAX_INPUT_LENGTH, parseNumber } from '../../../src/phone/parse.ts';

/** The library's example mobile number of a country, as international digits. */
function example(country: CountryCode): string {
  const number = getExampleNumber(country, examples);
  if (number === undefined) throw new Error(`no example number for ${country}`);
  return number.number.slice(1);
}

/** `PH mobile 63…`, or the reason of a refusal. */
function outcome(input: string, country?: string): string {
  const result = parseNumber(input, country);
  if (!result.ok) return result.detail.slice(0, result.detail.indexOf(':'));
  return `${result.value.country} ${result.value.lineType} ${result.value.number}`;
}

function inScript(digits: string, zero: number): string {
  return digits.replace(/\d/g, (digit) => String.fromCharCode(zero + Number(digit)));
}

const PH = example('PH'); // 12 digits: 63, then ten that begin with 9
const national = `0${PH.slice(2)}`;
const grouped = `${PH.slice(2, 5)} ${PH.slice(5, 8)} ${PH.slice(8)}`;

describe('accepted forms', () => {
  test.each<[form: string, input: string, country?: string]>([
    ['E.164', `+${PH}`],
    ['E.164 with its own country', `+${PH}`, 'PH'],
    ['E.164 with another country', `+${PH}`, 'US'],
    ['international digits', PH],
    ['international digits with their country', PH, 'PH'],
    ['international digits with another country', PH, 'US'],
    ['international prefix 00', `00${PH}`],
    ['international prefix 00 with the country', `00${PH}`, 'PH'],
    ['international prefix 00 where it is 011', `00${PH}`, 'US'],
    ['international prefix 011 with US', `011${PH}`, 'US'],
    ['international prefix 0011 with AU', `0011 ${PH}`, 'AU'],
    ['national', national, 'PH'],
    ['national, country in lower case', national, 'ph'],
    ['national without the trunk prefix', PH.slice(2), 'PH'],
    ['empty country, as in ?country=', `+${PH}`, ''],
    ['trunk prefix kept after the calling code', `+63 (0)${grouped}`],
    ['spaces', `+63 ${grouped}`],
    ['hyphens', `+63-${grouped.replaceAll(' ', '-')}`],
    ['dots', `+63.${grouped.replaceAll(' ', '.')}`],
    ['slash after the area code', `+63 ${grouped.replace(' ', '/')}`],
    ['brackets', `+63 (${grouped.replace(' ', ') ')}`],
    ['square brackets', `[+63] ${grouped}`],
    ['bracket before the plus', `(+63) ${grouped}`],
    ['half a pair of brackets', `+63 ${grouped})`],
    ['no-break spaces', `+63\u00a0${grouped.replaceAll(' ', '\u00a0')}`],
    ['thin, narrow and ideographic spaces', `+63\u2009${grouped.replace(' ', '\u202f').replace(' ', '\u3000')}`],
    ['unicode dashes', `+63\u2011${grouped.replace(' ', '\u2013').replace(' ', '\u2212')}`],
    ['katakana dashes', `+63\u30fc${grouped.replaceAll(' ', '\u30fc')}`],
    [
      'full-width digits, plus and hyphens',
      `\uff0b${inScript(PH, 0xff10).slice(0, 2)}\uff0d${inScript(PH, 0xff10).slice(2)}`,
    ],
    ['Arabic-Indic digits', `+${inScript(PH, 0x660)}`],
    ['Extended Arabic-Indic digits', `+${inScript(PH, 0x6f0)}`],
    ['Arabic-Indic national', inScript(national, 0x660), 'PH'],
    ['bidi embedding around it', `\u202a+${PH}\u202c`],
    ['bidi isolates and marks', `\u200e\u2066+63 ${grouped}\u2069\u200f`],
    ['zero-width characters inside', `+63\u200b${grouped.replace(' ', '\u200d')}\ufeff`],
    ['byte order mark before clean digits', `\ufeff${PH}`],
    ['white space and line breaks around', `\t +${PH} \r\n`],
    ['trailing punctuation', `+${PH}.`],
    ['tel:', `tel:+${PH}`],
    ['tel: in capitals with separators', `TEL:+63-${grouped.replaceAll(' ', '-')}`],
    ['tel: and a space', `tel: +63 ${grouped}`],
    ['tel: with an extension', `tel:+${PH};ext=1234`],
    ['tel: with a subaddress', `tel:+${PH};isub=1411`],
    ['tel: with an unknown parameter', `tel:+${PH};x-carrier=abc`],
    ['tel: local with context', `tel:${PH.slice(2)};phone-context=+63`],
    ['tel: local with trunk prefix and context', `tel:${national};phone-context=+63`],
    ['tel: with a context in capitals, and an extension', `tel:${national};ext=5;PHONE-CONTEXT=+6-3`],
    ['tel: global, context without effect', `tel:+${PH};phone-context=+44`],
    ['tel: national with country', `tel:${national}`, 'PH'],
    ['tel: 00', `tel:00${PH}`],
    ['an extension', `+${PH} ext. 5`],
    ['an extension as in a tel: URI', `+${PH};ext=5`],
    ['an extension in full', `+${PH}, Extension: 1234567`],
    ['extn', `+${PH} extn 12`],
    ['an extension by an x alone', `+${PH}x5`],
    ['an extension by an x and a space', `+${PH} x 5 `],
    ['an extension of a national number', `${national} ext 5`, 'PH'],
    ['padding of spaces', `${' '.repeat(1000)}+${PH}${' '.repeat(1000)}`],
    ['padding of invisible characters', `+${PH}${'\u200b\u2060'.repeat(1000)}`],
    ['padding inside', `+63${'-'.repeat(1000)}${grouped}${'\u00a0'.repeat(1000)}`],
    ["a spreadsheet's decimals", `${PH}.0`],
    ["a spreadsheet's commas", `${PH.slice(0, 3)},${PH.slice(3, 6)},${PH.slice(6, 9)},${PH.slice(9)}`],
  ])('%s', (_form, input, country) => {
    expect(outcome(input, country)).toBe(`PH mobile ${PH}`);
  });

  test.each<[what: string, input: string, expected: string, country?: string]>([
    ['NANP by area code: US', '+1 202 555 0123', 'US fixed_line_or_mobile 12025550123'],
    ['NANP by area code: CA', '+1 403 555 0123', 'CA fixed_line_or_mobile 14035550123'],
    ['NANP by area code: BS', `+${example('BS')}`, `BS mobile ${example('BS')}`],
    ['NANP national', '(202) 555-0123', 'US fixed_line_or_mobile 12025550123', 'US'],
    ['NANP national of another country of the plan', '403-555-0123', 'CA fixed_line_or_mobile 14035550123', 'US'],
    ['NANP with trunk prefix', '1 202 555 0123', 'US fixed_line_or_mobile 12025550123', 'US'],
    ['+7 RU', `+${example('RU')}`, `RU mobile ${example('RU')}`],
    ['+7 KZ', `+${example('KZ')}`, `KZ mobile ${example('KZ')}`],
    ['+7 with trunk prefix 8', `8${example('RU').slice(1)}`, `RU mobile ${example('RU')}`, 'RU'],
    ['+44 GB', `+${example('GB')}`, `GB mobile ${example('GB')}`],
    ['+44 GB fixed line with (0)', '+44 (0)20 7946 0018', 'GB fixed_line 442079460018'],
    ['+44 GG', `+${example('GG')}`, `GG mobile ${example('GG')}`],
    ['+44 JE', `+${example('JE')}`, `JE mobile ${example('JE')}`],
    // The lengths of the whole calling code count, not those of the country that it is dialled in.
    ['nine digits with a trunk prefix where there are ten', '0800 781809', 'GB toll_free 44800781809', 'JE'],
    ['the same in IM', '0800 780595', 'GB toll_free 44800780595', 'IM'],
    ['+44 IM by leading digits', '+44 7624 000000', 'IM mobile 447624000000'],
    ['+47 SJ by leading digits', '+47 79 02 00 00', 'SJ fixed_line 4779020000'],
    ['+590 GP for all that share it', `+${example('BL')}`, `GP mobile ${example('GP')}`],
    ['+39 IT, zero kept', '+39 06 0000 0000', 'IT fixed_line 390600000000'],
    ['+39 IT national, zero kept', '06 0000 0000', 'IT fixed_line 390600000000', 'IT'],
    ['+39 VA', '+39 06 698 00000', 'VA fixed_line 390669800000'],
    ['Argentina: 0 and 15 become 9', '011 15-2345-6789', 'AR mobile 5491123456789', 'AR'],
    ['non-geographic toll-free', '+800 1234 5678', 'null toll_free 80012345678'],
    ['non-geographic shared cost', '+808 1234 5678', 'null shared_cost 80812345678'],
    ['toll-free', '+1 800 555 0199', 'US toll_free 18005550199'],
  ])('%s', (_what, input, expected, country) => {
    expect(outcome(input, country)).toBe(expected);
  });
});

describe('digits that are a number both ways', () => {
  const germanMobile = example('DE');
  test.each<[what: string, input: string, country: string, expected: string]>([
    // German 0157 1… and Virginian 571 …
    ['national mobile without trunk prefix beats abroad', '15712345678', 'DE', 'DE mobile 4915712345678'],
    ['the same digits without country', '15712345678', '', 'US fixed_line_or_mobile 15712345678'],
    ['own calling code beats a fixed line without trunk prefix', germanMobile, 'DE', `DE mobile ${germanMobile}`],
    ['trunk prefix keeps it national', `0${germanMobile}`, 'DE', `DE fixed_line 49${germanMobile}`],
    // India has mobile numbers that start with 91 and toll-free numbers of eight digits.
    ['national mobile beats own calling code', '9118001234', 'IN', 'IN mobile 919118001234'],
    // Italy has no trunk prefix, and mobile numbers that start with 39.
    ['without trunk prefixes national wins', '3912345678', 'IT', 'IT mobile 393912345678'],
  ])('%s', (_what, input, country, expected) => {
    expect(outcome(input, country)).toBe(expected);
  });
});

describe('refusals', () => {
  test.each<[reason: string, input: string, country?: string]>([
    ['empty', ''],
    ['empty', ' \t\r\n\u00a0\u200b'],
    ['empty', 'tel:'],
    ['no digits', '+'],
    ['no digits', '--', 'PH'],
    ['no digits', '( )'],
    ['input too long', `+${PH}${' '.repeat(MAX_INPUT_LENGTH)}`],
    ['input too long', '9'.repeat(MAX_INPUT_LENGTH + 1), 'PH'],
    ['letters', '+1 800 FLOWERS'],
    ['letters', `sip:+${PH}@example.org`],
    ['letters', '6.39171E+11'],
    ['letters', 'ＡＢＣ'],
    ['letters', '+𝐀'],
    ['unexpected character', `+${PH}#5`],
    ['unexpected character', `+${PH}*1`],
    ['unexpected character', `+${PH}, +${example('US')}`],
    ['unexpected character', `'+${PH}`],
    ['unexpected character', `tel:%2B${PH}`],
    ['unexpected character', `+${inScript(PH, 0x966)}`], // Devanagari digits are not among those accepted
    ['unexpected character', '\u0000'],
    ['unexpected character', '\ud800'],
    ['leading separator', `-${PH}`],
    ['leading separator', `/${PH}`],
    ['leading separator', `tel://+${PH}`],
    ['leading separator', `-+${PH}`],
    ['misplaced plus sign', `++${PH}`],
    ['misplaced plus sign', `${PH}+`],
    ['several numbers', `00+${PH}`],
    ['several numbers', `+${PH} +${example('US')}`],
    ['several numbers', `+${PH}/+${example('US')}`],
    ['several numbers', `${national}\n${national}`, 'PH'],
    ['several numbers', `${national}\t${national}`, 'PH'],
    ['several numbers', '030 123456/78', 'DE'],
    ['several numbers', '030 123456 / 7', 'DE'],
    ['too long', `${national} ${national}`, 'PH'],
    ['decimal number', '030123456.0', 'DE'],
    ['unknown country parameter', national, 'UK'],
    ['unknown country parameter', national, 'PHL'],
    ['unknown country parameter', national, '63'],
    ['unknown country parameter', national, 'ß'],
    ['unknown country parameter', national, 'constructor'],
    ['unknown country parameter', `+${PH}`, 'ZZ'],
    ['unknown country parameter', `+${PH}`, 'AQ'],
    ['national number without country', national],
    ['national number without country', `tel:${national}`],
    ['national number without country', '0'],
    ['unknown country calling code', '+0917'],
    ['unknown country calling code', '+999 123 4567'],
    ['unknown country calling code', '+9'],
    ['unknown country calling code', '000639'],
    ['too short', '+63'],
    ['too short', '+1 202'],
    ['too short', `+${PH.slice(0, 6)}`],
    ['too short', '9', 'PH'],
    ['too short', '555-0123', 'US'],
    ['too long', `+${PH}${PH}`],
    ['too long', '202 555 0123 99', 'US'],
    ['too long', '+49 0800 123456789012'], // libphonenumber lists German ranges of more than E.164's 15 digits
    ['wrong length', '+63 9171234'],
    // An x hides a digit here, or is that of an extension: in an open plan both can be.
    ['letters', '+49 30 1234x5'],
    ['letters', '+49 30 1234 x56'],
    ['letters', `+${PH} ext`],
    ['letters', `+${PH} ext 12345678`],
    ['letters', `+${PH}xx5`],
    ['letters', `+${PH.slice(0, 8)}xxxx`],
    ['too short', '+1 202 555 x123'],
    ['empty', 'ext 5'],
    ['input too long', `+${PH}${'- '.repeat(100)}`],
    ['tel URI', 'tel:123;phone-context=+49-30-1234'],
    ['unassigned', '+1 555 555 0123'],
    ['unassigned', '(555) 555-0123', 'US'],
    ['unassigned', '+44 7700 900123'], // Ofcom's numbers for drama: reserved, so not assigned
    ['unassigned', '+979 000 000 000'],
    ['tel URI', `tel:${national};phone-context=example.org`],
    ['tel URI', `tel:${national};phone-context=`],
    ['tel URI', `tel:${national};phone-context=63`],
    ['tel URI', `tel:${national};phone-context=+63;phone-context=+1`],
    ['tel URI', `tel:+${PH};m-route=1`],
  ])('%s: %j %s', (reason, input, country) => {
    expect(outcome(input, country)).toBe(reason);
    expect(parseNumber(input, country)).toMatchObject({ ok: false, code: 'invalid-number' });
  });

  test.each<[input: string, country: string | undefined, detail: string]>([
    ['+1 202', undefined, 'too short: 3 digits without prefixes, expected 7 or 10 in calling code +1'],
    ['9', 'US', 'too short: 1 digit without prefixes, expected 10 in country US'],
    ['+33 5', undefined, 'too short: 1 digit without prefixes, expected 9 in country FR'],
    ['+33 0 00 00 00 00', undefined, 'unassigned: the number is not in any assigned range of country FR'],
    ['12a', undefined, 'letters: expected digits, without vanity words, names or extensions'],
    [
      '12_3',
      undefined,
      'unexpected character: position 3 is neither a digit nor the usual punctuation (space, . - / and brackets)',
    ],
    ['1', 'USA', 'unknown country parameter: expected an ISO 3166-1 alpha-2 code with a number plan, such as PH or GB'],
  ])('%j with %s says what was expected', (input, country, detail) => {
    const isUnassigned = detail.startsWith('unassigned:') ? { isUnassigned: true } : {};
    expect(parseNumber(input, country)).toEqual({ ok: false, code: 'invalid-number', detail, ...isUnassigned });
  });
});

describe('countries', () => {
  test.each(['PH', 'ph', 'Gb', 'XK', 'AC', 'TA', 'GG'])('%s is one', (code) => expect(isCountry(code)).toBe(true));
  test.each(['', 'UK', 'P', 'PHL', '63', '001', 'ß', 'AQ', 'ZZ', ' PH', '__proto__', 'constructor'])(
    '%j is none',
    (code) => expect(isCountry(code)).toBe(false),
  );
});

describe('formatE164', () => {
  test('round-trips with the integer', () => {
    for (const e164 of ['+639171234567', '+390600000000', '+80012345678', '+12025550123', '+491512345678901']) {
      expect(formatE164(Number(e164.slice(1)))).toBe(e164);
    }
  });

  test.each([0, -1, 1.5, 1e15, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d without naming it', (value) => {
    expect(() => formatE164(value)).toThrow('expected E.164 digits as an integer of 1 to 15 digits');
  });
});
