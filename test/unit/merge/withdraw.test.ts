import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { changedSince, inventoryNumbers } from '../../../src/format/manifest.ts';
import { GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { releaseBatch } from '../../../src/merge/decisions.ts';
import { NO_BATCHES } from '../../../src/merge/history.ts';
import { loadManifest, publish } from '../../../src/merge/publish-manifest.ts';
import { drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import {
  MAX_RECENT,
  markedWithdrawn,
  readMark,
  readWithdrawals,
  withdraw,
  writeWithdrawals,
} from '../../../src/merge/withdraw.ts';
import { actualActivity, expectedActivity } from '../../support/activity.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import type { Fault } from '../../support/strict-stores.ts';
import { asBefore } from '../../support/version-1.ts';
import {
  actualInventory,
  batchPlaces,
  expectedInventory,
  newWorld,
  type PlainRecord,
  upload,
  type World,
} from '../../support/world.ts';
import { checked, flip, lookAt } from '../scripts/fsck/support.ts';
import { drop, HONEST_ROWS, ledgerOf, nextTick, POISON, POISON_ROWS, release, uploadBoth } from './quarantine-world.ts';

const FAULTS: readonly Fault[] = ['fails', 'fails but persisted'];
const MINUTE = 60_000;
const MAX_TICKS = 200;

/** Of a hundred numbers, so that most are in several parts; the last one is that to be withdrawn. */
const PARTS = [1, 2, 3].map((seed) => someDetections(40, seed, 100));
const BAD: readonly Detection[] = someDetections(60, 9, 140).map((one, i) => ({
  ...one,
  firstSeenAt: one.observedAt - i * 50_000,
  sightings: 1 + (i % 3),
  label: 'reported_abuse',
}));
const LATER = someDetections(40, 5, 140);

/** Several runs, the bad batch in the middle, and another batch waiting. */
async function prepared(budget: Parameters<typeof newWorld>[0] = {}): Promise<World> {
  const world = newWorld({ inlineRecords: 60, compactionSegments: 1, withdrawalBatches: 2, ...budget });
  for (const [i, part] of [PARTS[0], BAD, PARTS[1], PARTS[2]].entries()) {
    await upload(world, part === BAD ? 'k-bad' : `b${i}`, part ?? []);
    await tick(world);
    world.clock += MINUTE;
  }
  await upload(world, 'later', LATER);
  world.storeLog.clear();
  return world;
}

async function rebuildOf(world: World) {
  const target = newWorld();
  return { target, result: await rebuild(world.objects.memory, target, lookAt(target).progress) };
}

async function manifestOf(world: World) {
  return (await loadManifest(world.objects.memory)).manifest;
}

async function toRest(world: World): Promise<void> {
  for (let i = 0; i < MAX_TICKS; i++) {
    const { batches, lostRace } = await tick(world);
    world.clock += MINUTE;
    if (batches === 0 && !lostRace && ((await manifestOf(world)).withdrawals?.pending ?? 0) === 0) return;
  }
  throw new Error('the withdrawal does not come to an end');
}

async function expectWithout(world: World, listed: readonly Detection[]): Promise<void> {
  const expected = expectedInventory(listed);
  const actual = await actualInventory(world.objects.memory);
  // Comparing a hundred thousand of them member by member takes seconds.
  if (expected.size < 10_000) expect(actual).toEqual(expected);
  else expect(different(actual, expected)).toEqual([]);
  expect(await actualActivity(world.objects.memory)).toEqual(expectedActivity(listed));
  expect(inventoryNumbers(await manifestOf(world))).toBe(expected.size);
  expect(world.storeLog.violations).toEqual([]);
}

function different(actual: ReadonlyMap<number, PlainRecord>, expected: ReadonlyMap<number, PlainRecord>): number[] {
  const isSame = (number: number) => {
    const [a, b] = [actual.get(number), expected.get(number)];
    return a?.sightings === b?.sightings && JSON.stringify(a) === JSON.stringify(b);
  };
  return [...new Set([...actual.keys(), ...expected.keys()])].filter((number) => !isSame(number));
}

const GOOD = [...PARTS.flat(), ...LATER];

describe('a batch that is in the inventory', () => {
  test('is taken out exactly, whatever came after it; until then lookups answer as before', async () => {
    const world = await prepared();
    const before = await actualInventory(world.objects.memory);
    expect(await withdraw(world, 'k-bad', 'key-1')).toMatchObject({ kind: 'done', state: 'withdrawing', isNew: true });
    expect(await actualInventory(world.objects.memory)).toEqual(before);
    await toRest(world);
    await expectWithout(world, GOOD);
    expect(await withdraw(world, 'k-bad', 'key-2')).toMatchObject({ state: 'withdrawn', by: 'key-1', isNew: false });
    expect((await batchPlaces(world.objects)).merged).toContain('k-bad');
    expect(world.events.some((event) => event.startsWith('withdrawal.done'))).toBe(true);
  });

  test('is taken out by one tick if the store is small', async () => {
    const world = await prepared({ inlineRecords: 10_000, compactionSegments: 80, withdrawalBatches: 1_000 });
    await withdraw(world, 'k-bad', 'key-1');
    await tick(world);
    await expectWithout(world, GOOD);
  });

  test('leaves nothing when it was all there is', async () => {
    const world = newWorld();
    await upload(world, 'only', BAD);
    await tick(world);
    await withdraw(world, 'only', 'key-1');
    await toRest(world);
    await expectWithout(world, []);
    expect((await manifestOf(world)).runs).toEqual([]);
  });

  test('briefings of its days are computed anew, those of earlier ones are not', async () => {
    const world = await prepared();
    await toRest(world);
    const { generation } = await manifestOf(world);
    await withdraw(world, 'k-bad', 'key-1');
    expect(changedSince(await manifestOf(world), generation, 50_000)).toBe(false);
    await toRest(world);
    const firstDay = Math.floor(Math.min(...BAD.map(({ firstSeenAt }) => firstSeenAt)) / 86_400);
    expect(changedSince(await manifestOf(world), generation, firstDay)).toBe(true);
    expect(changedSince(await manifestOf(world), generation, firstDay - 1)).toBe(false);
  });

  test('in many parts: the facts objects are no more than ticks keep', async () => {
    const FACTS = 4;
    const world = newWorld({ inlineRecords: 4, activityObjects: FACTS });
    await upload(world, 'k-bad', BAD);
    for (const [i, part] of PARTS.entries()) await upload(world, `b${i}`, part);
    await tick(world);
    await withdraw(world, 'k-bad', 'key-1');
    const counts: number[] = [];
    while (((await manifestOf(world)).withdrawals?.pending ?? 0) > 0) {
      world.clock += MINUTE;
      await tick(world);
      counts.push((await manifestOf(world)).activity.length);
    }
    expect(world.events.filter((event) => event.startsWith('withdrawal.done')).length).toBeGreaterThan(2 * FACTS);
    expect(Math.max(...counts)).toBeLessThanOrEqual(FACTS);
    await expectWithout(world, PARTS.flat());
  });

  test('several at once, one of them while another is being taken out', async () => {
    const world = await prepared({ withdrawalBatches: 1 });
    await withdraw(world, 'k-bad', 'key-1');
    await withdraw(world, 'b0', 'key-1');
    await tick(world);
    await withdraw(world, 'b2', 'key-1');
    await toRest(world);
    await expectWithout(world, [...(PARTS[2] ?? []), ...LATER]);
  });

  test('eight asked for at the same time are all withdrawn', async () => {
    const world = newWorld();
    const ids = Array.from({ length: 8 }, (_, i) => `b${i}`);
    for (const [i, id] of ids.entries()) await upload(world, id, someDetections(5, i, 50));
    await tick(world);
    world.clock += MINUTE;
    const results = await Promise.all(ids.map((id) => withdraw(world, id, 'key-1')));
    expect(results.map(({ kind }) => kind)).toEqual(ids.map(() => 'done'));
  });

  test('what is merged meanwhile, at every step, is counted once', async () => {
    const world = await prepared({ withdrawalBatches: 2 });
    await withdraw(world, 'k-bad', 'key-1');
    const more: Detection[] = [];
    for (let i = 0; i < MAX_TICKS; i++) {
      const part = someDetections(10, 100 + i, 140);
      more.push(...part);
      // Before and behind what has been read.
      await upload(world, `${i % 2 === 0 ? 'a' : 'z'}${i}`, part);
      await tick(world);
      world.clock += MINUTE;
      if ((await manifestOf(world)).withdrawals?.pending === 0) break;
    }
    await toRest(world);
    await expectWithout(world, [...GOOD, ...more]);
  });

  test('what is released of a source meanwhile is counted once, whether it has been read by then or not', async () => {
    const world = newWorld({ withdrawalBatches: 1 });
    await uploadBoth(world, 'a-both');
    await tick(world);
    const wrong = POISON_ROWS.slice(0, 60).map((one) => ({ ...one, source: null }));
    await upload(world, 'b-bad', wrong);
    const others = [0, 1, 2, 3, 4, 5].map((i) => HONEST_ROWS.slice(i, i + 20));
    for (const [i, part] of others.entries()) await upload(world, `m${i}`, part);
    const held = POISON_ROWS.slice(0, 30);
    await upload(world, 'z-held', held);
    await nextTick(world);
    // So that the manifest no longer names the others as consumed: those would be read first.
    await upload(world, 'n-last', []);
    await nextTick(world);
    await withdraw(world, 'b-bad', 'key-1');
    for (let i = 0; i < 4; i++) await nextTick(world);
    const { job } = await readWithdrawals(world.objects.memory, await manifestOf(world));
    expect(job?.gathered.isWhole).toBe(false);
    expect([(job?.gathered.cursor ?? '') > 'a-both', (job?.gathered.cursor ?? 'z') < 'z-held']).toEqual([true, true]);
    await release(world, POISON);
    await toRest(world);
    await expectWithout(world, [...HONEST_ROWS, ...POISON_ROWS, ...held, ...others.flat()]);
  });

  test('a rollback to when it was there begins anew; to before it, nothing is left to do', async () => {
    const world = await prepared();
    const { generation } = await manifestOf(world);
    const { retained } = await manifestOf(world);
    await withdraw(world, 'k-bad', 'key-1');
    await toRest(world);
    await rollback(world, generation, { requeue: false });
    expect((await manifestOf(world)).withdrawals?.pending).toBe(1);
    await toRest(world);
    await expectWithout(world, PARTS.flat());
    await rollback(world, retained[0]?.generation ?? 0, { requeue: true });
    expect((await manifestOf(world)).withdrawals?.pending).toBe(0);
    await toRest(world);
    // What the first rollback set aside stays so.
    await expectWithout(world, PARTS.flat());
    await releaseBatch(world, 'later');
    await toRest(world);
    await expectWithout(world, GOOD);
  });

  test('what a rollback took out, or is to merge again, is not read for it before it is merged', async () => {
    for (const requeue of [false, true]) {
      // A tick that can read all kept batches, but merges one at a time.
      const world = await prepared({ batches: 1, withdrawalBatches: 1_000, compactionSegments: 80 });
      const second = (await manifestOf(world)).retained[1]?.generation ?? 0;
      await rollback(world, second, { requeue });
      await withdraw(world, 'k-bad', 'key-1');
      await tick(world);
      expect((await manifestOf(world)).withdrawals?.pending).toBe(0);
      await toRest(world);
      await expectWithout(world, requeue ? GOOD : [...(PARTS[0] ?? []), ...LATER]);
      for (const id of ['b2', 'b3']) await releaseBatch(world, id);
      await toRest(world);
      await expectWithout(world, GOOD);
    }
  });

  test('what is merged and cannot be moved to the kept ones is read where it is', async () => {
    const world = await prepared({ withdrawalBatches: 1_000 });
    await upload(world, 'a-first', BAD.slice(0, 30));
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put batches/merged/') throw new Error('injected: not moved');
    };
    await tick(world);
    await withdraw(world, 'k-bad', 'key-1');
    await toRest(world);
    await expectWithout(world, [...GOOD, ...BAD.slice(0, 30)]);
    world.storeLog.beforeCall = async () => {};
    await toRest(world);
    expect(await batchPlaces(world.objects.memory)).toMatchObject({ waiting: [] });
    await expectWithout(world, [...GOOD, ...BAD.slice(0, 30)]);
  });

  test('one that cannot be read any more does not keep others', async () => {
    const world = await prepared();
    await withdraw(world, 'b0', 'key-1');
    await withdraw(world, 'k-bad', 'key-1');
    await flip(world, 'batches/merged/b0', 50);
    for (let i = 0; i < 20; i++) await nextTick(world);
    const { pending } = await readWithdrawals(world.objects.memory, await manifestOf(world));
    expect(pending).toEqual([{ id: 'b0', from: 0 }]);
    expect(world.events.some((event) => event.startsWith('withdrawal.failed {"batch":"b0"'))).toBe(true);
    await flip(world, 'batches/merged/b0', 50);
    await toRest(world);
    await expectWithout(world, [...PARTS.slice(1).flat(), ...LATER]);
  });

  test('what was made so far is no garbage, however long it takes', async () => {
    const world = await prepared({ withdrawalBatches: 1 });
    // Of none of its numbers: what was made before stays as it is when they are read.
    const others = [0, 1, 2, 3].map((i) =>
      someDetections(5, 70 + i, 100).map((one) => ({ ...one, number: one.number + 5_000_000_000 })),
    );
    for (const [i, part] of others.entries()) await upload(world, `x${i}`, part);
    await tick(world);
    world.clock += MINUTE;
    await upload(world, 'y', []);
    await tick(world);
    await withdraw(world, 'k-bad', 'key-1');
    for (let i = 0; i < MAX_TICKS; i++) {
      world.clock += GARBAGE_AGE_MS + 17 * MINUTE - ((world.clock + GARBAGE_AGE_MS) % GARBAGE_AGE_MS);
      await tick(world);
      if ((await manifestOf(world)).withdrawals === null) break;
      const { problems } = await checked(world, { verifyBatches: false });
      expect(problems).toEqual([]);
    }
    world.clock += 5 * 24 * GARBAGE_AGE_MS;
    await toRest(world);
    world.clock += GARBAGE_AGE_MS;
    await tick(world);
    expect(world.events.some((event) => event.startsWith('withdrawal.failed'))).toBe(false);
    await expectWithout(world, [...GOOD, ...others.flat()]);
    const lists = (await world.objects.memory.list('withdrawals/')).objects.length;
    expect(lists, 'one a generation at most').toBeLessThanOrEqual((await manifestOf(world)).retained.length + 1);
  });

  test('that cannot be read is refused: nobody knows what to take out', async () => {
    const world = await prepared();
    await flip(world, 'batches/merged/k-bad', 50);
    const { generation } = await manifestOf(world);
    expect(await withdraw(world, 'k-bad', 'key-1')).toEqual({ kind: 'unreadable' });
    expect((await manifestOf(world)).generation).toBe(generation);
  });

  test('a kept batch that cannot be read stops the withdrawal, not the ticks, until it can', async () => {
    const world = await prepared();
    await withdraw(world, 'k-bad', 'key-1');
    await flip(world, 'batches/merged/b0', 50);
    for (let i = 0; i < 4; i++) await nextTick(world);
    expect(world.events.some((event) => event.startsWith('withdrawal.failed'))).toBe(true);
    expect(await actualInventory(world.objects.memory)).toEqual(expectedInventory([...GOOD, ...BAD]));
    await flip(world, 'batches/merged/b0', 50);
    await toRest(world);
    await expectWithout(world, GOOD);
  });
});

describe('a store of several segments', () => {
  const ROW = someDetections(1, 1)[0] as Detection;
  const spread = (from: number, step: number, count: number): Detection[] =>
    Array.from({ length: count }, (_, i) => ({ ...ROW, number: fictionNumber(from + i * step) }));
  const EVEN = spread(0, 2, 60_000);
  const ODD = spread(1, 4, 30_000);
  /** Some are of the others as well, some of neither; and beyond them. */
  const WRONG = [...spread(2, 400, 150), ...spread(3, 400, 150), ...spread(150_000, 3, 50)];

  /** Until it is being replaced, in chunks. */
  async function replacing(): Promise<World> {
    const world = newWorld({ inlineRecords: 60_000, compactionSegments: 1 });
    for (const [id, part] of Object.entries({ even: EVEN, 'k-wrong': WRONG, odd: ODD })) {
      await upload(world, id, part);
      await tick(world);
      world.clock += MINUTE;
    }
    await withdraw(world, 'k-wrong', 'key-1');
    await tick(world);
    world.clock += MINUTE;
    const { withdrawals, compaction } = await manifestOf(world);
    expect(withdrawals?.replacing).toBe(true);
    expect(compaction?.output.count).toBe(1);
    return world;
  }

  test('is rewritten a chunk a tick, and what is merged meanwhile is counted right', async () => {
    const world = await replacing();
    expect((await checked(world)).problems).toEqual([]);
    // New ones, some that only the wrong batch had, some that others have.
    const more = [...spread(150_000, 3, 20), ...spread(0, 2, 20), ...spread(160_000, 1, 20)];
    await upload(world, 'more', more);
    await tick(world);
    world.clock += MINUTE;
    expect((await manifestOf(world)).withdrawals?.replacing).toBe(true);
    expect((await checked(world)).problems).toEqual([]);
    await toRest(world);
    await expectWithout(world, [...EVEN, ...ODD, ...more]);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('writes its runs anew, of the same inputs, when the list of what it has written is lost', async () => {
    const world = await replacing();
    const { compaction } = await manifestOf(world);
    const more = spread(160_000, 1, 20);
    await upload(world, 'more', more);
    await world.objects.memory.delete([compaction?.output.key ?? '']);
    await tick(world);
    world.clock += MINUTE;
    const next = await manifestOf(world);
    expect(world.events.filter((event) => event.startsWith('compaction.lost'))).toHaveLength(1);
    // The run that came in meanwhile is none of them: the side run has nothing of it.
    expect(next.runs).toHaveLength((compaction?.inputs.length ?? 0) + 1);
    expect(next.compaction).toMatchObject({ inputs: compaction?.inputs, output: { count: 1 } });
    await toRest(world);
    await expectWithout(world, [...EVEN, ...ODD, ...more]);
  });

  test('goes on in a store of the version before, whoever publishes first', async () => {
    for (const publishes of ['a withdrawal', 'a tick']) {
      const world = await replacing();
      const before = (await manifestOf(world)).compaction;
      await asBefore({ objects: world.objects.memory, slices: world.slices.memory });
      await upload(world, 'waits', spread(170_000, 1, 5));
      if (publishes === 'a withdrawal') {
        await withdraw(world, 'waits', 'key-1');
        const { compaction } = await manifestOf(world);
        expect(compaction).toEqual({ ...before, output: { key: expect.any(String), count: 1 } });
      }
      await toRest(world);
      const waiting = publishes === 'a withdrawal' ? [] : spread(170_000, 1, 5);
      await expectWithout(world, [...EVEN, ...ODD, ...waiting]);
      expect(world.events.filter((event) => event.startsWith('compaction.lost'))).toEqual([]);
    }
  });

  test('is begun anew by a rollback, and by a withdrawal of a batch that the job is about', async () => {
    const world = await replacing();
    const { generation } = await manifestOf(world);
    await withdraw(world, 'even', 'key-1');
    expect((await manifestOf(world)).withdrawals).toMatchObject({ pending: 2, replacing: true });
    await rollback(world, generation, { requeue: true });
    expect((await manifestOf(world)).compaction).toBeNull();
    expect((await manifestOf(world)).withdrawals).toMatchObject({ pending: 2, replacing: false });
    await toRest(world);
    await expectWithout(world, ODD);
  });

  test('is begun anew when what is being computed for a drop is withdrawn as well', async () => {
    const world = newWorld({ inlineRecords: 60_000, compactionSegments: 1 });
    for (const [id, part] of Object.entries({ even: EVEN, odd: ODD })) {
      await upload(world, id, part);
      await nextTick(world);
    }
    await uploadBoth(world);
    await nextTick(world);
    const { generation } = await manifestOf(world);
    await release(world, POISON);
    await nextTick(world);
    const released = (await manifestOf(world)).generation;
    await rollback(world, generation, { requeue: false });
    await drop(world, POISON);
    await rollback(world, released, { requeue: false });
    await tick(world);
    expect((await manifestOf(world)).withdrawals).toMatchObject({ pending: 1, replacing: true });
    expect((await manifestOf(world)).compaction?.output.count).toBe(1);
    await withdraw(world, 'both', 'key-1');
    expect((await manifestOf(world)).compaction).toBeNull();
    await toRest(world);
    await expectWithout(world, [...EVEN, ...ODD]);
  });

  test('goes on after a chunk that could not be published', async () => {
    const world = await replacing();
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put manifest') throw new Error('injected: the swap fails');
    };
    await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
    world.storeLog.beforeCall = async () => {};
    await toRest(world);
    await expectWithout(world, [...EVEN, ...ODD]);
  });
});

describe('a batch that is not in the inventory', () => {
  test('and waits is never merged', async () => {
    const world = await prepared();
    expect(await withdraw(world, 'later', 'key-1')).toMatchObject({ state: 'withdrawn', isNew: true });
    await toRest(world);
    await expectWithout(world, [...PARTS.flat(), ...BAD]);
    expect(await batchPlaces(world.objects)).toEqual({ waiting: [], merged: ['b0', 'b2', 'b3', 'k-bad', 'later'] });
    expect((await checked(world)).problems).toEqual([]);
  });

  test('and cannot be read is withdrawn all the same', async () => {
    const world = await prepared();
    await flip(world, 'batches/waiting/later', 50);
    expect(await withdraw(world, 'later', 'key-1')).toMatchObject({ state: 'withdrawn' });
    await toRest(world);
    expect((await checked(world)).problems).toEqual([]);
    world.events.length = 0;
    await nextTick(world);
    expect(world.events.some((event) => event.startsWith('batch.unreadable'))).toBe(false);
  });

  test('and was set aside, or is to be merged again, is so no longer', async () => {
    const world = await prepared();
    const first = (await manifestOf(world)).retained[0]?.generation ?? 0;
    await rollback(world, first, { requeue: false });
    await withdraw(world, 'b2', 'key-1');
    expect(await releaseBatch(world, 'b2')).toEqual({ kind: 'not-set-aside' });
    expect(await releaseBatch(world, 'k-bad')).toEqual({ kind: 'done', isNew: true });
    expect(await withdraw(world, 'k-bad', 'key-1')).toMatchObject({ state: 'withdrawn' });
    expect(await releaseBatch(world, 'b3')).toEqual({ kind: 'done', isNew: true });
    expect(await releaseBatch(world, 'b3')).toEqual({ kind: 'done', isNew: false });
    await toRest(world);
    await expectWithout(world, [...(PARTS[0] ?? []), ...(PARTS[2] ?? []), ...LATER]);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('and is held back: what was held is never merged, and nothing is to be taken out', async () => {
    const world = newWorld();
    await uploadBoth(world);
    await tick(world);
    await upload(world, 'held', POISON_ROWS.slice(0, 9));
    await nextTick(world);
    expect(await withdraw(world, 'held', 'key-1')).toMatchObject({ state: 'withdrawn' });
    const found = (await ledgerOf(world)).cases.find(({ source }) => source === POISON);
    expect([found?.held.detections, found?.dropped.detections]).toEqual([300, 9]);
    expect(await withdraw(world, 'both', 'key-1')).toMatchObject({ state: 'withdrawing' });
    await release(world, POISON);
    await toRest(world);
    await expectWithout(world, []);
  });

  test('and was held when a generation was published that a rollback returns to is not held again', async () => {
    const world = newWorld();
    await uploadBoth(world);
    await tick(world);
    await release(world, POISON);
    await nextTick(world);
    await withdraw(world, 'both', 'key-1');
    await toRest(world);
    await rollback(world, 1, { requeue: false });
    const found = (await ledgerOf(world)).cases.find(({ source }) => source === POISON);
    expect([found?.held.detections, found?.due.detections, found?.dropped.detections]).toEqual([0, 0, 300]);
    await release(world, POISON);
    await toRest(world);
    await expectWithout(world, []);
  });

  test('and that nobody sent is not found', async () => {
    const world = await prepared();
    expect(await withdraw(world, 'nobody', 'key-1')).toEqual({ kind: 'not-found' });
  });
});

describe('the list of withdrawals', () => {
  test('forgets those that no rollback can bring back; the objects never do', async () => {
    const world = await prepared();
    await withdraw(world, 'k-bad', 'key-1');
    await toRest(world);
    for (let day = 0; day < 5; day++) {
      world.clock += 24 * 60 * MINUTE;
      await upload(world, `day-${day}`, LATER.slice(0, 1));
      await toRest(world);
    }
    await withdraw(world, 'b3', 'key-2');
    await toRest(world);
    expect((await readWithdrawals(world.objects.memory, await manifestOf(world))).withdrawn).toMatchObject([
      { id: 'b3' },
    ]);
    expect(await readMark(world.objects.memory, 'k-bad')).toMatchObject({ by: 'key-1' });
    expect(await withdraw(world, 'k-bad', 'key-2')).toMatchObject({ state: 'withdrawn', by: 'key-1', isNew: false });
    const days = Array.from({ length: 5 }, () => LATER.slice(0, 1)).flat();
    await expectWithout(world, [...(PARTS[0] ?? []), ...(PARTS[1] ?? []), ...LATER, ...days]);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('does not forget one whose object could not be written when it was withdrawn', async () => {
    const world = await prepared();
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put batches/withdrawn/') throw new Error('injected: no object');
    };
    await expect(withdraw(world, 'k-bad', 'key-1')).rejects.toThrow('injected');
    world.storeLog.beforeCall = async () => {};
    await toRest(world);
    await expectWithout(world, GOOD);
    expect(await readMark(world.objects.memory, 'k-bad')).toBeNull();
    expect((await rebuildOf(world)).result.withdrawn).toBe(1);
    for (let day = 0; day < 5; day++) {
      world.clock += 24 * 60 * MINUTE;
      await upload(world, `day-${day}`, LATER.slice(0, 1));
      await toRest(world);
    }
    await withdraw(world, 'day-0', 'key-2');
    expect(await readMark(world.objects.memory, 'k-bad')).toMatchObject({ by: 'key-1' });
  });

  test('takes so many and no more', async () => {
    const world = newWorld();
    await upload(world, 'one', BAD.slice(0, 1));
    await tick(world);
    const base = await loadManifest(world.objects.memory);
    const withdrawn = Array.from({ length: MAX_RECENT }, (_, i) => ({ id: `w${i}`, at: 1, by: 'key', outSince: null }));
    const list = { withdrawn, pending: [], job: null };
    const withdrawals = await writeWithdrawals(world.objects, base.manifest, 'many', list);
    await publish(world, base, { withdrawals }, NO_BATCHES);
    expect(await withdraw(world, 'one', 'key')).toEqual({
      kind: 'full',
      limit: '2000 batches withdrawn in three days',
    });
    expect(await withdraw(world, 'w7', 'key')).toMatchObject({ kind: 'done', isNew: false });
  });

  test('is part of a rebuild: the batches are kept, and stay withdrawn', async () => {
    const world = await prepared();
    await withdraw(world, 'k-bad', 'key-1');
    await withdraw(world, 'later', 'key-2');
    // While it is still being taken out here.
    const { target, result } = await rebuildOf(world);
    expect(result).toMatchObject({ batches: 3, withdrawn: 2 });
    await expectWithout(target, PARTS.flat());
    expect((await batchPlaces(target.objects)).merged).toEqual(['b0', 'b2', 'b3', 'k-bad', 'later']);
    expect((await checked(target)).problems).toEqual([]);
    expect(await withdraw(target, 'later', 'key-3')).toMatchObject({ state: 'withdrawn', by: 'key-2' });
    const ids: string[] = [];
    for await (const id of markedWithdrawn(target.objects.memory)) ids.push(id);
    expect(ids).toEqual(['k-bad', 'later']);
  });
});

/** Large enough for two chunks of each kind, and no more: every call is one to stop at. */
const FEW = { withdrawalBatches: 4 };

/** From the request to the end: which storage calls there are. */
async function whole(world: World): Promise<void> {
  await withdraw(world, 'k-bad', 'key-1');
  await toRest(world);
}

const calls = await (async () => {
  const world = await prepared(FEW);
  await whole(world);
  return [...world.storeLog.calls];
})();

describe('a withdrawal that is stopped at any storage call', () => {
  test('touches every kind of call', () => {
    expect(calls).toEqual(
      expect.arrayContaining([
        'head batches/merged/',
        'put batches/withdrawn/',
        'get batches/merged/',
        'list batches/merged/',
        'list batches/withdrawn/',
        'put withdrawals/',
        'get withdrawals/',
        'get history/',
        'get facts/',
        'put facts/',
        'getRange segments/',
        'put segments/',
        'put manifest',
      ]),
    );
  });

  for (const fault of FAULTS) {
    test(`${fault}: it comes to the same end`, async () => {
      for (let at = 0; at < calls.length; at++) {
        const world = await prepared(FEW);
        world.storeLog.failAt(at, fault);
        // It rejects for an injected failure only.
        await whole(world).catch(async (error: Error) => {
          expect(error.message).toContain('injected');
          await whole(world);
        });
        expect(world.storeLog.calls.length).toBeGreaterThan(at);
        // A batch that could not be read waits for the next tick.
        await toRest(world);
        await expectWithout(world, GOOD);
        expect(await readMark(world.objects.memory, 'k-bad')).toMatchObject({ by: 'key-1' });
      }
    }, 120_000);
  }

  test('two ticks at once, wherever the first one stands still', async () => {
    for (let pause = 0; pause < calls.length; pause += 4) {
      const world = await prepared(FEW);
      let at = 0;
      world.storeLog.beforeCall = async () => {
        if (at++ === pause) await tick(world);
      };
      await whole(world);
      world.storeLog.beforeCall = async () => {};
      await toRest(world);
      await expectWithout(world, GOOD);
    }
  });

  test('of a waiting batch while a tick is under way: it is merged and taken out, or never merged', async () => {
    const length = await (async () => {
      const world = await prepared();
      await tick(world);
      return world.storeLog.calls.length;
    })();
    for (let pause = 0; pause < length; pause++) {
      const world = await prepared();
      let at = 0;
      let result: ReturnType<typeof withdraw> | undefined;
      world.storeLog.beforeCall = async () => {
        if (at++ !== pause) return;
        result = withdraw(world, 'later', 'key-1');
        await result;
      };
      await tick(world);
      world.storeLog.beforeCall = async () => {};
      expect(await result).toMatchObject({ kind: 'done' });
      await toRest(world);
      await drain(world);
      await expectWithout(world, [...PARTS.flat(), ...BAD]);
    }
  });
});
