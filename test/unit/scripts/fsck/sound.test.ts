/** Stores that are as they should be, whatever happened to them: nothing is found. */
import { describe, expect, test, vi } from 'vitest';
import { drain } from '../../../../src/merge/rebuild.ts';
import { rollback } from '../../../../src/merge/rollback.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { someDetections } from '../../../support/detections.ts';
import type { Fault } from '../../../support/strict-stores.ts';
import { newWorld, upload, type World } from '../../../support/world.ts';
import { checked, duringCompaction, fourMinutes, keysOf, manifestOf, PARTS } from './support.ts';

/**
 * Some make a store of 80,000 records, or stop a tick at each of its calls: a second or two, more on a busy machine.
 */
vi.setConfig({ testTimeout: 30_000 });

async function expectSound(world: World, counts: Readonly<Record<string, number>> = {}): Promise<void> {
  const { problems, findings } = await checked(world);
  expect(problems).toEqual([]);
  expect(findings.isSound).toBe(true);
  expect(findings.checks.map(({ skipped }) => skipped)).toEqual(findings.checks.map(() => null));
  expect(Object.fromEntries([...findings.counts].filter(([, value]) => value > 0))).toEqual(counts);
}

describe('a sound store', () => {
  test('that nothing was ever put into', async () => {
    await expectSound(newWorld());
  });

  test('with uploads, before the first tick', async () => {
    const world = newWorld();
    await upload(world, 'b0', someDetections(5, 1));
    await expectSound(world, { 'batches waiting to be merged': 1 });
  });

  test('after four minutes: every part of it was looked at', async () => {
    const world = await fourMinutes();
    await expectSound(world);
    const { findings } = await checked(world);
    expect(Object.fromEntries(findings.checks.map(({ title, looked }) => [title, looked]))).toEqual({
      manifest: 1,
      'API keys': 0,
      canaries: 0,
      'rules of tenants': 0,
      'segments in use': 1,
      'slices in KV': 0,
      'numbers, each counted once': new Set(PARTS.flat().map(({ number }) => number)).size,
      activity: 1,
      'retained generations': 4,
      'segments only they name': 3,
      'activity only they name': 3,
      'batches set aside': 0,
      history: 4,
      'merged batches': 4,
      'waiting batches': 0,
      'ledger of sources': 1,
      'inventory against its batches': 1,
    });
  });

  test('in the middle of a compaction', async () => {
    const world = await duringCompaction();
    const { runs, compaction } = await manifestOf(world);
    expect([runs.length, compaction?.output.count]).toEqual([2, 1]);
    await expectSound(world);
    const { findings } = await checked(world);
    expect(findings.checks.find(({ title }) => title === 'segments in use')?.looked).toBe(5);
    expect(findings.checks.find(({ title }) => title === 'slices in KV')?.looked).toBe(1);
    expect(findings.checks.find(({ title }) => title === 'inventory against its batches')?.looked).toBe(4);
  });

  test('after a rollback, with batches set aside, to be merged again, and merged again', async () => {
    const world = await fourMinutes();
    await rollback(world, 2, { requeue: false });
    await expectSound(world, { 'batches set aside': 2 });
    await rollback(world, 4, { requeue: false });
    await rollback(world, 3, { requeue: true });
    await expectSound(world, { 'batches to be merged again': 1 });
    await drain(world);
    await expectSound(world);
  });

  test('whose slices could not be written', async () => {
    const world = newWorld({ inlineRecords: 1 });
    world.storeLog.beforeCall = async (name) => {
      if (name === 'kv put') throw new Error('injected: KV is down');
    };
    // The second is compacted with the first, and only that has slices.
    for (const seed of [1, 2]) {
      await upload(world, `b${seed}`, someDetections(50, seed));
      await tick(world);
    }
    await expectSound(world, { 'segments whose slices a later tick will put into KV': 1 });
  });

  test('to which an upload came back under its Idempotency-Key', async () => {
    const world = newWorld();
    await upload(world, 'k-1', someDetections(50, 1));
    await tick(world);
    await upload(world, 'k-1', someDetections(50, 2));
    await expectSound(world, { 'merged batches that a tick will take out of waiting': 1 });
  });
});

