import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunks, FieldReader, type PackedField, packedWords, packField } from '../../../src/lib/bits.ts';
import { FormatError } from '../../../src/lib/bytes.ts';

function pack(values: readonly number[]): PackedField {
  return packField(Float64Array.from(values));
}

/** A reader of a field as it lies in a page, behind something else. */
function readerOf({ words, exceptionWords, before, ...field }: PackedField, count: number): FieldReader {
  const page = new Uint32Array(3 + words.length + exceptionWords.length + Math.ceil(before.length / 2));
  const exceptionsAt = 3 + words.length;
  page.fill(0xffff_ffff, 0, 3);
  page.set(words, 3);
  page.set(exceptionWords, exceptionsAt);
  const counts = new Uint16Array(page.buffer, (exceptionsAt + exceptionWords.length) * 4, before.length);
  counts.set(before);
  const arrays = {
    words: page.subarray(3, exceptionsAt),
    exceptionWords: page.subarray(exceptionsAt, exceptionsAt + exceptionWords.length),
    before: counts,
  };
  return new FieldReader({ ...field, ...arrays }, count, page);
}

function read(values: readonly number[]): number[] {
  const reader = readerOf(pack(values), values.length);
  return values.map((_, rank) => reader.at(rank));
}

function sizeBytes({ words, exceptionWords, before }: PackedField): number {
  return words.byteLength + exceptionWords.byteLength + before.byteLength;
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 7 }) },
  { weight: 2, arbitrary: fc.nat({ max: 2 ** 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 + 5 }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);

describe('packed field', () => {
  test('is read by rank as it was written, and all at once', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 400 }), fc.boolean(), (values, isHigh) => {
        // Values far from zero, as days are.
        const written = isHigh ? values.map((each) => 2 ** 53 - 1 - each) : values;
        const field = pack(written);
        expect(read(written)).toEqual(written);
        expect(Array.from(readerOf(field, written.length).all())).toEqual(written);
        expect(field.words).toHaveLength(packedWords(written.length, field.width));
        expect(field.exceptionWords).toHaveLength(packedWords(field.exceptions, field.exceptionWidth));
        expect(field.before).toHaveLength(chunks(written.length, field.exceptions));
      }),
      { numRuns: 300 },
    );
  });

  test.each([31, 32, 33, 34, 52, 53])('exceptions of %i bits', (bits) => {
    const values = Array.from({ length: 100 }, (_, i) => (i % 40 === 7 ? 2 ** bits - 1 - i : 0));
    expect(pack(values)).toMatchObject({ width: 1, exceptionWidth: bits, exceptions: 3 });
    expect(read(values)).toEqual(values);
  });

  test('has the widths that take the fewest bits', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const { base, width, exceptionWidth, exceptions } = pack(values);
        expect(base).toBe(Math.min(...values));
        const differences = values.map((each) => each - base);
        const longest = Math.ceil(Math.log2(Math.max(...differences) + 1));
        const above = (w: number) => differences.filter((each) => each >= 2 ** w - 1).length;
        const plain = longest <= 32 ? values.length * longest : Number.POSITIVE_INFINITY;
        const costs = Array.from({ length: 33 }, (_, w) => {
          if (w === 0 || above(w) === 0) return Number.POSITIVE_INFINITY;
          return values.length * w + 16 * Math.ceil(values.length / 64) + above(w) * longest;
        });
        const least = Math.min(plain, ...costs);
        if (plain === least) {
          expect([width, exceptionWidth, exceptions]).toEqual([longest, 0, 0]);
        } else {
          // Of widths that cost the same, the largest.
          const chosen = costs.lastIndexOf(least);
          expect([width, exceptionWidth, exceptions]).toEqual([chosen, longest, above(chosen)]);
        }
      }),
    );
  });

  test('of widths that cost the same, no exceptions before any', () => {
    // 32 values of which one takes two bits: 32 * 2 bits, or 32 + 16 for the count, and two for each of eight.
    const values = Array.from({ length: 32 }, (_, i) => (i % 4 === 1 ? 3 : 0));
    expect(pack(values)).toMatchObject({ width: 2, exceptions: 0 });
    expect(pack(values.with(1, 0))).toMatchObject({ width: 1, exceptions: 7, exceptionWidth: 2 });
  });

  test('all ones are a value where there are no exceptions, and mark one where there are', () => {
    const plain = Array.from({ length: 200 }, (_, i) => i % 4);
    expect(pack(plain)).toMatchObject({ width: 2, exceptions: 0 });
    const values = plain.map((each, i) => (i % 50 === 3 ? 9_000_000 + i : each));
    const field = pack(values);
    expect([field.width, field.exceptionWidth, field.exceptions]).toEqual([3, 24, 4]);
    expect(Array.from(field.before)).toEqual([0, 2, 3, 4]);
    expect(read(values)).toEqual(values);
  });

  test('equal values take no bits; a few far ones one bit each and their own', () => {
    const equal = new Array<number>(1000).fill(20_458);
    expect(pack(equal)).toMatchObject({ base: 20_458, width: 0, exceptionWidth: 0 });
    expect(sizeBytes(pack(equal))).toBe(8);
    expect(sizeBytes(pack([...equal, 99_999]))).toBe((32 + 1) * 4 + 8 + 16 * 2);
    expect(read([...equal, 99_999]).at(-1)).toBe(99_999);
  });

  /** Four values of two bits, 0, all ones, 0, 2: 9 in four bits for the second. */
  const good: PackedField = {
    ...{ base: 0, width: 2, words: Uint32Array.from([0b1000_1100, 0]) },
    ...{ exceptionWidth: 4, exceptions: 1, exceptionWords: Uint32Array.from([9, 0]), before: Uint16Array.from([0]) },
  };

  test('what is refused is refused for that reason', () => {
    const reader = readerOf(good, 4);
    expect([0, 1, 2, 3].map((rank) => reader.at(rank))).toEqual([0, 9, 0, 2]);
  });

  test.each<[string, Partial<PackedField>]>([
    ['a base that is not a number', { base: Number.NaN }],
    ['a negative base', { base: -1 }],
    ['a fraction as base', { base: 0.5 }],
    ['a base that an exception takes beyond 2^53', { base: 2 ** 53 - 5 }],
    ['a width of 33', { width: 33 }],
    ['exceptions of a width of 0', { width: 0 }],
    ['an exception width of 54', { exceptionWidth: 54 }],
    ['exceptions without a width', { exceptionWidth: 0 }],
    ['exceptions narrower than the rest', { exceptionWidth: 1 }],
    ['a width without exceptions', { exceptions: 0, before: new Uint16Array() }],
    ['an exception that fits the width', { exceptionWords: Uint32Array.from([2, 0]) }],
    ['more exceptions than marks', { exceptions: 2, exceptionWords: Uint32Array.from([0x99, 0]) }],
    ['more marks than exceptions', { words: Uint32Array.from([0b1100_1100, 0]) }],
    ['more exceptions than values', { exceptions: 5, exceptionWords: Uint32Array.from([0x99999, 0]) }],
    ['a count that is wrong', { before: Uint16Array.from([1]) }],
  ])('is refused: %s', (_name, change) => {
    expect(() => readerOf({ ...good, ...change }, 4)).toThrow(FormatError);
  });
});
