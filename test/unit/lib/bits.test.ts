import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitLength, popcount, readBits, setBit, testBit, writeBits } from '../../../src/lib/bits.ts';

const U32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('bit strings', () => {
  test('values of any widths, one after the other, are read as they were written', () => {
    const field = fc.tuple(fc.integer({ min: 0, max: 32 }), U32);
    fc.assert(
      fc.property(fc.array(field, { maxLength: 200 }), (fields) => {
        const words = new Uint32Array(Math.ceil(fields.reduce((sum, [width]) => sum + width, 0) / 32) + 1);
        const low = ([width, value]: [number, number]) => value % 2 ** width;
        let position = 0;
        for (const each of fields) {
          writeBits(words, position, each[0], low(each));
          position += each[0];
        }
        position = 0;
        for (const each of fields) {
          expect(readBits(words, position, each[0])).toBe(low(each));
          position += each[0];
        }
      }),
    );
  });

  test('the least significant bit comes first, in a word and in a byte', () => {
    const words = new Uint32Array(2);
    setBit(words, 0);
    setBit(words, 9);
    writeBits(words, 31, 2, 0b11);
    expect(Array.from(new Uint8Array(words.buffer))).toEqual([1, 2, 0, 128, 1, 0, 0, 0]);
    expect([0, 1, 9, 31, 32, 33].map((bit) => testBit(words, bit))).toEqual([true, false, true, true, true, false]);
  });

  test('popcount and bitLength', () => {
    fc.assert(
      fc.property(U32, (value) => {
        expect(popcount(value)).toBe(value.toString(2).replaceAll('0', '').length);
        expect(bitLength(value)).toBe(value === 0 ? 0 : value.toString(2).length);
      }),
    );
  });
});
