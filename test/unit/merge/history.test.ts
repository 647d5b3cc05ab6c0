/** Pages of the history: parts of copies until one is full, then objects; and what is left where one is lost. */
import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { listBatches } from '../../../src/merge/batches.ts';
import { collectGarbage, GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { batchesSince, hasHistory, historyFrom, historyOf, PAGE_BYTES } from '../../../src/merge/history.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { partOf } from '../../../src/storage/parts.ts';
import { someDetections } from '../../support/detections.ts';
import { asBefore } from '../../support/version-1.ts';
import {
  actualInventory,
  expectedInventory,
  gatheringWorld,
  keysOf,
  MINUTE,
  manifestOf,
  newWorld,
  upload,
  uploadByMinute,
  type World,
} from '../../support/world.ts';
import { checked, lookAt } from '../scripts/fsck/support.ts';

const partsOf = (count: number) => Array.from({ length: count }, (_, i) => someDetections(6, i + 1, 40));

function minutes(world: World, count: number, from = 0): Promise<World> {
  return uploadByMinute(world, partsOf(from + count).slice(from), from);
}

const generations = (keys: readonly string[]) => keys.map((key) => Number(key.split('/')[1]?.slice(0, 10)));
const ids = (count: number) => Array.from({ length: count }, (_, i) => `b${i}`);
const problemsOf = async (world: World) => (await checked(world)).problems;

async function entriesOf(world: World) {
  const entries = [];
  for await (const entry of historyOf(world.objects.memory, await manifestOf(world))) entries.push(entry);
  return entries;
}

describe('a page of the history', () => {
  test('is a part of the copy until it is full; so each generation is on one, whichever that is', async () => {
    const world = await minutes(gatheringWorld({ historyGenerations: 3 }), 8);
    expect(generations(await keysOf(world, 'history/'))).toEqual([3, 6]);
    const manifest = await manifestOf(world);
    expect(partOf(manifest.history ?? '')?.object).toMatch(/^manifests\/0000000008-/);
    const entries = await entriesOf(world);
    expect(entries.map(({ generation }) => generation)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(entries.map(({ batches }) => batches)).toEqual(
      ids(8)
        .toReversed()
        .map((id) => [id]),
    );
    expect(entries.map(({ parent }) => parent)).toEqual([...entries.slice(1).map(({ commit }) => commit), null]);
    const { objects } = world;
    for (const { generation, commit } of entries) {
      expect(await hasHistory(objects.memory, manifest, generation, commit)).toBe(true);
      const from = await historyFrom(objects.memory, manifest, generation, commit);
      const found = [];
      for await (const entry of from ?? []) found.push(entry.generation);
      expect(found).toEqual(Array.from({ length: generation }, (_, i) => generation - i));
      expect(await hasHistory(objects.memory, manifest, generation, 'other')).toBe(false);
    }
    expect(await hasHistory(objects.memory, manifest, 9, 'later')).toBe(false);
    expect(await batchesSince(objects.memory, manifest, 2, UNPACED)).toEqual(ids(8).slice(2).toReversed());
    expect(await batchesSince(objects.memory, manifest, 8, UNPACED)).toEqual([]);
    expect(await problemsOf(world)).toEqual([]);
    expect((await checked(world)).findings.counts.get('history of attempts never published')).toBe(0);
  });

  test('is what rollbacks, pages of batches and a rebuild go by, wherever it ends', async () => {
    for (const historyGenerations of [1, 2, 5, 64]) {
      const world = await minutes(gatheringWorld({ historyGenerations }), 6);
      await rollback(world, 2, { requeue: false });
      expect(await actualInventory(world.objects)).toEqual(expectedInventory(partsOf(2).flat()));
      await minutes(world, 2, 6);
      await rollback(world, 5, { requeue: true });
      const page = await listBatches(world.objects.memory, { since: null, source: undefined, after: null }, UNPACED);
      expect(page?.rows.map(({ id }) => id)).toEqual(ids(8).toReversed());
      await tick(world);
      const expected = await actualInventory(world.objects);
      // What the first rollback has set aside stays so.
      expect(expected).toEqual(
        expectedInventory(
          partsOf(8)
            .filter((_, i) => i !== 5)
            .flat(),
        ),
      );
      expect(await problemsOf(world)).toEqual([]);
      const target = newWorld();
      await rebuild(world.objects.memory, target, lookAt(target).progress, null);
      expect(await actualInventory(target.objects)).toEqual(expected);
      expect(world.storeLog.violations).toEqual([]);
    }
  });

  test('with thousands of batches is an object', async () => {
    const world = await minutes(gatheringWorld(), 1);
    for (let i = 0; i < 400; i++) await upload(world, `1767614400000-${String(i).padStart(30, '0')}`, []);
    await tick(world);
    const [key = '', ...more] = await keysOf(world, 'history/');
    expect([generations([key]), more]).toEqual([[2], []]);
    expect((await world.objects.memory.get(key))?.sizeBytes).toBeGreaterThan(PAGE_BYTES);
    await minutes(world, 1, 1);
    expect((await entriesOf(world)).map(({ batches }) => batches.length)).toEqual([1, 400, 1]);
    expect(await problemsOf(world)).toEqual([]);
  });

  test('follows the objects of a store from before, and those of a tick that does not gather', async () => {
    const world = await minutes(newWorld(), 3);
    await asBefore({ objects: world.objects.memory, slices: world.slices.memory });
    const later = await minutes({ ...world, gathers: true }, 2, 3);
    expect(generations(await keysOf(world, 'history/'))).toEqual([1, 2, 3]);
    const { gathers: _, ...apart } = later;
    await minutes(Object.assign(apart, { clock: later.clock }), 1, 5);
    expect(generations(await keysOf(world, 'history/'))).toEqual([1, 2, 3, 6]);
    expect((await entriesOf(world)).flatMap(({ batches }) => batches)).toEqual(ids(6).toReversed());
    expect(await problemsOf(world)).toEqual([]);
    await rollback(Object.assign(apart, { clock: later.clock + MINUTE }), 2, { requeue: false });
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(partsOf(2).flat()));
  });
});

describe('where the copy of the current generation is lost', () => {
  test('its history is, and that of no other; ticks go on, and rollbacks end there', async () => {
    const world = await minutes(gatheringWorld({ historyGenerations: 4 }), 7);
    const { generation, commit } = await manifestOf(world);
    const copy = `manifests/${String(generation).padStart(10, '0')}-${commit}`;
    const page = (await manifestOf(world)).history ?? '';
    await upload(world, 'b7', partsOf(8)[7] ?? []);
    const get = world.objects.get.bind(world.objects);
    world.objects.get = async (key) => (key === page ? null : get(key));
    await tick(world);
    expect(world.events.filter((event) => event.startsWith('history.lost'))).toEqual([
      `history.lost {"generation":7,"reason":"RFHI: ${page} is missing"}`,
    ]);
    world.objects.get = get;
    expect(generations(await keysOf(world, 'history/'))).toEqual([4, 6]);
    await expect(rollback(world, 6, { requeue: false })).rejects.toThrow('RFHI');
    expect(await rollback(world, 7, { requeue: false })).toMatchObject({ kind: 'done' });
    await world.objects.memory.delete([copy]);
    const { problems, words } = await checked(world);
    const at = problems.indexOf(`error: history: history/${copy.slice('manifests/'.length)}`);
    expect(words[at]).toMatch(/^is missing\. Lookups are right\. Do not roll back beyond generation 7/);
    expect(problems.filter((problem) => problem.includes(': history: '))).toHaveLength(1);
  });
});

describe('a lost manifest whose copy is lost as well', () => {
  const lost = async (world: World) => {
    const { generation, commit } = await manifestOf(world);
    await world.objects.memory.delete(['manifest', `manifests/${String(generation).padStart(10, '0')}-${commit}`]);
    return (await checked(world)).words[0];
  };

  test('is not taken for the one before: a batch tells, or what was decided', async () => {
    const world = await minutes(gatheringWorld(), 4);
    expect(await lost(world)).not.toContain('Put a copy of');
    const rolledBack = await minutes(gatheringWorld(), 4);
    await rollback(rolledBack, 2, { requeue: false });
    expect(await lost(rolledBack)).not.toContain('Put a copy of');
    const target = newWorld();
    await expect(rebuild(rolledBack.objects.memory, target, lookAt(target).progress, null)).rejects.toThrow(
      /ledgers\/0000000005-.* is as late as every copy of a manifest, or later/,
    );
  });

  test('is not missed where the copy is there', async () => {
    const world = await minutes(gatheringWorld(), 4);
    await world.objects.memory.delete(['manifest']);
    expect((await checked(world)).words[0]).toMatch(/Put a copy of manifests\/0000000004-\w+ in its place/);
    const moved = await minutes(gatheringWorld(), 4);
    await rollback(moved, 2, { requeue: true });
    await tick(moved);
    moved.clock += GARBAGE_AGE_MS * 3;
    await collectGarbage(moved);
    await moved.objects.memory.delete(['manifest']);
    expect((await checked(moved)).words[0]).toMatch(/Put a copy of manifests\/0000000006-\w+ in its place/);
  });
});
