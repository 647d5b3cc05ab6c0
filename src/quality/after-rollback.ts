/**
 * The ledger of a generation that a rollback makes. What is decided of a source, and what was counted of it, stays as
 * it is now: a rollback undoes merges, not judgements. What is kept out of the inventory is what the target's inventory
 * did not have: batches merged since are out of it as a whole, set aside or to be merged again and screened again. But
 * what was dropped stays dropped, in whatever batch: it is left out when the batch is merged again (admit.ts), and taken
 * out of the target's inventory if that has it.
 */
import type { ObjectStore } from '../store/store.ts';
import { type Case, caseOf, type Ledger, newCase, withCases } from './ledger.ts';
import { EMPTY_PILE, joinPiles, type Pile, type PileBatch, pileBatches, pileOf } from './pile.ts';
import { idOf, idText, type SourceId } from './source-id.ts';

export interface Rollback {
  /** Whether what was merged since is to be merged again; that goes for what was released since, too. */
  readonly requeue: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Batches that the target's inventory has nothing of. */
  readonly excluded: ReadonlySet<string>;
  /** Batches that were withdrawn since. */
  readonly withdrawn: ReadonlySet<string>;
}

export interface RolledBackLedger {
  readonly ledger: Ledger;
  /** Batches of which the target's inventory has rows that have been dropped since. */
  readonly revived: readonly string[];
}

/** @param target ledger of the generation returned to */
export async function ledgerAfterRollback(
  objects: ObjectStore,
  current: Ledger,
  target: Ledger,
  how: Rollback,
): Promise<RolledBackLedger> {
  const ids = new Map([...current.cases, ...target.cases].map((one) => [idText(one), idOf(one)]));
  const cases: Case[] = [];
  const revived = new Set<string>();
  for (const id of ids.values()) {
    const after = await caseAfter(objects, id, current, target, how);
    cases.push(after.own);
    for (const batch of after.revived) revived.add(batch);
  }
  const base = { ...current, leftOut: target.leftOut, leftOutPage: target.leftOutPage };
  return { ledger: withCases(base, cases, how.now), revived: [...revived] };
}

async function caseAfter(
  objects: ObjectStore,
  id: SourceId,
  current: Ledger,
  target: Ledger,
  { requeue, now, excluded, withdrawn }: Rollback,
): Promise<{ readonly own: Case; readonly revived: readonly string[] }> {
  const list = (pile: Pile | undefined): Promise<readonly PileBatch[]> => pileBatches(objects, pile ?? EMPTY_PILE);
  const idsOf = (batches: readonly PileBatch[]) => new Set(batches.map((batch) => batch.id));
  const present = caseOf(current, id);
  const then = caseOf(target, id);
  const dueNow = idsOf(await list(present?.due));
  const droppedNow = idsOf(await list(present?.dropped));
  const outThen = [...(await list(then?.held)), ...(await list(then?.due))];
  const droppedThen = await list(then?.dropped);
  const held: PileBatch[] = [];
  const due: PileBatch[] = [];
  const dropped = droppedThen.filter((batch) => !droppedNow.has(batch.id));
  for (const batch of outThen) {
    if (droppedNow.has(batch.id)) continue;
    if (withdrawn.has(batch.id)) dropped.push(batch);
    // Released by now, and not merged since or asked for again. Whatever is less certain is held: somebody looks at it.
    else if (dueNow.has(batch.id) || (requeue && present?.state !== 'quarantined')) due.push(batch);
    else held.push(batch);
  }
  const isOutThen = idsOf([...outThen, ...droppedThen]);
  const revived = [...droppedNow].filter((batch) => !isOutThen.has(batch) && !excluded.has(batch));
  const after = {
    ...(present ?? { ...newCase(id, now), state: 'released' as const }),
    held: pileOf(held),
    due: pileOf(due),
    dropped: joinPiles(present?.dropped ?? EMPTY_PILE, pileOf(dropped)),
  };
  // Held, so somebody must be able to release it.
  if (held.length === 0 || after.state === 'quarantined') return { own: after, revived };
  return { own: { ...after, state: 'quarantined', since: now, reasons: ['rollback'], trust: null }, revived };
}
