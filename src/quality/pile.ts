/**
 * A pile: batches of which one source's rows are kept out. A source that is held back for months has tens of thousands,
 * so beyond a page's worth they move to pages, immutable objects of their own, and the ledger stays small.
 */
import * as v from 'valibot';
import { FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import { QUARANTINE_PAGE_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';

/** Some 60 KB of ids: what the ledger holds of a pile, and what a page does. */
export const PAGE_BATCHES = 1_000;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const pileBatch = v.object({
  id: v.string(),
  /** Of the source, in this batch. */
  rows: count,
});

export const pile = v.object({
  /** On the pages too. */
  detections: count,
  batches: v.array(pileBatch),
  /** Keys of pages, oldest first. */
  pages: v.array(v.string()),
});

export type PileBatch = Readonly<v.InferOutput<typeof pileBatch>>;
export interface Pile {
  readonly detections: number;
  readonly batches: readonly PileBatch[];
  readonly pages: readonly string[];
}

export const EMPTY_PILE: Pile = { detections: 0, batches: [], pages: [] };

const MAGIC = 'RFQP';
const file = framedJson(MAGIC, 1, v.object({ batches: v.array(pileBatch) }));

export function pileOf(batches: readonly PileBatch[]): Pile {
  return { detections: batches.reduce((sum, { rows }) => sum + rows, 0), batches, pages: [] };
}

export function joinPiles(a: Pile, b: Pile): Pile {
  return {
    detections: a.detections + b.detections,
    batches: [...a.batches, ...b.batches],
    pages: [...a.pages, ...b.pages],
  };
}

/** All batches of a pile. Rejects when a page is missing or damaged. */
export async function pileBatches(objects: ObjectStore, { batches, pages }: Pile): Promise<PileBatch[]> {
  const all: PileBatch[] = [];
  for (const key of pages) all.push(...(await readPage(objects, key)));
  return [...all, ...batches];
}

/** A pile without a batch, and what was in it of that; null: nothing was. Rejects when a page cannot be read. */
export async function takeFromPile(
  objects: ObjectStore,
  own: Pile,
  id: string,
): Promise<{ readonly rest: Pile; readonly taken: readonly PileBatch[] } | null> {
  const without = (batches: readonly PileBatch[], pages: readonly string[], taken: readonly PileBatch[]) => {
    const rest = batches.filter((batch) => !taken.includes(batch));
    return { rest: { detections: own.detections - pileOf(taken).detections, batches: rest, pages }, taken };
  };
  const found = own.batches.filter((batch) => batch.id === id);
  if (found.length > 0) return without(own.batches, own.pages, found);
  for (const page of own.pages) {
    const batches = await readPage(objects, page);
    const onPage = batches.filter((batch) => batch.id === id);
    if (onPage.length === 0) continue;
    // What else is on it moves to the ledger, and from there to a page again.
    const pages = own.pages.filter((key) => key !== page);
    return without([...batches, ...own.batches], pages, onPage);
  }
  return null;
}

/** Takes the oldest page off a pile that has no batch in the ledger itself. */
export async function unfoldPage(objects: ObjectStore, own: Pile): Promise<Pile> {
  const [first, ...pages] = own.pages;
  if (own.batches.length > 0 || first === undefined) return own;
  return { ...own, batches: await readPage(objects, first), pages };
}

/**
 * Moves what is beyond a page's worth to pages. They are never altered or deleted: what a lost attempt wrote is a few
 * kilobytes that nothing leads to.
 */
export async function foldPages(objects: ObjectStore, own: Pile, randomId: () => string): Promise<Pile> {
  return folded(objects, own, randomId, PAGE_BATCHES);
}

/**
 * Moves all of it to pages. What is on the latest is written anew together with it if it fits, or many a page would have
 * a few batches; one that cannot be read stays as it is.
 */
export async function foldAll(objects: ObjectStore, own: Pile, randomId: () => string): Promise<Pile> {
  const latest = own.pages.at(-1);
  const on = latest === undefined ? null : await readPage(objects, latest).catch(() => null);
  if (on === null || on.length + own.batches.length > PAGE_BATCHES) return folded(objects, own, randomId, 0);
  const joined = { ...own, batches: [...on, ...own.batches], pages: own.pages.slice(0, -1) };
  return folded(objects, joined, randomId, 0);
}

async function folded(objects: ObjectStore, own: Pile, randomId: () => string, most: number): Promise<Pile> {
  let { batches } = own;
  const pages = [...own.pages];
  while (batches.length > most) {
    const key = QUARANTINE_PAGE_PREFIX + randomId();
    await objects.put(key, file.encode({ batches: batches.slice(0, PAGE_BATCHES) }));
    pages.push(key);
    batches = batches.slice(PAGE_BATCHES);
  }
  return { ...own, batches, pages };
}

async function readPage(objects: ObjectStore, key: string): Promise<readonly PileBatch[]> {
  const object = await objects.get(key);
  if (object === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
  return file.decode(object.bytes).batches;
}
