/** What docs/QUALITY.md promises of sources that are held back, said of two ledgers that follow each other. */
import type { HistoryFile } from './decode.ts';
import type { PlainBatch } from './detections.ts';
import { type Generation, isInInventory, NO_CASE } from './generation.ts';

export interface Change {
  readonly history: HistoryFile;
  /** The generation that a rollback has returned to; null: this is none. */
  readonly restored: Generation | null;
  readonly batches: ReadonlyMap<string, PlainBatch>;
  /** Numbers that may have been canaries when the generation was made, or before. */
  readonly everCanaries: ReadonlySet<number>;
}

export function checkLedger(
  before: Generation,
  next: Generation,
  { history, restored, batches, everCanaries }: Change,
  onBroken: (invariant: string, detail: string) => void,
): void {
  // What a tick sets aside is not merged, though it is no longer waiting.
  const merged = [...history.batches, ...history.replayed].filter((id) => isInInventory(next, id));
  const isMergedNow = new Set((history.released ?? []).map(({ batch }) => batch));
  const sources = new Set([...before.ledger.cases.keys(), ...next.ledger.cases.keys()]);
  for (const batch of merged) for (const { feed } of batches.get(batch)?.rows ?? []) sources.add(feed);
  for (const source of sources) {
    const then = before.ledger.cases.get(source) ?? NO_CASE;
    const now = next.ledger.cases.get(source) ?? NO_CASE;
    const name = `source ${source} in generation ${next.generation}`;
    // Dropped rows never come back, whatever is rolled back or merged again.
    for (const batch of then.dropped) {
      const isThere = isInInventory(next, batch);
      if (isThere && !now.dropped.has(batch)) onBroken('dropped rows stay dropped', `${name}: ${batch}`);
    }
    for (const batch of then.isQuarantined && now.isQuarantined ? then.held : []) {
      if (now.due.has(batch)) onBroken('held rows are due once they are released', `${name}: ${batch}`);
    }
    if (restored !== null) {
      // It undoes merges, not judgements: what is held is held still, unless the inventory returned to has it.
      const { held, due, dropped } = restored.ledger.cases.get(source) ?? NO_CASE;
      for (const batch of then.isQuarantined ? then.held : []) {
        const wasOut = held.has(batch) || due.has(batch) || dropped.has(batch);
        if (!wasOut || !isInInventory(next, batch) || now.held.has(batch) || now.dropped.has(batch)) continue;
        onBroken('what is held is held after a rollback', `${name}: ${batch}`);
      }
      continue;
    }
    for (const batch of merged) {
      const isOfSource = batches.get(batch)?.rows.some((row) => row.feed === source) === true;
      if (!isOfSource || now.dropped.has(batch)) continue;
      if (now.isQuarantined !== now.held.has(batch)) {
        const what = now.isQuarantined ? 'is held back, and its rows are not' : 'is not held back, and its rows are';
        onBroken('the rows of a source in quarantine are held, of others merged', `${name} ${what}: ${batch}`);
      }
      if (now.due.has(batch)) onBroken('only what was held is due', `${name}: ${batch}`);
    }
    for (const batch of then.held) {
      if (!now.held.has(batch) && !now.due.has(batch) && !now.dropped.has(batch)) {
        onBroken('held rows are held until they are released or dropped', `${name}: ${batch}`);
      }
    }
    for (const batch of then.due) {
      const isKept = now.due.has(batch) || now.dropped.has(batch) || now.held.has(batch);
      if (isKept || isMergedNow.has(batch) || !isInInventory(next, batch)) continue;
      onBroken('released rows are due until they are merged or dropped', `${name}: ${batch}`);
    }
    if (then.held.size > 0 && now.isQuarantined === false && then.isQuarantined) {
      for (const batch of then.held) {
        if (!now.due.has(batch)) onBroken('a release makes all that was held due', `${name}: ${batch}`);
      }
    }
  }
  for (const [batch, ofBatch] of next.ledger.leftOut) {
    for (const [, numbers] of ofBatch) {
      for (const number of numbers) {
        if (!everCanaries.has(number)) onBroken('only canaries are left out', `of ${batch}`);
      }
    }
  }
}
