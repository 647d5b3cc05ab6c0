/** A generation as the model has it: which batches its inventory has, and what its ledger keeps out. */
import type { BatchSetFile, LedgerFile, SourceMembers } from './decode.ts';
import { feedName } from './detections.ts';

export interface Generation {
  readonly generation: number;
  readonly commit: string;
  /** As its manifest says; milliseconds since 1970. */
  readonly publishedAt: number;
  /** By the clock that is right. */
  readonly committedAt: number;
  /** Until when it was the newest; infinity: it is. */
  supersededAt: number;
  /** Batches merged by it or before, whatever has become of them. */
  readonly merged: ReadonlySet<string>;
  /** With the reasons. */
  readonly setAside: ReadonlyMap<string, string>;
  readonly replay: ReadonlySet<string>;
  /** Batches that were taken back, by it or before. */
  readonly withdrawn: ReadonlySet<string>;
  /** Batches whose rows are being taken out, and from which number on they have not been. */
  readonly pending: ReadonlyMap<string, number>;
  /** Batch and feed of dropped rows that a rollback has brought back, until they are taken out. */
  readonly revived: ReadonlySet<string>;
  /**
   * Of pending batches, numbers that were computed anew for the sake of another one: whether their rows of this one are
   * out already depends on which was taken back first.
   */
  readonly unsettled: ReadonlyMap<string, ReadonlySet<number>>;
  readonly ledger: PlainLedger;
  readonly retained: ReadonlySet<number>;
  readonly isCompacting: boolean;
  /** Ids of its runs, newest first. */
  readonly runs: string;
}

/** What is taken back and has not been taken out yet is in it. */
export function isInInventory({ merged, setAside, replay, withdrawn, pending }: Generation, batch: string): boolean {
  const isOut = withdrawn.has(batch) && !pending.has(batch);
  return merged.has(batch) && !setAside.has(batch) && !replay.has(batch) && !isOut;
}

interface PlainCase {
  /** As a decision on it names it. */
  readonly members: SourceMembers;
  readonly isQuarantined: boolean;
  readonly reasons: readonly string[];
  readonly held: ReadonlySet<string>;
  readonly pendingRelease: ReadonlySet<string>;
  readonly dropped: ReadonlySet<string>;
  /** After a release: not judged for these reasons until then. */
  readonly trust: { readonly until: number; readonly reasons: readonly string[] } | null;
}

export interface PlainLedger {
  /** By feedName. */
  readonly cases: ReadonlyMap<string, PlainCase>;
  /** By batch, by source. */
  readonly excludedRows: ReadonlyMap<string, ReadonlyMap<string | null, ReadonlySet<number>>>;
}

type ReadPage = (key: string) => { readonly batches: readonly { readonly id: string }[] } | null;

export function plainLedger(file: LedgerFile, readPage: ReadPage): PlainLedger {
  const idsOf = ({ batches, pages }: BatchSetFile) =>
    new Set([...pages.flatMap((key) => readPage(key)?.batches ?? []), ...batches].map(({ id }) => id));
  const cases = new Map<string, PlainCase>();
  for (const { source, tenant = '', key = '', state, reasons, held, due, dropped, trust } of file.cases) {
    cases.set(feedName({ tenant, key }, source), {
      members: { source, tenant, ...(source === null ? { key } : {}) },
      isQuarantined: state === 'quarantined',
      reasons,
      held: idsOf(held),
      pendingRelease: idsOf(due),
      dropped: idsOf(dropped),
      trust,
    });
  }
  const excludedRows = new Map<string, Map<string | null, Set<number>>>();
  for (const { batch, source, numbers } of file.leftOut) {
    const ofBatch = excludedRows.get(batch) ?? new Map<string | null, Set<number>>();
    excludedRows.set(batch, ofBatch);
    ofBatch.set(source, new Set([...(ofBatch.get(source) ?? []), ...numbers]));
  }
  return { cases, excludedRows };
}

export const NO_CASE: PlainCase = {
  members: { source: null },
  isQuarantined: false,
  reasons: [],
  held: new Set(),
  pendingRelease: new Set(),
  dropped: new Set(),
  trust: null,
};
