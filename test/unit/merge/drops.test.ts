/** What was dropped stays dropped, whatever is released, rolled back, requeued and merged again. */
import { describe, expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { inventoryNumbers } from '../../../src/format/manifest.ts';
import { everySource } from '../../../src/format/source.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { decideSource, releaseBatch } from '../../../src/merge/decisions.ts';
import { NO_BATCHES } from '../../../src/merge/history.ts';
import { loadManifest, publish } from '../../../src/merge/publish-manifest.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { withdraw } from '../../../src/merge/withdraw.ts';
import { CanaryStore } from '../../../src/quality/canaries.ts';
import { dropped, released } from '../../../src/quality/decide.ts';
import { caseOf, newCase, withCases, writeLedger } from '../../../src/quality/ledger.ts';
import { actualActivity, expectedActivity } from '../../support/activity.ts';
import { fictionNumber } from '../../support/detections.ts';
import { actualInventory, expectedInventory, newWorld, type World } from '../../support/world.ts';
import { checked } from '../scripts/fsck/support.ts';
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

const FIRST = reported(HONEST, 300, 30);

/** Generation 1 has one honest upload; then comes one of both sources, and the poisoned one is in quarantine. */
async function quarantined(): Promise<World> {
  const world = newWorld();
  await uploadLines(world, 'first', FIRST, [lines(HONEST, 30)]);
  await tick(world);
  await uploadBoth(world);
  await nextTick(world);
  return world;
}

const generationOf = async (world: World) => (await loadManifest(world.objects.memory)).manifest.generation;

async function atRest(world: World, listed: readonly Detection[]): Promise<void> {
  for (let i = 0; i < 8; i++) await nextTick(world);
  const expected = expectedInventory(listed);
  expect(await actualInventory(world.objects.memory)).toEqual(expected);
  expect(await actualActivity(world.objects.memory)).toEqual(expectedActivity(listed));
  expect(inventoryNumbers((await loadManifest(world.objects.memory)).manifest)).toBe(expected.size);
  expect((await checked(world)).words).toEqual([]);
}

async function plant(world: World, number: number): Promise<void> {
  const canaries = new CanaryStore({
    objects: world.objects.memory,
    randomBytes: (length) => new Uint8Array(length),
    sleep: async () => {},
    report: () => {},
  });
  await canaries.put({ number, note: null, by: 'admin', createdAt: world.clock });
}

describe('rows that were dropped', () => {
  test('stay out when their upload is merged again, though its source is released by then', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await rollback(world, 1, { requeue: true });
    await nextTick(world);
    await release(world, POISON);
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
    expect(caseOf(await ledgerOf(world), { source: POISON })?.dropped.detections).toBe(300);
  });

  test('stay out when the release comes before their upload is merged again', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await rollback(world, 1, { requeue: true });
    await release(world, POISON);
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
  });

  test('stay out of an upload that was set aside, and is released', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await rollback(world, 1, { requeue: false });
    await atRest(world, FIRST);
    await release(world, POISON);
    await releaseBatch(world, 'both');
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
  });

  test('stay out after any number of rollbacks, there and back', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    for (let i = 0; i < 3; i++) {
      await rollback(world, 1, { requeue: true });
      if (i === 1) await release(world, POISON);
      await nextTick(world);
      await rollback(world, (await generationOf(world)) - 1, { requeue: i === 2 });
      await nextTick(world);
    }
    for (const id of ['both']) await releaseBatch(world, id);
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
  });

  test('are taken out of the inventory of a generation that had them, if a rollback returns to it', async () => {
    const world = await quarantined();
    await release(world, POISON);
    await nextTick(world);
    const withThem = await generationOf(world);
    // Before the release: they are held again, and now they are dropped.
    await rollback(world, 2, { requeue: false });
    await drop(world, POISON);
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
    await rollback(world, withThem, { requeue: false });
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
    await release(world, POISON);
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
  });

  test('say nothing of their source when their upload is merged again', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await release(world, POISON);
    await plant(world, fictionNumber(420));
    await rollback(world, 1, { requeue: true });
    await nextTick(world);
    // The upload has the canary, but among what was dropped.
    expect(caseOf(await ledgerOf(world), { source: POISON })?.state).toBe('released');
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
  });

  test('though they had been released, and not all of them merged yet', async () => {
    const world = newWorld({ batches: 2 });
    const held = [0, 1, 2].map((i) => reported(POISON, 400 + i * 20, 20));
    await uploadLines(world, 'bad', reported(POISON, 500, 200), [lines(POISON, 200, 100)]);
    await tick(world);
    for (const [i, part] of held.entries()) await uploadLines(world, `held-${i}`, part, [lines(POISON, 20)]);
    for (let i = 0; i < 2; i++) await nextTick(world);
    await release(world, POISON);
    // One released upload a tick; and the source is beyond another bound at once.
    const fixed = [{ ...lines(POISON, 200), fixedLine: 150 }];
    await uploadLines(world, 'fixed', reported(POISON, 600, 99), fixed);
    await nextTick(world);
    const before = caseOf(await ledgerOf(world), { source: POISON });
    expect(before).toMatchObject({ state: 'quarantined', held: { detections: 99 }, due: { detections: 60 } });
    await drop(world, POISON);
    expect(caseOf(await ledgerOf(world), { source: POISON })).toMatchObject({
      ...{ held: { detections: 0 }, due: { detections: 0 } },
      dropped: { detections: 159 },
    });
    await release(world, POISON);
    const merged = reported(POISON, 500, 200);
    await atRest(world, merged);
    // Before any of it was merged: what was released then is merged again, and nothing else.
    await rollback(world, 1, { requeue: true });
    await atRest(world, merged);
  });
});

