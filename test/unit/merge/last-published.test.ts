/**
 * What an isolate knows without reading: the manifest that it has published last, and which batches nobody has taken
 * up.
 */
import { expect, test } from 'vitest';
import { tick } from '../../../src/merge/tick.ts';
import { someDetections } from '../../support/detections.ts';
import { actualInventory, expectedInventory, gatheringWorld, MINUTE, upload, type World } from '../../support/world.ts';
import { checked } from '../scripts/fsck/support.ts';

const PARTS = [1, 2, 3, 4].map((seed) => someDetections(30, seed, 100));

/** Uploads a part, as one without an Idempotency-Key, and does a tick. */
async function minute(world: World, part: number): Promise<string> {
  const id = `${world.clock}-b${part}`;
  await upload(world, id, PARTS[part] ?? []);
  world.storeLog.clear();
  await tick(world);
  world.clock += MINUTE;
  return id;
}

const count = (world: World, name: string) => world.storeLog.counts()[name] ?? 0;

test('a tick goes by what its isolate has published a minute ago, and reads the manifest where that is longer ago', async () => {
  const world = gatheringWorld();
  await minute(world, 0);
  await minute(world, 1);
  expect(count(world, 'get manifest')).toBe(0);
  world.clock += MINUTE;
  await minute(world, 2);
  expect(count(world, 'get manifest')).toBe(1);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.slice(0, 3).flat()));
});

test('if another has published since, it loses the race and merges all the same, in the same tick', async () => {
  const world = gatheringWorld();
  await minute(world, 0);
  world.clock -= MINUTE - 2_000;
  await upload(world, 'b1', PARTS[1] ?? []);
  const { lastPublished: _, ...other } = world;
  await tick(other);
  await upload(world, 'b2', PARTS[2] ?? []);
  world.storeLog.clear();
  expect(await tick(world)).toMatchObject({ batches: 1, lostRace: false, generation: 3 });
  expect(count(world, 'put manifest')).toBe(2);
  expect(world.events.some((event) => event.startsWith('publish.lost'))).toBe(true);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.slice(0, 3).flat()));
  expect((await checked(world)).problems).toEqual([]);
});

test('a manifest that was lost is not replaced by what an isolate remembers', async () => {
  const world = gatheringWorld();
  await minute(world, 0);
  await world.objects.memory.delete(['manifest']);
  await upload(world, 'b1', PARTS[1] ?? []);
  await expect(tick(world)).rejects.toThrow('the manifest is missing');
  expect(await world.objects.memory.get('manifest')).toBeNull();
});

test('a collection goes by the manifest that is stored', async () => {
  const world = gatheringWorld();
  await minute(world, 0);
  world.clock += MINUTE * ((17 + 60 - (Math.floor(world.clock / MINUTE) % 60) - 1) % 60);
  await minute(world, 1);
  await minute(world, 2);
  // The tick itself had no need of it.
  expect(world.events.some((event) => event.startsWith('garbage.collected'))).toBe(true);
  expect(count(world, 'get manifest')).toBe(1);
});

test('a batch that came in since the history on the page began is not looked for among the merged ones, if it is not there', async () => {
  const world = gatheringWorld();
  const first = await minute(world, 0);
  expect(count(world, 'head batches/merged/')).toBe(1);
  world.clock += 4 * MINUTE;
  await minute(world, 1);
  expect(count(world, 'head batches/merged/')).toBe(0);
  const second = await minute(world, 2);
  expect(count(world, 'head batches/merged/')).toBe(0);
  // Once more, after they were merged: as a write that the storage delivers twice.
  await minute(world, 3);
  for (const id of [first, second]) await backAgain(world, id);
  await tick(world);
  expect(duplicates(world)).toEqual([first, second]);
  expect((await world.objects.memory.list('batches/waiting/')).objects).toEqual([]);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.flat()));
});

test('a batch from before that is, wherever it was merged', async () => {
  const world = gatheringWorld({ historyGenerations: 2 });
  const first = await minute(world, 0);
  await minute(world, 1);
  await minute(world, 2);
  await backAgain(world, first);
  await minute(world, 3);
  expect(count(world, 'head batches/merged/')).toBe(2);
  expect(duplicates(world)).toEqual([first]);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.flat()));
});

async function backAgain(world: World, id: string): Promise<void> {
  const kept = await world.objects.memory.get(`batches/merged/${id}`);
  await world.objects.memory.put(`batches/waiting/${id}`, kept?.bytes ?? new Uint8Array());
}

function duplicates({ events }: World): unknown[] {
  return events
    .filter((event) => event.startsWith('batch.duplicate'))
    .map((event) => JSON.parse(event.slice(16)).batch);
}
