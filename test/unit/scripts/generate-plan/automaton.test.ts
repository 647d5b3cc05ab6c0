/**
 * The compiler of number plans, on patterns that are made up: it accepts what RegExp does, and nothing it does not
 * know.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../../scripts/generate-plan/automaton.ts';
import { encode } from '../../../../scripts/generate-plan/encode.ts';
import type { CallingCode, Plan, Range } from '../../../../scripts/generate-plan/metadata.ts';
import { Patterns, parsePattern } from '../../../../scripts/generate-plan/pattern.ts';
import { LINE_TYPES } from '../../../../src/phone/phone-number.ts';
import { CODE_SHIFT, COUNTRY_SHIFT, LINE_TYPE_MASK, MAY_BE_REWRITTEN, Table } from '../../../../src/phone/table.ts';

const digit = fc.integer({ min: 0, max: 9 }).map(String);
const digits = fc.string({ unit: digit, minLength: 1, maxLength: 12 });
const digitClass = fc
  .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), digit)
  .map(([a, b, more]) => `[${Math.min(a, b)}-${Math.max(a, b)}${more}]`);

/** Patterns as the metadata has them. */
const { pattern } = fc.letrec<{ pattern: string; sequence: string; part: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((options) => options.join('|')),
  sequence: fc.array(tie('part'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
  part: fc
    .tuple(
      fc.oneof(
        { maxDepth: 2, withCrossShrink: true },
        digit,
        fc.constant('\\d'),
        digitClass,
        tie('pattern').map((inner) => `(?:${inner})`),
        tie('pattern').map((inner) => `(${inner})`),
      ),
      fc.constantFrom('', '', '', '?', '{2}', '{0,2}', '{1,3}'),
    )
    .map(([atom, times]) => atom + times),
}));

function matchedBy(patterns: Patterns, text: string): Set<number> {
  let set = patterns.start();
  for (const one of text) set = patterns.step(set, Number(one));
  return patterns.matches(set);
}

