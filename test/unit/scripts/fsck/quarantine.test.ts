import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../../scripts/fsck/rebuild.ts';
import { UNPACED } from '../../../../src/lib/cooperate.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../../src/merge/rebuild.ts';
import { rollback } from '../../../../src/merge/rollback.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { CanaryStore } from '../../../../src/quality/canaries.ts';
import { caseOf, quarantineTotals, writeLedger } from '../../../../src/quality/ledger.ts';
import { actualActivity, expectedActivity } from '../../../support/activity.ts';
import { fictionNumber } from '../../../support/detections.ts';
import { actualInventory, compactedBytes, expectedInventory, newWorld, type World } from '../../../support/world.ts';
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
} from '../../merge/quarantine-world.ts';
import { alterPublished, checked, flip, keyLike, lookAt, setAsideIds } from './support.ts';

const CANARY = fictionNumber(420);

/**
 * All that can be kept out: of POISON one upload is released and merged but for a canary, one is held anew; of
 * `second` one is dropped and one held; `third` is released and not merged yet.
 */
async function everyKind(): Promise<World> {
  const world = newWorld();
  await uploadBoth(world);
  await uploadLines(world, 'second-1', reported('second', 100, 200), [lines('second', 200, 200)]);
  await tick(world);
  const canaries = new CanaryStore({
    objects: world.objects.memory,
    randomBytes: (length) => new Uint8Array(length),
    sleep: async () => {},
    report: () => {},
  });
  await canaries.put({ number: CANARY, note: null, by: 'admin', createdAt: world.clock });
  await release(world, POISON);
  await nextTick(world);
  await drop(world, 'second');
  await uploadLines(world, 'second-2', reported('second', 130, 10));
  await uploadLines(world, 'poison-2', [...reported(POISON, 410, 20), ...reported('fourth', 60, 5)]);
  await uploadLines(world, 'third', reported('third', 30, 200), [lines('third', 200, 100)]);
  await nextTick(world);
  await release(world, 'third');
  return world;
}

const LISTED = [...HONEST_ROWS, ...POISON_ROWS.filter(({ number }) => number !== CANARY), ...reported('fourth', 60, 5)];

async function rebuilt(source: World, choice: string | null = null) {
  const target = newWorld();
  const result = await rebuild(source.objects.memory, target, lookAt(target).progress, choice);
  return { target, result, ...(await checked(target)) };
}

describe('a store with sources in quarantine', () => {
  test('is sound, to the byte, and the check counts what is held', async () => {
    const world = await everyKind();
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(LISTED));
    expect(await actualActivity(world.objects), 'nor are there facts of it').toEqual(expectedActivity(LISTED));
    const { problems, findings } = await checked(world);
    expect(problems).toEqual([]);
    expect(findings.counts.get('detections in quarantine')).toBe(30);
    expect(caseOf(await ledgerOf(world), { source: 'third' })?.due.detections).toBe(200);
  });

  test('rebuilt from its batches has the same bytes, and the same decisions', async () => {
    const source = await everyKind();
    const { target, problems } = await rebuilt(source);
    expect(problems).toEqual([]);
    // What was due has been merged meanwhile, there as here.
    await nextTick(source);
    await compactFully(source);
    expect(await compactedBytes(target.objects)).toEqual(await compactedBytes(source.objects));
    expect(await actualInventory(target.objects)).toEqual(
      expectedInventory([...LISTED, ...reported('third', 30, 200)]),
    );
    const [before, after] = [await ledgerOf(source), await ledgerOf(target)];
    expect(quarantineTotals(after)).toEqual(quarantineTotals(before));
    expect(after.leftOut).toEqual(before.leftOut);
    expect(caseOf(after, { source: 'second' })).toEqual(caseOf(before, { source: 'second' }));
    await release(target, 'second');
    await nextTick(target);
    expect(await actualInventory(target.objects)).toEqual(
      expectedInventory([...LISTED, ...reported('third', 30, 200), ...reported('second', 130, 10)]),
    );
  });

  test('rebuilt screens what had not been merged', async () => {
    const source = await everyKind();
    await uploadLines(source, 'late', reported('fifth', 500, 200), [lines('fifth', 200, 200)]);
    await uploadLines(source, 'late-2', reported('second', 140, 10));
    const { target } = await rebuilt(source);
    const ledger = await ledgerOf(target);
    expect(caseOf(ledger, { source: 'fifth' })?.held.detections).toBe(200);
    expect(caseOf(ledger, { source: 'second' })?.held.detections).toBe(20);
    expect(await actualInventory(target.objects)).toEqual(
      expectedInventory([...LISTED, ...reported('third', 30, 200)]),
    );
  });

  test('rebuilt with batches set aside keeps both apart', async () => {
    const source = await everyKind();
    const { generation } = (await loadManifest(source.objects)).manifest;
    await uploadLines(source, 'aside', [...reported('sixth', 500, 10), ...reported('second', 140, 10)]);
    await nextTick(source);
    await rollback(source, generation, { requeue: false });
    // With the 200 of `third`, whose merge was undone.
    expect(quarantineTotals(await ledgerOf(source)).detections).toBe(230);
    const { target, problems } = await rebuilt(source);
    expect(problems).toEqual([]);
    expect(await setAsideIds(target)).toEqual(['aside']);
    expect(quarantineTotals(await ledgerOf(target)).detections).toBe(230);
  });

  test('says so when the ledger is damaged, and does not guess what was kept out', async () => {
    const world = await everyKind();
    const { ledger } = (await loadManifest(world.objects)).manifest;
    await flip(world, ledger ?? '', -5);
    const { problems, findings } = await checked(world);
    expect(problems).toEqual([`error: ledger of sources: ${ledger}`]);
    const skipped = findings.checks.find(({ title }) => title === 'inventory against its batches')?.skipped;
    expect(skipped).toBe('not while segments, batches, the ledger or what is set aside have errors');
    await expect(nextTick(world)).rejects.toThrow('RFLE');
  });

  test('says so when a page of what was dropped is gone, which ticks that merge again read', async () => {
    const world = await everyKind();
    const { manifest } = await loadManifest(world.objects.memory);
    const ledger = await ledgerOf(world);
    const cases = ledger.cases.map((one) => ({ ...one, dropped: { ...one.dropped, pages: ['quarantine/gone'] } }));
    const key = await writeLedger(world.objects.memory, manifest.generation, 'by-hand', { ...ledger, cases }, UNPACED);
    await alterPublished(world, () => ({ ledger: key }));
    const { problems, words } = await checked(world);
    expect(problems).toContain(`error: ledger of sources: ${key}`);
    expect(words.join()).toContain('quarantine/gone is missing');
  });

  test('says so when the ledger of a retained generation is gone', async () => {
    const world = await everyKind();
    const key = (await world.objects.memory.list('ledgers/')).objects[0]?.key ?? '';
    await world.objects.memory.delete([key]);
    expect((await checked(world)).problems).toEqual([`error: retained generations: ${key}`]);
  });

  test('says so when a batch that is held is gone', async () => {
    const world = await everyKind();
    await world.objects.memory.delete(['batches/merged/second-2']);
    const { problems } = await checked(world, { verifyBatches: false });
    const { ledger } = (await loadManifest(world.objects)).manifest;
    expect(problems).toContain(`error: ledger of sources: ${ledger}`);
  });
});

