/**
 * A batch set: the batches of which one source's rows are kept out. A source that is held back for months has tens of
 * thousands. Those beyond a page's worth move to pages, which are immutable objects, so the ledger stays small.
 */

import * as v from 'valibot';
import { FormatError } from '../lib/bytes.ts';
import { jsonWork, type Pacer } from '../lib/cooperate.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { QUARANTINE_PAGE_PREFIX } from '../storage/keys.ts';
import type { ObjectStore } from '../storage/store.ts';

/** Some 60 KB of ids: what the ledger holds of a batch set, and what a page does. */
export const PAGE_BATCHES = 1_000;

const setBatch = v.object({
  id: v.string(),
  /** Of the source, in this batch. */
  rows: count,
});

export const batchSet = v.object({
  /** On the pages too. */
  detections: count,
  batches: v.array(setBatch),
  /** Keys of pages, oldest first. */
  pages: v.array(v.string()),
});

export type SetBatch = Readonly<v.InferOutput<typeof setBatch>>;
export interface BatchSet {
  readonly detections: number;
  readonly batches: readonly SetBatch[];
  readonly pages: readonly string[];
}

export const EMPTY_BATCH_SET: BatchSet = { detections: 0, batches: [], pages: [] };

const MAGIC = 'RFQP';
const file = framedJson(MAGIC, 1, v.object({ batches: v.array(setBatch) }));

export function batchSetOf(batches: readonly SetBatch[]): BatchSet {
  return { detections: batches.reduce((sum, { rows }) => sum + rows, 0), batches, pages: [] };
}

export function joinBatchSets(a: BatchSet, b: BatchSet): BatchSet {
  return {
    detections: a.detections + b.detections,
    batches: [...a.batches, ...b.batches],
    pages: [...a.pages, ...b.pages],
  };
}

/** All batches of a batch set. Rejects when a page is missing or damaged. */
export async function batchesOfSet(
  objects: ObjectStore,
  { batches, pages }: BatchSet,
  pace: Pacer,
): Promise<SetBatch[]> {
  const all: SetBatch[] = [];
  for (const key of pages) all.push(...(await readPage(objects, key, pace)));
  return [...all, ...batches];
}

/** A batch set without a batch, and what was in it of that; null: nothing was. Rejects when a page cannot be read. */
export async function takeFromBatchSet(
  objects: ObjectStore,
  own: BatchSet,
  id: string,
  pace: Pacer,
): Promise<{ readonly rest: BatchSet; readonly taken: readonly SetBatch[] } | null> {
  const without = (batches: readonly SetBatch[], pages: readonly string[], taken: readonly SetBatch[]) => {
    const rest = batches.filter((batch) => !taken.includes(batch));
    return { rest: { detections: own.detections - batchSetOf(taken).detections, batches: rest, pages }, taken };
  };
  const found = own.batches.filter((batch) => batch.id === id);
  if (found.length > 0) return without(own.batches, own.pages, found);
  for (const page of own.pages) {
    const batches = await readPage(objects, page, pace);
    const onPage = batches.filter((batch) => batch.id === id);
    if (onPage.length === 0) continue;
    // What else is on it moves to the ledger, and from there to a page again.
    const pages = own.pages.filter((key) => key !== page);
    return without([...batches, ...own.batches], pages, onPage);
  }
  return null;
}

/** Takes the oldest page off a batch set that has no batch in the ledger itself. */
export async function unfoldPage(objects: ObjectStore, own: BatchSet, pace: Pacer): Promise<BatchSet> {
  const [first, ...pages] = own.pages;
  if (own.batches.length > 0 || first === undefined) return own;
  return { ...own, batches: await readPage(objects, first, pace), pages };
}

/**
 * Moves what is beyond a page's worth to pages. They are never altered or deleted: what a lost attempt wrote is a few
 * kilobytes that nothing leads to.
 */
export async function foldPages(
  objects: ObjectStore,
  own: BatchSet,
  randomId: () => string,
  pace: Pacer,
): Promise<BatchSet> {
  return folded(objects, own, randomId, PAGE_BATCHES, pace);
}

/**
 * Moves all of it to pages. What is on the latest is written anew together with it if it fits, or many a page would
 * have a few batches; one that cannot be read stays as it is.
 */
