/**
 * Detections of canaries that are not in the inventory although their source is not held back: batch by batch, since each
 * upload of a source that is trusted may name one. Beyond a page's worth they move to pages, immutable objects of their own.
 * Each page names the one before it, so the ledger has the key of the latest alone, and is as small after years as at first.
 */
import * as v from 'valibot';
import { FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import { QUARANTINE_PAGE_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';

/** Characters of JSON: what the ledger holds, and what a page does. Some 1,000 entries, or several with all canaries. */
export const LEFT_OUT_CHARS = 100_000;

const entry = v.object({
  batch: v.string(),
  source: v.nullable(v.string()),
  numbers: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

export const leftOutMembers = {
  /** Detections of canaries by sources that are not held back. */
  leftOut: v.array(entry),
  /** Key of the page with those before; null: there are none. Ledgers were written without it before there were pages. */
  leftOutPage: v.optional(v.nullable(v.string()), null),
};

interface Entry {
  readonly batch: string;
  readonly source: string | null;
  readonly numbers: readonly number[];
}

export interface LeftOut {
  readonly leftOut: readonly Entry[];
  readonly leftOutPage: string | null;
}

const MAGIC = 'RFLO';
const file = framedJson(MAGIC, 1, v.object({ before: v.nullable(v.string()), leftOut: v.array(entry) }));

/** All entries, a page at a time, the latest first. Rejects when a page is missing or damaged. */
export async function* leftOutOf(objects: ObjectStore, { leftOut, leftOutPage }: LeftOut): AsyncGenerator<Entry> {
  yield* leftOut;
  for (let key = leftOutPage; key !== null; ) {
    const object = await objects.get(key);
    if (object === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
    const page = file.decode(object.bytes);
    yield* page.leftOut;
    key = page.before;
  }
}

/**
 * Moves the oldest to pages until no more than a page's worth is left. Pages are never altered or deleted: what a lost
 * attempt wrote is garbage of some 100 KB that nothing leads to.
 */
export async function foldLeftOut(
  objects: ObjectStore,
  { leftOut, leftOutPage }: LeftOut,
  randomId: () => string,
): Promise<LeftOut> {
  const sizes = leftOut.map((one) => JSON.stringify(one).length);
  let left = sizes.reduce((sum, size) => sum + size, 0);
  let at = 0;
  let before = leftOutPage;
  while (left > LEFT_OUT_CHARS) {
    const first = at;
    let chars = 0;
    do {
      chars += sizes[at] ?? 0;
      at += 1;
    } while (at < sizes.length && chars + (sizes[at] ?? 0) <= LEFT_OUT_CHARS);
    left -= chars;
    const own = leftOut.slice(first, at).map((one) => ({ ...one, numbers: [...one.numbers] }));
    const key = QUARANTINE_PAGE_PREFIX + randomId();
    await objects.put(key, file.encode({ before, leftOut: own }));
    before = key;
  }
  return { leftOut: leftOut.slice(at), leftOutPage: before };
}
