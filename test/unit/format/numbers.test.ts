import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNumbers, SEGMENT_NUMBERS } from '../../../src/format/numbers.ts';
import { NumbersReader } from '../../../src/format/numbers-reader.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { sealFrame } from '../../../src/lib/frame.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { LARGEST, lowerBound, sortedSet } from './support/sorted-set.ts';

function checkAgainstArray(numbers: Float64Array, extraProbes: readonly number[] = []): void {
  const reader = new NumbersReader(encodeNumbers(numbers));
  expect(reader.count).toBe(numbers.length);
  expect(reader.all()).toEqual(numbers);
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
        expect(reader.rank(high) - reader.rank(low)).toBe(lowerBound(numbers, high) - lowerBound(numbers, low));
      }),
      { numRuns: 300 },
    );
  });

  test('a search near the one before finds the same, and what follows a rank is taken in one go', () => {
    const step = fc.tuple(fc.nat(), fc.integer({ min: -20_000, max: 20_000 }), fc.constantFrom(0, 1, 100, 10_000, 1e9));
    fc.assert(
      fc.property(
        sortedSet,
        fc.array(step, { minLength: 5 }),
        fc.constantFrom(1, 5, 32, 700),
        (numbers, steps, size) => {
          const reader = new NumbersReader(encodeNumbers(numbers));
          const out = new Float64Array(size);
          for (const [at, away, span] of steps) {
            const from = Math.max(0, (numbers[at % numbers.length] as number) + away);
            const low = lowerBound(numbers, from);
            expect(reader.findNear(from)).toBe(numbers[low] === from ? low : ~low);
            expect(reader.rankNear(from)).toBe(low);
            const wanted = numbers.slice(low, lowerBound(numbers, from + span));
            const taken = reader.takeFrom(low, from + span, out);
            expect(taken).toBe(wanted.length > size ? -1 : wanted.length);
            if (taken >= 0) expect(out.slice(0, taken)).toEqual(wanted);
          }
        },
      ),
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

  test('ranks that there are not are refused', () => {
    const reader = new NumbersReader(encodeNumbers(Float64Array.of(3, 4, 9)));
    for (const rank of [-1, 3, 1e9]) expect(() => reader.select(rank)).toThrow(RangeError);
    for (const [from, to] of [
      [-1, 2],
      [0, 4],
      [2, 1],
    ] as const) {
      expect(() => reader.copyRange(from, to, new Float64Array(9))).toThrow('are outside of 0 to 3');
    }
    reader.copyRange(3, 3, new Float64Array());
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
    for (const length of everyByte(sample)) {
      expect(() => new NumbersReader(sample.slice(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  test('one flipped bit anywhere', () => {
    for (const at of everyByte(sample)) {
      expect(() => new NumbersReader(flipped(sample, at)), `byte ${at}`).toThrow(FormatError);
    }
  });

  test('trailing bytes, an unknown version, another magic', () => {
    expect(() => new NumbersReader(withTrailing(sample, 8))).toThrow(/expected a body of/);
    for (const version of [0, 2, 257]) {
      expect(() => new NumbersReader(withVersion(sample, version))).toThrow(`expected version 1, found ${version}`);
    }
    const other = sample.slice();
    other[3] = 88;
    expect(() => new NumbersReader(other)).toThrow(/expected magic RFNU, found "RFNX"/);
  });

  test('trailing bytes that the length and checksum cover', () => {
    const longer = sealFrame(withTrailing(sample, 8), 'RFNU', 1);
    expect(() => new NumbersReader(longer)).toThrow(`take ${sample.length} bytes, found ${longer.length}`);
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

describe('a column in a larger buffer', () => {
  const numbers = Float64Array.from(
    { length: 700 },
    (_, i) => 12_025_550_100 + (i % 7) + Math.floor(i / 7) * 4_000_000,
  );
  const sample = encodeNumbers(numbers);

  test('is read from there, and nothing around it', () => {
    const reader = new NumbersReader(embedded(sample, 40));
    numbers.forEach((number, rank) => {
      expect(reader.find(number)).toBe(rank);
      expect(reader.select(rank)).toBe(number);
    });
    expect(reader.rank(LARGEST)).toBe(numbers.length);
  });

  test('must begin at a multiple of eight bytes', () => {
    for (const offset of [1, 2, 4, 7, 12]) {
      expect(() => new NumbersReader(embedded(sample, offset))).toThrow(RangeError);
    }
  });
});

describe('a directory that its checksum vouches for, but that no encoder writes', () => {
  const numbers = Float64Array.from(
    { length: 300 },
    (_, i) => 12_025_550_100 + (i % 12) + Math.floor(i / 12) * 9_000_000,
  );
  const sample = encodeNumbers(numbers);
  const [groups, partitions] = [20, 24].map((at) => new DataView(sample.buffer).getUint32(at, true)) as [
    number,
    number,
  ];
  const groupBit = 32 + groups * 8;
  const groupRank = groupBit + groups * 4;
  const groupPartition = groupRank + groups * 2;
  const partitionBase = groupPartition + groups * 2;
  const partitionInfo = partitionBase + partitions * 4;

  const edited = (edit: (view: DataView) => void) => {
    const copy = sample.slice();
    edit(new DataView(copy.buffer));
    return sealFrame(copy, 'RFNU', 1);
  };
  const info = (view: DataView, p: number) => view.getUint32(partitionInfo + p * 4, true);

  test('the sample has several groups and partitions', () => {
    expect(groups).toBeGreaterThan(1);
    expect(partitions).toBeGreaterThan(groups + 2);
  });

  test('more numbers than a segment has, in a directory that has room for them', () => {
    const full = Float64Array.from({ length: SEGMENT_NUMBERS }, (_, i) =>
      i === SEGMENT_NUMBERS - 1 ? LARGEST : i * 3,
    );
    const bytes = encodeNumbers(full);
    new DataView(bytes.buffer).setUint32(16, SEGMENT_NUMBERS + 1, true);
    expect(() => new NumbersReader(sealFrame(bytes, 'RFNU', 1))).toThrow('32769 numbers in');
  });

  test.each<[string, (view: DataView) => void]>([
    ['no numbers', (view) => view.setUint32(16, 0, true)],
    ['one number more than the partitions can have', (view) => view.setUint32(16, 600, true)],
    ['fewer numbers than the partitions have', (view) => view.setUint32(16, 250, true)],
    ['more groups than there is room for', (view) => view.setUint32(20, 0xffff_ffff, true)],
    ['a first group that begins at a later partition', (view) => view.setUint16(groupPartition, 1, true)],
    ['a first group that begins at a later rank', (view) => view.setUint16(groupRank, 1, true)],
    ['a group without partitions', (view) => view.setUint16(groupPartition + 2, 0, true)],
    ['a group beyond the last partition', (view) => view.setUint16(groupPartition + 2, 60_000, true)],
    ['groups out of number order', (view) => view.setFloat64(32 + 8, 1, true)],
    ['a base that is not a number', (view) => view.setFloat64(32, Number.NaN, true)],
    ['a base that is not an integer', (view) => view.setFloat64(32, 0.5, true)],
    ['a base beyond 2^53', (view) => view.setFloat64(32, 2 ** 60, true)],
    ['a group whose first partition begins later', (view) => view.setUint32(partitionBase, 7, true)],
    ['partitions out of number order', (view) => view.setUint32(partitionBase + 8, 0, true)],
    ['a partition of too many numbers', (view) => view.setUint32(partitionInfo + 4, info(view, 1) + (200 << 16), true)],
    ['a partition of no numbers', (view) => view.setUint32(partitionInfo + 4, info(view, 1) & ~0x07ff_0000, true)],
    ['codes beyond the bit string', (view) => view.setUint32(groupBit + 4, 2 ** 31, true)],
    [
      'codes just beyond the bit string',
      (view) => view.setUint32(partitionInfo + 4, (29 << 27) | info(view, 1) | 0xffff, true),
    ],
  ])('%s', (_name, edit) => {
    expect(() => new NumbersReader(edited(edit))).toThrow(FormatError);
  });
});
