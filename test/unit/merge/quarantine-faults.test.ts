import { describe, expect, test } from 'vitest';
import { collectGarbage, GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { drain } from '../../../src/merge/rebuild.ts';
import { tick } from '../../../src/merge/tick.ts';
import { caseOf, quarantineTotals } from '../../../src/quality/ledger.ts';
import type { Fault } from '../../support/strict-stores.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, type World } from '../../support/world.ts';
import {
  drop,
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

const FAULTS: readonly Fault[] = ['fails', 'fails but persisted'];
const MIXED = [...reported('bad', 600, 200), ...reported('good', 640, 60)];

/** A tick that merges released rows, quarantines a source, holds more of one, and collects garbage. */
async function prepared(): Promise<World> {
  const world = newWorld();
  await uploadBoth(world);
  await uploadLines(world, 'worse', reported('worse', 100, 200), [lines('worse', 200, 200)]);
  await tick(world);
  await release(world, POISON);
  await uploadLines(world, 'mixed', MIXED, [lines('bad', 200, 100), lines('good', 60)]);
  await uploadLines(world, 'more', reported('worse', 90, 10));
  // Minute 17.
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
  const listed = [...HONEST_ROWS, ...POISON_ROWS, ...reported('good', 640, 60)];
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(listed));
  expect(await batchPlaces(world.objects)).toEqual({ waiting: [], merged: ['both', 'mixed', 'more', 'worse'] });
  const ledger = await ledgerOf(world);
  expect(quarantineTotals(ledger)).toEqual({ sources: 2, detections: 410 });
  expect(caseOf(ledger, { source: 'worse' })?.held.batches.map(({ id }) => id)).toEqual(['worse', 'more']);
  const days = (source: string) => ledger.sources.find((one) => one.source === source)?.days;
  expect(days('bad')).toMatchObject([{ lines: 300, accepted: 200, unassigned: 100, numbers: 200 }]);
  expect(world.storeLog.violations).toEqual([]);
}

describe('a tick that stops at any storage call', () => {
  test('writes one ledger, before the swap', () => {
    expect(calls.filter((name) => name === 'put ledgers/')).toHaveLength(1);
    expect(calls.indexOf('put ledgers/')).toBeLessThan(calls.indexOf('put manifest'));
  });

  for (const fault of FAULTS) {
    test.each(calls.map((name, i) => [i, name] as const))(
      `${fault} at call %i, %s: each line is counted, held or merged once`,
      async (i) => {
        const world = await prepared();
        world.storeLog.failAt(i, fault);
        await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
        await settled(world);
      },
    );
  }
});

test('two ticks at once: one of them publishes', async () => {
  for (let pause = 0; pause < calls.length; pause++) {
    const world = await prepared();
    let at = 0;
    let other: ReturnType<typeof tick> | undefined;
    world.storeLog.beforeCall = async () => {
      if (at++ !== pause) return;
      other = tick(world);
      await other;
    };
    await tick(world);
    await other;
    world.storeLog.beforeCall = async () => {};
    await settled(world);
  }
});

test('a release while a tick is under way waits for the next generation, and is not lost', async () => {
  for (let pause = 0; pause < calls.length; pause++) {
    const world = await prepared();
    let at = 0;
    let decision: ReturnType<typeof release> | undefined;
    world.storeLog.beforeCall = async () => {
      if (at++ !== pause) return;
      decision = release(world, 'worse');
      await decision;
    };
    await tick(world);
    world.storeLog.beforeCall = async () => {};
    expect(await decision).toMatchObject({ kind: 'done' });
    await drain(world);
    const records = await actualInventory(world.objects);
    const sightings = [...records.values()].reduce((sum, record) => sum + record.sightings, 0);
    // `more` arrives before or after the decision, and is merged either way.
    expect(sightings, `pause at ${pause}`).toBe(600 + 60 + 210);
  }
});

describe('a decision that stops at any storage call', () => {
  for (const fault of FAULTS) {
    test(`${fault}: made or not made, and made again it is made once`, async () => {
      // Manifest, ledger, and four writes: ledger, copy, history, swap.
      for (let i = 0; i < 6; i++) {
        const world = await prepared();
        world.storeLog.failAt(i, fault);
        await drop(world, 'worse').catch((error: Error) => expect(error.message).toContain('injected'));
        await drop(world, 'worse');
        await nextTick(world);
        const found = caseOf(await ledgerOf(world), { source: 'worse' });
        expect([found?.dropped.detections, found?.held.detections]).toEqual([200, 10]);
      }
    });
  }
});

test('ledgers that no retained generation names are collected, no others', async () => {
  const world = await prepared();
  world.storeLog.failAt(calls.indexOf('put manifest') - 1, 'fails');
  await tick(world).catch(() => undefined);
  const ledgers = async () => (await world.objects.memory.list('ledgers/')).objects.map(({ key }) => key);
  const all = await ledgers();
  world.clock += GARBAGE_AGE_MS + 1;
  const { manifest } = await loadManifest(world.objects);
  expect(await collectGarbage(world)).toMatchObject({ ledgers: 1 });
  const left = await ledgers();
  expect(left).toHaveLength(all.length - 1);
  expect(left).toContain(manifest.ledger);
  await settled(world);
});
