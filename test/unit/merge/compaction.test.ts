import { beforeAll, describe, expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully, drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { SEGMENT_RECORDS } from '../../../src/merge/segment-builder.ts';
import { tick } from '../../../src/merge/tick.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { compactedBytes, newWorld, upload, type World } from '../../support/world.ts';

const MINUTE = 60_000;
/** More than two segments hold, so that a compaction of one segment a tick takes three ticks. */
const RECORDS = 150_000;
const [template] = someDetections(1, 1);

/** Reserved numbers of 15 area codes, 100 each, are far too few here: the fictitious plan is continued upwards. */
function every(step: number, from: number, records = RECORDS): Detection[] {
  if (template === undefined) throw new Error('no template');
  return Array.from({ length: Math.ceil((records - from) / step) }, (_, i) => ({
    ...template,
    number: fictionNumber(from + i * step),
    observedAt: template.observedAt + (i % 400) * 86_400,
  }));
}

const BASE = every(2, 0);
const NEWS = every(2, 1);

async function withTwoRuns(): Promise<World> {
  const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  await upload(world, 'base', BASE);
  await tick(world);
  await upload(world, 'news', NEWS);
  return world;
}

describe('a compaction that takes several ticks', () => {
  let atOnce: string[];

  beforeAll(async () => {
    const world = newWorld({ inlineRecords: 1, compactionSegments: 1000 });
    await upload(world, 'all', [...BASE, ...NEWS]);
    await drain(world);
    atOnce = await compactedBytes(world.objects);
    expect(atOnce.length).toBeGreaterThan(2);
  }, 60_000);

  test('serves its inputs until it is done, survives garbage collections, and ends with the same bytes', async () => {
    const world = await withTwoRuns();
    const progress: (number | null)[] = [];
    for (let i = 0; i < atOnce.length; i++) {
      await tick(world);
      const { manifest } = await loadManifest(world.objects);
      progress.push(manifest.compaction?.output.length ?? null);
      expect(manifest.runs).toHaveLength(manifest.compaction === null ? 1 : 2);
      // Hours pass, and the next tick collects garbage too.
      world.clock += 3 * GARBAGE_AGE_MS + 17 * MINUTE - (world.clock % (60 * MINUTE));
    }
    expect(progress).toEqual([...atOnce.slice(1).map((_, i) => i + 1), null]);
    await tick(world);
    expect(await compactedBytes(world.objects)).toEqual(atOnce);
    expect(world.storeLog.violations).toEqual([]);
  }, 60_000);

  test('stops between the last two segments, which the last record told apart', async () => {
    const records = SEGMENT_RECORDS + 1;
    const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
    await upload(world, 'base', every(2, 0, records));
    await tick(world);
    await upload(world, 'news', every(2, 1, records));
    await tick(world);
    expect((await loadManifest(world.objects)).manifest.compaction?.output).toHaveLength(1);
    await tick(world);
    const [run] = (await loadManifest(world.objects)).manifest.runs;
    expect(run?.segments.map(({ count }) => count)).toEqual([24_500, 77]);
  }, 60_000);

  test('goes on while new detections come in, which stand in runs of their own', async () => {
    const world = await withTwoRuns();
    await tick(world);
    await upload(world, 'late', NEWS.slice(0, 10));
    await tick(world);
    const { runs, compaction } = (await loadManifest(world.objects)).manifest;
    expect(runs).toHaveLength(3);
    expect(compaction?.inputs).toEqual(runs.slice(1).map(({ id }) => id));
    await drain(world);
    await compactFully(world);
    const { manifest } = await loadManifest(world.objects);
    expect(manifest.runs.map(({ newNumbers }) => newNumbers)).toEqual([RECORDS]);
  }, 60_000);

  test('is given up by a rollback, and its output becomes garbage', async () => {
    const world = await withTwoRuns();
    await tick(world);
    const [first] = (await loadManifest(world.objects)).manifest.retained;
    expect((await loadManifest(world.objects)).manifest.compaction).not.toBeNull();
    await rollback(world, first?.generation ?? 0, { requeue: false });
    const { manifest } = await loadManifest(world.objects);
    expect(manifest.compaction).toBeNull();
    expect(manifest.runs).toHaveLength(1);
    await tick(world);
    expect((await loadManifest(world.objects)).manifest.runs).toEqual(manifest.runs);
  }, 60_000);
});
