import { expect, test } from 'vitest';
import { memoryReplicaStore, PrefixedStore } from '../../../src/replica/store.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';
import { describeObjectStore } from '../../support/store-contract.ts';

/** The contract's tests need the calls that a replica does not: those go to the store below, under the prefix. */
function prefixed(): ObjectStore {
  const store = new MemoryObjectStore();
  const own = new PrefixedStore(store, 'copy/');
  return Object.assign(own, {
    getRange: (key: string, offset: number, length: number) => store.getRange(`copy/${key}`, offset, length),
    head: async (key: string) => {
      const head = await store.head(`copy/${key}`);
      return head === null ? null : { ...head, key };
    },
  });
}

describeObjectStore('prefixed', prefixed);

test('a prefix keeps to itself', async () => {
  const store = new MemoryObjectStore();
  await store.put('slices/a', Uint8Array.of(1));
  const own = new PrefixedStore(store, 'copy/');
  await own.put('slices/b', Uint8Array.of(2));
  expect((await own.list('slices/')).objects.map(({ key }) => key)).toEqual(['slices/b']);
  expect(await own.get('slices/a')).toBeNull();
  await own.delete(['slices/a']);
  expect(await store.get('slices/a')).not.toBeNull();
  expect(await store.get('copy/slices/b')).not.toBeNull();
});

test('the store in memory keeps what it is given', async () => {
  const store = memoryReplicaStore();
  await store.put('current', Uint8Array.of(1), { absent: true });
  expect(await store.put('current', Uint8Array.of(2), { absent: true })).toBeNull();
});
