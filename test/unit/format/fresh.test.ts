import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError, sealFrame } from '../../../src/format/frame.ts';
import { encodeFresh, FRESH_DAYS, FreshDays } from '../../../src/format/fresh.ts';
import { encodeNumbers } from '../../../src/format/numbers.ts';
import { encodeNumbersSlice, openNumbersSlice } from '../../../src/format/numbers-slice.ts';
import { everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';

const DAY = 20_400;
const days = fc.array(fc.integer({ min: DAY - 150, max: DAY }), { minLength: 1, maxLength: 1_500, size: 'max' });

describe('fresh numbers', () => {
  test('counts since a day, of any ranks, are those of a plain list', () => {
    fc.assert(
      fc.property(days, fc.nat(), fc.nat(), fc.nat(FRESH_DAYS), fc.nat(40), (firstDays, a, b, age, enough) => {
        const fresh = new FreshDays(encodeFresh(Uint32Array.from(firstDays)));
        const newest = Math.max(...firstDays);
        const from = a % (firstDays.length + 1);
        const to = from + (b % (firstDays.length + 1 - from));
        const expected = firstDays.slice(from, to).filter((day) => day >= newest - age).length;
        expect(fresh.newestDay).toBe(newest);
        expect(fresh.countSince(from, to, newest - age, Infinity)).toBe(expected);
        expect(fresh.countSince(from, to, newest - age, enough)).toBe(Math.min(expected, enough));
        expect(fresh.countSince(from, to, newest + 1, Infinity)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('take a bit a number where all are old, and seven where all are fresh', () => {
    const old = new Uint32Array(32_768).fill(DAY - 400);
    old[7] = DAY;
    expect(encodeFresh(old).length * 8).toBeLessThan(32_768 * 1.06);
    expect(encodeFresh(new Uint32Array(32_768).fill(DAY)).length * 8).toBeLessThan(32_768 * 7.06);
  });
});

describe('what is no frame of fresh numbers is refused', () => {
  const sample = encodeFresh(Uint32Array.from({ length: 1_100 }, (_, i) => DAY - ((i * 37) % 500)));

  test('cut at every byte, one flipped bit anywhere, trailing bytes, an unknown version', () => {
    for (const length of everyByte(sample)) expect(() => new FreshDays(sample.slice(0, length))).toThrow(FormatError);
    for (const at of everyByte(sample)) expect(() => new FreshDays(flipped(sample, at))).toThrow(FormatError);
    expect(() => new FreshDays(withTrailing(sample, 8))).toThrow(/expected a body of/);
    expect(() => new FreshDays(withVersion(sample, 2))).toThrow('expected version 1, found 2');
  });

  test.each([
    ['no numbers', 16, 0],
    ['more numbers than a segment has', 16, 32_769],
    ['a day after 2106', 20, 49_711],
    ['fewer fresh numbers than the bitmap has', 24, 139],
    ['a bit more in the bitmap', 32, 0xffff_ffff],
    ['reserved bytes', 28, 1],
  ])('%s, whatever the checksum', (_name, at, value) => {
    const bytes = sample.slice();
    new DataView(bytes.buffer).setUint32(at, value, true);
    expect(() => new FreshDays(sealFrame(bytes, 'RFFR', 1))).toThrow(FormatError);
  });

  test('a bit beyond the last number, and a wrong count before a stretch', () => {
    const bitmapEnd = 32 + Math.ceil(1_100 / 32) * 4;
    const beyond = sample.slice();
    beyond[bitmapEnd - 1] = 0x80;
    expect(() => new FreshDays(sealFrame(beyond, 'RFFR', 1))).toThrow(FormatError);
    const shifted = sample.slice();
    const before = sample.length - 8 - ((sample.length - bitmapEnd) % 8);
    for (let at = before; at < sample.length; at++) shifted[at] = (shifted[at] as number) ^ 1;
    expect(() => new FreshDays(sealFrame(shifted, 'RFFR', 1))).toThrow(/fresh numbers/);
  });
});

describe('a numbers slice', () => {
  const numbers = Float64Array.of(12_025_550_100, 12_025_550_103, 12_025_550_190);
  const slice = encodeNumbersSlice(numbers, Uint32Array.of(DAY, DAY - 100, DAY - 3));

  test('is the numbers column and the fresh numbers', () => {
    const reader = openNumbersSlice(slice);
    expect(reader.has(12_025_550_103)).toBe(true);
    expect([0, 1, 2].map((rank) => reader.fresh?.firstDay(rank))).toEqual([DAY, -1, DAY - 3]);
  });

  test('is refused when a part is missing, or they are of different counts', () => {
    for (const length of everyByte(slice)) {
      expect(() => openNumbersSlice(slice.slice(0, length)), `${length} bytes`).toThrow(FormatError);
    }
    const column = encodeNumbers(numbers);
    const fresh = encodeFresh(Uint32Array.of(DAY, DAY));
    const mixed = new Uint8Array(column.length + fresh.length);
    mixed.set(column);
    mixed.set(fresh, column.length);
    expect(() => openNumbersSlice(mixed)).toThrow('expected the days of 3 numbers, found 2');
  });
});
