import { describe, expect, test } from 'vitest';
import { decodeManifest } from '../../../src/format/manifest.ts';
import { collectGarbage, GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { compactFully, drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { HeldWrites } from '../../../src/storage/held-writes.ts';
import { objectOf, partOf } from '../../../src/storage/parts.ts';
import { actualActivity, expectedActivity } from '../../support/activity.ts';
import { someDetections } from '../../support/detections.ts';
import {
  actualInventory,
  batchPlaces,
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
import { checked, flip } from '../scripts/fsck/support.ts';

const PARTS = [1, 2, 3, 4].map((seed) => someDetections(60, seed, 200));

const minutes = (world: World, parts = PARTS) => uploadByMinute(world, parts);

async function expectWhole(world: World, detections = PARTS.flat()): Promise<void> {
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(detections));
  expect(await actualActivity(world.objects)).toEqual(expectedActivity(detections));
  expect((await checked(world)).problems).toEqual([]);
  expect(world.storeLog.violations).toEqual([]);
}

describe('what a tick writes', () => {
  test('is one object, with the copy of the manifest: exactly these calls in a quiet minute', async () => {
    const world = await minutes(gatheringWorld());
    expect(await keysOf(world, 'segments/')).toEqual([]);
    expect(await keysOf(world, 'facts/')).toEqual([]);
    expect(await keysOf(world, 'ledgers/')).toEqual([]);
    await upload(world, `${world.clock}-quiet`, someDetections(40, 9, 200));
    world.storeLog.clear();
    // As in service: what the isolate wrote it does not read.
    const objects = new HeldWrites(world.objects);
    await tick({ ...world, objects });
    world.clock += MINUTE;
    await upload(world, `${world.clock}-next`, someDetections(40, 10, 200));
    world.storeLog.clear();
    await tick({ ...world, objects });
    expect(world.storeLog.counts()).toEqual({
      'list batches/waiting/': 1,
      'get batches/waiting/': 1,
      'get config/': 1,
      'put manifests/': 1,
      'put manifest': 1,
      'put batches/merged/': 1,
      'delete batches/waiting/': 1,
    });
    await expectWhole(world, [...PARTS.flat(), ...someDetections(40, 9, 200), ...someDetections(40, 10, 200)]);
  });

  test('is one object also where the run has two segments, and no slice', async () => {
    const many = someDetections(30_000, 5, 200_000).map((one, i) => ({ ...one, number: 12_005_550_000 + 3 * i }));
    const world = await minutes(gatheringWorld(), [many]);
    await upload(world, 'next', someDetections(40, 9, 200));
    world.storeLog.clear();
    await tick(world);
    expect((await manifestOf(world)).runs.map(({ segments }) => segments.length)).toEqual([2]);
    const writes = Object.entries(world.storeLog.counts()).filter(([name]) => /^(kv )?put/.test(name));
    expect(Object.fromEntries(writes)).toEqual({ 'put manifests/': 1, 'put manifest': 1, 'put batches/merged/': 1 });
  });

  test('gives the same inventory and the same bytes as objects of their own do', async () => {
    const world = await minutes(gatheringWorld());
    await expectWhole(world);
    const apart = await minutes(newWorld());
    const segmentOf = async (one: World) => {
      const [run] = (await manifestOf(one)).runs;
      return (await one.objects.memory.get(run?.segments[0]?.key ?? ''))?.bytes;
    };
    expect(await segmentOf(world)).toEqual(await segmentOf(apart));
  });

  test('is objects of their own where it is much, and the rest is gathered all the same', async () => {
    const many = someDetections(100_000, 5, 200_000).map((one, i) => ({ ...one, number: one.number + i }));
    const world = await minutes(gatheringWorld(), [many]);
    expect((await keysOf(world, 'segments/')).length).toBeGreaterThan(0);
    expect(partOf((await manifestOf(world)).ledger ?? '')).not.toBeNull();
    expect((await checked(world, { verifyBatches: false })).problems).toEqual([]);
  });
});

describe('a tick that stops', () => {
  const prepared = async () => {
    const world = await minutes(gatheringWorld({ inlineRecords: 1, compactionSegments: 1 }), PARTS.slice(0, 2));
    await upload(world, 'b2', PARTS[2] ?? []);
    await upload(world, 'b3', PARTS[3] ?? []);
    world.clock += MINUTE;
    world.storeLog.clear();
    return world;
  };

  test.each(['fails', 'fails but persisted'] as const)('%s at any call: the next makes it whole', async (fault) => {
    const first = await prepared();
    await tick(first);
    const calls = [...first.storeLog.calls];
    expect(calls).toContain('put manifests/');
    for (const [at, name] of calls.entries()) {
      const world = await prepared();
      const before = (await manifestOf(world)).generation;
      world.storeLog.failAt(at, fault);
      await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
      // Nothing that it gathered is there before the object which has all of it.
      const copies = (await keysOf(world, 'manifests/')).length;
      expect(copies, name).toBeGreaterThanOrEqual((await manifestOf(world)).generation);
      expect((await manifestOf(world)).generation - before, name).toBeLessThanOrEqual(2);
      world.storeLog.clear();
      await drain(world);
      await expectWhole(world);
      expect(await batchPlaces(world.objects)).toMatchObject({ waiting: [] });
    }
  });

  test('lost its race: what it gathered is garbage, and is collected', async () => {
    const world = await prepared();
    let isFirst = true;
    world.storeLog.beforeCall = async (name) => {
      if (name !== 'put manifest' || !isFirst) return;
      isFirst = false;
      await tick(world);
    };
    await tick(world);
    const lost = (await keysOf(world, 'manifests/')).length - (await manifestOf(world)).generation;
    expect(lost).toBeGreaterThan(0);
    await drain(world);
    await expectWhole(world);
    world.clock += 2 * GARBAGE_AGE_MS;
    await collectGarbage(world);
    expect((await checked(world)).findings.counts.get('manifests that are not retained') ?? 0).toBe(0);
    await expectWhole(world);
  });
});

describe('the object with the copy', () => {
  test('stays as long as a part of it is in use, and no longer', async () => {
    const world = await minutes(gatheringWorld());
    const { runs, generation } = await manifestOf(world);
    const inUse = objectOf(runs[0]?.segments[0]?.key ?? '');
    // Days pass without an upload; then the run is rewritten.
    world.clock += 9 * 24 * 60 * MINUTE;
    await collectGarbage(world);
    expect(await keysOf(world, 'manifests/')).toContain(inUse);
    await expectWhole(world);
    for (let day = 0; day < 9; day++) {
      await upload(world, `day-${day}`, PARTS[0]?.slice(day, day + 1) ?? []);
      await tick(world);
      world.clock += 24 * 60 * MINUTE;
    }
    const now = await manifestOf(world);
    await collectGarbage(world);
    const named = [...now.runs.flatMap(({ segments }) => segments), ...now.activity].map(({ key }) => objectOf(key));
    const kept = (await keysOf(world, 'manifests/')).filter((key) => Number(key.slice(10, 20)) <= generation);
    expect(kept.every((key) => named.includes(key))).toBe(true);
    expect((await checked(world)).problems).toEqual([]);
    expect(world.storeLog.violations).toEqual([]);
  });

  test('is what a rollback returns to, and what is put back for a manifest that was lost', async () => {
    const world = await minutes(gatheringWorld());
    await rollback(world, 2, { requeue: false });
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.slice(0, 2).flat()));
    expect((await checked(world)).problems).toEqual([]);
    await rollback(world, 4, { requeue: true });
    await upload(world, 'more', []);
    await tick(world);
    const { generation, commit } = await manifestOf(world);
    const copy = await world.objects.memory.get(`manifests/${String(generation).padStart(10, '0')}-${commit}`);
    await world.objects.memory.delete(['manifest']);
    await world.objects.memory.put('manifest', copy?.bytes ?? new Uint8Array());
    expect(decodeManifest(copy?.bytes ?? new Uint8Array()).commit).toBe(commit);
    expect((await checked(world)).problems).toEqual([]);
    await upload(world, 'after', []);
    await tick(world);
    expect((await manifestOf(world)).generation).toBe(generation + 1);
    await compactFully(world);
    await expectWhole(world);
  });

  test('is found damaged in each of its parts', async () => {
    const titles = ['segments in use', 'activity', 'ledger of sources'];
    for (const title of titles) {
      const world = await minutes(gatheringWorld());
      const { runs, activity, ledger } = await manifestOf(world);
      const keys = [runs[0]?.segments[0]?.key, activity.at(-1)?.key, ledger];
      const key = keys[titles.indexOf(title)] ?? '';
      const part = partOf(key);
      await flip(world, objectOf(key), (part?.offset ?? 0) + (part?.length ?? 0) - 20);
      expect((await checked(world)).problems, title).toContain(`error: ${title}: ${key}`);
    }
  });
});
