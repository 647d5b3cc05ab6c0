/** What a generation's inventory does not have of its batches, batch by batch, as its ledger says. */
import type { ObjectStore } from '../store/store.ts';
import type { Ledger, SourceName } from './ledger.ts';
import { pileBatches } from './pile.ts';
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
  for (const { batch, source, numbers } of ledger.leftOut) of(batch).numbers.set(source, new Set(numbers));
  return omissions;
}
