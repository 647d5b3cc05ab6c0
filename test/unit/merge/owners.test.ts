/** A source is its tenant's, and nobody's names take the places of others. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import { idOf, type SourceId } from '../../../src/format/source.ts';
import { decideSource } from '../../../src/merge/decisions.ts';
import { tick } from '../../../src/merge/tick.ts';
import { CanaryStore } from '../../../src/quality/canaries.ts';
import { released } from '../../../src/quality/decide.ts';
import {
  caseOf,
  type Ledger,
  MAX_TENANT_CASES,
  quarantinedSources,
  quarantineTotals,
} from '../../../src/quality/ledger.ts';
import { fictionNumber } from '../../support/detections.ts';
import { actualInventory, expectedInventory, newWorld, type World } from '../../support/world.ts';
import { checked, lookAt } from '../scripts/fsck/support.ts';
import { ledgerOf, lines, nextTick, reported, uploadLines } from './quarantine-world.ts';

const HONEST = { tenant: 'acme', key: 'a1' };
const OTHER_KEY = { tenant: 'acme', key: 'a2' };
const ATTACKER = { tenant: 'evil', key: 'e1' };
const NAME = 'forum-scrape';
const CANARY = fictionNumber(7_000);

const releaseOf = (world: World, id: SourceId) =>
  decideSource(world, (ledger) => released(ledger, { ...id, by: 'admin', now: world.clock }));

async function plant(world: World): Promise<void> {
  const deps = { randomBytes: (length: number) => new Uint8Array(length), sleep: async () => {}, report: () => {} };
  const canaries = new CanaryStore({ ...deps, objects: world.objects.memory });
  await canaries.put({ number: CANARY, note: null, by: 'admin', createdAt: world.clock });
}

const sightingsOf = async (world: World) =>
  [...(await actualInventory(world.objects)).values()].reduce((sum, { sightings }) => sum + sightings, 0);

describe('a feed', () => {
  test.each([
    ['of one name', NAME, ATTACKER],
    ['without a name, of another tenant', null, ATTACKER],
    ['without a name, of another key of the tenant', null, OTHER_KEY],
  ])('is not held back for what another uploads %s', async (_, source, attacker) => {
    const world = newWorld();
    const bad = reported(source, 300, 200);
    const good = reported(source, 0, 250);
    await uploadLines(world, 'bad', bad, [lines(source, 200, 200)], attacker);
    await uploadLines(world, 'good', good, [lines(source, 250)], HONEST);
    await tick(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(good));
    const ledger = await ledgerOf(world);
    const id = source === null ? { source, ...attacker } : { source, tenant: attacker.tenant };
    expect(ledger.cases.map(idOf)).toEqual([id]);
    // Nor later, and the other stays held.
    await uploadLines(world, 'bad-2', reported(source, 500, 10), undefined, attacker);
    await uploadLines(world, 'good-2', reported(source, 250, 10), undefined, HONEST);
    await nextTick(world);
    expect(await sightingsOf(world)).toBe(260);
    expect(caseOf(await ledgerOf(world), id)?.held.detections).toBe(210);
    await releaseOf(world, id);
    await nextTick(world);
    expect(await sightingsOf(world)).toBe(470);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('of two keys of its tenant is one source', async () => {
    const world = newWorld();
    await uploadLines(world, 'a', reported(NAME, 0, 150), [lines(NAME, 150, 30)], HONEST);
    await uploadLines(world, 'b', reported(NAME, 200, 150), [lines(NAME, 150, 120)], OTHER_KEY);
    await tick(world);
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 300 });
  });

  test('that was held before tenants were told apart is still held, for whoever uploads it', async () => {
    const world = newWorld();
    await uploadLines(world, 'old', reported(NAME, 300, 200), [lines(NAME, 200, 200)]);
    await tick(world);
    await uploadLines(world, 'new', reported(NAME, 0, 20), [lines(NAME, 20)], HONEST);
    await nextTick(world);
    const ledger = await ledgerOf(world);
    expect(ledger.cases.map(idOf)).toEqual([{ source: NAME }, { source: NAME, tenant: 'acme' }]);
    expect(quarantineTotals(ledger)).toEqual({ sources: 2, detections: 220 });
    await releaseOf(world, { source: NAME, tenant: 'acme' });
    await uploadLines(world, 'newer', reported(NAME, 20, 20), [lines(NAME, 20)], HONEST);
    await nextTick(world);
    expect(await sightingsOf(world)).toBe(40);
    expect(quarantineTotals(await ledgerOf(world))).toEqual({ sources: 1, detections: 200 });
  });

  test('is told apart in a briefing by a count, and no tenant is named', async () => {
    const world = newWorld();
    await uploadLines(world, 'a', reported(NAME, 0, 200), [lines(NAME, 200, 200)], HONEST);
    await tick(world);
    await uploadLines(world, 'b', reported(NAME, 300, 201), [lines(NAME, 201, 200)], ATTACKER);
    await uploadLines(world, 'c', reported('c', 600, 200), [lines('c', 200, 200)], ATTACKER);
    await nextTick(world);
    const told = quarantinedSources(await ledgerOf(world));
    expect(told.map(({ source, feed, detections }) => [source, feed, detections])).toEqual([
      [NAME, 1, 200],
      [NAME, 2, 201],
      ['c', undefined, 200],
    ]);
    expect(JSON.stringify(told)).not.toMatch(/acme|evil/);
  });
});

/** As many sources as there are rows, each with a canary or with bad lines. */
const manyNames = (count: number) => Array.from({ length: count }, (_, i) => `name-${i}`);

