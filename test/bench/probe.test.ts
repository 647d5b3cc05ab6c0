import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { barsOf, rowsOf } from '../../bench/probe/bench.ts';
import { informationBounds, log2Choose } from '../../bench/probe/bound.ts';
import { type Comparison, compare, countMistakes, medianRatio, takeTurns } from '../../bench/probe/compare.ts';
import { type Contender, openRingfence, SortedArray, timedPass } from '../../bench/probe/contenders.ts';
import { readInventory } from '../../bench/probe/inventory.ts';
import { Lmdb, Sqlite } from '../../bench/probe/native.ts';
import { Roaring } from '../../bench/probe/roaring.ts';
import { makeWorkloads, WORKLOADS } from '../../bench/probe/workload.ts';
import { usedRanges } from '../../bench/support/ranges.ts';
import { decodeManifest, encodeManifest } from '../../src/format/manifest.ts';
import { MANIFEST_KEY } from '../../src/storage/keys.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../src/storage/memory.ts';
import { clusteredNumbers, writeStore } from '../support/clustered-store.ts';

/** More than a segment, so that there are several. */
const COUNT = 150_000;
const numbers = clusteredNumbers(COUNT);
const stores = { objects: new MemoryObjectStore(), slices: new MemorySliceStore() };

beforeAll(() => writeStore(stores, numbers));

describe('the bounds', () => {
  test('count choices', () => {
    expect(log2Choose(10, 3)).toBeCloseTo(Math.log2(120), 9);
    expect(log2Choose(52, 5)).toBeCloseTo(Math.log2(2_598_960), 9);
    expect(log2Choose(100, 100)).toBeCloseTo(0, 9);
    // Of a large set the entropy of a share of one in ten: n * H(0.1) less half a logarithm.
    expect(log2Choose(1e10, 1e9) / 1e10).toBeCloseTo(0.4689955936, 8);
  });

  test('of one full hundred in a range of a million', () => {
    const full = Float64Array.from({ length: 100 }, (_, i) => 12_005_550_000 + i);
    const [uniform, hundreds] = informationBounds(full);
    expect(uniform?.bitsPerNumber).toBeCloseTo(log2Choose(1_000_000, 100) / 100, 9);
    // Which of the 10,000 blocks is the full one; nothing about its inside.
    const which = 9_999 * Math.log2(10_000 / 9_999) + Math.log2(10_000);
    expect(hundreds?.bitsPerNumber).toBeCloseTo(which / 100, 9);
  });
});

describe('the workloads', () => {
  const workloads = makeWorkloads(numbers, 2_000);
  const listed = new Set(numbers);

  test('know what is listed', () => {
    for (const name of WORKLOADS) {
      const { probes, expected } = workloads[name];
      expect([...expected]).toEqual([...probes].map((probe) => (listed.has(probe) ? 1 : 0)));
    }
  });

  test('are of the kinds they are called', () => {
    const shareListed = (name: (typeof WORKLOADS)[number]) =>
      workloads[name].expected.reduce((sum, each) => sum + each, 0) / 2_000;
    expect(WORKLOADS.map(shareListed)).toEqual([1, 0, 0, expect.closeTo(0.5, 1)]);
    const ranges = new Set(usedRanges(numbers));
    for (const probe of workloads.misses.probes) expect(ranges).toContain(probe - (probe % 1_000_000));
    for (const probe of workloads['near misses'].probes) {
      expect(Array.from({ length: 101 }, (_, i) => probe - 50 + i).some((near) => listed.has(near))).toBe(true);
    }
  });

  test('come in no order, and come again', () => {
    const { probes } = workloads.mix;
    expect([...probes]).not.toEqual([...probes].sort((a, b) => a - b));
    expect(makeWorkloads(numbers, 2_000)).toEqual(workloads);
  });
});

test('turns rotate, and the first round only warms up', async () => {
  const order: string[] = [];
  const times = await takeTurns({
    rounds: 2,
    probes: 1_000,
    contenders: ['a', 'b'],
    run: (name) => {
      order.push(name);
      return { ms: order.length, wrong: name === 'b' ? 1 : 0 };
    },
  });
  expect(order.join('')).toBe('abbaab');
  expect(times.get('a')).toEqual({ nanoseconds: [4_000, 5_000], wrong: 0 });
  expect(times.get('b')).toEqual({ nanoseconds: [3_000, 6_000], wrong: 3 });
  expect(medianRatio(times.get('a'), times.get('b'))).toBeCloseTo((4 / 3 + 5 / 6) / 2);
});

