import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNumbers } from '../../../src/format/numbers.ts';
import { encodeNumbersSlice, openNumbersSlice } from '../../../src/format/numbers-slice.ts';
import { encodeRecency, MAX_RECENT_AGE, RecencyReader } from '../../../src/format/recency.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { frameBytes, sealFrame } from '../../../src/lib/frame.ts';
import { everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';

const DAY = 20_400;
const days = fc
  .constantFrom(0, 2, 12, 31, 150)
  .chain((span) =>
    fc.array(fc.integer({ min: DAY - span, max: DAY }), { minLength: 1, maxLength: 1_500, size: 'max' }),
  );

describe('fresh numbers', () => {
  test('counts since a day, of any ranks, are those of a plain list', () => {
    fc.assert(
      fc.property(days, fc.nat(), fc.nat(), fc.nat(MAX_RECENT_AGE), fc.nat(40), (firstDays, a, b, age, enough) => {
        const fresh = new RecencyReader(encodeRecency(Uint32Array.from(firstDays)));
        const newest = Math.max(...firstDays);
        const from = a % (firstDays.length + 1);
        const to = from + (b % (firstDays.length + 1 - from));
        const [low, high] = [fresh.before(from), fresh.before(to)];
        const expected = firstDays.slice(from, to).filter((day) => day >= newest - age).length;
        expect(fresh.newestDay).toBe(newest);
        expect(fresh.countSince(low, high, newest - age, Infinity)).toBe(expected);
        expect(fresh.countSince(low, high, newest - age, enough)).toBe(Math.min(expected, enough));
        expect(fresh.countSince(low, high, newest + 1, Infinity)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('take next to nothing where all are old, five bits a number where all are fresh, and nothing where all are of one day', () => {
    const old = new Uint32Array(32_768).fill(DAY - 400);
    old[7] = DAY;
    expect(encodeRecency(old).length).toBeLessThan(120);
    const fresh = Uint32Array.from({ length: 32_768 }, (_, i) => DAY - (i % 32));
    expect(encodeRecency(fresh).length * 8).toBeLessThan(32_768 * 5.02);
    const few = Uint32Array.from({ length: 32_768 }, (_, i) => (i % 13 === 0 ? DAY - (i % 32) : DAY - 90));
    // About what Elias-Fano takes for the ranks, and five bits each.
    expect(encodeRecency(few).length * 8).toBeLessThan((32_768 / 13) * 11.5);
    expect(encodeRecency(new Uint32Array(32_768).fill(DAY))).toHaveLength(40);
  });
});

describe('what is no frame of fresh numbers is refused', () => {
  const sample = encodeRecency(Uint32Array.from({ length: 1_100 }, (_, i) => DAY - ((i * 37) % 500)));

  test('cut at every byte, one flipped bit anywhere, trailing bytes, an unknown version', () => {
    for (const length of everyByte(sample))
      expect(() => new RecencyReader(sample.slice(0, length))).toThrow(FormatError);
    for (const at of everyByte(sample)) expect(() => new RecencyReader(flipped(sample, at))).toThrow(FormatError);
    expect(() => new RecencyReader(withTrailing(sample, 8))).toThrow(/expected a body of/);
    expect(() => new RecencyReader(withVersion(sample, 2))).toThrow('expected version 1, found 2');
  });

  test.each([
    ['no numbers', 16, 0],
    ['more numbers than a segment has', 16, 32_769],
    ['a day after 2106', 20, 49_711],
    ['other fresh numbers than there are ranks', 24, 70],
    ['another width of ages', 28, 4],
    ['a width beyond the largest', 28, 6],
    ['no fresh number', 24, 0],
  ])('%s, whatever the checksum', (_name, at, value) => {
    const bytes = sample.slice();
    new DataView(bytes.buffer).setUint32(at, value, true);
    sealFrame(bytes.subarray(0, frameBytes(sample)), 'RFFR', 1);
    expect(() => new RecencyReader(bytes)).toThrow(FormatError);
  });

  test('ranks beyond the last number, or of another count', () => {
    const days = sample.subarray(0, frameBytes(sample));
    const fresh = new DataView(sample.buffer).getUint32(24, true);
    const withRanks = (ranks: readonly number[]) => {
      const column = encodeNumbers(Float64Array.from(ranks));
      const bytes = new Uint8Array(days.length + column.length);
      bytes.set(days);
      bytes.set(column, days.length);
      return () => new RecencyReader(bytes);
    };
    const ranks = Array.from({ length: fresh }, (_, i) => 1_100 - fresh + i);
    expect(withRanks(ranks)).not.toThrow();
    expect(withRanks(ranks.map((rank) => rank + 1))).toThrow('ranks below 1100');
    expect(withRanks(ranks.slice(1))).toThrow(FormatError);
    const all = encodeRecency(Uint32Array.of(DAY, DAY));
    const trailing = new Uint8Array(all.length + 8);
    trailing.set(all);
    expect(() => new RecencyReader(trailing)).toThrow('8 bytes follow');
  });
});

describe('a numbers slice', () => {
  const numbers = Float64Array.of(12_025_550_100, 12_025_550_103, 12_025_550_190);
  const slice = encodeNumbersSlice(numbers, Uint32Array.of(DAY, DAY - 100, DAY - 3));

  test('is the numbers column and the fresh numbers', () => {
    const reader = openNumbersSlice(slice);
    expect(reader.has(12_025_550_103)).toBe(true);
    expect([0, 1, 2].map((rank) => reader.recency?.firstDay(rank))).toEqual([DAY, -1, DAY - 3]);
  });

  test('is refused when a part is missing, or they are of different counts', () => {
    for (const length of everyByte(slice)) {
      expect(() => openNumbersSlice(slice.slice(0, length)), `${length} bytes`).toThrow(FormatError);
    }
    const column = encodeNumbers(numbers);
    const fresh = encodeRecency(Uint32Array.of(DAY, DAY));
    const mixed = new Uint8Array(column.length + fresh.length);
    mixed.set(column);
    mixed.set(fresh, column.length);
    expect(() => openNumbersSlice(mixed)).toThrow('expected 3 numbers in each part, found 2');
  });
});
