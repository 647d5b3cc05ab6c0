import { describe, expect, test } from 'vitest';
import { HeldWrites } from '../../../src/storage/held-writes.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';
import { describeObjectStore } from '../../support/store-contract.ts';

describeObjectStore('held writes', () => new HeldWrites(new MemoryObjectStore()));

/** A store that counts what is read of it, and fails as it is told. */
function counted() {
  const memory = new MemoryObjectStore(() => 7);
  const reads: string[] = [];
  const state = { fails: false };
  const inner: ObjectStore = {
    get: (key) => {
      reads.push(key);
      return memory.get(key);
    },
    getIfChanged: (key, etag) => memory.getIfChanged(key, etag),
    getRange: (key, offset, length) => {
      reads.push(`${key} ${offset}+${length}`);
      return memory.getRange(key, offset, length);
    },
    head: (key) => memory.head(key),
    put: async (key, bytes, condition, owner) => {
      const head = await memory.put(key, bytes, condition, owner);
      if (state.fails) throw new Error('injected: the answer was lost');
      return head;
    },
    list: (prefix, options) => memory.list(prefix, options),
    delete: (keys) => memory.delete(keys),
  };
  return { memory, reads, state, objects: new HeldWrites(inner) };
}

describe('what was written', () => {
  test('is read from memory, whole and in part, as the store has it', async () => {
    const { memory, reads, objects } = counted();
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    await objects.put('segments/a', bytes);
    // The writer's buffer is the writer's.
    bytes.fill(9);
    expect(await objects.get('segments/a')).toEqual(await memory.get('segments/a'));
    expect(await objects.getRange('segments/a', 1, 3)).toEqual(Uint8Array.of(2, 3, 4));
    expect(reads).toEqual([]);
    await expect(objects.getRange('segments/a', 3, 3)).rejects.toThrow(RangeError);
  });

  test('is asked for of the store if it can change, was not taken, or may not have been', async () => {
    const { reads, state, objects } = counted();
    await objects.put('manifest', Uint8Array.of(1));
    await objects.put('batches/waiting/b', Uint8Array.of(1));
    await objects.put('facts/a', Uint8Array.of(1));
    expect(await objects.put('facts/a', Uint8Array.of(2), { absent: true })).toBeNull();
    state.fails = true;
    await expect(objects.put('ledgers/a', Uint8Array.of(1))).rejects.toThrow('injected');
    for (const key of ['manifest', 'batches/waiting/b', 'facts/a', 'ledgers/a']) await objects.get(key);
    expect(reads).toEqual(['manifest', 'batches/waiting/b', 'ledgers/a']);
    expect((await objects.get('facts/a'))?.bytes).toEqual(Uint8Array.of(1));
  });

  test('is forgotten when it is deleted, and when there is more than the budget has room for', async () => {
    const { reads, objects } = counted();
    await objects.put('segments/a', Uint8Array.of(1));
    await objects.delete(['segments/a']);
    expect(await objects.get('segments/a')).toBeNull();
    await objects.put('segments/large', new Uint8Array(2 ** 20 + 1));
    expect(objects.heldBytes).toBe(0);
    for (const name of ['b', 'c', 'd']) await objects.put(`segments/${name}`, new Uint8Array(2 ** 20));
    expect(objects.heldBytes).toBe(2 * 2 ** 20);
    reads.length = 0;
    for (const name of ['b', 'c', 'd']) await objects.get(`segments/${name}`);
    expect(reads).toEqual(['segments/b']);
  });
});
