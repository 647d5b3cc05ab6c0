/** What a generation's inventory does not have of its batches, batch by batch, as its ledger says. */
import type { ObjectStore } from '../store/store.ts';
import type { Ledger, SourceName } from './ledger.ts';
import { EMPTY_PILE, pileBatches } from './pile.ts';
import type { Omission } from './rows.ts';

interface Collected {
  every: boolean;
  readonly sources: Set<SourceName>;
  readonly numbers: Map<SourceName, ReadonlySet<number>>;
}

/** By id of batch. Rejects when a page cannot be read. */
export async function readOmissions(objects: ObjectStore, ledger: Ledger): Promise<ReadonlyMap<string, Omission>> {
  const omissions = new Map<string, Collected>();
  const of = (id: string): Collected => {
    const found = omissions.get(id) ?? { every: false, sources: new Set<SourceName>(), numbers: new Map() };
    omissions.set(id, found);
    return found;
  };
  // A batch has one owner, so that the name alone tells whose rows are meant.
  for (const { source, every, held, due, dropped } of ledger.cases) {
    for (const pile of [held, due, dropped]) {
      for (const { id } of await pileBatches(objects, pile)) {
        if (every === true) of(id).every = true;
        else of(id).sources.add(source);
      }
    }
  }
  for (const { batch, source, numbers } of ledger.leftOut) {
    const own = of(batch).numbers;
    own.set(source, new Set([...(own.get(source) ?? []), ...numbers]));
  }
  return omissions;
}

/** How many pages of held batches are read to tell which they are: some 100,000 batches. */
const MAX_HELD_PAGES = 100;

/** Rows that are held back, by batch; of more batches than fit, the latest. Rejects when a page cannot be read. */
export async function readHeld(objects: ObjectStore, ledger: Ledger): Promise<ReadonlyMap<string, number>> {
  const rows = new Map<string, number>();
  let left = MAX_HELD_PAGES;
  for (const { held } of ledger.cases) {
    const pages = held.pages.slice(Math.max(0, held.pages.length - left));
    left -= pages.length;
    for (const one of await pileBatches(objects, { ...held, pages })) {
      rows.set(one.id, (rows.get(one.id) ?? 0) + one.rows);
    }
  }
  return rows;
}

/** What was dropped, batch by batch. Rejects when a page cannot be read. */
export async function readDropped(objects: ObjectStore, ledger: Ledger): Promise<ReadonlyMap<string, Omission>> {
  const cases = ledger.cases.map((one) => ({ ...one, held: EMPTY_PILE, due: EMPTY_PILE }));
  return readOmissions(objects, { ...ledger, cases, leftOut: [] });
}
