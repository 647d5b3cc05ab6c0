import { beforeAll, describe, expect, test } from 'vitest';
import {
  barsOf,
  countDifferent,
  D1_DESIGN,
  KV_DESIGN,
  LOADING,
  lookingUp,
  type Measured,
  measureDesigns,
  PUBLISHING,
  RINGFENCE,
  rowsOf,
} from '../../bench/designs/bench.ts';
import { makeLookups } from '../../bench/designs/lookups.ts';
import { BilledStores, lookUpWithFinder } from '../../bench/designs/ringfence.ts';
import { LISTED_SHARE } from '../../bench/simulate/assumptions.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../src/storage/memory.ts';
import { clusteredNumbers, writeStore } from '../support/clustered-store.ts';

const numbers = clusteredNumbers(100_000);
const stores = { objects: new MemoryObjectStore(), slices: new MemorySliceStore() };

beforeAll(() => writeStore(stores, numbers));

describe('the lookups', () => {
  test('are of listed numbers one time in fifty', () => {
    const listed = new Set(numbers);
    const { opening, following } = makeLookups(numbers, 'uniform', 10_000);
    const share = [...opening, ...following].filter((number) => listed.has(number)).length / 20_000;
    expect(share).toBeCloseTo(0.02, 2);
  });

  test('come back in a Zipf mix, the first of the population in every twelfth', () => {
    const { opening } = makeLookups(numbers, 'Zipf', 10_000);
    const counts = new Map<number, number>();
    for (const number of opening) counts.set(number, (counts.get(number) ?? 0) + 1);
    const most = Math.max(...counts.values());
    // The chance of rank 1 is 1 / H(100,000), a little over 1 / 12.1, less what rounding takes.
    expect(most / 10_000).toBeGreaterThan(0.04);
    expect(most / 10_000).toBeLessThan(0.1);
  });
});

test('what is billed: misses, refused puts, lists, and deletes of KV alone', async () => {
  const billed = new BilledStores(new MemoryObjectStore(), new MemorySliceStore());
  const { objects, slices } = billed;
  await objects.put('a', Uint8Array.of(1, 2), { absent: true });
  const before = billed.usage();
  expect(await objects.put('a', Uint8Array.of(1), { absent: true })).toBeNull();
  await objects.get('a');
  await objects.head('none');
  await objects.list('');
  await objects.delete(['a']);
  expect(await slices.get('none')).toBeNull();
  await slices.put('one', Uint8Array.of(1, 2, 3), 0);
  await slices.get('one');
  await slices.delete('one');
  await slices.list();
  expect(billed.usageSince(before)).toEqual({
    r2ClassA: 2,
    r2ClassB: 2,
    kvReads: 2,
    kvWrites: 1,
    kvDeletes: 1,
    kvLists: 1,
  });
  expect(billed.reads).toBe(4);
  expect(billed.bytesRead).toBe(2 + 3);
});

test('a new isolate reads each numbers column once, the verdicts it needs, and the manifest every ten seconds', async () => {
  const [listed = 0] = numbers;
  // Two a second: the 21st and the 41st lookup come ten seconds and more after the last check.
  const opening = [listed, ...Array.from({ length: 40 }, () => listed + 1)];
  const { cold, warm } = await lookUpWithFinder(stores, { opening, following: opening });
  // A page of verdicts is read from R2.
  expect(cold.usage).toMatchObject({ kvReads: 1, r2ClassB: 4, r2ClassA: 0, kvWrites: 0 });
  expect(cold.listed.every((number) => numbers.includes(number))).toBe(true);
  expect(warm.usage.kvReads).toBe(0);
  expect(warm.readsOfUnlisted).toBe(0);
});

test('designs that found other numbers are counted', () => {
  const listed = [12_005_550_100, 12_005_550_101];
  expect(countDifferent({ listed }, [{ listed: [...listed] }, { listed: listed.slice(1) }, { listed: [] }])).toBe(2);
});

describe('the comparison', () => {
  let measured: Measured;
  const usageOf = (what: string, design: string) =>
    measured.lines.find((line) => line.what === what && line.design === design)?.usage;

  beforeAll(async () => {
    measured = await measureDesigns(stores, { lookups: 400, detections: 40 });
  });

  test('bills each design what it does', () => {
    const lookups = lookingUp('uniform');
    expect(usageOf(lookups, KV_DESIGN)).toMatchObject({ kvReads: 1_000_000, kvWrites: 0 });
    expect(usageOf(lookups, D1_DESIGN)).toMatchObject({ d1RowsRead: 1_000_000, d1RowsWritten: 0, kvReads: 0 });
    // A check of the manifest every 20th lookup, and pages of verdicts, at most one for each that is listed.
    expect(usageOf(lookups, RINGFENCE)).toMatchObject({ kvReads: 0 });
    const pages = (usageOf(lookups, RINGFENCE)?.r2ClassB ?? 0) - 50_000;
    expect(pages).toBeGreaterThan(0);
    expect(pages).toBeLessThanOrEqual(LISTED_SHARE * 1_000_000);
    expect(usageOf(PUBLISHING, KV_DESIGN)?.kvWrites).toBeCloseTo(996_141, 3);
    expect(usageOf(PUBLISHING, D1_DESIGN)?.d1RowsWritten).toBeCloseTo(996_141, 3);
    expect(usageOf(LOADING, KV_DESIGN)?.kvWrites).toBeCloseTo(20_870_000, 3);
    expect(usageOf(LOADING, D1_DESIGN)?.d1RowsWritten).toBeCloseTo(20_870_000, 3);
  });

  test('has Ringfence publish in six storage writes a minute and less', () => {
    const usage = usageOf(PUBLISHING, RINGFENCE);
    const ticks = 14 * 24 * 60;
    const writes = (usage?.r2ClassA ?? 0) + (usage?.kvWrites ?? 0);
    expect(writes / ticks).toBeGreaterThan(5);
    expect(writes / ticks).toBeLessThan(6);
    expect(usage?.kvDeletes).toBeCloseTo(usage?.kvWrites ?? 0, 0);
  });

  test('agrees on every answer, and would say so if it did not', () => {
    expect(measured.differences).toBe(0);
    const missed = (one: Measured) => barsOf(one).filter(({ met }) => !met);
    expect(missed(measured)).toEqual([]);
    expect(missed({ ...measured, differences: 1, readsOfUnlisted: 2 }).map(({ value }) => value)).toEqual([2, 1]);
    expect(rowsOf(measured)).toHaveLength(2 * 5 + 3 + 4);
  });
});
