/** What a generation's inventory does not have of its batches, batch by batch, as its ledger says. */
import type { ObjectStore } from '../store/store.ts';
import type { Ledger, SourceName } from './ledger.ts';
import { leftOutOf } from './left-out.ts';
import { EMPTY_PILE, pileBatches } from './pile.ts';
import type { Omission } from './rows.ts';

/** Whoever uploads one line at a time makes a hundred thousand batches that lack the same: they share what says so. */
class Omissions {
  readonly all = new Map<string, Omission>();
  readonly #owned = new Map<string, Collected>();

  add(id: string, added: Omission): void {
    const found = this.all.get(id);
    if (found === added) return;
    if (found === undefined) {
      this.all.set(id, added);
      return;
    }
    const own = this.#owned.get(id) ?? {
      every: found.every,
      sources: new Set(found.sources),
      numbers: new Map(found.numbers),
    };
    this.#owned.set(id, own);
    this.all.set(id, own);
    own.every ||= added.every;
    for (const source of added.sources) own.sources.add(source);
    for (const [source, numbers] of added.numbers) {
      own.numbers.set(source, new Set([...(own.numbers.get(source) ?? []), ...numbers]));
    }
  }
}

interface Collected {
  every: boolean;
  readonly sources: Set<SourceName>;
  readonly numbers: Map<SourceName, ReadonlySet<number>>;
}

/**
 * By id of batch. Rejects when a page cannot be read.
 * @param isWanted batches that are asked for
 */
export async function readOmissions(
  objects: ObjectStore,
  ledger: Ledger,
  isWanted: (id: string) => boolean = () => true,
): Promise<ReadonlyMap<string, Omission>> {
  const omissions = new Omissions();
  // A batch has one owner, so that the name alone tells whose rows are meant.
  for (const { source, every, held, due, dropped } of ledger.cases) {
    const own = { every: every === true, sources: new Set(every === true ? [] : [source]), numbers: new Map() };
    for (const pile of [held, due, dropped]) {
      for (const { id } of await pileBatches(objects, pile)) if (isWanted(id)) omissions.add(id, own);
    }
  }
  const shared = new Map<string, Omission>();
  for await (const { batch, source, numbers } of leftOutOf(objects, ledger)) {
    if (!isWanted(batch)) continue;
    const text = JSON.stringify([source, numbers]);
    const own = shared.get(text) ?? {
      every: false,
      sources: new Set<SourceName>(),
      numbers: new Map([[source, new Set(numbers)]]),
    };
    shared.set(text, own);
    omissions.add(batch, own);
  }
  return omissions.all;
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
  return readOmissions(objects, { ...ledger, cases, leftOut: [], leftOutPage: null });
}
