/** What every implementation of the store contracts must do (src/storage/store.ts). */
import { describe, expect, test } from 'vitest';
import type { ObjectPage, ObjectStore, SliceStore } from '../../src/storage/store.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

export function describeObjectStore(name: string, create: () => ObjectStore): void {
  describe(`object store contract: ${name}`, () => {
    test('reads what was written, whole and in ranges', async () => {
      const store = create();
      expect(await store.get('a/1')).toBeNull();
      expect(await store.head('a/1')).toBeNull();
      expect(await store.getRange('a/1', 0, 1)).toBeNull();
      const head = await store.put('a/1', bytes(1, 2, 3, 4));
      expect(head).toMatchObject({ key: 'a/1', sizeBytes: 4 });
      const object = await store.get('a/1');
      expect(object?.bytes).toEqual(bytes(1, 2, 3, 4));
      expect(object?.etag).toBe(head?.etag);
      expect(await store.head('a/1')).toMatchObject({ etag: head?.etag, sizeBytes: 4 });
      expect(await store.getRange('a/1', 1, 2)).toEqual(bytes(2, 3));
      await expect(store.getRange('a/1', 2, 3)).rejects.toThrow();
      await expect(store.getRange('a/1', 9, 1)).rejects.toThrow();
    });

    test('reads a part of an object like an object of its own, and deletes none by itself', async () => {
      const store = create();
      const head = await store.put('p/1', bytes(1, 2, 3, 4, 5, 6));
      for (const key of ['p/1#1+4', 'p/1#1+4-due']) {
        expect(await store.get(key)).toMatchObject({ key, sizeBytes: 4, bytes: bytes(2, 3, 4, 5) });
        expect(await store.head(key)).toMatchObject({ key, sizeBytes: 4, uploadedAt: head?.uploadedAt });
        expect(await store.getRange(key, 1, 3)).toEqual(bytes(3, 4, 5));
        await expect(store.getRange(key, 2, 3)).rejects.toThrow(RangeError);
        await store.delete([key]);
      }
      expect((await store.list('p/')).objects.map(({ key }) => key)).toEqual(['p/1']);
      for (const key of ['p/2#0+1', 'p/1#0', 'p/1#a+1']) {
        expect([await store.get(key), await store.head(key), await store.getRange(key, 0, 1)]).toEqual([
          null,
          null,
          null,
        ]);
      }
    });

    test('puts only if absent, and only if the etag is still the same', async () => {
      const store = create();
      const first = await store.put('k', bytes(1), { absent: true });
      expect(first).not.toBeNull();
      expect(await store.put('k', bytes(2), { absent: true })).toBeNull();
      expect(await store.put('other', bytes(2), { etag: first?.etag ?? '' })).toBeNull();
      const second = await store.put('k', bytes(2), { etag: first?.etag ?? '' });
      expect(second?.etag).not.toBe(first?.etag);
      expect(await store.put('k', bytes(3), { etag: first?.etag ?? '' })).toBeNull();
      expect((await store.get('k'))?.bytes).toEqual(bytes(2));
    });

    test('of 25 writers at once under the same condition one wins', async () => {
      const store = create();
      const attempts = Array.from({ length: 25 }, (_, i) => store.put('race', bytes(i), { absent: true }));
      const won = (await Promise.all(attempts)).filter((head) => head !== null);
      expect(won).toHaveLength(1);
    });

    test('says when nothing has changed', async () => {
      const store = create();
      expect(await store.getIfChanged('m', 'x')).toBeNull();
      const head = await store.put('m', bytes(1));
      expect(await store.getIfChanged('m', head?.etag ?? '')).toBe('unchanged');
      expect(await store.getIfChanged('m', '')).toMatchObject({ bytes: bytes(1) });
      await store.put('m', bytes(2));
      expect(await store.getIfChanged('m', head?.etag ?? '')).toMatchObject({ bytes: bytes(2) });
    });

    test('tells whose an object is, in a list that asks for it', async () => {
      const store = create();
      await store.put('o/1', bytes(1), { absent: true }, 'tenant/key-1');
      await store.put('o/2', bytes(2));
      const owners = (page: ObjectPage) => page.objects.map(({ owner }) => owner);
      expect(owners(await store.list('o/', { owners: true }))).toEqual(['tenant/key-1', undefined]);
      expect(owners(await store.list('o/'))).toEqual([undefined, undefined]);
      expect((await store.get('o/1'))?.bytes).toEqual(bytes(1));
      await store.put('o/1', bytes(3));
      expect(owners(await store.list('o/', { owners: true }))).toEqual([undefined, undefined]);
    });

    test('lists in key order, by pages, and deletes what is there or not', async () => {
      const store = create();
      for (const key of ['p/b', 'p/a', 'q/z', 'p/c']) await store.put(key, bytes(1));
      const first = await store.list('p/', { limit: 2 });
      expect(first.objects.map(({ key }) => key)).toEqual(['p/a', 'p/b']);
      expect(first.cursor).toBeDefined();
      const second = await store.list('p/', { limit: 2, cursor: first.cursor ?? '' });
      expect(second.objects.map(({ key }) => key)).toEqual(['p/c']);
      expect(second.cursor).toBeUndefined();
      const after = await store.list('p/', { startAfter: 'p/aa' });
      expect(after.objects.map(({ key }) => key)).toEqual(['p/b', 'p/c']);
      await store.delete(['p/a', 'p/none', 'p/c']);
      await store.delete([]);
      expect((await store.list('p/')).objects.map(({ key }) => key)).toEqual(['p/b']);
    });
  });
}

export function describeSliceStore(name: string, create: () => SliceStore): void {
  describe(`slice store contract: ${name}`, () => {
    test('keeps values with the time they were written', async () => {
      const store = create();
      expect(await store.get('none')).toBeNull();
      await store.put('h1', bytes(1, 2, 3).subarray(1), 1234);
      await store.put('h2', bytes(4), 5678);
      expect(await store.get('h1')).toEqual(bytes(2, 3));
      expect((await store.list()).slices).toEqual([
        { key: 'h1', writtenAt: 1234 },
        { key: 'h2', writtenAt: 5678 },
      ]);
      await store.delete('h1');
      expect((await store.list()).slices.map(({ key }) => key)).toEqual(['h2']);
    });
  });
}
