/** Whole listings, a page of up to 1,000 keys in memory at a time. */
import { MERGED_PREFIX, WAITING_PREFIX } from '../../src/store/keys.ts';
import { listPages } from '../../src/store/list-objects.ts';
import type { ObjectHead, ObjectStore, SliceHead, SliceStore } from '../../src/store/store.ts';
import { LookError } from './look.ts';

/** A hundred million keys; a listing that has not ended by then goes round in circles. */
const MAX_PAGES = 100_000;

/** The objects under a prefix in key order. @throws LookError if the listing does not end */
export async function* listObjects(objects: ObjectStore, prefix: string): AsyncGenerator<ObjectHead> {
  for await (const page of listPages(objects, prefix, MAX_PAGES)) {
    yield* page.objects;
    if (page.cursor === undefined) return;
  }
  throw new LookError(`the listing of ${prefix} has not ended after ${MAX_PAGES} pages`);
}

/** All slices. @throws LookError if the listing does not end */
export async function* listSlices(slices: SliceStore): AsyncGenerator<SliceHead> {
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await slices.list(cursor);
    yield* listed.slices;
    cursor = listed.cursor;
    if (cursor === undefined) return;
  }
  throw new LookError(`the listing of the slices has not ended after ${MAX_PAGES} pages`);
}

/** Whether a batch that was taken up is there, in either place (src/merge/waiting.ts). */
export async function isKept(objects: ObjectStore, id: string): Promise<boolean> {
  return (await objects.head(MERGED_PREFIX + id)) !== null || (await objects.head(WAITING_PREFIX + id)) !== null;
}
