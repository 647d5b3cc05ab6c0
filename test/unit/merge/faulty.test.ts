/** Inputs that a merge throws for: found, set aside with the reason, and nobody else held up. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { bisectFaulty, readSetAside, watch } from '../../../src/merge/failing-batches.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { readStatus } from '../../../src/merge/status.ts';
import { tick } from '../../../src/merge/tick.ts';
import { actualActivity, expectedActivity } from '../../support/activity.ts';
import type { Fault } from '../../support/strict-stores.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, type World } from '../../support/world.ts';
import { checked, lookAt } from '../scripts/fsck/support.ts';
import { lines, nextTick, release, reported, uploadLines } from './quarantine-world.ts';

/** As if there were sums or sizes that no code can hold: of one batch, or of two together. */
vi.mock('../../../src/quality/screen.ts', async (original) => {
  const actual = await original<typeof import('../../../src/quality/screen.ts')>();
  const screen: typeof actual.screen = (uploads, ...rest) => {
    if (uploads.some(({ batch }) => batch.attributes.some((text) => text.includes('"deadly"')))) {
      throw new RangeError('expected an integer in [0, 2^53); found 9007199254740993');
    }
    return actual.screen(uploads, ...rest);
  };
  return { ...actual, screen };
});
vi.mock('../../../src/merge/first-time.ts', async (original) => {
  const actual = await original<typeof import('../../../src/merge/first-time.ts')>();
  const distinctNumbers: typeof actual.distinctNumbers = (batches) => {
    const has = (name: string) => batches.some(({ attributes }) => attributes.some((one) => one.includes(name)));
    if (has('"left"') && has('"right"')) throw new RangeError('Set maximum size exceeded');
    return actual.distinctNumbers(batches);
  };
  return { ...actual, distinctNumbers };
});

const put = (world: World, id: string, source: string, first: number, count = 5) =>
  uploadLines(world, id, reported(source, first, count));
const asideOf = async (world: World) =>
  readSetAside(world.objects.memory, (await loadManifest(world.objects.memory)).manifest, UNPACED);
const rowsOf = (...firsts: number[]) => firsts.flatMap((first) => reported('honest', first, 5));
const inventory = async (world: World) => new Set((await actualInventory(world.objects)).keys());