describe('patterns', () => {
  it('match what RegExp matches', () => {
    let matching = 0;
    fc.assert(
      fc.property(pattern, pattern, fc.array(digits, { minLength: 20, maxLength: 20 }), (one, other, texts) => {
        const patterns = new Patterns();
        const [entire, beginning] = [patterns.addEntire(one), patterns.addBeginning(other)];
        const own = fc.sample(fc.stringMatching(new RegExp(`^(?:${one})$`)), { numRuns: 5, seed: 1 });
        for (const text of [...texts, ...own.filter((sample) => sample !== '')]) {
          const matched = matchedBy(patterns, text);
          expect(matched.has(entire), `${one} ${text}`).toBe(new RegExp(`^(?:${one})$`).test(text));
          // One digit or more: a match of nothing says nothing.
          expect(matched.has(beginning), `${other} ${text}`).toBe(new RegExp(`^(?:${other})(?<!^)`).test(text));
          if (matched.size > 0) matching++;
        }
      }),
      { numRuns: 200, seed: 7 },
    );
    expect(matching).toBeGreaterThan(500);
  });

  it.each(['([457]\\d{6})$|1', '(000[2569]\\d{4,6})$|(?:(?:003768)0?)|0', '0?(?:(1|2)15)?'])(
    'may end where the number does: %s',
    (source) => {
      const patterns = new Patterns();
      patterns.addBeginning(source);
      const expected = new RegExp(`^(?:${source})(?<!^)`);
      fc.assert(
        fc.property(digits, (text) => {
          expect(matchedBy(patterns, text).size === 1).toBe(expected.test(text));
        }),
        { numRuns: 2_000, seed: 7 },
      );
    },
  );

  it.each([
    '1*',
    '1+',
    '.',
    '[^1]',
    '(?=1)2',
    '(?!1)2',
    '(?<!1)2',
    '^1',
    '1$2',
    '(?:1$)2',
    '(?:1$)?',
    '(1|2$){2}',
    '1{2,}',
    '1{3,2}',
    '[2-1]',
    '[1',
    '(1',
    '1)',
    '1??',
    '\\w',
    '\\d\\D',
    'a',
    '(?<name>1)',
    '(1)\\1',
    ' 1',
  ])('of an unknown kind stop the script: %s', (source) => {
    expect(() => parsePattern(source)).toThrow(/^expected .* of the pattern "/);
  });
});

describe('the automaton, as it is unpacked', () => {
  const range = (lineType: Range['lineType'], source: string, lengths: readonly number[]): Range => ({
    lineType,
    pattern: source,
    lengths,
  });
  const plan = (country: string | null, more: Partial<Plan>): Plan => ({
    ...{ country, pattern: '\\d{4,8}', lengths: [4, 5, 6, 7, 8], leadingDigits: null, ranges: [] },
    fixedLineIsMobile: false,
    ...more,
  });
  const one: CallingCode = {
    code: '77',
    prefix: '0',
    plans: [
      plan('AA', { ranges: [range('fixed_line', '[1-3]\\d{4,6}', [5, 7]), range('mobile', '[3-5]\\d{4,6}', [5])] }),
      plan('BB', { leadingDigits: '9', ranges: [range('voip', '9\\d{5}', [6])] }),
    ],
  };
  const none: CallingCode = { code: '8', prefix: null, plans: [plan(null, { ranges: [range('uan', '\\d{5}', [5])] })] };
  const both: CallingCode = {
    code: '779',
    prefix: null,
    plans: [plan('CC', { fixedLineIsMobile: true, ranges: [range('fixed_line', '5\\d{4}', [5])] })],
  };

  const tableOf = (codes: readonly CallingCode[]): Table => {
    const { verdicts, ...encoded } = encode(compile(codes));
    const callingCodes = codes
      .map(({ code, plans }) => code + plans.flatMap(({ country }) => country ?? []).join(','))
      .join(';');
    return new Table({ ...encoded, verdicts: verdicts.join(' '), callingCodes });
  };
  const said = (table: Table, text: string): string => {
    const read = table.read(text, 0, text.length);
    if (read === -1) return 'nothing';
    const type = LINE_TYPES[(read & LINE_TYPE_MASK) - 1] ?? 'none';
    const country = (read >>> COUNTRY_SHIFT) & 0b1_1111;
    return `+${table.code(read >>> CODE_SHIFT)?.code} ${type} ${country}${read & MAY_BE_REWRITTEN ? ' rewritten' : ''}`;
  };

  it.each([
    ['7712345', '+77 fixed_line 1'],
    ['771234567', '+77 fixed_line 1'],
    ['77123456', '+77 none 0'], // of a length that the type does not have
    ['7732345', '+77 fixed_line_or_mobile 1'],
    ['773234567', '+77 fixed_line 1'],
    ['7742345', '+77 mobile 1'],
    ['7762345', '+77 none 0'],
    ['77912345', '+77 voip 2'],
    ['7791234', '+77 none 2'], // the leading digits decide, whatever follows
    ['77012345', '+77 none 0 rewritten'],
    ['7701', '+77 none 0 rewritten'],
    ['812345', '+8 uan 0'],
    ['8123456', '+8 none 0'],
    ['8123', '+8 none 0'],
    ['812', 'nothing'],
    ['6123456', 'nothing'],
    ['77a2345', 'nothing'],
    ['771234x', 'nothing'],
    ['', 'nothing'],
    [`77${'1'.repeat(40)}`, '+77 none 0'],
  ])('says of %s: %s', (text, expected) => expect(said(tableOf([one, none]), text)).toBe(expected));

  it('tells calling codes apart, whichever is read first', () => {
    const expected = { 7712345: '+77 fixed_line 1', 812345: '+8 uan 0', 65552345: '+655 fixed_line_or_mobile 0' };
    const codes = [one, none, { ...both, code: '655' }];
    for (const order of [Object.keys(expected), Object.keys(expected).reverse()]) {
      const table = tableOf(codes);
      expect(Object.fromEntries(order.map((text) => [text, said(table, text)]))).toEqual(expected);
    }
  });

  it('has too many verdicts for its bits: the script stops', () => {
    const plans = Array.from({ length: 40 }, (_, i) =>
      plan(`${String.fromCharCode(65 + (i % 26))}${Math.floor(i / 26)}`, {
        ranges: [range('uan', `${10 + i}\\d{3}`, [5])],
      }),
    );
    expect(() => tableOf([{ code: '9', prefix: null, plans }])).toThrow('a verdict does not fit into its bits');
  });
});
