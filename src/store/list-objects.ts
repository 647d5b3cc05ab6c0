/** Listings of more than a page, and deletions of more than a call. */
import type { ObjectHead, ObjectStore } from './store.ts';

/** Keys that one call deletes. */
const DELETE_LIMIT = 1000;

/** The objects under a prefix in key order, of so many pages of up to 1,000 at most. Rejects when storage does not answer. */
export async function* listObjects(
  objects: ObjectStore,
  prefix: string,
  maxPages: number,
): AsyncGenerator<ObjectHead, void, undefined> {
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const listed = await objects.list(prefix, cursor === undefined ? {} : { cursor });
    yield* listed.objects;
    cursor = listed.cursor;
    if (cursor === undefined) return;
  }
}

/** Rejects when storage does not answer: some of them are deleted then. */
export async function deleteObjects(objects: ObjectStore, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETE_LIMIT) {
    await objects.delete(keys.slice(from, from + DELETE_LIMIT));
  }
}
