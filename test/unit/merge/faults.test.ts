import { describe, expect, test } from 'vitest';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { readSetAside } from '../../../src/merge/failing-batches.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { actualActivity, expectedActivity } from '../../support/activity.ts';
import { someDetections } from '../../support/detections.ts';
import type { Fault } from '../../support/strict-stores.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, upload, type World } from '../../support/world.ts';

const OLD = someDetections(90, 1, 150);
const NEW = someDetections(80, 2, 150);
const LATER = someDetections(30, 3, 150);
const FAULTS: readonly Fault[] = ['fails', 'fails but persisted'];

/** A store with one run, a leftover of an unfinished move, two waiting batches, and a tick that will also compact. */
async function prepared(): Promise<World> {
  const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  await upload(world, 'old', OLD);
  await tick(world);
  // As if the tick had stopped right after the swap: the merged batch is still waiting.
  const kept = await world.objects.memory.get('batches/merged/old');
  if (kept === null) throw new Error('no merged batch');
  await world.objects.memory.put('batches/waiting/old', kept.bytes);
  await world.objects.memory.delete(['batches/merged/old']);
  await upload(world, 'new', NEW.slice(0, 40));
  await upload(world, 'k-new', NEW.slice(40));
  // Minute 17: the tick also collects garbage.
  world.clock += 17 * 60_000;
  world.storeLog.clear();
  return world;
}

const calls = await (async () => {
  const world = await prepared();
  await tick(world);
  return [...world.storeLog.calls];
})();

async function settled(world: World): Promise<void> {
  world.storeLog.clear();
  await drain(world);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory([...OLD, ...NEW]));
  expect(await actualActivity(world.objects)).toEqual(expectedActivity([...OLD, ...NEW]));
  expect(await batchPlaces(world.objects)).toEqual({ waiting: [], merged: ['k-new', 'new', 'old'] });
  const { manifest } = await loadManifest(world.objects);
  expect(manifest.missingSlices).toEqual([]);
  for (const entry of manifest.runs.flatMap(({ segments }) => segments)) {
    expect(await world.slices.memory.get(entry.numbers.sha256)).not.toBeNull();
  }
  expect(world.storeLog.violations).toEqual([]);
}

describe('a tick that stops at any storage call', () => {
  test('touches every kind of call', () => {
    expect(new Set(calls)).toEqual(
      new Set([
        'get manifest',
        // Seventeen minutes without a generation: what is about to be taken is said first.
        'get attempt',
        'put attempt',
        'list batches/waiting/',
        'list compactions/',
        'get batches/waiting/',
        'put batches/merged/',
        'delete batches/waiting/',
        'head batches/merged/',
        'getRange segments/',
        'put segments/',
        'get facts/',
        'put facts/',
        'list facts/',
        'kv put',
        'put manifests/',
        'put history/',
        'put manifest',
        'get manifests/',
        'list segments/',
        'kv list',
        'list manifests/',
        'get config/',
        'put config/',
        'get ledgers/',
        'put ledgers/',
        'list ledgers/',
        'list set-aside/',
        'list briefings/',
        'list withdrawals/',
      ]),
    );
  });

  for (const fault of FAULTS) {
    test.each(calls.map((name, i) => [i, name] as const))(
      `${fault} at call %i, %s: the next tick makes it whole`,
      async (i) => {
        const world = await prepared();
        world.storeLog.failAt(i, fault);
        await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
        expect(world.storeLog.calls.length).toBeGreaterThan(i);
        await settled(world);
      },
    );

    test(`${fault} twice in a row at any pair of calls`, async () => {
      for (let first = 0; first < calls.length; first += 3) {
        for (let second = 0; second < 12; second++) {
          const world = await prepared();
          for (const at of [first, second]) {
            world.storeLog.clear();
            world.storeLog.failAt(at, fault);
            await tick(world).catch(() => undefined);
          }
          await settled(world);
        }
      }
    });
  }
});

test('a lost answer to the swap is told apart from a lost race', async () => {
  const world = await prepared();
  world.storeLog.failAt(calls.indexOf('put manifest'), 'fails but persisted');
  expect(await tick(world)).toMatchObject({ batches: 2, detections: NEW.length, lostRace: false });
});

describe('two ticks at once', () => {
  test('exactly one publishes each generation, and nothing is lost or counted twice', async () => {
    const length = calls.length;
    for (let pause = 0; pause < length; pause++) {
      const world = await prepared();
      let at = 0;
      let other: ReturnType<typeof tick> | undefined;
      world.storeLog.beforeCall = async () => {
        if (at++ !== pause) return;
        // The first tick stands still at this call while a second one runs from start to end.
        other = tick(world);
        await other;
      };
      const first = await tick(world);
      const second = await other;
      world.storeLog.beforeCall = async () => {};
      const { manifest } = await loadManifest(world.objects);
      const histories = (await world.objects.memory.list('history/')).objects.length;
      const swaps = world.storeLog.calls.filter((name) => name === 'put manifest').length;
      expect(histories, 'every attempt to swap wrote its history').toBe(swaps + 1);
      expect(first.lostRace && second?.lostRace, `pause at ${pause}`).not.toBe(true);
      expect(first.batches + (second?.batches ?? 0), 'detections published once').toBe(2);
      expect(manifest.generation).toBeGreaterThan(1);
      await settled(world);
    }
  });

  test('interleaved call by call', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const world = await prepared();
      let state = seed;
      world.storeLog.beforeCall = async () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        for (let i = 0; i < state % 5; i++) await Promise.resolve();
      };
      const results = await Promise.all([tick(world), tick(world), tick(world)]);
      expect(results.reduce((sum, { batches }) => sum + batches, 0)).toBe(2);
      world.storeLog.beforeCall = async () => {};
      await settled(world);
    }
  });
});

describe('a rollback that stops at any storage call', () => {
  for (const fault of FAULTS) {
    test(`${fault}: the inventory is the old one or the one asked for, and no batch is lost`, async () => {
      for (let at = 0; ; at++) {
        const world = await prepared();
        await drain(world);
        const target = (await loadManifest(world.objects)).manifest.generation;
        await upload(world, 'later', LATER);
        await drain(world);
        world.storeLog.clear();
        world.storeLog.failAt(at, fault);
        await rollback(world, target, { requeue: false }).catch(() => undefined);
        const reached = world.storeLog.calls.length > at;
        world.storeLog.clear();
        const inventory = await actualInventory(world.objects);
        const { manifest } = await loadManifest(world.objects);
        const aside = await readSetAside(world.objects.memory, manifest, UNPACED);
        const isRolledBack = aside.some(({ id }) => id === 'later');
        expect(inventory).toEqual(expectedInventory(isRolledBack ? [...OLD, ...NEW] : [...OLD, ...NEW, ...LATER]));
        await drain(world);
        expect((await batchPlaces(world.objects)).merged).toContain('later');
        expect(world.storeLog.violations).toEqual([]);
        if (!reached) break;
      }
    });
  }
});