describe('a first tick that stops anywhere leaves a store of which nothing is lost, and fsck says so', () => {
  const NOT_YET = 'warning: manifest: manifest';

  test.each(['fails', 'fails but persisted'] as const)('%s', async (fault) => {
    const seen = new Set<string>();
    for (let at = 0; ; at++) {
      const world = newWorld();
      await upload(world, 'b0', someDetections(90, 1, 150));
      await upload(world, 'k-1', someDetections(30, 3, 150));
      world.storeLog.clear();
      world.storeLog.failAt(at, fault);
      await tick(world).catch(() => undefined);
      const wasReached = world.storeLog.calls.length > at;
      const { problems, words, report } = await checked(world);
      for (const problem of problems) expect(problem, `stopped at call ${at}`).toBe(NOT_YET);
      for (const word of words) expect(word).toMatch(/first tick was stopped before .* Nothing is lost: the next tick/);
      expect(report).not.toMatch(/rebuild/i);
      seen.add(problems.join());
      world.storeLog.failAt(-1, fault);
      await tick(world);
      const after = await checked(world);
      expect(after.problems, `after call ${at}`).toEqual([]);
      expect((await manifestOf(world)).runs).not.toEqual([]);
      if (!wasReached) break;
    }
    // Some stop before anything was written, or after all was; some in between.
    expect([...seen].sort()).toEqual(['', NOT_YET]);
  });

  test('but one whose manifest is gone is not taken for it', async () => {
    const world = await fourMinutes();
    await upload(world, 'waits', someDetections(10, 9));
    await world.objects.memory.delete(['manifest']);
    for (const key of await keysOf(world, 'batches/merged/')) await world.objects.memory.delete([key]);
    const { problems, words } = await checked(world);
    expect(problems[0]).toBe('error: manifest: manifest');
    expect(words[0]).toMatch(/^is missing, but there is manifests\/.* Put a copy of manifests\/0000000004-/);
  });

  test('nor is a rebuild advised where there is nothing to rebuild from', async () => {
    const world = await fourMinutes();
    for (const prefix of ['batches/', 'manifests/']) {
      for (const key of await keysOf(world, prefix)) await world.objects.memory.delete([key]);
    }
    await world.objects.memory.delete(['manifest']);
    const { words } = await checked(world);
    expect(words[0]).toMatch(/There are no batches to rebuild the store from: put a copy of the bucket back\.$/);
  });
});

describe('a tick or rollback that stops anywhere leaves a sound store', () => {
  const FAULTS: readonly Fault[] = ['fails', 'fails but persisted'];
  const actions: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
    tick,
    rollback: (world) => rollback(world, 1, { requeue: true }),
  };

  async function prepared(): Promise<World> {
    const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
    await upload(world, 'old', someDetections(90, 1, 150));
    await tick(world);
    await upload(world, 'new', someDetections(80, 2, 150));
    await upload(world, 'k-new', someDetections(30, 3, 150));
    await drain(world);
    await upload(world, 'newest', someDetections(80, 4, 150));
    // Minute 17: the tick also collects garbage.
    world.clock += 17 * 60_000 - (world.clock % (60 * 60_000));
    world.clock += 60 * 60_000;
    world.storeLog.clear();
    return world;
  }

  for (const [name, action] of Object.entries(actions)) {
    test.each(FAULTS)(`${name}: %s`, async (fault) => {
      for (let at = 0; ; at++) {
        const world = await prepared();
        world.storeLog.failAt(at, fault);
        await action(world).catch(() => undefined);
        const wasReached = world.storeLog.calls.length > at;
        const { problems } = await checked(world);
        // A segment whose slices KV did not confirm is in the manifest's list, wherever the tick stopped.
        expect(problems, `stopped at call ${at}`).toEqual([]);
        if (!wasReached) break;
      }
    });
  }
});
