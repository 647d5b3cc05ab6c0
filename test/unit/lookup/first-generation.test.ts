/** The first generation, and refreshes that cross: whatever order storage answers in. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Finder } from '../../../src/lookup/finder.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { tick } from '../../../src/merge/tick.ts';
import { MANIFEST_KEY, MERGED_PREFIX, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';
import { someDetections } from '../../support/detections.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const DETECTIONS = someDetections(5, 1);
const [FIRST] = DETECTIONS;
if (FIRST === undefined) throw new Error('no detection');
const { number: LISTED } = FIRST;

function finderOn(world: World, objects: ObjectStore): Finder {
  return new Finder({
    objects,
    slices: world.slices.memory,
    now: world.now,
    log: world.log,
    waitUntil: () => {},
    sleep: () => new Promise((resolve) => setTimeout(resolve, 0)),
  });
}

/** A store whose calls wait before they reach it, and again before they are answered. */
function delayed(objects: ObjectStore, wait: (name: string) => Promise<void>): ObjectStore {
  const call = async <T>(name: string, operation: () => Promise<T>): Promise<T> => {
    await wait(name);
    const result = await operation();
    await wait(`answer of ${name}`);
    return result;
  };
  return {
    get: (key) => call(`get ${key}`, () => objects.get(key)),
    getIfChanged: (key, etag) => call(`getIfChanged ${key}`, () => objects.getIfChanged(key, etag)),
    getRange: (key, offset, length) => call(`getRange ${key}`, () => objects.getRange(key, offset, length)),
    head: (key) => call(`head ${key}`, () => objects.head(key)),
    put: (key, bytes, condition) => call(`put ${key}`, () => objects.put(key, bytes, condition)),
    list: (prefix, options) => call(`list ${prefix}`, () => objects.list(prefix, options)),
    delete: (keys) => call(`delete ${keys[0]}`, () => objects.delete(keys)),
  };
}

/** How many of the batches are merged, and how many still wait. */
async function batches({ objects }: World): Promise<readonly [number, number]> {
  const count = async (prefix: string) => (await objects.memory.list(prefix)).objects.length;
  return [await count(MERGED_PREFIX), await count(WAITING_PREFIX)];
}

test('of two first refreshes that cross, the one that saw nothing does not undo the other', async () => {
  const world = newWorld();
  await upload(world, 'a', DETECTIONS);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  let isFirst = true;
  const finder = finderOn(
    world,
    delayed(world.objects.memory, async (name) => {
      if (name !== `answer of list ${MERGED_PREFIX}` || !isFirst) return;
      isFirst = false;
      await held;
    }),
  );
  const slow = finder.snapshots.refresh();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isFirst).toBe(false);
  await tick(world);
  expect((await finder.snapshots.refresh()).manifest.generation).toBe(1);
  release();
  expect((await slow).manifest.generation).toBe(1);
  const [finding] = await finder.find([LISTED], { evidence: false });
  expect(finding?.record).not.toBeNull();
});

test('a lookup between whose two looks the first generation is published finds it', async () => {
  const world = newWorld();
  await upload(world, 'a', DETECTIONS);
  let isFirst = true;
  const objects = delayed(world.objects.memory, async (name) => {
    if (name !== `list ${MERGED_PREFIX}` || !isFirst) return;
    isFirst = false;
    await tick(world);
  });
  const [finding] = await finderOn(world, objects).find([LISTED], { evidence: false });
  expect(isFirst).toBe(false);
  expect(finding?.record).not.toBeNull();
});

/** Calls of a first tick, more than it makes: the last positions are behind its end. */
const CALLS = 40;

test.each(Array.from({ length: CALLS }, (_, i) => i))(
  'a first tick inside of which, at call %i, another one comes and goes',
  async (position) => {
    const world = newWorld();
    await upload(world, 'a', DETECTIONS);
    let calls = 0;
    let results: Promise<unknown> = Promise.resolve();
    world.storeLog.beforeCall = async () => {
      const [finding] = await finderOn(world, world.objects.memory).find([LISTED], { evidence: false });
      expect(finding, 'lookups are answered all the time').not.toBeNull();
      if (calls++ !== position) return;
      world.storeLog.beforeCall = async () => {};
      results = tick(world);
      await results;
    };
    await tick(world);
    await results;
    world.storeLog.beforeCall = async () => {};
    await tick(world);
    expect(world.events.filter((event) => event.includes('missing'))).toEqual([]);
    expect(world.storeLog.violations).toEqual([]);
    expect(await batches(world)).toEqual([1, 0]);
    const { manifest } = await loadManifest(world.objects);
    expect(manifest.runs.flatMap(({ segments }) => segments).reduce((sum, { count }) => sum + count, 0)).toBe(
      new Set(DETECTIONS.map(({ number }) => number)).size,
    );
  },
);

test('a store that has lost its manifest stays one, for lookups and for ticks', async () => {
  const world = newWorld();
  await upload(world, 'a', DETECTIONS);
  await tick(world);
  const holder = finderOn(world, world.objects.memory);
  await holder.snapshots.get();
  await world.objects.memory.delete([MANIFEST_KEY]);
  await upload(world, 'b', DETECTIONS);
  await expect(tick(world)).rejects.toThrow('the manifest is missing');
  await expect(finderOn(world, world.objects.memory).snapshots.get()).rejects.toThrow();
  // An isolate that knew a generation does not take the store for a new one even if no batch tells.
  const { objects } = await world.objects.memory.list(MERGED_PREFIX);
  await world.objects.memory.delete(objects.map(({ key }) => key));
  world.clock += 3_600_000;
  await expect(holder.snapshots.refresh()).rejects.toThrow('the manifest is missing');
});

test('ticks, refreshes and lookups of one isolate in any order: generations only grow, and nothing fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const world = newWorld();
      await upload(world, 'a', DETECTIONS);
      const objects = delayed(world.objects.memory, (name) => scheduler.schedule(Promise.resolve(), name));
      const finder = finderOn(world, objects);
      let served = 0;
      const expectNewer = () => {
        const generation = finder.snapshots.peek()?.manifest.generation ?? 0;
        expect(generation).toBeGreaterThanOrEqual(served);
        served = generation;
      };
      const refresh = async () => {
        for (let i = 0; i < 3; i++) {
          await finder.snapshots.refresh();
          expectNewer();
        }
      };
      const lookup = async () => {
        for (let i = 0; i < 3; i++) {
          const before = served;
          const [finding] = await finder.find([LISTED], { evidence: false });
          expect(finding).not.toBeNull();
          expect(finding?.generation).toBeGreaterThanOrEqual(before);
          if ((finding?.generation ?? 0) > 0) expect(finding?.record).not.toBeNull();
        }
      };
      const ticking = () => tick({ ...world, objects });
      await scheduler.waitFor(Promise.all([refresh(), refresh(), lookup(), ticking(), ticking()]));
      await tick(world);
      expect(await batches(world)).toEqual([1, 0]);
      expect(world.events.filter((event) => event.includes('missing'))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
