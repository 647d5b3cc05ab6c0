/** The ledger once a batch is withdrawn: what was held back of it, or was due, is never to be merged. */
import type { ObjectStore } from '../store/store.ts';
import { type Case, type Ledger, type SourceName, withCases } from './ledger.ts';
import { joinPiles, pileOf, takeFromPile } from './pile.ts';

/**
 * The same ledger if nothing of the batch was held or due. Rejects when a page cannot be read.
 * @param sources of the batch
 * @param now milliseconds since 1970
 */
export async function ledgerAfterWithdrawal(
  objects: ObjectStore,
  ledger: Ledger,
  batch: { readonly id: string; readonly sources: Iterable<SourceName> },
  now: number,
): Promise<Ledger> {
  const changed: Case[] = [];
  const sources = new Set(batch.sources);
  // A batch has one owner: of others' cases of the same names none has it.
  for (const found of ledger.cases) {
    if (found.every !== true && !sources.has(found.source)) continue;
    const held = await takeFromPile(objects, found.held, batch.id);
    const due = await takeFromPile(objects, found.due, batch.id);
    const taken = [held, due].flatMap((one) => one?.taken ?? []);
    if (taken.length === 0) continue;
    changed.push({
      ...found,
      held: held?.rest ?? found.held,
      due: due?.rest ?? found.due,
      dropped: joinPiles(found.dropped, pileOf(taken)),
    });
  }
  return changed.length === 0 ? ledger : withCases(ledger, changed, now);
}
