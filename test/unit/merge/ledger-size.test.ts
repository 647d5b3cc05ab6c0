/** One uploader, however busy, makes no ledger that ticks cannot read: what grows with uploads is on pages. */
import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully, drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { withdraw } from '../../../src/merge/withdraw.ts';
import { excludedRowsOf, LEFT_OUT_CHARS } from '../../../src/quality/batch-set.ts';
import { CanaryStore } from '../../../src/quality/canaries.ts';
import { MAX_LEDGER_BATCHES } from '../../../src/quality/ledger.ts';
import { fictionNumber } from '../../support/detections.ts';
import type { Fault } from '../../support/strict-stores.ts';
import { actualInventory, compactedBytes, expectedInventory, newWorld, type World } from '../../support/world.ts';
import { checked, lookAt } from '../scripts/fsck/support.ts';
import { ledgerOf, nextTick, release, reported, uploadLines } from './quarantine-world.ts';

const SOURCE = 'feed';
const CANARY = fictionNumber(7_000);
const FAULTS: readonly Fault[] = ['fails', 'fails but persisted'];

/** A canary's source has been released: it is trusted for a month. */
async function trusted(): Promise<World> {
  const world = newWorld();
  const deps = { randomBytes: (length: number) => new Uint8Array(length), sleep: async () => {}, report: () => {} };
  const canaries = new CanaryStore({ ...deps, objects: world.objects.memory });
  await canaries.put({ number: CANARY, note: null, by: 'admin', createdAt: world.clock });
  await uploadLines(world, 'first', reported(SOURCE, 7_000, 1));
  await tick(world);
  await release(world, SOURCE);
  await nextTick(world);
  return world;
}

const idOf = (i: number) => `upload-of-one-line-with-an-id-as-they-are-${String(i).padStart(6, '0')}`;

/** Uploads with the canary and a number that is to be listed. */
async function name(world: World, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await uploadLines(world, idOf(i), [...reported(SOURCE, 7_000, 1), ...reported(SOURCE, i % 1_000, 1)]);
  }
}

const listedOf = (count: number) =>
  expectedInventory(Array.from({ length: count }, (_, i) => reported(SOURCE, i % 1_000, 1)).flat());

async function ledgerBytes(world: World): Promise<number> {
  const { ledger } = (await loadManifest(world.objects.memory)).manifest;
  return (await world.objects.memory.get(ledger ?? ''))?.bytes.length ?? 0;
}

async function leftOutIds(world: World): Promise<string[]> {
  const ids: string[] = [];
  for await (const { batch } of excludedRowsOf(world.objects.memory, await ledgerOf(world), UNPACED)) ids.push(batch);
  return ids.sort();
}

describe('a trusted source that names a canary in each of its uploads', () => {
  test('makes no tick read more, and the inventory is exact after a rollback, a withdrawal and a rebuild', async () => {
    const world = await trusted();
    const count = 3_000;
    let middle = 0;
    for (let i = 0; i < count; i += 250) {
      await name(world, i, 250);
      await nextTick(world);
      expect(await ledgerBytes(world)).toBeLessThan(1.1 * LEFT_OUT_CHARS);
      if (i === 1_000) middle = (await loadManifest(world.objects.memory)).manifest.generation;
    }
    const all = ['first', ...Array.from({ length: count }, (_, i) => idOf(i))].sort();
    expect(await leftOutIds(world)).toEqual(all);
    expect(await actualInventory(world.objects)).toEqual(listedOf(count));

    await rollback(world, middle, { requeue: true });
    expect(await leftOutIds(world)).toEqual(
      ['first', ...all.filter((id) => id !== 'first' && id < idOf(1_250))].sort(),
    );
    expect(await actualInventory(world.objects)).toEqual(listedOf(1_250));
    await drain(world);
    expect(await ledgerBytes(world)).toBeLessThan(1.1 * LEFT_OUT_CHARS);
    expect(await leftOutIds(world)).toEqual(all);

    await withdraw(world, idOf(count - 1), 'admin');
    for (let i = 0; i < 60; i++) await nextTick(world);
    const listed = listedOf(count - 1);
    expect(await actualInventory(world.objects)).toEqual(listed);
    expect((await checked(world)).problems).toEqual([]);

    // Of another store, so its pages have other names.
    const target: World = { ...newWorld(), randomId: () => `target-${crypto.randomUUID()}` };
    await rebuild(world.objects.memory, target, lookAt(target).progress);
    expect((await checked(target)).problems).toEqual([]);
    expect(await leftOutIds(target)).toEqual(all);
    await compactFully(world);
    expect(await compactedBytes(target.objects)).toEqual(await compactedBytes(world.objects));
  });

  test('whose page cannot be written is merged by the next tick, each line once', async () => {
    const prepared = async () => {
      const world = await trusted();
      for (let i = 0; i < 900; i += 450) {
        await name(world, i, 450);
        await nextTick(world);
      }
      await name(world, 900, 100);
      world.storeLog.clear();
      return world;
    };
    const whole = await prepared();
    await nextTick(whole);
    const calls = [...whole.storeLog.calls];
    const page = calls.indexOf('put quarantine/');
    expect(page).toBeGreaterThan(0);
    expect(page).toBeLessThan(calls.indexOf('put ledgers/'));
    const expected = await leftOutIds(whole);
    for (const fault of FAULTS) {
      for (let at = page; at <= calls.indexOf('put manifest'); at++) {
        const world = await prepared();
        world.storeLog.failAt(at, fault);
        await nextTick(world).catch((error: Error) => expect(error.message).toContain('injected'));
        world.storeLog.clear();
        await drain(world);
        expect(await leftOutIds(world), `${fault} at ${calls[at]}`).toEqual(expected);
        expect(await actualInventory(world.objects)).toEqual(listedOf(1_000));
        expect((await ledgerOf(world)).leftOutPage).not.toBeNull();
        expect(world.storeLog.violations).toEqual([]);
      }
    }
  });
});

test('a hundred sources in quarantine, all in each of many uploads, are told of in a ledger that stays small', async () => {
  const world = newWorld();
  const names = Array.from({ length: 100 }, (_, i) => `name-${i}`);
  const deps = { randomBytes: (length: number) => new Uint8Array(length), sleep: async () => {}, report: () => {} };
  const canaries = new CanaryStore({ ...deps, objects: world.objects.memory });
  await canaries.put({ number: CANARY, note: null, by: 'admin', createdAt: world.clock });
  for (let i = 0; i < 240; i++) {
    const rows = names.flatMap((source) => reported(source, 7_000, 1));
    await uploadLines(world, idOf(i), rows, undefined, { tenant: 'evil', key: 'e1' });
    if (i % 60 === 59) {
      await nextTick(world);
      const { cases } = await ledgerOf(world);
      expect(cases.reduce((sum, { held }) => sum + held.batches.length, 0)).toBeLessThanOrEqual(MAX_LEDGER_BATCHES);
    }
  }
  const { cases } = await ledgerOf(world);
  expect(cases.map(({ held }) => held.detections)).toEqual(names.map(() => 240));
  expect(await actualInventory(world.objects)).toEqual(new Map());
  const { problems, findings } = await checked(world);
  expect(problems).toEqual([]);
  expect(findings.counts.get('detections in quarantine')).toBe(24_000);
});
