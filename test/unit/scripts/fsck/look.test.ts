/** When the store cannot be looked at, nothing is said of it. */
import { expect, test } from 'vitest';
import { checkStore } from '../../../../scripts/fsck/check-store.ts';
import { FsckError } from '../../../../scripts/fsck/findings.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { MemoryObjectStore } from '../../../../src/storage/memory.ts';
import { someDetections } from '../../../support/detections.ts';
import { upload } from '../../../support/world.ts';
import { alterManifest, fourMinutes, lookAt } from './support.ts';

const OPTIONS = { verifyBatches: false };

class SilentStore extends MemoryObjectStore {
  override async get(): Promise<never> {
    throw new Error('connection refused');
  }
}

test('the storage does not answer', async () => {
  const look = { ...lookAt(await fourMinutes()), objects: new SilentStore() };
  const failure = checkStore(look, OPTIONS);
  await expect(failure).rejects.toThrow(FsckError);
  await expect(failure).rejects.toThrow('the storage did not answer: connection refused');
});

test('a tick publishes while the check goes on', async () => {
  const world = await fourMinutes();
  await upload(world, 'meanwhile', someDetections(5, 9, 200));
  const look = lookAt(world);
  let reads = 0;
  const objects = new Proxy(look.objects, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (name !== 'get') return typeof method === 'function' ? method.bind(target) : method;
      return async (key: string) => {
        reads += 1;
        if (reads === 12) await tick(world);
        return target.get(key);
      };
    },
  });
  const failure = checkStore({ ...look, objects }, OPTIONS);
  await expect(failure).rejects.toThrow(/^generation 4 was replaced while it was checked.*check again\.$/);
});

test('a manifest of more runs than a store can have', async () => {
  const world = await fourMinutes();
  await alterManifest(world, () => ({
    runs: Array.from({ length: 257 }, (_, i) => ({ id: `run-${i}`, newNumbers: 0, segments: [] })),
  }));
  await expect(checkStore(lookAt(world), OPTIONS)).rejects.toThrow('the manifest has 257 runs, expected 256 at most');
});

test('a manifest of more generations than can have been', async () => {
  const world = await fourMinutes();
  await alterManifest(world, () => ({ generation: 2 ** 40 }));
  await expect(checkStore(lookAt(world), OPTIONS)).rejects.toThrow(/^the history has \d+ generations, expected/);
});
