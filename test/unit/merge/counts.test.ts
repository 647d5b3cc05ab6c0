import { describe, expect, test } from 'vitest';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { tick } from '../../../src/merge/tick.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { newWorld, upload } from '../../support/world.ts';

const WRITES = /^(put|kv put)/;

describe('storage operations of a tick, exactly', () => {
  test('nothing to do: two reads, and one more where there is no manifest, which may have been lost', async () => {
    const world = newWorld();
    await tick(world);
    expect(world.storeLog.counts()).toEqual({
      'get manifest': 1,
      'list batches/merged/': 1,
      'list batches/waiting/': 1,
    });
    await upload(world, 'a', someDetections(50, 1));
    await tick(world);
    world.storeLog.clear();
    await tick(world);
    expect(world.storeLog.counts()).toEqual({ 'get manifest': 1, 'list batches/waiting/': 1 });
  });

  test('the first batch', async () => {
    const world = newWorld();
    await upload(world, 'a', someDetections(50, 1));
    await tick(world);
    expect(world.storeLog.counts()).toEqual({
      'get manifest': 1,
      'list batches/merged/': 2,
      'list batches/waiting/': 1,
      'get batches/waiting/': 1,
      'head batches/merged/': 1,
      'get config/': 1,
      'put facts/': 1,
      'put ledgers/': 1,
      'put segments/': 1,
      'put manifests/': 1,
      'put history/': 1,
      'put manifest': 1,
      'put batches/merged/': 1,
      'delete batches/waiting/': 1,
    });
  });

  test('a quiet minute over a large base: eight writes, and the base is neither rewritten nor read whole', async () => {
    const world = newWorld({ activityObjects: DEFAULT_BUDGET.activityObjects });
    // 60,000 numbers in one run: far above the size that is rewritten at once.
    const many = someDetections(60_000, 1).map((d, i) => ({ ...d, number: fictionNumber(i) }));
    await upload(world, 'base', many);
    await tick(world);
    const [base] = (await loadManifest(world.objects)).manifest.runs;
    await upload(world, 'quiet', someDetections(50, 2, 60_000));
    world.clock += 60_000;
    world.storeLog.clear();
    await tick(world);
    const counts = world.storeLog.counts();
    expect(counts).toEqual({
      'get manifest': 1,
      'list batches/waiting/': 1,
      'get batches/waiting/': 1,
      'head batches/merged/': 1,
      'getRange segments/': 3,
      'get config/': 1,
      'get ledgers/': 1,
      'put facts/': 1,
      'put ledgers/': 1,
      'put segments/': 1,
      'put manifests/': 1,
      'put history/': 1,
      'put manifest': 1,
      'put batches/merged/': 1,
      'delete batches/waiting/': 1,
    });
    const writes = world.storeLog.calls.filter((name) => WRITES.test(name)).length;
    expect(writes + 1, 'with the write of the upload itself').toBe(8);
    const { runs } = (await loadManifest(world.objects)).manifest;
    expect(runs).toHaveLength(2);
    expect(runs[1], 'readers keep the base they have').toEqual(base);
  });

  test('the manifest is written at most once a second, as R2 demands', async () => {
    const world = newWorld({ inlineRecords: 1 });
    const writtenAt: number[] = [];
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put manifest') writtenAt.push(world.clock);
    };
    for (const seed of [1, 2, 3, 4]) {
      await upload(world, `b${seed}`, someDetections(100, seed));
      await tick(world);
    }
    expect(writtenAt.length).toBeGreaterThan(6);
    const gaps = writtenAt.slice(1).map((at, i) => at - (writtenAt[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
  });

  test('a compaction reads each input segment once and writes each output segment once', async () => {
    const world = newWorld({ inlineRecords: 1 });
    for (const seed of [1, 2, 3]) {
      await upload(world, `b${seed}`, someDetections(100, seed));
      world.storeLog.clear();
      await tick(world);
    }
    expect(world.storeLog.counts()).toEqual({
      'get manifest': 1,
      'list batches/waiting/': 1,
      'get batches/waiting/': 1,
      'head batches/merged/': 1,
      'getRange segments/': 3,
      'get facts/': 1,
      'get config/': 1,
      'get ledgers/': 1,
      'put facts/': 1,
      'put ledgers/': 1,
      'put segments/': 2,
      'kv put': 1,
      'put manifests/': 2,
      'put history/': 2,
      'put manifest': 2,
      'put batches/merged/': 1,
      'delete batches/waiting/': 1,
    });
  });
});
