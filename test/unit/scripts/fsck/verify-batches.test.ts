import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { foldInShares, ScratchRuns, verifyBatches } from '../../../../scripts/fsck/verify-batches.ts';
import { openBatch } from '../../../../src/format/batch.ts';
import type { EncodedSegment, SegmentEntry } from '../../../../src/format/segment.ts';
import { UNPACED } from '../../../../src/lib/cooperate.ts';
import { BatchCursor, fold } from '../../../../src/merge/fold.ts';
import { compactFully } from '../../../../src/merge/rebuild.ts';
import { MergeDictionary } from '../../../../src/merge/segment-builder.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { readSegment } from '../../../../src/storage/slices.ts';
import { someDetections } from '../../../support/detections.ts';
import { compactedBytes, newWorld, upload, type World } from '../../../support/world.ts';
import { alterPublished, duringCompaction, fourMinutes, lookAt, manifestOf, setAsideIds } from './support.ts';

/** Tens of thousands of records: a second or two each, more on a busy machine. */
vi.setConfig({ testTimeout: 30_000 });

/** Tests of other files have scratch folders too, at the same time. */
const temporary = mkdtempSync(join(tmpdir(), 'ringfence-verify-'));

beforeAll(() => {
  vi.stubEnv('TMPDIR', temporary);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

async function verified(world: World, groupBytes: number) {
  const look = lookAt(world);
  const outside = new Set(await setAsideIds(world));
  await verifyBatches(look, await manifestOf(world), { outside, pending: 0 }, groupBytes);
  expect(readdirSync(temporary), 'the scratch folder is gone').toEqual([]);
  const [check] = look.findings.checks;
  return { looked: check?.looked, problems: check?.problems.map(({ what }) => what) };
}

describe('the inventory against its batches', () => {
  test('is the same however many batches are folded at once', async () => {
    const world = newWorld();
    for (let i = 0; i < 40; i++) await upload(world, `b${i}`, someDetections(30, i, 300));
    await tick(world);
    await upload(world, 'later', someDetections(30, 50, 300));
    await tick(world);
    // One by one there are more runs than are folded into one at a time.
    for (const groupBytes of [1, 3_000, 10 ** 9]) {
      expect(await verified(world, groupBytes)).toEqual({ looked: 1, problems: [] });
    }
  });

  test('over several segments', async () => {
    expect(await verified(await duringCompaction(), 10 ** 6)).toEqual({ looked: 4, problems: [] });
  });

  test('tells numbers that are missing from it, and cleans up', async () => {
    const world = await duringCompaction();
    await alterPublished(world, ({ runs }) => ({ runs: runs.slice(1), compaction: null }));
    expect(await verified(world, 10 ** 6)).toEqual({
      looked: 4,
      problems: [
        'has an inventory of 40000 numbers; its batches give 80000, and the two differ from segment 1 of 4 on',
      ],
    });
  });

  test('tells numbers that no batch gave', async () => {
    const world = await fourMinutes();
    const { numbers } = { numbers: (await manifestOf(world)).runs[0]?.newNumbers };
    await world.objects.memory.delete([
      'batches/merged/b0',
      'batches/merged/b1',
      'batches/merged/b2',
      'batches/merged/b3',
    ]);
    expect(await verified(world, 10 ** 6)).toEqual({
      looked: 1,
      problems: [
        `has an inventory of ${numbers} numbers; its batches give 0, and the two differ from segment 1 of 1 on`,
      ],
    });
  });

  test('a batch that waits although a generation has merged it is one of them', async () => {
    const world = await fourMinutes();
    const kept = await world.objects.memory.get('batches/merged/b3');
    expect((await manifestOf(world)).consumed).toContain('b3');
    await world.objects.memory.put('batches/waiting/b3', kept?.bytes ?? new Uint8Array());
    expect(await verified(world, 10 ** 6)).toEqual({ looked: 1, problems: [] });
    await world.objects.memory.delete(['batches/merged/b3']);
    expect(await verified(world, 10 ** 6)).toEqual({ looked: 1, problems: [] });
  });
});

describe('a fold in shares', () => {
  test('gives the bytes of a compaction, wherever it begins anew', async () => {
    const world = await duringCompaction();
    const { runs } = await manifestOf(world);
    const open = (entry: SegmentEntry) => readSegment(world.objects.memory, entry, UNPACED);
    const folds: string[][] = [];
    for (const atOnce of [1, 2, 100]) {
      const files: string[] = [];
      for await (const { file } of foldInShares(
        runs.map(({ segments }) => segments),
        open,
        atOnce,
      )) {
        files.push(Buffer.from(file).toString('base64'));
      }
      folds.push(files);
    }
    await compactFully(world);
    const expected = await compactedBytes(world.objects);
    expect(expected).toHaveLength(4);
    expect(folds).toEqual([expected, expected, expected]);
  });

  test('of nothing is nothing', async () => {
    const scratch = new ScratchRuns();
    const segments: EncodedSegment[] = [];
    await scratch.add((async function* () {})());
    expect(readdirSync(temporary)).toHaveLength(1);
    for await (const segment of scratch.fold()) segments.push(segment);
    scratch.remove();
    expect(segments).toEqual([]);
  });
});

test('scratch runs keep every record over several levels', async () => {
  const world = newWorld();
  const scratch = new ScratchRuns();
  const all = Array.from({ length: 300 }, (_, i) => someDetections(3, i, 500));
  for (const [i, detections] of all.entries()) {
    await upload(world, `b${i}`, detections);
    const object = await world.objects.memory.get(`batches/waiting/b${i}`);
    const dictionary = new MergeDictionary();
    const cursor = new BatchCursor(openBatch(object?.bytes ?? new Uint8Array()), dictionary);
    await scratch.add(
      (async function* () {
        for await (const { segment } of fold([cursor], dictionary, UNPACED)) yield segment;
      })(),
    );
  }
  const files: string[] = [];
  for await (const { file } of scratch.fold()) files.push(Buffer.from(file).toString('base64'));
  scratch.remove();
  await tick(world);
  await compactFully(world);
  expect(files).toEqual(await compactedBytes(world.objects));
});
