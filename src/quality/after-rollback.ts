/**
 * The ledger of a generation that a rollback makes. What is decided of a source, and what was counted of it, stays as
 * it is now: a rollback undoes merges, not judgements. What is kept out of the inventory is what the target's inventory
 * did not have: batches merged since are out of it as a whole, set aside or to be merged again and screened again.
 */
import type { ObjectStore } from '../store/store.ts';
import { type Case, caseOf, type Ledger, newCase, withCases } from './ledger.ts';
import { EMPTY_PILE, type Pile, type PileBatch, pileBatches, pileOf } from './pile.ts';
import { idOf, idText, type SourceId } from './source-id.ts';

/**
 * @param target ledger of the generation returned to
 * @param requeue whether what was merged since is to be merged again; that goes for what was released since, too
 */
export async function ledgerAfterRollback(
  objects: ObjectStore,
  current: Ledger,
  target: Ledger,
  { requeue, now }: { readonly requeue: boolean; readonly now: number },
): Promise<Ledger> {
  const ids = new Map([...current.cases, ...target.cases].map((one) => [idText(one), idOf(one)]));
  const cases: Case[] = [];
  for (const id of ids.values()) cases.push(await caseAfter(objects, id, current, target, { requeue, now }));
  return withCases({ ...current, leftOut: target.leftOut }, cases, now);
}

async function caseAfter(
  objects: ObjectStore,
  id: SourceId,
  current: Ledger,
  target: Ledger,
  { requeue, now }: { readonly requeue: boolean; readonly now: number },
): Promise<Case> {
  const idsOf = async (pile: Pile | undefined) => new Set((await list(pile)).map((batch) => batch.id));
  const list = (pile: Pile | undefined): Promise<readonly PileBatch[]> => pileBatches(objects, pile ?? EMPTY_PILE);
  const present = caseOf(current, id);
  const then = caseOf(target, id);
  const dueNow = await idsOf(present?.due);
  const droppedNow = await idsOf(present?.dropped);
  const held: PileBatch[] = [];
  const due: PileBatch[] = [];
  const dropped: PileBatch[] = [...(await list(then?.dropped))];
  for (const batch of [...(await list(then?.held)), ...(await list(then?.due))]) {
    if (droppedNow.has(batch.id)) dropped.push(batch);
    // Released by now, and not merged since or asked for again. Whatever is less certain is held: somebody looks at it.
    else if (dueNow.has(batch.id) || (requeue && present?.state !== 'quarantined')) due.push(batch);
    else held.push(batch);
  }
  const after = {
    ...(present ?? { ...newCase(id, now), state: 'released' as const }),
    held: pileOf(held),
    due: pileOf(due),
    dropped: pileOf(dropped),
  };
  // Held, so somebody must be able to release it.
  if (held.length === 0 || after.state === 'quarantined') return after;
  return { ...after, state: 'quarantined', since: now, reasons: ['rollback'], trust: null };
}
