import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../bench/support/random.ts';
import {
  CODEC_BITMAP,
  CODEC_RUN,
  chooseCodec,
  choosePartitions,
  codedBits,
  encodeNumbers,
  lowBits,
  MAX_LOW_BITS,
  numbersColumnBytes,
  PARTITION_NUMBERS,
  PARTITION_OVERHEAD_BITS,
  PARTITION_SPAN,
} from '../../../src/format/numbers.ts';
import { sha256Hex } from '../../../src/lib/bytes.ts';
import { clusters } from '../../support/clusters.ts';
import { partitionEnds, readNumbers } from './support/reference.ts';
import { sortedSet } from './support/sorted-set.ts';

/** k offsets in [0, u): u is at least k, and below the largest span. */
const kAndU = fc
  .tuple(
    fc.integer({ min: 1, max: PARTITION_NUMBERS - 1 }),
    fc.nat({ max: 31 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([k, bits, fraction]) => [k, Math.min(PARTITION_SPAN - 1, k + Math.floor(fraction * 2 ** bits))] as const);

function eliasFanoBits(k: number, u: number, l: number): number {
  return k * (l + 1) + Math.floor((u - 1) / 2 ** l);
}

function partitionCost(numbers: Float64Array, start: number, end: number): number {
  const k = end - 1 - start;
  const span = (numbers[end - 1] as number) - (numbers[start] as number);
  return PARTITION_OVERHEAD_BITS + (k === 0 ? 0 : codedBits(k, span));
}

function chosenCost(numbers: Float64Array): number {
  let start = 0;
  let cost = 0;
  for (const end of choosePartitions(numbers)) {
    cost += partitionCost(numbers, start, end);
    start = end;
  }
  return cost;
}

/** The full dynamic programme: every partition that is allowed. */
function leastCost(numbers: Float64Array): number {
  const best = new Float64Array(numbers.length + 1).fill(Number.POSITIVE_INFINITY);
  best[0] = 0;
  for (let start = 0; start < numbers.length; start++) {
    for (let end = start + 1; end <= Math.min(numbers.length, start + PARTITION_NUMBERS); end++) {
      if ((numbers[end - 1] as number) - (numbers[start] as number) >= PARTITION_SPAN) break;
      const cost = (best[start] as number) + partitionCost(numbers, start, end);
      if (cost < (best[end] as number)) best[end] = cost;
    }
  }
  return best[numbers.length] as number;
}

describe('coding of one partition', () => {
  test('the number of low bits makes Elias-Fano shortest, and the coding is the shortest of the three', () => {
    fc.assert(
      fc.property(kAndU, ([k, u]) => {
        const costs = Array.from({ length: MAX_LOW_BITS + 1 }, (_, l) => eliasFanoBits(k, u, l));
        const least = Math.min(...costs);
        expect(costs[lowBits(k, u)]).toBe(least);
        expect(codedBits(k, u)).toBe(u === k ? 0 : Math.min(u, least));
        const codec = chooseCodec(k, u);
        if (u === k) expect(codec).toBe(CODEC_RUN);
        else if (u < least) expect(codec).toBe(CODEC_BITMAP);
        else expect(codec).toBe(lowBits(k, u));
      }),
      { numRuns: 2000 },
    );
  });

  test('a number by itself has no codes', () => {
    expect(codedBits(0, 0)).toBe(0);
  });

  test('the longest codes of a group are addressed with 16 bits', () => {
    expect(codedBits(PARTITION_NUMBERS - 1, PARTITION_SPAN - 1) * 16).toBeLessThan(2 ** 16);
  });

  test('more numbers or a longer span never cost less: the choice of partitions relies on it', () => {
    fc.assert(
      fc.property(kAndU, fc.nat({ max: 2 ** 20 }), ([k, u], more) => {
        if (k === PARTITION_NUMBERS - 1 || u + 1 + more >= PARTITION_SPAN) return;
        expect(codedBits(k + 1, u + 1 + more)).toBeGreaterThanOrEqual(codedBits(k, u));
        expect(codedBits(k, u + more)).toBeGreaterThanOrEqual(codedBits(k, u));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('choice of partitions', () => {
  test('is part of the format: the bytes of larger sets', async () => {
    const hashes = await Promise.all(
      [
        { length: 100, gap: 2, leapBits: 30 },
        { length: 400, gap: 300, leapBits: 24 },
      ].map((shape) => sha256Hex(encodeNumbers(clusters(20_000, shape, new Random(7))))),
    );
    // Another choice is another version, or a store rebuilt from its batches would not have the same bytes.
    expect(hashes).toEqual([
      '18b412e105f186237cc06b75283373525d6f352f22464386d4f80ca77f435661',
      '930be536e4c907ed2a77694190ea3a38853c1919bfb1f363962acf5b34e15f76',
    ]);
  });

  test('is the one that docs/FORMAT.md describes', () => {
    const shapes = [
      { length: 60, gap: 40, leapBits: 20 },
      { length: 300, gap: 2, leapBits: 40 },
    ];
    const sets = shapes.map((shape, seed) => clusters(220, shape, new Random(seed)));
    for (const numbers of [
      ...sets,
      ...fc.sample(sortedSet, { numRuns: 30, seed: 5 }).map((set) => set.slice(0, 130)),
    ]) {
      expect(Array.from(choosePartitions(numbers))).toEqual(partitionEnds(Array.from(numbers)));
    }
  });

  test('covers the numbers in order, each partition within its limits', () => {
    fc.assert(
      fc.property(sortedSet, (numbers) => {
        let start = 0;
        for (const end of choosePartitions(numbers)) {
          expect(end).toBeGreaterThan(start);
          expect(end - start).toBeLessThanOrEqual(PARTITION_NUMBERS);
          expect((numbers[end - 1] as number) - (numbers[start] as number)).toBeLessThan(PARTITION_SPAN);
          start = end;
        }
        expect(start).toBe(numbers.length);
      }),
    );
  });

  test('the cost that it counts is the size that is encoded', () => {
    fc.assert(
      fc.property(sortedSet, (numbers) => {
        const bytes = encodeNumbers(numbers);
        const column = readNumbers(bytes);
        const ends = choosePartitions(numbers);
        expect(column.partitionInfo).toHaveLength(ends.length);
        let bit = 0;
        let start = 0;
        let group = 0;
        column.partitionInfo.forEach((info, p) => {
          if (p === column.groupPartition[group + 1]) group += 1;
          expect((column.groupBit[group] as number) + (info & 0xffff)).toBe(bit);
          expect((column.groupRank[group] as number) + ((info >>> 16) & 0x7ff)).toBe(start);
          bit += partitionCost(numbers, start, ends[p] as number) - PARTITION_OVERHEAD_BITS;
          start = ends[p] as number;
        });
        const words = Math.ceil(bit / 32) + 1;
        expect(bytes).toHaveLength(numbersColumnBytes(column.groupBase.length, ends.length, words));
        for (let i = bit; i < words * 32; i++) expect(column.bit(i)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['runs', { length: 100, gap: 1, leapBits: 30 }],
    ['near blocks', { length: 30, gap: 10, leapBits: 14 }],
    ['short runs', { length: 20, gap: 1, leapBits: 20 }],
    ['sparse blocks', { length: 60, gap: 40, leapBits: 20 }],
    ['long dense blocks', { length: 400, gap: 6, leapBits: 24 }],
    ['long sparse blocks', { length: 300, gap: 1500, leapBits: 33 }],
    ['pairs and triples', { length: 3, gap: 10, leapBits: 16 }],
  ])('of %s is within 2 percent of the cheapest there is', (_name, shape) => {
    for (let seed = 1; seed <= 12; seed++) {
      const numbers = clusters(1200, shape, new Random(seed));
      expect(chosenCost(numbers) / leastCost(numbers), `seed ${seed}`).toBeLessThan(1.02);
    }
  });

  test('is never far from the cheapest, whatever the set', () => {
    const random = new Random(99);
    for (let round = 0; round < 60; round++) {
      const shape = {
        length: 1 + 2 ** random.below(10),
        gap: 1 + 2 ** random.below(14),
        leapBits: 1 + random.below(34),
      };
      const numbers = clusters(700, shape, random);
      expect(chosenCost(numbers) / leastCost(numbers), JSON.stringify(shape)).toBeLessThan(1.1);
    }
  });
});
