import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ActivityParts, activityPartsOf } from '../../../src/format/activity.ts';
import { type EncodedActivity, openActivityObject } from '../../../src/format/activity-object.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { changedSince } from '../../../src/format/manifest.ts';
import { finish, UNPACED } from '../../../src/lib/cooperate.ts';
import { ActivityRows, foldActivity } from '../../../src/merge/activity-fold.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { openActivity } from '../../../src/storage/activity.ts';
import { ACTIVITY_PREFIX } from '../../../src/storage/keys.ts';
import { actualActivity, expectedActivity, plainActivity } from '../../support/activity.ts';
import { detection, someDetections } from '../../support/detections.ts';
import { manifestOf, newWorld, upload, type World } from '../../support/world.ts';

const DAY = 86_400;
const HOUR_MS = 3_600_000;

/** Uploads each part and ticks after it. */
async function merge(world: World, ...parts: readonly (readonly Detection[])[]): Promise<void> {
  for (const part of parts) {
    await upload(world, `b${String(world.clock).padStart(13, '0')}`, part);
    world.clock += 60_000;
    await tick(world);
  }
}

describe('the facts of a store', () => {
  test('are those of its detections, however they are ordered and divided', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(detection, { maxLength: 40 }), { maxLength: 8 }), async (parts) => {
        const world = newWorld();
        await merge(world, ...parts);
        const expected = expectedActivity(parts.flat());
        expect(await actualActivity(world.objects)).toEqual(expected);
        const reversed = newWorld({ batches: 1 });
        await merge(reversed, parts.flat().reverse());
        expect(await actualActivity(reversed.objects)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('count an aggregated line on its first day and its last, and the earliest second of a day', async () => {
    const [one] = someDetections(1, 1);
    if (one === undefined) throw new Error('no detection');
    const at = (firstSeenAt: number, observedAt: number) => ({ ...one, firstSeenAt, observedAt });
    const world = newWorld();
    await merge(world, [at(20_000 * DAY + 500, 20_003 * DAY + 7)], [at(20_003 * DAY + 3, 20_003 * DAY + 9)]);
    const { rows } = await actualActivity(world.objects);
    expect(rows.map((row) => [row.slice(0, 5), row.slice(row.lastIndexOf(' ') + 1)])).toEqual([
      ['20000', `${20_000 * DAY + 500}`],
      ['20003', `${20_003 * DAY + 3}`],
    ]);
  });

  test('come back with a rollback, and again with what it merges again', async () => {
    const [a, b] = [someDetections(50, 1), someDetections(60, 2)];
    for (const requeue of [true, false]) {
      const world = newWorld();
      await merge(world, a);
      const { generation } = await manifestOf(world);
      await merge(world, b);
      expect(await actualActivity(world.objects)).toEqual(expectedActivity([...a, ...b]));
      await rollback(world, generation, { requeue });
      expect(await actualActivity(world.objects)).toEqual(expectedActivity(a));
      await drain(world);
      expect(await actualActivity(world.objects)).toEqual(expectedActivity(requeue ? [...a, ...b] : a));
    }
  });

  test('are read day by day, in any range', async () => {
    const detections = someDetections(300, 5);
    const world = newWorld();
    await merge(world, detections.slice(0, 100), detections.slice(100));
    const source = await openActivity(world.objects, await manifestOf(world), UNPACED);
    const [from, to] = [19_800, 20_100];
    const days: number[] = [];
    let rows = 0;
    for await (const facts of source.days(from, to)) {
      days.push(facts.day);
      rows += facts.rows;
    }
    expect(days).toEqual([...new Set(days)].sort((x, y) => x - y));
    expect([days.at(0) ?? 0, days.at(-1) ?? 0].map((day) => day >= from && day <= to)).toEqual([true, true]);
    const inRange = expectedActivity(detections).rows.filter((row) => {
      const day = Number(row.split(' ', 1)[0]);
      return day >= from && day <= to;
    });
    expect(rows).toBe(inRange.length);
    for await (const _ of source.days(1, 2)) throw new Error('there are no facts of these days');
  });

  test('take a read of each directory, and one of each object that has the days, while they fit', async () => {
    const world = newWorld();
    await merge(world, someDetections(100, 1));
    const { activity: facts } = await manifestOf(world);
    await merge(world, someDetections(100, 2));
    const manifest = { activity: [...facts, ...(await manifestOf(world)).activity] };
    world.storeLog.clear();
    const source = await openActivity(world.objects, manifest, UNPACED);
    expect(world.storeLog.counts()).toEqual({ 'getRange facts/': 2 });
    expect((await plainActivity(source)).rows).toEqual((await actualActivity(world.objects)).rows);
    const days = await plainActivity(source, 19_800, 19_900);
    expect(days.rows.length).toBeGreaterThan(10);
    world.storeLog.beforeCall = async () => {
      throw new Error('injected');
    };
    await expect(plainActivity(source)).rejects.toThrow('injected');
    await expect(openActivity(world.objects, manifest, UNPACED)).rejects.toThrow('injected');
  });

  test('are the same in pieces and objects of any size', async () => {
    const detections = someDetections(400, 3, 60).map((one, i) => ({
      ...one,
      observedAt: 20_000 * DAY + (i % 5) * 40_000,
      firstSeenAt: 20_000 * DAY + (i % 2) * 40,
    }));
    const parts = detections.map(activityPartsOf);
    const folded = (pieceRows: number, objectBytes: number) => {
      const pieces: EncodedActivity[] = [];
      const rows = new ActivityRows(
        (id) => parts[id] as ActivityParts,
        (piece) => pieces.push(piece),
        pieceRows,
      );
      detections.forEach(({ number, firstSeenAt, observedAt }, id) => {
        rows.add(number, firstSeenAt, observedAt, id);
      });
      rows.finish();
      return [
        ...foldActivity(
          pieces.map(({ file, shape }) => finish(openActivityObject(file, shape))),
          { objectBytes },
        ),
      ];
    };
    const [whole, none] = folded(10_000, 2 ** 20);
    expect(none).toBeUndefined();
    expect(folded(7, 2 ** 20)).toEqual([whole]);
    const small = folded(64, 1);
    expect(small.length).toBeGreaterThan(1);
    const again = foldActivity(small.map(({ file, shape }) => finish(openActivityObject(file, shape))));
    expect([...again]).toEqual([whole]);
    expect(small.reduce((sum, { shape }) => sum + shape.rows, 0)).toBe(whole?.shape.rows);
  });
});

describe('a tick', () => {
  test('writes one object and reads none, until so many of a size are written as one', async () => {
    const { activityObjects } = DEFAULT_BUDGET;
    const world = newWorld({ activityObjects });
    const parts = Array.from({ length: activityObjects }, (_, i) => someDetections(50, i));
    await merge(world, ...parts.slice(1));
    expect((await manifestOf(world)).activity).toHaveLength(activityObjects - 1);
    expect(world.storeLog.counts()).not.toHaveProperty('get facts/');
    world.storeLog.clear();
    await merge(world, ...parts.slice(0, 1));
    expect(world.storeLog.counts()).toMatchObject({ 'put facts/': 1, 'get facts/': activityObjects - 1 });
    expect((await manifestOf(world)).activity).toHaveLength(1);
    expect(await actualActivity(world.objects)).toEqual(expectedActivity(parts.flat()));
  });

  test('without detections writes none', async () => {
    const world = newWorld();
    await merge(world, someDetections(10, 1));
    world.storeLog.clear();
    await merge(world, []);
    expect(world.storeLog.counts()).not.toHaveProperty('put facts/');
    expect(await actualActivity(world.objects)).toEqual(expectedActivity(someDetections(10, 1)));
  });

  test('is not held up by an object that it cannot read, and loses none of it', async () => {
    const world = newWorld();
    await merge(world, someDetections(10, 1));
    const [entry] = (await manifestOf(world)).activity;
    const object = await world.objects.memory.get(entry?.key ?? '');
    if (object === null) throw new Error('there are no facts');
    const damaged = object.bytes.slice();
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await world.objects.memory.put(object.key, damaged);
    await merge(world, someDetections(10, 2));
    expect(world.events.filter((event) => event.startsWith('facts.unreadable'))).toHaveLength(1);
    expect((await manifestOf(world)).activity).toHaveLength(2);
    await expect(actualActivity(world.objects)).rejects.toThrow(/damaged/);
    await world.objects.memory.put(object.key, object.bytes);
    const all = [...someDetections(10, 1), ...someDetections(10, 2)];
    expect(await actualActivity(world.objects)).toEqual(expectedActivity(all));
    await merge(world, someDetections(10, 3));
    expect((await manifestOf(world)).activity).toHaveLength(1);
  });

  test('collects objects that no retained manifest names, once they are old', async () => {
    const world = newWorld();
    const keys = async () => (await world.objects.list(ACTIVITY_PREFIX)).objects.map(({ key }) => key);
    // A tick at minute 17 of its hour collects.
    const collect = async (ms: number) => {
      world.clock = Math.floor((world.clock + ms) / HOUR_MS) * HOUR_MS + 17 * 60_000;
      await tick(world);
    };
    await merge(world, someDetections(10, 1), someDetections(10, 2));
    const stray = `${ACTIVITY_PREFIX}stray-000000`;
    await world.objects.memory.put(stray, new Uint8Array(8));
    await collect(0);
    expect(await keys(), 'a tick may still be about to name them').toHaveLength(3);
    await collect(2 * HOUR_MS);
    expect(await keys(), 'the one that a retained generation names is kept').toHaveLength(2);
    await merge(world, someDetections(10, 3));
    world.clock += 100 * HOUR_MS;
    await merge(world, someDetections(10, 4));
    await collect(100 * HOUR_MS);
    const manifest = await manifestOf(world);
    expect(await keys()).toEqual(expect.arrayContaining(manifest.activity.map(({ key }) => key)));
    expect(await keys()).toHaveLength(1 + manifest.retained.length);
    expect(world.storeLog.violations).toEqual([]);
  });
});

describe('what a kept briefing is worth', () => {
  test('tells whether facts of its days came in, or went, after its generation', async () => {
    const day = (d: number, seed: number) =>
      someDetections(3, seed).map((one) => ({ ...one, observedAt: d * DAY + 5, firstSeenAt: d * DAY + 5 }));
    const world = newWorld();
    await merge(world, day(20_000, 1));
    const first = (await manifestOf(world)).generation;
    await merge(world, day(20_010, 2));
    const second = await manifestOf(world);
    expect(changedSince(second, first, 20_009)).toBe(false);
    expect(changedSince(second, first, 20_010)).toBe(true);
    expect(changedSince(second, second.generation, 20_010)).toBe(false);
    await merge(world, day(20_005, 3));
    const third = await manifestOf(world);
    expect(changedSince(third, second.generation, 20_004)).toBe(false);
    expect(changedSince(third, second.generation, 20_005)).toBe(true);
    // A tick of no detections says nothing; a rollback says that all may be different.
    await merge(world, []);
    expect((await manifestOf(world)).watermarks).toEqual(third.watermarks);
    await rollback(world, second.generation, { requeue: false });
    const back = await manifestOf(world);
    expect(changedSince(back, third.generation, 0)).toBe(true);
    expect(back.watermarks).toHaveLength(1);
  });
});
