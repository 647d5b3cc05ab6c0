import { describe, expect, test } from 'vitest';
import { Finder } from '../../../src/lookup/finder.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { PAGE_BATCHES } from '../../../src/quality/batch-set.ts';
import { caseOf, quarantinedSources, quarantineTotals } from '../../../src/quality/ledger.ts';
import { fictionNumber } from '../../support/detections.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, type World } from '../../support/world.ts';
import {
  drop,
  HONEST,
  HONEST_ROWS,
  ledgerOf,
  lines,
  nextTick,
  POISON,
  POISON_ROWS,
  release,
  reported,
  uploadBoth,
  uploadLines,
} from './quarantine-world.ts';

async function quarantined(): Promise<World> {
  const world = newWorld();
  await uploadBoth(world);
  await tick(world);
  return world;
}

/** What a lookup finds, from a fresh isolate. */
async function found(world: World, number: number) {
  const { objects, slices } = world;
  const waitUntil = () => undefined;
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
  const deps = { objects, slices, now: world.now, waitUntil, sleep, log: world.log };
  const [finding] = await new Finder(deps).find([number], { evidence: true });
  if (finding === null || finding === undefined) throw new Error('expected an answer');
  return finding;
}

describe('before a release', () => {
  test('the honest rows of the same upload are in the inventory, and none of the others', async () => {
    const world = await quarantined();
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(HONEST_ROWS));
    expect(world.storeLog.violations).toEqual([]);
  });

  test('lookups of poisoned numbers are clear, and their neighbours count only honest ones', async () => {
    const world = await quarantined();
    const poisoned = await found(world, fictionNumber(450));
    expect(poisoned.record).toBeNull();
    expect(poisoned).toMatchObject({ hundred: 0, thousand: 0 });
    const neighbour = await found(world, fictionNumber(10));
    expect(neighbour.record?.sightings).toBe(1);
    expect(neighbour.hundred).toBe(99);
  });

  test('a number that both report is listed for the honest one only', async () => {
    const world = await quarantined();
    const { record, evidence } = await found(world, fictionNumber(0));
    expect(record?.sightings).toBe(1);
    expect(evidence?.map(({ source }) => source)).toEqual([HONEST]);
  });

  test('status, briefing and log tell of it; the upload is kept whole', async () => {
    const world = await quarantined();
    const ledger = await ledgerOf(world);
    expect(quarantineTotals(ledger)).toEqual({ sources: 1, detections: 300 });
    const since = new Date(world.clock).toISOString();
    expect(quarantinedSources(ledger)).toEqual([
      { source: POISON, since, reasons: ['invalid-numbers', 'unassigned-ranges'], detections: 300 },
    ]);
    expect(world.events).toContain('source.quarantined {"sources":1,"reasons":"invalid-numbers unassigned-ranges"}');
    expect(await batchPlaces(world.objects)).toEqual({ waiting: [], merged: ['both'] });
    const { lastTick } = (await loadManifest(world.objects)).manifest;
    expect(lastTick).toMatchObject({ batches: 1, detections: 300, newNumbers: 300 });
  });

  test('what it uploads later is held without asking, even if it looks well', async () => {
    const world = await quarantined();
    await uploadLines(world, 'later', reported(POISON, 600, 20), [lines(POISON, 20)]);
    expect(await nextTick(world)).toMatchObject({ batches: 1, detections: 0 });
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(HONEST_ROWS));
    expect(caseOf(await ledgerOf(world), { source: POISON })?.held).toEqual({
      detections: 320,
      batches: [
        { id: 'both', rows: 300 },
        { id: 'later', rows: 20 },
      ],
      pages: [],
    });
  });

  test('a small upload is never held, whatever it is like', async () => {
    const world = newWorld();
    const few = reported(POISON, 0, 50);
    await uploadLines(world, 'few', few, [lines(POISON, 50, 149)]);
    await tick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(few));
  });

  test('many small ones add up', async () => {
    const world = newWorld();
    const parts = [0, 1, 2, 3].map((i) => reported(null, i * 50, 50));
    for (const [i, part] of parts.entries()) {
      await uploadLines(world, `part-${i}`, part, [lines(null, 50, 30)]);
      await nextTick(world);
    }
    // 80 lines each: the third makes it 240.
    const expected = expectedInventory(parts.slice(0, 2).flat());
    expect(await actualInventory(world.objects)).toEqual(expected);
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 100 });
  });
});