export async function foldAll(
  objects: ObjectStore,
  own: BatchSet,
  randomId: () => string,
  pace: Pacer,
): Promise<BatchSet> {
  const latest = own.pages.at(-1);
  const on = latest === undefined ? null : await readPage(objects, latest, pace).catch(() => null);
  if (on === null || on.length + own.batches.length > PAGE_BATCHES) return folded(objects, own, randomId, 0, pace);
  const joined = { ...own, batches: [...on, ...own.batches], pages: own.pages.slice(0, -1) };
  return folded(objects, joined, randomId, 0, pace);
}

async function folded(
  objects: ObjectStore,
  own: BatchSet,
  randomId: () => string,
  most: number,
  pace: Pacer,
): Promise<BatchSet> {
  let { batches } = own;
  const pages = [...own.pages];
  while (batches.length > most) {
    const key = QUARANTINE_PAGE_PREFIX + randomId();
    const bytes = file.encode({ batches: batches.slice(0, PAGE_BATCHES) });
    if (pace.count(jsonWork(bytes.length))) await pace.giveWay();
    await objects.put(key, bytes);
    pages.push(key);
    batches = batches.slice(PAGE_BATCHES);
  }
  return { ...own, batches, pages };
}

async function readPage(objects: ObjectStore, key: string, pace: Pacer): Promise<readonly SetBatch[]> {
  const object = await objects.get(key);
  if (object === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
  if (pace.count(jsonWork(object.bytes.length))) await pace.giveWay();
  return file.decode(object.bytes).batches;
}

// Detections of canaries that are not in the inventory although their source is not held back: batch by batch, since
// each upload of a source that is trusted may name one. Beyond a page's worth they move to pages, immutable objects of
// their own. Each page names the one before it, so the ledger has the key of the latest alone, and is as small after
// years as at first.

/**
 * Characters of JSON: what the ledger holds, and what a page does. Some 1,000 entries, or several with all canaries.
 */
export const LEFT_OUT_CHARS = 100_000;

const entry = v.object({
  batch: v.string(),
  source: v.nullable(v.string()),
  numbers: v.array(count),
});

export const excludedMembers = {
  /** Detections of canaries by sources that are not held back. */
  leftOut: v.array(entry),
  /**
   * Key of the page with those before; null: there are none. Ledgers were written without it before there were pages.
   */
  leftOutPage: v.optional(v.nullable(v.string()), null),
};

interface Entry {
  readonly batch: string;
  readonly source: string | null;
  readonly numbers: readonly number[];
}

interface ExcludedRows {
  readonly leftOut: readonly Entry[];
  readonly leftOutPage: string | null;
}

const EXCLUDED_MAGIC = 'RFLO';
const excludedFile = framedJson(
  EXCLUDED_MAGIC,
  1,
  v.object({ before: v.nullable(v.string()), leftOut: v.array(entry) }),
);

/** All entries, a page at a time, the latest first. Rejects when a page is missing or damaged. */
export async function* excludedRowsOf(
  objects: ObjectStore,
  { leftOut, leftOutPage }: ExcludedRows,
  pace: Pacer,
): AsyncGenerator<Entry> {
  yield* leftOut;
  for (let key = leftOutPage; key !== null; ) {
    const object = await objects.get(key);
    if (object === null) throw new FormatError(`${EXCLUDED_MAGIC}: ${key} is missing`);
    if (pace.count(jsonWork(object.bytes.length))) await pace.giveWay();
    const page = excludedFile.decode(object.bytes);
    yield* page.leftOut;
    key = page.before;
  }
}

/**
 * Moves the oldest to pages until no more than a page's worth is left. Pages are never altered or deleted: what a lost
 * attempt wrote is garbage of some 100 KB that nothing leads to.
 */
export async function foldExcludedRows(
  objects: ObjectStore,
  { leftOut, leftOutPage }: ExcludedRows,
  randomId: () => string,
  pace: Pacer,
): Promise<ExcludedRows> {
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
    if (pace.count(jsonWork(chars))) await pace.giveWay();
    await objects.put(key, excludedFile.encode({ before, leftOut: own }));
    before = key;
  }
  return { leftOut: leftOut.slice(at), leftOutPage: before };
}
