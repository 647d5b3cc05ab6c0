import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import { type Manifest, runNumbers } from '../../../src/format/manifest.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { collectGarbage, GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { readSetAside, SET_ASIDE_PAGE, type SetAside, writeSetAside } from '../../../src/merge/failing-batches.ts';
import { loadManifest, publish } from '../../../src/merge/publish-manifest.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { generationKey, RETAINED_PREFIX } from '../../../src/storage/keys.ts';
import { someDetections } from '../../support/detections.ts';
import { asBefore, encodeOldManifest } from '../../support/version-1.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, upload, type World } from '../../support/world.ts';
import { checked, fourMinutes, keysOf, lookAt, manifestOf, PARTS, setAsideIds } from '../scripts/fsck/support.ts';

const one = (id: string): SetAside => ({ id, reason: 'failed', detail: 'RangeError', at: 5, by: null });

describe('the list of batches set aside', () => {
  test('is in objects of its own, however long it is; the manifest has its key and how many', async () => {
    const world = newWorld();
    for (const length of [0, 1, SET_ASIDE_PAGE, SET_ASIDE_PAGE + 1]) {
      const batches = Array.from({ length }, (_, i) => one(`b${i}`));
      const setAside = await writeSetAside(world.objects, 7, `r${length}`, batches);
      expect(setAside.count).toBe(length);
      expect(await readSetAside(world.objects, { setAside, publishedAt: 0 }, UNPACED)).toEqual(batches);
    }
    expect(await keysOf(world, 'set-aside/')).toEqual([
      'set-aside/0000000007-r1-000000',
      `set-aside/0000000007-r${SET_ASIDE_PAGE}-000000`,
      `set-aside/0000000007-r${SET_ASIDE_PAGE + 1}-000000`,
      `set-aside/0000000007-r${SET_ASIDE_PAGE + 1}-000001`,
    ]);
  });

  test('a manifest does not grow with it', async () => {
    const world = await fourMinutes();
    const sizeOf = async () => (await world.objects.memory.get('manifest'))?.sizeBytes ?? 0;
    const base = await loadManifest(world.objects);
    const setAside = await writeSetAside(
      world.objects,
      base.manifest.generation + 1,
      'many',
      Array.from({ length: 900 }, (_, i) => one(`b${i}`)),
    );
    const before = await sizeOf();
    await publish(world, base, { setAside }, { batches: [], replayed: [] });
    expect((await sizeOf()) - before).toBeLessThan(200);
  });

  test('is rejected when an object is missing or lists fewer', async () => {
    const world = newWorld();
    const { key } = await writeSetAside(world.objects, 7, 'r', [one('b1')]);
    const read = (setAside: Manifest['setAside']) => readSetAside(world.objects, { setAside, publishedAt: 0 }, UNPACED);
    await expect(read({ key, count: 2 })).rejects.toThrow('expected 2 batches set aside, found 1');
    await expect(read({ key: 'set-aside/gone', count: 1 })).rejects.toThrow('set-aside/gone-000000 is missing');
  });

  test('is collected when no retained generation names it, and not before', async () => {
    const world = await fourMinutes();
    await rollback(world, 2, { requeue: false });
    world.clock += 60_000;
    await rollback(world, 1, { requeue: false });
    expect(await keysOf(world, 'set-aside/')).toHaveLength(2);
    world.clock += GARBAGE_AGE_MS / 2;
    await writeSetAside(world.objects, 9, 'lost', [one('b1')]);
    world.clock += GARBAGE_AGE_MS + 1;
    expect(await collectGarbage(world)).toMatchObject({ setAside: 1 });
    expect(await keysOf(world, 'set-aside/')).toHaveLength(2);
    // Four days on nothing older is retained.
    world.clock += 4 * 86_400_000;
    await upload(world, 'late', someDetections(5, 9));
    await tick(world);
    await upload(world, 'later', someDetections(5, 10));
    world.clock += 2 * 3_600_000;
    await tick(world);
    world.clock += 2 * 3_600_000;
    await collectGarbage(world);
    expect(await keysOf(world, 'set-aside/')).toHaveLength(1);
    expect(await setAsideIds(world)).toEqual(['b1', 'b2', 'b3']);
  });

  test('tells why and by whom, and a rollback keeps what it said before', async () => {
    const world = await fourMinutes();
    const base = await loadManifest(world.objects);
    const said: SetAside = { id: 'b3', reason: 'exhausted', detail: 'sent twice', at: 5, by: 'key-1' };
    const setAside = await writeSetAside(world.objects, base.manifest.generation + 1, 'r', [said]);
    await publish(world, base, { setAside }, { batches: [], replayed: [] });
    world.clock += 60_000;
    await rollback(world, 2, { requeue: false });
    const list = await readSetAside(world.objects, await manifestOf(world), UNPACED);
    expect(list.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'b2', reason: 'rollback', detail: null, at: world.clock, by: null },
      said,
    ]);
    await rollback(world, 2, { requeue: true });
    expect(await setAsideIds(world)).toEqual(['b2', 'b3']);
  });
});

