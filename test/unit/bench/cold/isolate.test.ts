/** The counts against a small store, whose reads can be told by hand. */
import { beforeAll, expect, test } from 'vitest';
import { ColdIsolate } from '../../../../bench/cold/isolate.ts';
import { addEnterprises, rewriteBase, type ServedWorld } from '../../../../bench/cold/world.ts';
import { pageOf } from '../../../../src/format/segment.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../../src/storage/memory.ts';
import { openNumbers } from '../../../../src/storage/slices.ts';
import { clusteredNumbers, writeStore } from '../../../support/clustered-store.ts';

const numbers = clusteredNumbers(100_000);
let world: ServedWorld;

beforeAll(async () => {
  const stores = { objects: new MemoryObjectStore(() => Date.now()), slices: new MemorySliceStore() };
  await writeStore(stores, numbers);
  const token = await addEnterprises(stores.objects);
  world = { ...stores, manifest: (await loadManifest(stores.objects)).manifest, token };
});

test('a listed number takes one read more than an unlisted one, after it', async () => {
  const [listed = 0] = numbers;
  const first = await new ColdIsolate(world).lookup(listed);
  const beside = await new ColdIsolate(world).lookup(listed + 1);
  expect(first).toMatchObject({ isListed: true, depth: beside.depth + 1, reads: beside.reads + 1 });
  expect(beside.isListed).toBe(false);
  const [entry] = world.manifest.runs[0]?.segments ?? [];
  if (entry === undefined) throw new Error('the store has no segment');
  const page = pageOf(entry, await openNumbers(world.objects, entry), 0);
  expect(first.bytes - beside.bytes).toBe(page.bytes);
  expect(page.bytes).toBeLessThan(entry.verdictsBytes / 4);
});

test('what has been read is not read again', async () => {
  const [listed = 0] = numbers;
  const isolate = new ColdIsolate(world);
  const { reads, bytes } = await isolate.lookup(listed);
  expect(isolate.reads).toMatchObject({ reads, bytes });
  expect(await isolate.lookup(listed)).toMatchObject({ reads: 0, bytes: 0, depth: 0, isListed: true });
});

test('while the base is being rewritten a first lookup reads as often, and the larger manifest', async () => {
  const [listed = 0] = numbers;
  const before = await new ColdIsolate(world).lookup(listed);
  const rewriting = await rewriteBase(world, 'small');
  expect(rewriting.manifest.runs).toHaveLength(world.manifest.runs.length);
  const during = await new ColdIsolate(rewriting).lookup(listed);
  expect(during).toMatchObject({ depth: before.depth, reads: before.reads, isListed: true });
  expect(during.bytes).toBeGreaterThan(before.bytes);
});
