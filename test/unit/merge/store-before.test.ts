/** A store as it was written before verdicts had pages: it is read, served, merged, compacted and returned to. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { Finder } from '../../../src/lookup/finder.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { someDetections } from '../../support/detections.ts';
import { tickWithoutCompaction } from '../../support/tick-without-compaction.ts';
import { asBefore, encodeSegmentOfVersion1, encodeVerdictsOfVersion1 } from '../../support/version-1.ts';
import { actualInventory, expectedInventory, newWorld, upload, type World } from '../../support/world.ts';
import { type PlainRecord, type PlainVerdict, recordColumns, verdictColumns } from '../format/support/plain.ts';
import { checked } from '../scripts/fsck/support.ts';

const GOLDEN = resolve(import.meta.dirname, '../../golden');
const golden = (kind: string) =>
  readdirSync(GOLDEN)
    .filter((name) => name.startsWith(`${kind}-`) && name.endsWith('.v1.bin'))
    .map((name) => ({
      bytes: new Uint8Array(readFileSync(resolve(GOLDEN, name))),
      content: JSON.parse(readFileSync(resolve(GOLDEN, name.replace('.bin', '.json')), 'utf8')) as unknown,
    }));

test('the encoders that these tests go by write the golden vectors of that version', async () => {
  const verdicts = golden('verdicts');
  const segments = golden('segment');
  expect([verdicts.length, segments.length]).toEqual([4, 2]);
  for (const { bytes, content } of verdicts) {
    expect(encodeVerdictsOfVersion1(verdictColumns(content as PlainVerdict[]))).toEqual(bytes);
  }
  for (const { bytes, content } of segments) {
    const { records } = content as { records: PlainRecord[] };
    expect((await encodeSegmentOfVersion1(recordColumns(records))).file).toEqual(bytes);
  }
});

const PARTS = [1, 2, 3].map((seed) => someDetections(120, seed, 400));
const ALL = PARTS.flat();
const NUMBERS = [...new Set(ALL.map(({ number }) => number))].flatMap((number) => [number, number + 7]);

/** Two runs, the older one compacted. */
async function storeBefore(): Promise<World> {
  const world = newWorld({ inlineRecords: 1 });
  for (const [i, part] of PARTS.entries()) {
    await upload(world, `b${i}`, part);
    await tickWithoutCompaction(world);
    if (i === 1) await compactFully(world);
    world.clock += 60_000;
  }
  await asBefore({ objects: world.objects.memory, slices: world.slices.memory });
  expect((await loadManifest(world.objects)).manifest.runs.flatMap(({ segments }) => segments)).toMatchObject(
    Array(2).fill({ offset: 0, parts: { verdicts: {} } }),
  );
  world.storeLog.clear();
  return world;
}

function finderOn(world: World): Finder {
  const { objects, slices, log } = world;
  return new Finder({ objects, slices, log, now: () => world.clock, waitUntil: () => {}, sleep: async () => {} });
}

test('lookups find what they found, and take numbers and verdicts from the slice store', async () => {
  const world = await storeBefore();
  const found = await finderOn(world).find(NUMBERS, { evidence: true, basis: true });
  expect(world.storeLog.counts()['kv get']).toBe(4);
  const now = newWorld();
  await upload(now, 'all', ALL);
  await tick(now);
  const expected = await finderOn(now).find(NUMBERS, { evidence: true });
  const known = (findings: typeof found) =>
    findings.map((one) => one && { ...one, generation: 0, ageSeconds: 0, basis: undefined });
  expect(known(found)).toEqual(known(expected));
  for (const one of found) expect(one?.basis?.segments.map(({ verdicts }) => verdicts.length)).not.toContain(0);
});

test('without slices, from the segments', async () => {
  const world = await storeBefore();
  const before = await finderOn(world).find(NUMBERS, { evidence: false });
  for (const { key } of (await world.slices.memory.list()).slices) await world.slices.memory.delete(key);
  expect(await finderOn(world).find(NUMBERS, { evidence: false })).toEqual(before);
});

test('is sound; the next tick merges into it, and a compaction leaves segments of today alone', async () => {
  const world = await storeBefore();
  expect((await checked(world)).problems).toEqual([]);
  const more = someDetections(50, 9, 400);
  await upload(world, 'more', more);
  await tick(world);
  expect((await checked(world)).problems).toEqual([]);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory([...ALL, ...more]));
  world.clock += 60_000;
  await compactFully(world);
  const { manifest } = await loadManifest(world.objects);
  expect(manifest.runs.flatMap(({ segments }) => segments.map(({ parts }) => parts))).toEqual([null]);
  expect((await checked(world)).problems).toEqual([]);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory([...ALL, ...more]));
});

test('its generations can be returned to from those of today', async () => {
  const world = await storeBefore();
  const { generation } = (await loadManifest(world.objects)).manifest;
  await upload(world, 'more', someDetections(50, 9, 400));
  await tick(world);
  world.clock += 60_000;
  await compactFully(world);
  await rollback(world, generation, { requeue: false });
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(ALL));
  expect(await finderOn(world).find(NUMBERS, { evidence: false })).not.toContain(null);
  expect((await checked(world)).problems).toEqual([]);
});
