/** Ticks that die of what they take, which nothing can catch: here they stop at a call and never go on. */
import { describe, expect, test } from 'vitest';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { MAX_TRIES, RETRY_AFTER_MS, readSetAside, STUCK_AFTER_MS } from '../../../src/merge/failing-batches.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { readStatus } from '../../../src/merge/status.ts';
import { tick } from '../../../src/merge/tick.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { someDetections } from '../../support/detections.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, upload, type World } from '../../support/world.ts';
import { checked } from '../scripts/fsck/support.ts';

const MINUTE = 60_000;

/**
 * A tick that dies when it takes up one of these batches, as if opening them took all memory. Returns whether it did.
 */
async function tickDyingOf(world: World, deadly: ReadonlySet<string>): Promise<boolean> {
  const { promise: died, resolve: die } = Promise.withResolvers<true>();
  const { objects } = world;
  const { head, get } = objects;
  const isOf = (prefix: string, key: string) => key.startsWith(prefix) && deadly.has(key.slice(prefix.length));
  // Those that wait are looked for among the merged ones as they are read; those to be replayed are read there.
  const read = new Set<string>();
  const dead = () => {
    die(true);
    return new Promise<null>(() => {});
  };
  objects.head = (key) =>
    isOf(MERGED_PREFIX, key) && read.has(key.slice(MERGED_PREFIX.length)) ? dead() : head.call(objects, key);
  objects.get = (key) => {
    if (isOf(WAITING_PREFIX, key)) read.add(key.slice(WAITING_PREFIX.length));
    return isOf(MERGED_PREFIX, key) ? dead() : get.call(objects, key);
  };
  try {
    return await Promise.race([died, tick(world).then(() => false)]);
  } finally {
    Object.assign(objects, { head, get });
  }
}

const someOf = (i: number) => someDetections(5, 100 + i, 300);

async function minutes(world: World, count: number, deadly: ReadonlySet<string>): Promise<void> {
  for (let i = 0; i < count; i++) {
    world.clock += MINUTE;
    await tickDyingOf(world, deadly);
  }
}

describe('a batch that ticks die of', () => {
  test('is found, passed over while the others go on, and in the end set aside unopened', async () => {
    const world = newWorld();
    const uploaded: number[] = [];
    const put = async (i: number) => {
      await upload(world, `b${String(i).padStart(3, '0')}`, someOf(i));
      uploaded.push(i);
    };
    await upload(world, 'base', someDetections(30, 1));
    await tick(world);
    for (let i = 0; i < 40; i++) await put(i);
    const deadly = new Set(['b017']);
    let deaths = 0;
    for (let i = 0; i < 60; i++) {
      world.clock += MINUTE;
      await put(100 + i);
      if (await tickDyingOf(world, deadly)) deaths += 1;
    }
    const { manifest } = await loadManifest(world.objects);
    const aside = await readSetAside(world.objects, manifest, UNPACED);
    expect(aside).toMatchObject([{ id: 'b017', reason: 'exhausted', by: null }]);
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual([]);
    const expected = [...someDetections(30, 1), ...uploaded.filter((i) => i !== 17).flatMap(someOf)];
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(expected));
    expect(manifest.caution).toBeUndefined();
    // Five minutes until it is noticed; of the others’ sixty ticks some more until it is alone, and two more tries.
    expect(deaths).toBeLessThan(18 + MAX_TRIES);
    expect(world.storeLog.violations).toEqual([]);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('keeps nobody waiting for longer than it takes to find it', async () => {
    const world = newWorld();
    await upload(world, 'base', someDetections(30, 1));
    await tick(world);
    await upload(world, 'deadly', someOf(0));
    const latest = { waited: 0 };
    const since = new Map<string, number>();
    for (let i = 0; i < 40; i++) {
      world.clock += MINUTE;
      await upload(world, `n${i}`, someOf(i));
      since.set(`n${i}`, world.clock);
      await tickDyingOf(world, new Set(['deadly']));
      const { waiting } = await batchPlaces(world.objects.memory);
      for (const [id, at] of since) {
        if (waiting.includes(id)) latest.waited = Math.max(latest.waited, world.clock - at);
      }
    }
    expect(latest.waited).toBeLessThan(STUCK_AFTER_MS + 6 * MINUTE);
  });

  test('with a second one beside it: both are found', async () => {
    const world = newWorld();
    for (let i = 0; i < 20; i++) await upload(world, `b${String(i).padStart(3, '0')}`, someOf(i));
    await minutes(world, 90, new Set(['b003', 'b011']));
    const { manifest } = await loadManifest(world.objects);
    const aside = await readSetAside(world.objects, manifest, UNPACED);
    expect(aside.map(({ id, reason }) => [id, reason]).toSorted()).toEqual([
      ['b003', 'exhausted'],
      ['b011', 'exhausted'],
    ]);
    const others = Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== 3 && i !== 11);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(others.flatMap(someOf)));
  });

  test('that ticks no longer die of is merged like any other', async () => {
    const world = newWorld();
    for (let i = 0; i < 8; i++) await upload(world, `b00${i}`, someOf(i));
    await minutes(world, 14, new Set(['b005']));
    for (let i = 8; i < 38; i++) {
      await upload(world, `b00${i}`, someOf(i));
      await minutes(world, 1, new Set());
    }
    const { manifest } = await loadManifest(world.objects);
    expect([manifest.setAside.count, manifest.caution]).toEqual([0, undefined]);
    expect(await actualInventory(world.objects)).toEqual(
      expectedInventory(Array.from({ length: 38 }, (_, i) => i).flatMap(someOf)),
    );
  });

  test('that was merged before and came back is dropped, not set aside', async () => {
    const world = newWorld();
    await upload(world, 'base', someDetections(30, 1));
    await upload(world, 'k-again', someOf(0));
    await tick(world);
    world.clock += MINUTE;
    await upload(world, 'next', someOf(1));
    await tick(world);
    const { generation } = (await loadManifest(world.objects)).manifest;
    await upload(world, 'k-again', someOf(0));
    await minutes(world, 40, new Set(['k-again']));
    const { manifest } = await loadManifest(world.objects);
    expect([manifest.setAside.count, manifest.generation]).toEqual([0, generation]);
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual([]);
    expect(world.events.some((event) => event.startsWith('batch.duplicate'))).toBe(true);
    expect(await actualInventory(world.objects)).toEqual(
      expectedInventory([...someDetections(30, 1), ...someOf(0), ...someOf(1)]),
    );
    expect((await checked(world)).problems).toEqual([]);
  });

  test('that a rollback put back is set aside too, and can be put back again', async () => {
    const world = newWorld();
    await upload(world, 'base', someDetections(30, 1));
    await tick(world);
    world.clock += MINUTE;
    await upload(world, 'deadly', someOf(0));
    await tick(world);
    await rollback(world, 1, { requeue: true });
    await minutes(world, 40, new Set(['deadly']));
    const { manifest } = await loadManifest(world.objects);
    expect(manifest.replay).toEqual([]);
    expect(await readSetAside(world.objects, manifest, UNPACED)).toMatchObject([{ id: 'deadly', reason: 'exhausted' }]);
    expect((await checked(world)).problems).toEqual([]);
  });
});

