/** Lookups through the real Finder on counted stores, with the clock going on between them. */
import { EDGE } from '../../scripts/simulate/assumptions.ts';
import type { Usage } from '../../scripts/simulate/prices.ts';
import { EMPTY_MANIFEST } from '../../src/format/manifest.ts';
import { Finder } from '../../src/serve/finder.ts';
import { Snapshot } from '../../src/serve/snapshot.ts';
import type { Stores } from '../support/inventory.ts';
import { BilledStores } from './billed-stores.ts';
import type { Lookups } from './lookups.ts';

export interface Looked {
  readonly usage: Usage;
  readonly bytes: number;
  readonly listed: readonly number[];
  /** Storage reads of lookups that found nothing listed, apart from checks of the manifest. */
  readonly readsOfUnlisted: number;
}

const BETWEEN_LOOKUPS_MS = 1000 / EDGE.lookupsASecondAnIsolate;

/** What a new isolate reads for its first lookups, and what one reads that has all numbers columns in memory. */
export async function lookUpWithFinder(
  { objects, slices }: Stores,
  { opening, following }: Lookups,
): Promise<{ cold: Looked; warm: Looked }> {
  const stores = new BilledStores(objects, slices);
  let clockMs = 0;
  let refresh: Promise<unknown> = Promise.resolve();
  let snapshot = new Snapshot(EMPTY_MANIFEST);
  const finder = new Finder({
    objects: stores.objects,
    slices: stores.slices,
    now: () => clockMs,
    background: (work) => {
      refresh = work;
    },
    delay: async () => {},
    log: (event, details) => console.error(event, details),
  });
  const lookUp = async (numbers: readonly number[]): Promise<Looked> => {
    const [usage, bytes] = [stores.usage(), stores.bytesRead];
    const listed: number[] = [];
    let readsOfUnlisted = 0;
    for (const number of numbers) {
      // As a lookup begins; what this reads is for all that follow, not for this number.
      snapshot = await finder.snapshots.get();
      await refresh;
      const reads = stores.reads;
      const [finding] = await finder.find([number], { evidence: false });
      if (finding === null || finding === undefined) throw new RangeError('a lookup was not answered');
      if (finding.record === null) readsOfUnlisted += stores.reads - reads;
      else listed.push(number);
      clockMs += BETWEEN_LOOKUPS_MS;
    }
    return { usage: stores.usageSince(usage), bytes: stores.bytesRead - bytes, listed, readsOfUnlisted };
  };
  const cold = await lookUp(opening);
  // Ten thousand lookups leave some segments out; warm is an isolate that has been asked for a number of each.
  for (const { entries } of snapshot.runs) {
    for (const entry of entries) await finder.columns.numbers.load(snapshot, entry);
  }
  return { cold, warm: await lookUp(following) };
}
