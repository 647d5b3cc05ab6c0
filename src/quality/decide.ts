/** An admin's decisions, as changes of the ledger. They take effect with the generation that names the ledger. */

import { idOf, idText, type SourceId, type SourceName } from '../format/source.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { DAY_MS } from '../lib/time.ts';
import type { ObjectStore } from '../storage/store.ts';
import {
  type BatchSet,
  batchesOfSet,
  batchSetOf,
  EMPTY_BATCH_SET,
  joinBatchSets,
  type SetBatch,
  takeFromBatchSet,
} from './batch-set.ts';
import { type Case, caseOf, casesById, isQuarantined, type Ledger, newCase, withCases } from './ledger.ts';
import type { Reason } from './quarantine.ts';

/** Longer than the longest window, so that what was released is out of it before it could be judged again. */
const TRUST_DAYS = 30;

interface Decision extends SourceId {
  /** Id of the key of whoever decides. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** With a source's held rows to be merged; null if it is not in quarantine. */
export function released(ledger: Ledger, { by, now, ...id }: Decision): Ledger | null {
  return changed(ledger, id, now, (found) => ({
    ...found,
    state: 'released',
    since: now,
    by,
    held: EMPTY_BATCH_SET,
    due: joinBatchSets(found.due, found.held),
    trust: { until: now + TRUST_DAYS * DAY_MS, reasons: trustedReasons(found, now) },
  }));
}

/** Those of this release, and of an earlier one that is still in force: or it would be held for them at once. */
function trustedReasons({ reasons, trust }: Case, now: number): readonly Reason[] {
  return [...new Set([...(trust !== null && now < trust.until ? trust.reasons : []), ...reasons])];
}

/** With a source's held rows never to be merged; it stays in quarantine. null if it is not in it. */
export function dropped(ledger: Ledger, { by, now, ...id }: Decision): Ledger | null {
  return changed(ledger, id, now, (found) => ({
    ...found,
    by,
    held: EMPTY_BATCH_SET,
    // Released, quarantined anew before all of it was merged: what is not merged yet is dropped as well.
    due: EMPTY_BATCH_SET,
    dropped: joinBatchSets(found.dropped, joinBatchSets(found.due, found.held)),
  }));
}

/** How an admin names a source: what is left out may be anything. */
export interface SourceChoice {
  readonly source: SourceId['source'];
  readonly tenant?: string | undefined;
  readonly key?: string | undefined;
  readonly every?: boolean | undefined;
}

/** Those in quarantine that are meant. */
export function chosen({ cases }: Ledger, { source, tenant, key, every }: SourceChoice): readonly Case[] {
  const isMeant = (wanted: unknown, found: unknown) => wanted === undefined || wanted === found;
  return cases.filter(
    (one) =>
      isQuarantined(one) &&
      one.source === source &&
      isMeant(tenant, one.tenant) &&
      isMeant(key, one.key) &&
      isMeant(every, one.every === true),
  );
}

function changed(ledger: Ledger, id: SourceId, now: number, edit: (found: Case) => Case): Ledger | null {
  const found = caseOf(ledger, id);
  return found === undefined || !isQuarantined(found) ? null : withCases(ledger, [edit(found)], now);
}

// The ledger of a generation that a rollback makes. What is decided of a source, and what was counted of it, stays as
// it is now: a rollback undoes merges, not judgements. What is kept out of the inventory is what the target's inventory
// did not have: batches merged since are out of it as a whole, set aside or to be merged again and screened again. But
// what was dropped stays dropped, in whatever batch: it is left out when the batch is merged again (screen.ts), and
// taken out of the target's inventory if that has it.

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

interface RolledBackLedger {
  readonly ledger: Ledger;
  /** Batches of which the target's inventory has rows that have been dropped since. */
  readonly revived: readonly string[];
}

/** A case, and a batch of a batch set, in records of a merge. */
const CASE_WORK = 4;
const BATCH_WORK = 1 / 2;

/** @param target ledger of the generation returned to */
export async function ledgerAfterRollback(
  objects: ObjectStore,
  current: Ledger,
  target: Ledger,
  how: Rollback,
  pace: Pacer,
): Promise<RolledBackLedger> {
  const [now, then] = [casesById(current), casesById(target)];
  const cases: Case[] = [];
  const revived = new Set<string>();
  const ids = new Map([...current.cases, ...target.cases].map((one) => [idText(one), idOf(one)]));
  for (const [text, id] of ids) {
    const after = await caseAfter(objects, { id, present: now.get(text), before: then.get(text) }, how, pace);
    cases.push(after.own);
    for (const batch of after.revived) revived.add(batch);
    if (pace.count(CASE_WORK)) await pace.giveWay();
  }
  const base = { ...current, leftOut: target.leftOut, leftOutPage: target.leftOutPage };
  return { ledger: withCases(base, cases, how.now), revived: [...revived] };
}

/** A source's case in the two ledgers. */
interface FoundCase {
  readonly id: SourceId;
  /** In the ledger of now. */
  readonly present: Case | undefined;
  /** In the ledger returned to. */
  readonly before: Case | undefined;
}

async function caseAfter(
  objects: ObjectStore,
  { id, present, before }: FoundCase,
  { requeue, now, excluded, withdrawn }: Rollback,
  pace: Pacer,
): Promise<{ readonly own: Case; readonly revived: readonly string[] }> {
  const list = async (own: BatchSet | undefined): Promise<readonly SetBatch[]> => {
    const batches = await batchesOfSet(objects, own ?? EMPTY_BATCH_SET, pace);
    if (pace.count(batches.length * BATCH_WORK)) await pace.giveWay();
    return batches;
  };
  const idsOf = (batches: readonly SetBatch[]) => new Set(batches.map((batch) => batch.id));
  const dueNow = idsOf(await list(present?.due));
  const droppedNow = idsOf(await list(present?.dropped));
  const outThen = [...(await list(before?.held)), ...(await list(before?.due))];
  const droppedThen = await list(before?.dropped);
  const held: SetBatch[] = [];
  const due: SetBatch[] = [];
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
    held: batchSetOf(held),
    due: batchSetOf(due),
    dropped: joinBatchSets(present?.dropped ?? EMPTY_BATCH_SET, batchSetOf(dropped)),
  };
  // Held, so somebody must be able to release it.
  if (held.length === 0 || after.state === 'quarantined') return { own: after, revived };
  return { own: { ...after, state: 'quarantined', since: now, reasons: ['rollback'], trust: null }, revived };
}

// The ledger once a batch is withdrawn: what was held back of it, or was due, is never to be merged.

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
  pace: Pacer,
): Promise<Ledger> {
  const changed: Case[] = [];
  const sources = new Set(batch.sources);
  // A batch has one owner: of others' cases of the same names none has it.
  for (const found of ledger.cases) {
    if (found.every !== true && !sources.has(found.source)) continue;
    const held = await takeFromBatchSet(objects, found.held, batch.id, pace);
    const due = await takeFromBatchSet(objects, found.due, batch.id, pace);
    const taken = [held, due].flatMap((one) => one?.taken ?? []);
    if (taken.length === 0) continue;
    changed.push({
      ...found,
      held: held?.rest ?? found.held,
      due: due?.rest ?? found.due,
      dropped: joinBatchSets(found.dropped, batchSetOf(taken)),
    });
  }
  return changed.length === 0 ? ledger : withCases(ledger, changed, now);
}