describe('a contender', () => {
  // Both sides of where the high 32 bits change, the smallest and the largest numbers there are.
  const edges = [1, 2 ** 32 - 1, 2 ** 32, 2 ** 33 - 1, 2 ** 33 + 1, 12_005_550_100, 999_999_999_999_999];
  const set = Float64Array.from(edges);
  // And one of whose high bits there is no other, with low bits that are there elsewhere.
  const probes = Float64Array.from(new Set([...edges.flatMap((edge) => [edge - 1, edge, edge + 1]), 5 * 2 ** 32 + 1]));
  const expected = Uint8Array.from(probes, (probe) => (edges.includes(probe) ? 1 : 0));
  const wrongOf = (contender: Contender) => timedPass(contender, { probes, expected }, 1, () => 0).wrong;

  test('answers rightly at the edges', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-lmdb-test-'));
    const sqlite = new Sqlite(set);
    const lmdb = new Lmdb(set, folder);
    try {
      expect([new SortedArray(set), new Roaring(set), sqlite, lmdb].map(wrongOf)).toEqual([0, 0, 0, 0]);
      expect(sqlite.bytes).toBe(8_192);
      expect(lmdb.bytes).toBe(4_096);
    } finally {
      sqlite.close();
      await lmdb.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('is caught when it answers wrongly, or not at all', () => {
    const array = new SortedArray(set.subarray(1));
    expect(wrongOf(array)).toBe(1);
    expect(wrongOf({ name: 'silent', answer: () => {} })).toBe(probes.length);
  });
});

test('Ringfence answers rightly at the ends of each segment', async () => {
  const ringfence = await openRingfence(stores.objects, stores.slices);
  const entries = ringfence.snapshot.runs.flatMap((run) => run.entries);
  expect(entries.length).toBeGreaterThan(2);
  const ends = entries.flatMap(({ first, last }) => [first - 1, first, first + 1, last - 1, last, last + 1]);
  const probes = Float64Array.from(ends);
  const listed = new Set(numbers);
  const expected = Uint8Array.from(probes, (probe) => (listed.has(probe) ? 1 : 0));
  expect(timedPass(ringfence, { probes, expected }, 1, () => 0).wrong).toBe(0);
});

test('a wrong rank or count is found', async () => {
  const ringfence = await openRingfence(stores.objects, stores.slices);
  const probes = numbers.subarray(70_000, 70_100);
  expect(countMistakes(ringfence, numbers, probes)).toBe(0);
  const withoutOne = numbers.filter((_, i) => i !== 70_050);
  // Its own rank is the same, those of the 49 after it are not, nor are counts of blocks that it stands in.
  expect(countMistakes(ringfence, withoutOne, probes)).toBeGreaterThanOrEqual(49);
});

test('an inventory of several runs is refused, and one with a number too few', async () => {
  const object = await stores.objects.get(MANIFEST_KEY);
  const manifest = decodeManifest(object?.bytes ?? new Uint8Array());
  const [run] = manifest.runs;
  if (run === undefined) throw new Error('no run');
  const withRuns = async (runs: (typeof run)[]) => {
    const changed = new MemoryObjectStore();
    await changed.put(MANIFEST_KEY, encodeManifest({ ...manifest, runs }));
    return readInventory({ objects: changed, slices: stores.slices });
  };
  await expect(withRuns([run, { ...run, id: 'other' }])).rejects.toThrow('expected an inventory of one run, found 2');
  await expect(withRuns([{ ...run, newNumbers: COUNT + 1 }])).rejects.toThrow(`tells of ${COUNT + 1} numbers`);
  expect((await withRuns([run])).numbers).toEqual(numbers);
});

describe('the comparison', () => {
  let comparison: Comparison;
  const limits = { bitsPerNumber: 10, megabytes: 1, ratios: { Float64Array: 99, roaring: 99, SQLite: 99, LMDB: 99 } };

  beforeAll(async () => {
    comparison = await compare(stores, { probes: 5_000, rounds: 3, repeats: 8, counted: 500 });
  });

  test('runs in workerd and in Node, and all say the same', () => {
    expect([...comparison.workerd.mix.keys()]).toEqual(['Ringfence', 'Float64Array', 'roaring']);
    expect([...comparison.node.mix.keys()]).toEqual(['Ringfence', 'Float64Array', 'SQLite', 'LMDB']);
    expect(comparison.wrong).toBe(0);
  });

  test('knows the bytes of each', async () => {
    const { columns } = await readInventory(stores);
    const columnBytes = [...columns.values()].reduce((sum, { length }) => sum + length, 0);
    expect(comparison.bytes.get('Ringfence')).toBe(columnBytes);
    expect(comparison.bytes.get('Float64Array')).toBe(8 * COUNT);
    for (const name of ['SQLite', 'LMDB', 'roaring']) expect(comparison.bytes.get(name)).toBeGreaterThan(COUNT);
  });

  test('has a row for each contender and bound, and bars that can be missed', () => {
    expect(rowsOf(comparison).map(({ contender }) => contender)).toHaveLength(3 + 4 + 4);
    expect(barsOf(comparison, limits).every(({ met }) => met)).toBe(true);
    const missed = barsOf({ ...comparison, wrong: 1 }, { ...limits, bitsPerNumber: 5 }).filter(({ met }) => !met);
    expect(missed.map(({ what }) => what)).toEqual(['bits a number, of 150,000', 'wrong answers, ranks and counts']);
  });
});
