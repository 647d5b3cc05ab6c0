/** Operators' decisions beside ticks, which are slower: neither may keep the other from publishing. */
import { expect, test } from 'vitest';
import { LEASE_MS } from '../../../src/merge/decisions.ts';
import { tick } from '../../../src/merge/tick.ts';
import { withdraw } from '../../../src/merge/withdraw.ts';
import { TICK_LEASE_KEY } from '../../../src/storage/keys.ts';
import { someDetections } from '../../support/detections.ts';
import { batchPlaces, newWorld, upload, type World } from '../../support/world.ts';

const ids = Array.from({ length: 10 }, (_, i) => `b${i}`);

async function merged(): Promise<World> {
  const world = newWorld();
  for (const [i, id] of ids.entries()) await upload(world, id, someDetections(5, i, 50));
  await tick(world);
  world.clock += 60_000;
  return world;
}

/** A second of its clock takes 20 ms, so that what waits lets others go on. */
const patient = (world: World): World => ({
  ...world,
  now: () => world.clock,
  sleep: async (ms) => {
    world.clock += ms;
    await new Promise((resolve) => setTimeout(resolve, ms / 50));
  },
});

/** As many a decision begins, one after the other, as a tick takes to come to its swap. */
function deciding(world: World, decide: () => Promise<unknown>): World {
  const objects = new Proxy(world.objects, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
      return async (...args: Parameters<typeof world.objects.put>) => {
        // Long enough for one that need not wait, and no longer.
        if (args[0] === 'manifest') await Promise.race([decide(), new Promise((resolve) => setTimeout(resolve, 50))]);
        return world.objects.put(...args);
      };
    },
  });
  return { ...world, objects };
}

test('a tick publishes while an operator withdraws one batch after the other', async () => {
  const world = await merged();
  await upload(world, 'waits', someDetections(5, 99, 50));
  const left = [...ids];
  const decisions: Promise<unknown>[] = [];
  const decide = () => {
    const id = left.shift();
    const decision = id === undefined ? Promise.resolve() : withdraw(patient(world), id, 'key-1');
    decisions.push(decision);
    return decision;
  };
  expect(await tick(deciding(patient(world), decide))).toMatchObject({ batches: 1, lostRace: false });
  expect((await batchPlaces(world.objects)).waiting).toEqual([]);
  // Those that waited have their turn.
  await Promise.all(decisions);
  expect(decisions.length).toBeGreaterThan(1);
  expect(await world.objects.memory.head(TICK_LEASE_KEY)).toBeNull();
});

test('a tick that stops under its lease holds decisions up for a minute', async () => {
  const world = await merged();
  await world.objects.memory.put(TICK_LEASE_KEY, new Uint8Array(1));
  const before = world.clock;
  expect(await withdraw(world, 'b1', 'key-1')).toMatchObject({ kind: 'done' });
  expect(world.clock - before).toBeGreaterThan(LEASE_MS / 2);
  expect(world.clock - before).toBeLessThan(LEASE_MS + 10_000);
});

test('one of a tick that stopped long ago holds up nobody', async () => {
  const world = await merged();
  await world.objects.memory.put(TICK_LEASE_KEY, new Uint8Array(1));
  world.clock += LEASE_MS;
  const before = world.clock;
  expect(await withdraw(world, 'b1', 'key-1')).toMatchObject({ kind: 'done' });
  expect(world.clock - before).toBeLessThan(LEASE_MS / 2);
});

test('a lease that storage does not give keeps no tick from going again', async () => {
  const world = await merged();
  await upload(world, 'waits', someDetections(5, 99, 50));
  let isFirst = true;
  const lost = deciding(world, async () => {
    if (isFirst) await withdraw(world, 'b1', 'key-1');
    isFirst = false;
  });
  const put = lost.objects.put;
  const objects = Object.assign(Object.create(lost.objects), {
    put: (...args: Parameters<typeof put>) =>
      args[0] === TICK_LEASE_KEY ? Promise.reject(new Error('storage fails')) : put(...args),
  });
  expect(await tick({ ...lost, objects })).toMatchObject({ batches: 1, lostRace: false });
  expect(world.events.some((event) => event.startsWith('lease.failed'))).toBe(true);
});
