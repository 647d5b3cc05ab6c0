import { beforeEach, describe, expect, test } from 'vitest';
import { VirtualReads } from '../../../../bench/cold/virtual-reads.ts';
import { ObservedObjectStore } from '../../../../bench/support/counting-stores.ts';
import { MemoryObjectStore } from '../../../../src/storage/memory.ts';
import type { ObjectStore, StoredObject } from '../../../../src/storage/store.ts';

const sha256 = (bytes: Uint8Array<ArrayBuffer>) => crypto.subtle.digest('SHA-256', bytes);

/** A store whose answers take real time, more of it for some keys. */
class SlowStore extends MemoryObjectStore {
  override async get(key: string): Promise<StoredObject | null> {
    await new Promise((resolve) => setTimeout(resolve, key.length * 5));
    return super.get(key);
  }
}

let reads: VirtualReads;
let objects: ObjectStore;

beforeEach(async () => {
  reads = new VirtualReads();
  const inner = new SlowStore(() => 0);
  for (const key of ['a', 'bb', 'ccc', 'dddddddd']) await inner.put(key, new Uint8Array(100));
  objects = new ObservedObjectStore(inner, reads.around);
});

describe('a read is as deep as those answered before it was begun', () => {
  test('those begun together are of one depth, however long each takes in fact', async () => {
    const work = () => Promise.all(['a', 'bb', 'dddddddd'].map((key) => objects.get(key)));
    expect(await reads.until(work)).toMatchObject({ reads: 3, bytes: 300, depth: 1 });
  });

  test('one that waits for another, and for the hash of its bytes, is deeper', async () => {
    const work = async () => {
      const first = await objects.get('dddddddd');
      if (first === null) throw new Error('it is there');
      await sha256(new Uint8Array(20_000_000));
      const both = [objects.get('a'), objects.get('bb')];
      await Promise.all(both);
      return objects.get('ccc');
    };
    expect(await reads.until(work)).toMatchObject({ reads: 4, depth: 3 });
  });

  test('two chains beside each other are as deep as the longer', async () => {
    const chain = async (keys: readonly string[], hashedBytes: number) => {
      for (const key of keys) {
        await objects.get(key);
        await sha256(new Uint8Array(hashedBytes));
      }
    };
    // The slow one is the shorter: in real time its second read would begin after the other chain's third.
    const work = () => Promise.all([chain(['dddddddd', 'dddddddd'], 30_000_000), chain(['a', 'a', 'a'], 100)]);
    expect(await reads.until(work)).toMatchObject({ reads: 5, depth: 3 });
  });

  test('whoever looks every few milliseconds whether a read has ended is no deeper', async () => {
    const work = async () => {
      let isThere = false;
      const read = objects.get('a').then(() => {
        isThere = true;
      });
      while (!isThere) await reads.sleep(5);
      await read;
      return objects.get('bb');
    };
    expect(await reads.until(work)).toMatchObject({ reads: 2, depth: 2 });
  });
});

test('what is read behind the answer is waited for, but not counted for it', async () => {
  let isOver = false;
  const behind = async () => {
    await objects.get('a');
    await objects.get('bb');
    isOver = true;
  };
  const taken = await reads.until(async () => {
    void behind();
    return 'answer';
  });
  expect(taken).toMatchObject({ value: 'answer', reads: 1, bytes: 0, depth: 0 });
  expect(isOver).toBe(true);
  expect(reads).toMatchObject({ reads: 2, bytes: 200 });
  // And the next answer begins anew.
  expect(await reads.until(() => objects.get('a'))).toMatchObject({ reads: 1, bytes: 100, depth: 1 });
});

test('a failure is the caller’s, a write is refused, and what waits for nothing is found out', async () => {
  await expect(reads.until(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(reads.until(() => objects.put('a', new Uint8Array()))).rejects.toThrow('a lookup only reads');
  await expect(reads.until(() => new Promise(() => undefined))).rejects.toThrow('waits for nothing');
});
