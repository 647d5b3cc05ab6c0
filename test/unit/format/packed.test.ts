import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/format/frame.ts';
import { FieldReader, type PackedField, packedWords, packField, rankBytes } from '../../../src/format/packed.ts';

function pack(values: readonly number[]): PackedField {
  return packField(Float64Array.from(values));
}

function read(values: readonly number[]): number[] {
  const reader = new FieldReader(pack(values), values.length);
  return values.map((_, rank) => reader.at(rank));
}

function sizeBytes({ words, exceptionWords, ranks }: PackedField): number {
  return words.byteLength + exceptionWords.byteLength + rankBytes(ranks.length);
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 7 }) },
  { weight: 2, arbitrary: fc.nat({ max: 2 ** 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 + 5 }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);

describe('packed field', () => {
  test('is read by rank as it was written', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 400 }), fc.boolean(), (values, isHigh) => {
        // Values far from zero, as days are.
        const written = isHigh ? values.map((each) => 2 ** 53 - 1 - each) : values;
        expect(read(written)).toEqual(written);
        const { width, words, exceptionWidth, exceptionWords, ranks } = pack(written);
        expect(words).toHaveLength(packedWords(written.length, width));
        expect(exceptionWords).toHaveLength(packedWords(ranks.length, exceptionWidth));
      }),
      { numRuns: 300 },
    );
  });

  test.each([31, 32, 33, 34, 52, 53])('exceptions of %i bits', (bits) => {
    const values = Array.from({ length: 100 }, (_, i) => (i % 40 === 7 ? 2 ** bits - 1 - i : 0));
    expect(pack(values)).toMatchObject({ width: 0, exceptionWidth: bits });
    expect(read(values)).toEqual(values);
  });

  test('has the width that takes the fewest bits', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const { base, width, exceptionWidth, ranks } = pack(values);
        expect(base).toBe(Math.min(...values));
        const longest = Math.ceil(Math.log2(Math.max(...values) - base + 1));
        const exceptions = (w: number) => values.filter((each) => each - base >= 2 ** w).length;
        const cost = (w: number) => values.length * w + exceptions(w) * (16 + longest);
        const costs = Array.from({ length: 33 }, (_, w) => cost(w));
        expect(cost(width)).toBe(Math.min(...costs));
        // Of widths that cost the same, the largest.
        expect(width).toBe(costs.lastIndexOf(cost(width)));
        expect(Array.from(ranks)).toEqual(values.flatMap((each, rank) => (each - base >= 2 ** width ? [rank] : [])));
        expect(exceptionWidth).toBe(ranks.length > 0 ? longest : 0);
      }),
    );
  });

  test('of widths that cost the same, the largest', () => {
    // 18 values of which two take two bits: 18 * 2 bits, or two exceptions of 16 + 2.
    const values = Array.from({ length: 18 }, (_, i) => (i % 9 === 4 ? 3 : 0));
    expect(pack(values)).toMatchObject({ width: 2, exceptionWidth: 0 });
    expect(pack([...values, 0])).toMatchObject({ width: 0, exceptionWidth: 2 });
  });

  test('values whose bits are all ones are told from exceptions', () => {
    const values = Array.from({ length: 200 }, (_, i) => (i % 50 === 3 ? 9_000_000 + i : i % 4));
    const field = pack(values);
    expect([field.width, field.exceptionWidth]).toEqual([2, 24]);
    expect(Array.from(field.ranks)).toEqual([3, 53, 103, 153]);
    expect(read(values)).toEqual(values);
  });

  test('equal values take no bits; one far value of many takes its bits and its rank', () => {
    const equal = new Array(1000).fill(20_458);
    expect(pack(equal)).toMatchObject({ base: 20_458, width: 0, exceptionWidth: 0 });
    expect(sizeBytes(pack(equal))).toBe(8);
    expect(sizeBytes(pack([...equal, 99_999]))).toBe(16);
    expect(read([...equal, 99_999]).at(-1)).toBe(99_999);
  });

  /** Four values of two bits, 0, 3, 0, 3, of which the second is an exception: 9 in four bits. */
  const good: PackedField = {
    ...{ base: 0, width: 2, words: Uint32Array.from([0b1100_1100, 0]) },
    ...{ exceptionWidth: 4, exceptionWords: Uint32Array.from([9, 0]), ranks: Uint16Array.from([1]) },
  };

  test('what is refused is refused for that reason', () => {
    const reader = new FieldReader(good, 4);
    expect([0, 1, 2, 3].map((rank) => reader.at(rank))).toEqual([0, 9, 0, 3]);
  });

  test.each<[string, Partial<PackedField>]>([
    ['a base that is not a number', { base: Number.NaN }],
    ['a negative base', { base: -1 }],
    ['a fraction as base', { base: 0.5 }],
    ['a base that an exception takes beyond 2^53', { base: 2 ** 53 - 5 }],
    ['a width of 33', { width: 33 }],
    ['an exception width of 54', { exceptionWidth: 54 }],
    ['exceptions without a width', { exceptionWidth: 0 }],
    ['a width without exceptions', { ranks: new Uint16Array() }],
    ['an exception that fits the width', { exceptionWords: Uint32Array.from([3, 0]) }],
    ['ranks out of order', { exceptionWords: Uint32Array.from([0x99, 0]), ranks: Uint16Array.from([3, 1]) }],
    ['a rank twice', { exceptionWords: Uint32Array.from([0x99, 0]), ranks: Uint16Array.from([1, 1]) }],
    ['a rank that is not marked', { ranks: Uint16Array.from([0]) }],
    ['a rank beyond the last', { width: 0, ranks: Uint16Array.from([4]) }],
  ])('is refused: %s', (_name, change) => {
    expect(() => new FieldReader({ ...good, ...change }, 4)).toThrow(FormatError);
  });
});