describe('more sources than are held back by name', () => {
  /** One upload of 5,001 sources that each name a canary, beside an honest one. */
  async function flooded(): Promise<World> {
    const world = newWorld();
    await plant(world);
    const rows = manyNames(5_001).flatMap((name) => reported(name, 7_000, 1));
    await uploadLines(world, 'flood', rows, undefined, ATTACKER);
    await uploadLines(world, 'honest', reported(NAME, 0, 200), [lines(NAME, 200)], HONEST);
    await tick(world);
    return world;
  }

  test('are held back as a whole, of the key that uploads them, and of no other', async () => {
    const world = await flooded();
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(reported(NAME, 0, 200)));
    const ledger = await ledgerOf(world);
    expect(ledger.cases).toHaveLength(MAX_TENANT_CASES + 1);
    expect(caseOf(ledger, { source: null, ...ATTACKER, every: true })).toMatchObject({
      state: 'quarantined',
      reasons: ['canary'],
      held: { detections: 5_001, batches: [{ id: 'flood', rows: 5_001 }] },
    });
    expect(quarantineTotals(ledger).detections).toBe(5_001);
    // From now on all of that key is held, whatever it names; its tenant's other keys are not.
    await uploadLines(world, 'more', reported('another', 300, 5), undefined, ATTACKER);
    await uploadLines(world, 'other', reported('third', 300, 5), undefined, { ...ATTACKER, key: 'e2' });
    await nextTick(world);
    expect(await sightingsOf(world)).toBe(205);
    expect((await ledgerOf(world)).cases).toHaveLength(MAX_TENANT_CASES + 1);
    expect(world.events.filter((event) => event.includes('quarantined')).length).toBeLessThan(3);
    expect((await checked(world)).problems).toEqual([]);
  });

  test('are released with all they held, less the canary', async () => {
    const world = await flooded();
    await uploadLines(world, 'more', [...reported('x', 7_000, 1), ...reported('x', 300, 5)], undefined, ATTACKER);
    await nextTick(world);
    await releaseOf(world, { source: null, ...ATTACKER, every: true });
    await nextTick(world);
    expect(await sightingsOf(world)).toBe(205);
    expect((await checked(world)).problems).toEqual([]);
    const target = newWorld();
    await rebuild(world.objects.memory, target, lookAt(target).progress);
    expect(await actualInventory(target.objects)).toEqual(await actualInventory(world.objects));
    expect((await checked(target)).problems).toEqual([]);
  });

  test('free their places when they are released and nothing of them is held', async () => {
    const world = newWorld();
    const bad = async (id: string, name: string) => {
      await uploadLines(world, id, reported(name, 0, 1), [lines(name, 1, 400)], HONEST);
      await nextTick(world);
    };
    for (const name of manyNames(3)) await bad(`a-${name}`, name);
    const rows = manyNames(MAX_TENANT_CASES - 3).map((name) => lines(`b-${name}`, 1, 400));
    const detections = rows.flatMap(({ source = null }) => reported(source, 0, 1));
    await uploadLines(world, 'b', detections, rows, HONEST);
    await nextTick(world);
    expect((await ledgerOf(world)).cases).toHaveLength(MAX_TENANT_CASES);
    await releaseOf(world, { source: 'name-0', tenant: 'acme' });
    await nextTick(world);
    await bad('c', 'name-of-c');
    const ledger = await ledgerOf(world);
    expect(caseOf(ledger, { source: 'name-of-c', tenant: 'acme' })).toMatchObject({ state: 'quarantined' });
    expect(ledger.cases.some(({ every }) => every)).toBe(false);
    await bad('d', 'name-of-d');
    const isWhole = (one: Ledger['cases'][number]) => one.every === true;
    expect((await ledgerOf(world)).cases.filter(isWhole).map(idOf)).toEqual([
      { source: null, tenant: 'acme', key: 'a1', every: true },
    ]);
  });

  test('do not keep another tenant’s sources from being held back by name', async () => {
    const world = await flooded();
    await uploadLines(world, 'bad', reported('bad', 300, 200), [lines('bad', 200, 200)], HONEST);
    await nextTick(world);
    expect(caseOf(await ledgerOf(world), { source: 'bad', tenant: 'acme' })?.held.detections).toBe(200);
  });
});

test('every row is in the inventory or in one batch set, whoever uploads what', async () => {
  const upload = fc.record({
    owner: fc.constantFrom(undefined, HONEST, OTHER_KEY, ATTACKER),
    names: fc.uniqueArray(fc.constantFrom(null, 'a', 'b', ...manyNames(130)), { minLength: 1, maxLength: 130 }),
    isBad: fc.boolean(),
    hasCanary: fc.boolean(),
    release: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(upload, { maxLength: 6 }), async (uploads) => {
      const world = newWorld();
      await plant(world);
      let total = 0;
      for (const [i, { owner, names, isBad, hasCanary, release }] of uploads.entries()) {
        const rows = names.flatMap((name) => reported(name, i * 7, 2));
        if (hasCanary) rows.push(...reported(names[0] ?? null, 7_000, 1));
        total += rows.length;
        const said = names.slice(0, 200).map((name) => lines(name, 2, isBad ? 300 : 0));
        await uploadLines(world, `b${i}`, rows, said, owner);
        await nextTick(world);
        const [first] = (await ledgerOf(world)).cases.filter(({ state }) => state === 'quarantined');
        if (release && first !== undefined) await releaseOf(world, idOf(first));
      }
      const ledger = await ledgerOf(world);
      const piled = ledger.cases.reduce((sum, { held, due }) => sum + held.detections + due.detections, 0);
      const leftOut = ledger.leftOut.reduce((sum, { numbers }) => sum + numbers.length, 0);
      expect((await sightingsOf(world)) + piled + leftOut).toBe(total);
      expect((await checked(world)).problems).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