describe('a release', () => {
  test('lists what was held, each sighting once', async () => {
    const world = await quarantined();
    await release(world, POISON);
    expect(await nextTick(world)).toMatchObject({ batches: 1, detections: 300 });
    expect(await nextTick(world)).toMatchObject({ batches: 0, detections: 0 });
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...HONEST_ROWS, ...POISON_ROWS]));
    expect((await found(world, fictionNumber(0))).record?.sightings).toBe(2);
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 0, detections: 0 });
  });

  test('is trust for what it was released for', async () => {
    const world = await quarantined();
    await release(world, POISON);
    const more = reported(POISON, 660, 40);
    await uploadLines(world, 'more', more, [lines(POISON, 40, 300)]);
    await nextTick(world);
    const expected = expectedInventory([...HONEST_ROWS, ...POISON_ROWS, ...more]);
    expect(await actualInventory(world.objects)).toEqual(expected);
  });

  test('is no trust for anything else, and none for ever', async () => {
    const world = await quarantined();
    await release(world, POISON);
    const fixed = [{ ...lines(POISON, 200), fixedLine: 150 }];
    await uploadLines(world, 'fixed', reported(POISON, 500, 200), fixed);
    await nextTick(world);
    expect(quarantinedSources(await ledgerOf(world))).toMatchObject([{ reasons: ['fixed-lines'], detections: 200 }]);
    await release(world, POISON);
    // The first release is still in force.
    await uploadLines(world, 'unassigned', reported(POISON, 500, 20), [lines(POISON, 20, 300)]);
    await nextTick(world);
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 0, detections: 0 });
    world.clock += 31 * 86_400_000;
    await uploadLines(world, 'again', reported(POISON, 500, 200), fixed);
    await nextTick(world);
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 200 });
  });

  test('of a source that is not in quarantine is refused, and nothing is published', async () => {
    const world = await quarantined();
    const { generation } = (await loadManifest(world.objects)).manifest;
    expect(await release(world, HONEST)).toEqual({ kind: 'not-quarantined' });
    expect(await release(world, null)).toEqual({ kind: 'not-quarantined' });
    expect(await drop(world, 'nobody')).toEqual({ kind: 'not-quarantined' });
    expect((await loadManifest(world.objects)).manifest.generation).toBe(generation);
  });

  test('of more batches than a page and a tick take merges all of them', async () => {
    const world = newWorld({ batches: 400 });
    await uploadBoth(world);
    await tick(world);
    const count = PAGE_BATCHES + 5;
    for (let i = 0; i < count; i++) {
      await uploadLines(world, `b${String(i).padStart(5, '0')}`, reported(POISON, 660 + (i % 30), 1));
    }
    for (let i = 0; i < 4; i++) await nextTick(world);
    const held = caseOf(await ledgerOf(world), { source: POISON })?.held;
    expect([held?.detections, held?.batches.length, held?.pages.length]).toEqual([300 + count, 6, 1]);
    await release(world, POISON);
    for (let i = 0; i < 7; i++) await nextTick(world);
    const records = await actualInventory(world.objects);
    expect([...records.values()].reduce((sum, { sightings }) => sum + sightings, 0)).toBe(600 + count);
    expect(await nextTick(world)).toMatchObject({ batches: 0 });
  });
});

describe('a drop', () => {
  test('is for good, and the source stays in quarantine', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await uploadLines(world, 'later', reported(POISON, 600, 20));
    await nextTick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(HONEST_ROWS));
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 20 });
    await release(world, POISON);
    await nextTick(world);
    // What was held after the drop is released, what was dropped is not.
    const expected = expectedInventory([...HONEST_ROWS, ...reported(POISON, 600, 20)]);
    expect(await actualInventory(world.objects)).toEqual(expected);
    expect(caseOf(await ledgerOf(world), { source: POISON })?.dropped).toMatchObject({ detections: 300 });
    expect((await batchPlaces(world.objects)).merged).toEqual(['both', 'later']);
  });
});

describe('a rollback', () => {
  /** Generation 1 has the honest rows; 2 is the decision; 3 what it brought. */
  async function decided(decision: typeof release) {
    const world = await quarantined();
    await decision(world, POISON);
    await nextTick(world);
    return world;
  }

  test('before a release was merged: the source is held again, and can be released again', async () => {
    const world = await decided(release);
    await rollback(world, 1, { requeue: false });
    await nextTick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(HONEST_ROWS));
    expect(quarantinedSources(await ledgerOf(world))).toMatchObject([{ reasons: ['rollback'], detections: 300 }]);
    await release(world, POISON);
    await nextTick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...HONEST_ROWS, ...POISON_ROWS]));
  });

  test('with requeue merges the released rows again, once', async () => {
    const world = await decided(release);
    await rollback(world, 1, { requeue: true });
    for (let i = 0; i < 3; i++) await nextTick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...HONEST_ROWS, ...POISON_ROWS]));
  });

  test('does not forget a drop', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await rollback(world, 1, { requeue: true });
    await release(world, POISON);
    await nextTick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(HONEST_ROWS));
  });

  test('does not forget a quarantine that came later: requeued uploads are screened again', async () => {
    const world = newWorld();
    await uploadLines(world, 'first', HONEST_ROWS);
    await tick(world);
    await uploadBoth(world);
    await nextTick(world);
    await rollback(world, 1, { requeue: true });
    expect(caseOf(await ledgerOf(world), { source: POISON })).toMatchObject({
      state: 'quarantined',
      held: { batches: [] },
    });
    await nextTick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...HONEST_ROWS, ...HONEST_ROWS]));
    expect(caseOf(await ledgerOf(world), { source: POISON })?.held.detections).toBe(300);
    // Its lines were counted when they came in, and are not counted again.
    const figures = (await ledgerOf(world)).sources.find(({ source }) => source === POISON)?.days;
    expect(figures).toMatchObject([{ lines: 450, accepted: 300 }]);
  });

  test('and forward again: what was held then is held now', async () => {
    const world = newWorld();
    await uploadLines(world, 'first', reported(HONEST, 0, 10));
    await tick(world);
    await uploadBoth(world);
    await nextTick(world);
    await rollback(world, 1, { requeue: false });
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 0 });
    await rollback(world, 2, { requeue: true });
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 300 });
    await nextTick(world);
    const expected = expectedInventory([...reported(HONEST, 0, 10), ...HONEST_ROWS]);
    expect(await actualInventory(world.objects)).toEqual(expected);
  });
});