describe('an owner that is held back as a whole', () => {
  const EVERY = everySource({});
  const decide = (world: World, decision: typeof dropped) =>
    decideSource(world, (ledger) => decision(ledger, { ...EVERY, by: 'admin', now: world.clock }));

  /** Generation 1 has one upload; then the owner is held back, and another upload comes. */
  async function heldWhole(): Promise<World> {
    const world = newWorld();
    await uploadLines(world, 'first', FIRST, [lines(HONEST, 30)]);
    await tick(world);
    const base = await loadManifest(world.objects);
    const before = await ledgerOf(world);
    const ledger = withCases(before, [newCase(EVERY, world.clock)], world.clock);
    const key = await writeLedger(world.objects, base.manifest.generation + 1, 'whole', ledger, UNPACED);
    await publish(world, base, { ledger: key }, NO_BATCHES);
    await uploadLines(world, 'both', [...POISON_ROWS, ...HONEST_ROWS], [lines(HONEST, 300), lines(POISON, 300)]);
    await nextTick(world);
    expect(caseOf(await ledgerOf(world), EVERY)?.held.detections).toBe(600);
    return world;
  }

  test('has nothing of what was dropped merged again', async () => {
    const world = await heldWhole();
    await decide(world, dropped);
    await rollback(world, 1, { requeue: true });
    await decide(world, released);
    await atRest(world, FIRST);
  });

  test('gets back what was held, but for what was dropped of one of its sources before', async () => {
    const world = await quarantined();
    await drop(world, POISON);
    await rollback(world, 1, { requeue: true });
    const base = await loadManifest(world.objects);
    const ledger = withCases(await ledgerOf(world), [newCase(EVERY, world.clock)], world.clock);
    const key = await writeLedger(world.objects, base.manifest.generation + 1, 'whole', ledger, UNPACED);
    await publish(world, base, { ledger: key }, NO_BATCHES);
    await nextTick(world);
    expect(caseOf(await ledgerOf(world), EVERY)?.held.detections).toBe(300);
    await decide(world, released);
    await atRest(world, [...FIRST, ...HONEST_ROWS]);
  });

  test('and its upload is withdrawn: nothing of it is held, and nothing is to be taken out', async () => {
    const world = await heldWhole();
    expect(await withdraw(world, 'both', 'key-1')).toMatchObject({ state: 'withdrawn' });
    expect(caseOf(await ledgerOf(world), EVERY)).toMatchObject({
      held: { detections: 0 },
      dropped: { detections: 600 },
    });
    await decide(world, released);
    await atRest(world, FIRST);
  });
});

describe('canaries that were left out', () => {
  const CANARY = fictionNumber(420);

  test('stay out when their upload is merged again', async () => {
    const world = await quarantined();
    await plant(world, CANARY);
    await release(world, POISON);
    const listed = [...FIRST, ...HONEST_ROWS, ...POISON_ROWS.filter(({ number }) => number !== CANARY)];
    await atRest(world, listed);
    await rollback(world, 1, { requeue: true });
    await nextTick(world);
    // Merged again, it names the canary, which nobody trusts it for: held as a whole, until it is released again.
    await release(world, POISON);
    await atRest(world, listed);
    expect((await ledgerOf(world)).leftOut).toEqual([{ batch: 'both', source: POISON, numbers: [CANARY] }]);
    await rollback(world, 1, { requeue: true });
    await atRest(world, listed);
  });
});
