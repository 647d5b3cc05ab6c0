import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/format/frame.ts';
import { encodeNumbers, SEGMENT_NUMBERS } from '../../../src/format/numbers.ts';
import { NumbersReader } from '../../../src/format/numbers-reader.ts';

const LARGEST = 999_999_999_999_999;

/** Ascending distinct numbers made of gaps of very different sizes: runs, dense stretches, leaps over 2^32. */
const sortedSet = fc
  .tuple(
    fc.integer({ min: 0, max: 99_999_999 }),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ gap: fc.constant(1), times: fc.integer({ min: 1, max: 300 }) }) },
        {
          weight: 3,
          arbitrary: fc.record({ gap: fc.integer({ min: 1, max: 4 }), times: fc.integer({ min: 1, max: 99 }) }),
        },
        {
          weight: 3,
          arbitrary: fc.record({ gap: fc.integer({ min: 5, max: 2 ** 20 }), times: fc.integer({ min: 1, max: 40 }) }),
        },
        {
          weight: 1,
          arbitrary: fc.record({
            gap: fc.integer({ min: 2 ** 28, max: 2 ** 34 }),
            times: fc.integer({ min: 1, max: 20 }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ gap: fc.integer({ min: 2 ** 30, max: 2 ** 45 }), times: fc.constant(1) }) },
      ),
      { minLength: 1, maxLength: 12 },
    ),
  )
  .map(([first, steps]) => {
    const numbers = [first];
    let last = first;
    for (const { gap, times } of steps) {
      for (let i = 0; i < times && last + gap <= LARGEST; i++) {
        last += gap;
        numbers.push(last);
      }
    }
    return Float64Array.from(numbers);
  });

function lowerBound(numbers: Float64Array, x: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkAgainstArray(numbers: Float64Array, extraProbes: readonly number[] = []): void {
  const reader = new NumbersReader(encodeNumbers(numbers));
  expect(reader.count).toBe(numbers.length);
  const all = new Float64Array(numbers.length);
  reader.copyRange(0, numbers.length, all);
  expect(all).toEqual(numbers);
  const probes = new Set<number>(extraProbes);
  for (const number of numbers)
    for (const d of [-2, -1, 0, 1, 2, 2 ** 31, 2 ** 33]) probes.add(Math.max(0, number + d));
  for (const probe of probes) {
    const at = lowerBound(numbers, probe);
    const expected = numbers[at] === probe ? at : ~at;
    if (reader.find(probe) !== expected) {
      throw new Error(`find(${probe}) is ${reader.find(probe)}, expected ${expected}`);
    }
  }
}

describe('numbers column against a plain sorted array', () => {
  test('membership, rank, lower bound and iteration on sets of every shape', () => {
    fc.assert(
      fc.property(sortedSet, fc.array(fc.integer({ min: 0, max: LARGEST }), { maxLength: 50 }), checkAgainstArray),
      { numRuns: 300 },
    );
  });

  test('range counts, select and partial iteration', () => {
    fc.assert(
      fc.property(sortedSet, fc.nat(), fc.nat(), (numbers, a, b) => {
        const reader = new NumbersReader(encodeNumbers(numbers));
        const from = a % (numbers.length + 1);
        const to = from + (b % (numbers.length + 1 - from));
        const out = new Float64Array(to - from);
        reader.copyRange(from, to, out);
        expect(out).toEqual(numbers.slice(from, to));
        if (from < numbers.length) expect(reader.select(from)).toBe(numbers[from]);
        const low = (numbers[from] ?? LARGEST) - (b % 3);
        const high = (numbers[to] ?? LARGEST) + (a % 3);
        expect(reader.countRange(low, high)).toBe(lowerBound(numbers, high) - lowerBound(numbers, low));
        expect(reader.countRange(high, low)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['a single number', [1]],
    ['the largest 15-digit number alone', [LARGEST]],
    ['the smallest and the largest', [0, LARGEST]],
    ['a span just below, at and above 2^32', [5, 5 + 2 ** 32 - 1, 6 + 2 ** 32, 2 ** 33 + 7]],
    ['offsets around 2^31 in one partition', [10, 10 + 2 ** 31 - 1, 10 + 2 ** 31, 11 + 2 ** 31, 12 + 2 ** 32]],
    ['alternating pairs', Array.from({ length: 999 }, (_, i) => i * 3 + (i % 2))],
  ])('%s', (_name, numbers) => {
    checkAgainstArray(Float64Array.from(numbers));
  });

  test('a full segment of consecutive numbers takes under a bit a number', () => {
    const run = Float64Array.from({ length: SEGMENT_NUMBERS }, (_, i) => 639_170_000_000 + i);
    expect(encodeNumbers(run).length * 8).toBeLessThan(SEGMENT_NUMBERS);
    checkAgainstArray(run);
  });

  test('a full segment of widely spread numbers', () => {
    const spread = Float64Array.from({ length: SEGMENT_NUMBERS }, (_, i) => i * 15_000_000_000 + (i % 7919));
    checkAgainstArray(spread);
  });

  test('the same numbers give the same bytes', () => {
    fc.assert(
      fc.property(sortedSet, (numbers) => {
        expect(encodeNumbers(numbers)).toEqual(encodeNumbers(numbers.slice()));
      }),
      { numRuns: 50 },
    );
  });
});

describe('what is not a numbers column is refused', () => {
  const sample = encodeNumbers(Float64Array.from({ length: 300 }, (_, i) => 12_025_550_100 + i * i * 3));

  test('cut at every byte', () => {
    for (let length = 0; length < sample.length; length++) {
      expect(() => new NumbersReader(sample.slice(0, length))).toThrow(FormatError);
    }
  });

  test('one flipped bit anywhere', () => {
    for (let at = 0; at < sample.length; at++) {
      const damaged = sample.slice();
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      expect(() => new NumbersReader(damaged), `byte ${at}`).toThrow(FormatError);
    }
  });

  test('trailing bytes, an unknown version, another magic', () => {
    const longer = new Uint8Array(sample.length + 8);
    longer.set(sample);
    expect(() => new NumbersReader(longer)).toThrow(/expected a body of/);
    const newer = sample.slice();
    newer[4] = 2;
    expect(() => new NumbersReader(newer)).toThrow(/expected version 1, found 2/);
    const other = sample.slice();
    other[3] = 88;
    expect(() => new NumbersReader(other)).toThrow(/expected magic RFNU, found "RFNX"/);
  });

  test.each([
    ['none', []],
    ['unsorted', [2, 1]],
    ['duplicate', [7, 7]],
    ['a fraction', [1.5]],
    ['negative', [-1, 3]],
    ['beyond 2^53', [2 ** 53]],
    ['more than a segment holds', Array.from({ length: SEGMENT_NUMBERS + 1 }, (_, i) => i)],
  ])('the encoder refuses: %s', (_name, numbers) => {
    expect(() => encodeNumbers(Float64Array.from(numbers))).toThrow(FormatError);
  });
});