describe('a batch that a merge throws for', () => {
  async function beside(): Promise<World> {
    const world = newWorld();
    for (let i = 0; i < 9; i++) await put(world, `h${i}`, 'honest', i * 10);
    await put(world, 'deadly-1', 'deadly', 500);
    await put(world, 'k-deadly-2', 'deadly', 510);
    for (let i = 9; i < 15; i++) await put(world, `h${i}`, 'honest', i * 10);
    return world;
  }
  const HONEST = rowsOf(...Array.from({ length: 15 }, (_, i) => i * 10));

  test('is set aside with its reason by the same tick that merges all others, and kept', async () => {
    const world = await beside();
    expect(await tick(world)).toMatchObject({ generation: 1, batches: 15, detections: 75, lostRace: false });
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(HONEST));
    expect(await actualActivity(world.objects)).toEqual(expectedActivity(HONEST));
    const detail = 'RangeError: expected an integer in [0, 2^53); found [digits]';
    const common = { reason: 'failed', detail, at: world.clock, by: null };
    expect(await asideOf(world)).toEqual([
      { id: 'deadly-1', ...common },
      { id: 'k-deadly-2', ...common },
    ]);
    const { merged, waiting } = await batchPlaces(world.objects.memory);
    expect([waiting, merged.includes('deadly-1'), merged.includes('k-deadly-2')]).toEqual([[], true, true]);
    expect(world.events.some((event) => event.startsWith('batch.set-aside'))).toBe(true);
    const status = await readStatus(world.objects.memory, world.clock, UNPACED);
    expect(status.setAside).toEqual({ batches: 2, failed: 2 });
    expect((await checked(world)).problems).toEqual([]);
    // A retry of it, or a put delivered twice, is dropped.
    await put(world, 'k-deadly-2', 'deadly', 510);
    await nextTick(world);
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual([]);
    expect(await asideOf(world)).toHaveLength(2);
  });

  test('alone makes no tick fail, waits, and is set aside as soon as something else goes', async () => {
    const world = newWorld();
    await put(world, 'deadly', 'deadly', 500);
    for (let i = 0; i < 12; i++) expect(await nextTick(world)).toMatchObject({ batches: 0, lostRace: false });
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual(['deadly']);
    // One line a tick.
    expect(world.events.filter((event) => event.startsWith('merge.failed')).length).toBe(12);
    await put(world, 'h', 'honest', 0);
    await nextTick(world);
    expect(await inventory(world)).toEqual(new Set(rowsOf(0).map(({ number }) => number)));
    expect(await asideOf(world)).toMatchObject([{ id: 'deadly', reason: 'failed' }]);
  });

  test('does not stop what is released from being merged, nor the other way round', async () => {
    const world = newWorld();
    await uploadLines(world, 'bad', reported('bad', 300, 200), [lines('bad', 200, 200)]);
    await put(world, 'h', 'honest', 0);
    await tick(world);
    await release(world, 'bad');
    await put(world, 'deadly', 'deadly', 500);
    await put(world, 'h2', 'honest', 10);
    await nextTick(world);
    await nextTick(world);
    expect((await inventory(world)).size).toBe(210);
    expect(await asideOf(world)).toMatchObject([{ id: 'deadly' }]);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('stays out after a rollback and a rebuild', async () => {
    const world = newWorld();
    await put(world, 'first', 'honest', 100);
    await tick(world);
    await put(world, 'deadly', 'deadly', 500);
    await put(world, 'second', 'honest', 110);
    await nextTick(world);
    world.clock += 60_000;
    await rollback(world, 1, { requeue: true });
    await nextTick(world);
    expect(await asideOf(world)).toMatchObject([{ id: 'deadly', reason: 'failed' }]);
    expect((await inventory(world)).size).toBe(10);
    expect((await checked(world)).problems).toEqual([]);
    const target = newWorld();
    expect(await rebuild(world.objects.memory, target, lookAt(target).progress)).toMatchObject({ setAside: 1 });
    expect(await asideOf(target)).toEqual(await asideOf(world));
    expect((await checked(target)).problems).toEqual([]);
  });

  describe('in a tick that stops at any storage call', () => {
    for (const fault of ['fails', 'fails but persisted'] satisfies Fault[]) {
      test(`${fault}: it is set aside once, and the others are merged once`, async () => {
        for (let at = 0; ; at++) {
          const world = newWorld();
          await put(world, 'base', 'honest', 900);
          await tick(world);
          await put(world, 'deadly', 'deadly', 500);
          await put(world, 'h', 'honest', 0);
          world.clock += 60_000;
          world.storeLog.clear();
          world.storeLog.failAt(at, fault);
          await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
          const reached = world.storeLog.calls.length > at;
          world.storeLog.clear();
          await drain(world);
          // Where it could not be read, and the others were merged, it waits alone until something else goes.
          await put(world, 'late', 'honest', 20);
          await nextTick(world);
          expect((await asideOf(world)).map(({ id, reason }) => [id, reason])).toEqual([['deadly', 'failed']]);
          expect((await inventory(world)).size, `call ${at}`).toBe(15);
          expect(await batchPlaces(world.objects.memory)).toEqual({
            waiting: [],
            merged: ['base', 'deadly', 'h', 'late'],
          });
          expect(world.storeLog.violations).toEqual([]);
          expect((await checked(world)).problems).toEqual([]);
          if (!reached) break;
        }
      });
    }
  });
});

test('two batches that only together cannot be merged are merged one after the other', async () => {
  const world = newWorld();
  await put(world, 'a', 'left', 500);
  await put(world, 'b', 'right', 510);
  for (let i = 0; i < 6; i++) await put(world, `h${i}`, 'honest', i * 10);
  for (let i = 0; i < 4; i++) await nextTick(world);
  expect((await inventory(world)).size).toBe(40);
  expect(await asideOf(world)).toEqual([]);
  expect((await batchPlaces(world.objects.memory)).waiting).toEqual([]);
});

describe('what the storage does', () => {
  test('is no fault of an input, even as a RangeError, and leads to no search', async () => {
    const world = newWorld();
    for (let i = 0; i < 8; i++) await put(world, `h${i}`, 'honest', i * 10);
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put segments/') throw new RangeError('expected 4 bytes, found 3');
    };
    await expect(tick(world)).rejects.toThrow('expected 4 bytes');
    expect(world.storeLog.calls.filter((name) => name === 'put ledgers/')).toHaveLength(1);
    world.storeLog.beforeCall = async () => {};
    await nextTick(world);
    expect(await asideOf(world)).toEqual([]);
    expect((await inventory(world)).size).toBe(40);
  });

  test('nor is damage to what is stored', async () => {
    const watched = watch(newWorld());
    expect(watched.isInputs(new FormatError('RFLE: damaged'))).toBe(false);
    expect(watched.isInputs(new Error('anything'))).toBe(false);
    expect(watched.isInputs(new RangeError('too large'))).toBe(true);
    await watched.context.objects.getRange('gone', 0, 1);
    expect(watched.isInputs(new RangeError('too large'))).toBe(true);
    const world = newWorld();
    const load = () => Promise.reject(new RangeError('damaged'));
    const other = watch({ ...world, numbers: { load, retain: () => {} } });
    const entry = {} as Parameters<NonNullable<World['numbers']>['load']>[0];
    await expect(other.context.numbers?.load(entry)).rejects.toThrow('damaged');
    expect(other.isInputs(new RangeError('too large'))).toBe(false);
  });
});

test('a search finds all that fail by themselves and takes all that go, in few trials', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.nat({ max: 499 }), { maxLength: 3 }),
      async (count, bad) => {
        const items = Array.from({ length: count }, (_, i) => i);
        const deadly = new Set(bad.filter((i) => i < count));
        let left = items;
        const found = new Set<number>();
        // A tick after the other, until nothing is left.
        for (let round = 0; round < 6 && left.length > 0; round++) {
          let trials = 0;
          const result = await bisectFaulty(
            left,
            async (some) => {
              trials += 1;
              if (some.some((i) => deadly.has(i))) throw new RangeError('deadly');
              return some.length;
            },
            (error) => error instanceof RangeError,
          );
          expect(trials).toBeLessThanOrEqual(25);
          expect(result.merged ?? 0).toBe(result.items.length);
          expect(result.items.some((i) => deadly.has(i))).toBe(false);
          for (const { item } of result.faulty) found.add(item);
          expect(result.items.length + result.faulty.length, 'it makes way').toBeGreaterThan(0);
          left = left.filter((i) => !result.items.includes(i) && !found.has(i));
        }
        expect(left).toEqual([]);
        expect(found).toEqual(deadly);
      },
    ),
    { numRuns: 200 },
  );
});
