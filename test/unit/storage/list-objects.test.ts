import { expect, it } from 'vitest';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { deleteObjects, listObjects } from '../../../src/storage/store.ts';

const key = (i: number) => `some/${String(i).padStart(4, '0')}`;

async function storeOf(count: number): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore();
  for (let i = 0; i < count; i++) await store.put(key(i), new Uint8Array());
  await store.put('other/1', new Uint8Array());
  return store;
}

async function listed(store: MemoryObjectStore, maxPages: number): Promise<string[]> {
  const keys: string[] = [];
  for await (const head of listObjects(store, 'some/', maxPages)) keys.push(head.key);
  return keys;
}

it('lists as many pages as are asked for, in order, and nothing beside the prefix', async () => {
  const store = await storeOf(2_500);
  const all = Array.from({ length: 2_500 }, (_, i) => key(i));
  expect(await listed(store, 3)).toEqual(all);
  expect(await listed(store, 100)).toEqual(all);
  expect(await listed(store, 2)).toEqual(all.slice(0, 2_000));
  expect(await listed(new MemoryObjectStore(), 1)).toEqual([]);
});

it('deletes all, no more in a call than R2 takes', async () => {
  const store = await storeOf(2_500);
  const calls: number[] = [];
  const remove = store.delete.bind(store);
  store.delete = (keys) => {
    calls.push(keys.length);
    return remove(keys);
  };
  await deleteObjects(store, await listed(store, 3));
  expect(calls).toEqual([1_000, 1_000, 500]);
  expect(await listed(store, 3)).toEqual([]);
  expect(await store.get('other/1')).not.toBeNull();
  await deleteObjects(store, []);
  expect(calls).toHaveLength(3);
});