describe('a rebuild of a store that has lost what says what is held back', () => {
  /** Three generations; the last one holds back a source. */
  async function heldLast(): Promise<World> {
    const source = newWorld();
    await uploadLines(source, 'first', HONEST_ROWS);
    await tick(source);
    await uploadLines(source, 'good', reported('honest', 310, 5), [lines('honest', 5)]);
    await nextTick(source);
    await uploadBoth(source);
    await nextTick(source);
    return source;
  }

  async function ledgerLost(source: World): Promise<string> {
    const { ledger } = (await loadManifest(source.objects.memory)).manifest;
    await source.objects.memory.delete([ledger ?? '']);
    return ledger ?? '';
  }

  test('is refused, and says what is missing and what there is to choose from', async () => {
    const source = await heldLast();
    const ledger = await ledgerLost(source);
    const copy = await keyLike(source, 'manifests/0000000002-');
    const refused = rebuilt(source);
    await expect(refused).rejects.toThrow(
      `${ledger}, which manifest names, cannot be read: RFLE: ${ledger} is missing.`,
    );
    await expect(refused).rejects.toThrow(`--decisions ${copy} `);
    await expect(refused).rejects.toThrow('--decisions none');
    expect((await checked(source)).words.join()).toContain('a rebuild says what there is to go by instead');
  });

  test.each(['a copy', 'nothing'])('and going by %s screens what was merged later', async (what) => {
    const source = await heldLast();
    const before = await actualInventory(source.objects);
    await ledgerLost(source);
    const choice = what === 'nothing' ? 'none' : await keyLike(source, 'manifests/0000000002-');
    const { target, problems } = await rebuilt(source, choice);
    expect(problems).toEqual([]);
    expect(await actualInventory(target.objects)).toEqual(before);
    expect(quarantineTotals(await ledgerOf(target)).detections).toBe(POISON_ROWS.length);
  });

  test('keeps aside what is set aside now, by whatever generation it goes', async () => {
    const source = await heldLast();
    await rollback(source, 2, { requeue: false });
    await uploadLines(source, 'more', [...reported('honest', 320, 5), ...reported(POISON, 440, 5)]);
    await nextTick(source);
    await ledgerLost(source);
    const copy = await keyLike(source, 'manifests/0000000003-');
    const { target, result, problems } = await rebuilt(source, copy);
    expect(problems).toEqual([]);
    expect(result).toMatchObject({ setAsideFrom: 'manifest', heldFrom: copy });
    expect(await setAsideIds(target)).toEqual(['both']);
    expect(await actualInventory(target.objects)).toEqual(
      expectedInventory([...HONEST_ROWS, ...reported('honest', 310, 5), ...reported('honest', 320, 5)]),
    );
  });

  test('is refused when a page of the ledger is gone', async () => {
    const source = await heldLast();
    const { manifest } = await loadManifest(source.objects.memory);
    const ledger = await ledgerOf(source);
    const cases = ledger.cases.map((one) => ({ ...one, held: { ...one.held, pages: ['quarantine/gone'] } }));
    const key = await writeLedger(source.objects.memory, manifest.generation, 'by-hand', { ...ledger, cases }, UNPACED);
    await alterPublished(source, () => ({ ledger: key }));
    await expect(rebuilt(source)).rejects.toThrow(`a page of ${key}`);
  });
});
