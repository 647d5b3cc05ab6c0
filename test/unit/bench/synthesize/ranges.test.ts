import { describe, expect, it } from 'vitest';
import { Random } from '../../../../bench/support/random.ts';
import { BLOCK_NUMBERS, completePrefixes, mobileRanges } from '../../../../bench/synthesize/number-ranges.ts';
import { type ValidationContext, validateLine } from '../../../../src/ingest/validate.ts';
import { parseNumber } from '../../../../src/phone/parse.ts';
import { DEFAULT_LEVELS } from '../../../../src/policy/ageing.ts';
import { fortnight, inventory } from './small.ts';

describe('completePrefixes', () => {
  it.each([
    ['5[1-36]\\d{3}', 5, ['51', '52', '53', '56']],
    ['(?:1|2\\d)\\d{3,4}|3[0-9]{3}', 5, ['1', '2']],
    ['[0-9]\\d{4}', 5, ['']],
    ['4(?:0?1)?\\d{3}', 6, ['401']],
    ['12\\d\\d', 5, []],
  ])('finds where %s leaves three or more of %i digits free', (pattern, length, prefixes) => {
    expect(completePrefixes(pattern, length, 3).map(({ prefix }) => prefix)).toEqual(prefixes);
  });

  it('refuses what it does not know', () => {
    expect(() => completePrefixes('1(?=2)\\d', 2, 0)).toThrow('expected a number pattern; found ?=2)');
  });
});

describe('mobileRanges', () => {
  const ranges = mobileRanges();

  it('covers 237 countries', () => {
    expect(ranges.length).toBe(237);
    expect(new Set(ranges.map(({ country }) => country)).size).toBe(237);
  });

  it('holds none but mobile numbers of its country, 200 of each tried', () => {
    const random = new Random(1);
    for (const range of ranges) {
      for (let i = 0; i < 200; i++) {
        const number = range.firstNumber(random.below(range.blocks)) + random.below(BLOCK_NUMBERS);
        const parsed = parseNumber(`+${number}`);
        expect(parsed).toMatchObject({ ok: true, value: { number, country: range.country } });
        expect(parsed.ok && parsed.value.lineType).toMatch(/^(mobile|fixed_line_or_mobile)$/);
      }
    }
  });
});

describe('every row', () => {
  it('is accepted as a detection', () => {
    const context: ValidationContext = { nowMs: Date.UTC(2025, 5, 1), labels: new Set(Object.keys(DEFAULT_LEVELS)) };
    const text = (seconds: number): string => new Date(seconds * 1000).toISOString();
    for (const { firstSeenAt, observedAt, number, ...rest } of [...inventory, ...fortnight]) {
      const raw = { ...rest, number: `+${number}`, firstSeen: text(firstSeenAt), observedAt: text(observedAt) };
      expect(validateLine(raw, context)).toMatchObject({ number, firstSeenAt, observedAt, channel: rest.channel });
    }
  });
});