/** Makes the current manifest, and its copy, what a writer of version 1 would have left. */
async function asVersion1(world: World): Promise<void> {
  await asBefore({ objects: world.objects.memory, slices: world.slices.memory });
  const manifest = await manifestOf(world);
  const bytes = encodeOldManifest(manifest, [], 1, { setAside: await setAsideIds(world), unscreened: undefined });
  await world.objects.memory.put('manifest', bytes);
  await world.objects.memory.put(generationKey(RETAINED_PREFIX, manifest.generation, manifest.commit), bytes);
  for (const key of await keysOf(world, 'set-aside/')) await world.objects.memory.delete([key]);
}

describe('a store that an earlier version wrote', () => {
  async function ofVersion1() {
    const world = await fourMinutes();
    await rollback(world, 2, { requeue: false });
    await asVersion1(world);
    world.clock += 60_000;
    return world;
  }
  const kept = PARTS.slice(0, 2).flat();

  test('is sound, and the next generation has the list in an object', async () => {
    const world = await ofVersion1();
    expect((await checked(world)).problems).toEqual([]);
    await upload(world, 'next', someDetections(20, 8, 200));
    await tick(world);
    const manifest = await manifestOf(world);
    expect(manifest.setAside).toMatchObject({ key: expect.stringMatching(/^set-aside\/0000000006-/), count: 2 });
    expect(await setAsideIds(world)).toEqual(['b2', 'b3']);
    expect((await checked(world)).problems).toEqual([]);
    const all = [...kept, ...someDetections(20, 8, 200)];
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(all));
  });

  test('can be rolled back, to it and from it', async () => {
    const world = await ofVersion1();
    await rollback(world, 4, { requeue: true });
    for (let i = 0; i < 3; i++) await tick(world);
    // Both were set aside by hand, and stay so.
    expect(await setAsideIds(world)).toEqual([]);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.flat()));
    await rollback(world, 5, { requeue: false });
    expect(await setAsideIds(world)).toEqual(['b2', 'b3']);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(kept));
    expect((await checked(world)).problems).toEqual([]);
  });

  test('is rebuilt with what was set aside', async () => {
    const source = await ofVersion1();
    const target = newWorld();
    expect(await rebuild(source.objects.memory, target, lookAt(target).progress)).toMatchObject({ setAside: 2 });
    expect(await setAsideIds(target)).toEqual(['b2', 'b3']);
    expect((await batchPlaces(target.objects)).merged).toEqual(['b0', 'b1', 'b2', 'b3']);
    expect((await manifestOf(target)).runs.reduce((sum, run) => sum + runNumbers(run), 0)).toBe(
      expectedInventory(kept).size,
    );
    expect((await checked(target)).problems).toEqual([]);
  });
});
