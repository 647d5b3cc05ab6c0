import { beforeAll, describe, expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { collectGarbage, GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { encodeOutput, readOutput } from '../../../src/merge/compaction-output.ts';
import { NO_BATCHES } from '../../../src/merge/history.ts';
import { loadManifest, publish } from '../../../src/merge/publish-manifest.ts';
import { compactFully, drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { SEGMENT_RECORDS } from '../../../src/merge/segment-builder.ts';
import { tick } from '../../../src/merge/tick.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { asBefore } from '../../support/version-1.ts';
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
      progress.push(manifest.compaction?.output.count ?? null);
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
    expect((await loadManifest(world.objects)).manifest.compaction?.output.count).toBe(1);
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

describe('the list of what a compaction has written', () => {
  /** A generation in the middle of a compaction, which is about to do its second chunk of four. */
  async function begun(): Promise<World> {
    const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
    const half = (from: number) => every(2, from, 120_000);
    await upload(world, 'base', half(0));
    await tick(world);
    await upload(world, 'news', half(1));
    await tick(world);
    world.clock += MINUTE;
    return world;
  }

  const listsOf = async ({ objects }: World) =>
    (await objects.memory.list('compactions/')).objects.map(({ key }) => key);
  const outputOf = async ({ objects }: World) => {
    const { manifest } = await loadManifest(objects);
    return manifest.compaction === null ? null : readOutput(objects, manifest.compaction.output);
  };

  async function toEnd(world: World): Promise<string[]> {
    for (let i = 0; i < 9 && (await loadManifest(world.objects)).manifest.runs.length > 1; i++) {
      await tick(world);
      world.clock += MINUTE;
    }
    return compactedBytes(world.objects.memory);
  }

  let whole: string[];
  beforeAll(async () => {
    whole = await toEnd(await begun());
    expect(whole).toHaveLength(5);
  }, 60_000);

  test('is a new object for each chunk, and is collected once no retained generation names it', async () => {
    const world = await begun();
    expect(await listsOf(world)).toHaveLength(1);
    const [before] = (await outputOf(world)) ?? [];
    await tick(world);
    expect(await listsOf(world)).toHaveLength(2);
    const [first, second] = (await outputOf(world)) ?? [];
    expect([first, second?.count]).toEqual([before, expect.any(Number)]);
    expect(await toEnd(world)).toEqual(whole);
    expect(await listsOf(world)).toHaveLength(4);
    // Four days on, with a generation a day to be the latest of it.
    for (let day = 0; day < 5; day++) {
      world.clock += 24 * 60 * MINUTE + 17 * MINUTE - (world.clock % (60 * MINUTE));
      await upload(world, `day-${day}`, NEWS.slice(day, day + 1));
      await tick(world);
    }
    expect(await listsOf(world)).toEqual([]);
    expect(world.storeLog.violations).toEqual([]);
  }, 60_000);

  test.each(['fails', 'fails but persisted'] as const)(
    'wherever a chunk %s, the manifest is the one before or the one after, and the end is the same',
    async (fault) => {
      const calls = await begun().then(async (world) => {
        world.storeLog.clear();
        await tick(world);
        return [...world.storeLog.calls];
      });
      const puts = calls.flatMap((name, call) => (/^put|compactions/.test(name) ? [call] : []));
      expect(calls.filter((name) => name.endsWith('compactions/'))).toEqual(['get compactions/', 'put compactions/']);
      for (const call of puts) {
        const world = await begun();
        const before = await loadManifest(world.objects);
        const lists = await listsOf(world);
        world.storeLog.clear();
        world.storeLog.failAt(call, fault);
        const isDone = await tick(world).then(
          () => true,
          () => false,
        );
        const after = await loadManifest(world.objects);
        const written = await outputOf(world);
        // Whatever it leaves behind is garbage; what the manifest names is whole.
        expect(written).toHaveLength(isDone ? 2 : 1);
        if (!isDone) expect(after).toEqual(before);
        expect(await listsOf(world)).toEqual(expect.arrayContaining(lists));
        world.clock += MINUTE;
        expect(await toEnd(world), calls[call]).toEqual(whole);
        expect(world.storeLog.violations).toEqual([]);
      }
    },
    60_000,
  );

  test.each([
    ['is lost', async ({ objects }: World, key: string) => objects.memory.delete([key])],
    [
      'is damaged',
      async ({ objects }: World, key: string) => {
        const object = await objects.memory.get(key);
        await objects.memory.put(
          key,
          (object?.bytes ?? new Uint8Array()).map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
        );
      },
    ],
    [
      'is that of another chunk',
      async ({ objects }: World, key: string) => void (await objects.memory.put(key, encodeOutput([]))),
    ],
  ])(
    'if it %s, the compaction begins anew, lookups and merges go on, and nothing is deleted meanwhile',
    async (_, harm) => {
      const world = await begun();
      const { manifest } = await loadManifest(world.objects);
      await harm(world, (await listsOf(world))[0] ?? '');
      // A merge has no use for it, and a collection deletes nothing while it does not know what is in use.
      const segments = (await world.objects.memory.list('segments/')).objects.length;
      world.clock += 3 * GARBAGE_AGE_MS;
      expect(await collectGarbage(world)).not.toHaveProperty('segments');
      expect(world.events.filter((event) => event.startsWith('garbage.failed'))).toHaveLength(1);
      expect((await world.objects.memory.list('segments/')).objects).toHaveLength(segments);
      await upload(world, 'late', NEWS.slice(0, 10));
      await tick(world);
      const next = (await loadManifest(world.objects)).manifest;
      expect(next.runs).toHaveLength(3);
      expect(next.compaction?.inputs).toEqual(manifest.compaction?.inputs);
      expect(next.compaction?.output.count).toBe(1);
      expect(world.events.filter((event) => event.startsWith('compaction.lost'))).toHaveLength(1);
      while ((await loadManifest(world.objects)).manifest.compaction !== null) await tick(world);
      expect(world.events.filter((event) => event.startsWith('compaction.lost'))).toHaveLength(1);
      const [, merged] = (await loadManifest(world.objects)).manifest.runs;
      expect(merged?.segments).toHaveLength(whole.length);
    },
    60_000,
  );

  test('keeps missing slices in mind, also of segments that are not served yet', async () => {
    const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
    await upload(world, 'base', every(2, 0, 120_000));
    await tick(world);
    await upload(world, 'news', every(2, 1, 120_000));
    world.storeLog.beforeCall = async (name) => {
      if (name === 'kv put') throw new Error('injected: the slice store is down');
    };
    await tick(world);
    const written = (await outputOf(world)) ?? [];
    const { manifest } = await loadManifest(world.objects);
    expect(manifest.missingSlices).toEqual(expect.arrayContaining(written.map(({ key }) => key)));
    // A list that cannot be read keeps nobody's upload waiting.
    await world.objects.memory.delete(await listsOf(world));
    await upload(world, 'late', NEWS.slice(0, 10));
    await tick(world);
    expect((await loadManifest(world.objects)).manifest.lastTick.batches).toBe(1);
  }, 60_000);

  test('of a store of the version before is in the manifest, and the compaction goes on from there', async () => {
    const world = await begun();
    const before = await outputOf(world);
    await asBefore({ objects: world.objects.memory, slices: world.slices.memory });
    expect(await listsOf(world)).toEqual([]);
    const written = await outputOf(world);
    expect(written?.map(({ first, last, count }) => [first, last, count])).toEqual(
      before?.map(({ first, last, count }) => [first, last, count]),
    );
    expect(written?.every(({ parts }) => parts !== null)).toBe(true);
    // A generation that only merges takes the list along.
    world.clock += 3 * GARBAGE_AGE_MS;
    await collectGarbage(world);
    await upload(world, 'late', []);
    await publish(world, await loadManifest(world.objects), {}, NO_BATCHES);
    expect(await outputOf(world)).toEqual(written);
    expect(await listsOf(world)).toHaveLength(1);
    // The first chunk stays as it was written; the others are those of today.
    expect((await toEnd(world)).slice(1)).toEqual(whole.slice(1));
    expect(world.events.filter((event) => event.startsWith('compaction.lost'))).toEqual([]);
  }, 60_000);
});
