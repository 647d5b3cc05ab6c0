/** Listings of more than a page, and deletions of more than a call. */
import type { ListOptions, ObjectHead, ObjectPage, ObjectStore } from './store.ts';

/** Keys that one call deletes. */
const DELETE_LIMIT = 1000;

/**
 * Pages of up to 1,000 objects under a prefix, in key order, at most so many pages. The last page has no cursor if no
 * objects follow. Rejects when storage does not answer.
 */
export async function* listPages(
  objects: Pick<ObjectStore, 'list'>,
  prefix: string,
  maxPages: number,
  options: Pick<ListOptions, 'owners' | 'startAfter'> = {},
): AsyncGenerator<ObjectPage, void, undefined> {
  const { startAfter, ...rest } = options;
  let from: Pick<ListOptions, 'cursor' | 'startAfter'> = startAfter === undefined ? {} : { startAfter };
  for (let page = 0; page < maxPages; page++) {
    const listed = await objects.list(prefix, { ...rest, ...from });
    yield listed;
    if (listed.cursor === undefined) return;
    from = { cursor: listed.cursor };
  }
}

/** The objects of these pages. */
export async function* listObjects(
  objects: Pick<ObjectStore, 'list'>,
  prefix: string,
  maxPages: number,
): AsyncGenerator<ObjectHead, void, undefined> {
  for await (const page of listPages(objects, prefix, maxPages)) yield* page.objects;
}

/** Rejects when storage does not answer: some of them are deleted then. */
export async function deleteObjects(objects: ObjectStore, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETE_LIMIT) {
    await objects.delete(keys.slice(from, from + DELETE_LIMIT));
  }
}
