import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { MemoryObjectStore } from '../../../src/store/memory.ts';
import { someDetections } from '../../support/detections.ts';
import { actualFacts, expectedFacts } from '../../support/facts.ts';
import {
  actualInventory,
  batchPlaces,
  compactedBytes,
  expectedInventory,
  newWorld,
  upload,
  type World,
} from '../../support/world.ts';
import { checked, flip, fourMinutes, keyLike, lookAt, PARTS, setAsideIds } from './support.ts';

async function rebuilt(source: World) {
  const target = newWorld();
  const result = await rebuild(source.objects.memory, target, lookAt(target).progress);
  const { problems } = await checked(target);
  return { target, result, problems };
}

describe('a rebuild', () => {
  test('gives the same bytes, from the batches alone', async () => {
    const source = await fourMinutes();
    await source.objects.memory.put('config/keys', new Uint8Array([1, 2, 3]));
    await compactFully(source);
    const expected = await compactedBytes(source.objects);
    for (const prefix of ['segments/', 'facts/', 'manifests/', 'history/', 'manifest']) {
      const { objects } = await source.objects.memory.list(prefix);
      await source.objects.memory.delete(objects.map(({ key }) => key));
    }
    const { target, result } = await rebuilt(source);
    expect(await compactedBytes(target.objects)).toEqual(expected);
    expect(result).toMatchObject({ batches: 4, setAside: 0, unreadable: 0, setAsideFrom: null });
    expect(await actualFacts(target.objects)).toEqual(expectedFacts(PARTS.flat()));
    expect(result.numbers).toBe(expectedInventory(PARTS.flat()).size);
    expect(await batchPlaces(target.objects)).toEqual({ waiting: [], merged: ['b0', 'b1', 'b2', 'b3'] });
    expect((await target.objects.memory.get('config/keys'))?.bytes).toEqual(new Uint8Array([1, 2, 3]));
    expect(target.storeLog.violations).toEqual([]);
  });

  test('leaves its source as it is', async () => {
    const source = await fourMinutes();
    source.storeLog.clear();
    const heads = (await source.objects.memory.list('')).objects;
    await rebuilt(source);
    expect((await source.objects.memory.list('')).objects).toEqual(heads);
  });

  test('sets aside what was set aside, so that it can be brought back', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    await upload(source, 'waits', someDetections(20, 8, 200));
    const { target, result, problems } = await rebuilt(source);
    expect(problems).toEqual([]);
    expect(result).toMatchObject({ batches: 3, setAside: 2, setAsideFrom: 'manifest' });
    const kept = [...(PARTS[0] ?? []), ...(PARTS[1] ?? []), ...someDetections(20, 8, 200)];
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(kept));
    expect(await actualFacts(target.objects)).toEqual(expectedFacts(kept));
    expect(await setAsideIds(target)).toEqual(['b2', 'b3']);
    expect((await batchPlaces(target.objects)).merged).toEqual(['b0', 'b1', 'b2', 'b3', 'waits']);
  });

  test('with a damaged manifest, knows from a copy of it what was set aside', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    await flip(source, 'manifest', 99);
    const { target, result } = await rebuilt(source);
    expect(result).toMatchObject({ setAside: 2, setAsideFrom: await keyLike(source, 'manifests/0000000005-') });
    expect(await setAsideIds(target)).toEqual(['b2', 'b3']);
  });

  test('takes a batch in both places once, as it was merged', async () => {
    const source = await fourMinutes();
    await upload(source, 'b1', someDetections(60, 99, 200));
    const { target, result } = await rebuilt(source);
    expect(result.batches).toBe(4);
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(PARTS.flat()));
  });

  test('keeps a batch that cannot be read, and says so', async () => {
    const source = await fourMinutes();
    await flip(source, 'batches/merged/b1', 50);
    const { target, result, problems } = await rebuilt(source);
    expect(result).toMatchObject({ batches: 3, unreadable: 1 });
    expect(await batchPlaces(target.objects)).toEqual({ waiting: ['b1'], merged: ['b0', 'b2', 'b3'] });
    expect(problems).toEqual(['error: waiting batches: batches/waiting/b1']);
  });

  test('needs something to build from', async () => {
    const target = newWorld();
    const source = new MemoryObjectStore();
    const failure = rebuild(source, target, lookAt(target).progress);
    await expect(failure).rejects.toThrow('there is no kept batch to build a store from');
  });
});