describe('nothing is set aside, and nothing more is taken for a sign of death,', () => {
  test('when no tick ran for an hour', async () => {
    const world = newWorld();
    await upload(world, 'base', someDetections(30, 1));
    await tick(world);
    for (let i = 0; i < 30; i++) await upload(world, `b${i}`, someOf(i));
    world.clock += 60 * MINUTE;
    expect(await tick(world)).toMatchObject({ batches: 30 });
    expect((await loadManifest(world.objects)).manifest.caution).toBeUndefined();
    // The next tick neither reads nor writes of it.
    world.storeLog.clear();
    world.clock += MINUTE;
    await upload(world, 'next', someOf(99));
    await tick(world);
    expect(world.storeLog.calls.filter((call) => call.endsWith('attempt'))).toEqual([]);
  });

  test('when storage fails for an hour', async () => {
    const world = newWorld();
    await upload(world, 'base', someDetections(30, 1));
    await tick(world);
    for (let i = 0; i < 5; i++) await upload(world, `b${i}`, someOf(i));
    for (let i = 0; i < 60; i++) {
      world.clock += MINUTE;
      world.storeLog.beforeCall = async (name) => {
        if (name === 'put segments/') throw new Error('injected: storage fails');
      };
      await expect(tick(world)).rejects.toThrow('injected');
    }
    world.storeLog.beforeCall = async () => {};
    world.clock += MINUTE;
    expect(await tick(world)).toMatchObject({ batches: 5 });
    expect((await loadManifest(world.objects)).manifest).toMatchObject({ setAside: { count: 0 } });
  });

  test('when a batch cannot be read', async () => {
    const world = newWorld();
    await upload(world, 'base', someDetections(30, 1));
    await tick(world);
    await world.objects.memory.put('batches/waiting/bad', new Uint8Array(7));
    for (let i = 0; i < 30; i++) {
      world.clock += MINUTE;
      await tick(world);
    }
    await upload(world, 'good', someOf(1));
    const { waiting } = await readStatus(world.objects, world.clock, UNPACED);
    expect(waiting).toEqual({ batches: 2, detections: 5, atLeast: false });
    world.clock += MINUTE;
    expect(await tick(world)).toMatchObject({ batches: 1 });
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual(['bad']);
  });

  test('when what is noted of attempts is damaged', async () => {
    const world = newWorld();
    await upload(world, 'b', someOf(1));
    world.clock += STUCK_AFTER_MS + RETRY_AFTER_MS;
    await world.objects.memory.put('attempt', new Uint8Array(3));
    expect(await tick(world)).toMatchObject({ batches: 1 });
  });
});
