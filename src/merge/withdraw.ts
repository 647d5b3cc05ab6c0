/**
 * Taking back an upload. The commit is the swap of a manifest whose list of withdrawals names it (withdrawals.ts): a batch
 * that only waits, is set aside, is to be merged again or is held back is out at once, and what the inventory has of
 * another one is taken out by the ticks (rewrite.ts).
 */
import { type Batch, openBatchSteps } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import { ledgerAfterWithdrawal } from '../quality/after-withdrawal.ts';
import { readLedger, writeLedger } from '../quality/ledger.ts';
import { readOmissions } from '../quality/omissions.ts';
import { without } from '../quality/rows.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';
import type { MergeContext } from './context.ts';
import { decideOn, LOST } from './decisions.ts';
import { type MergedBatches, NO_BATCHES } from './history.ts';
import { loadManifest, type ManifestChange, publish } from './publish.ts';
import { readSetAside, writeSetAside } from './set-aside.ts';
import { readKept } from './waiting.ts';
import {
  hasRoom,
  MAX_RECENT,
  markWithdrawn,
  readMark,
  readWithdrawals,
  type Withdrawals,
  writeWithdrawals,
} from './withdrawals.ts';

export type WithdrawResult =
  | {
      readonly kind: 'done';
      /** Withdrawing: ticks are taking out what the inventory has of it. */
      readonly state: 'withdrawing' | 'withdrawn';
      /** Milliseconds since 1970, of the withdrawal. */
      readonly at: number;
      /** Id of the API key. */
      readonly by: string;
      /** Just now; it may have been withdrawn before. */
      readonly isNew: boolean;
    }
  | { readonly kind: 'not-found' }
  /** Nobody knows what would be to be taken out. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'full'; readonly limit: string };

/**
 * Withdraws a batch, once however often it is asked for. Rejects when storage fails; then it is withdrawn or it is not,
 * and the next request says which.
 * @param by id of the key of whoever asks
 */
export async function withdraw(context: MergeContext, id: string, by: string): Promise<WithdrawResult> {
  const { objects } = context;
  return decideOn(context, 'withdrawal', async (base) => {
    const list = await readWithdrawals(objects, base.manifest);
    const known = await withdrawalOf(objects, list, id);
    if (known !== null) {
      // Withdrawn long ago, or since the list was read: then the list that has it is to be read.
      const isNew = !isListed(list, id) && (await loadManifest(objects)).etag !== base.etag;
      if (isNew) return LOST;
      // An earlier request may have stopped between its swap and this.
      await markWithdrawn(objects, { id, ...known });
      return { kind: 'done', state: stateIn(list, id), ...known, isNew: false };
    }
    if (!hasRoom(list, base.manifest)) {
      return { kind: 'full', limit: `${MAX_RECENT} batches withdrawn in three days` };
    }
    const removal = await removalOf(context, base.manifest, list, id);
    if (typeof removal === 'string') return { kind: removal };
    const entry = { id, at: context.now(), by };
    const next = { ...removal.list, withdrawn: [...list.withdrawn, { ...entry, outSince: null }] };
    const withdrawals = await writeWithdrawals(objects, base.manifest, context.randomId(), next);
    const published = await publish(context, base, { ...removal.change, withdrawals }, removal.takenUp);
    if (published === null) return LOST;
    await markWithdrawn(objects, entry);
    return { kind: 'done', state: stateIn(next, id), at: entry.at, by, isNew: true };
  });
}

/** When and by whom a batch was withdrawn; null: it was not. */
export async function withdrawalOf(
  objects: ObjectStore,
  { withdrawn }: Withdrawals,
  id: string,
): Promise<{ readonly at: number; readonly by: string } | null> {
  const recent = withdrawn.find((one) => one.id === id);
  return recent === undefined ? readMark(objects, id) : { at: recent.at, by: recent.by };
}

/** Whether a list has the withdrawal of a batch: not if that is of another generation. */
export function isListed({ withdrawn }: Withdrawals, id: string): boolean {
  return withdrawn.some((one) => one.id === id);
}

/** Of a batch that was withdrawn. */
export function stateIn({ pending }: Withdrawals, id: string): 'withdrawing' | 'withdrawn' {
  return pending.some((one) => one.id === id) ? 'withdrawing' : 'withdrawn';
}

interface Removal {
  readonly change: ManifestChange;
  readonly takenUp: MergedBatches;
  /** With what is still to be taken out. */
  readonly list: Withdrawals;
}

async function removalOf(
  context: MergeContext,
  manifest: Manifest,
  list: Withdrawals,
  id: string,
): Promise<Removal | 'not-found' | 'unreadable'> {
  const { objects } = context;
  // In this order: a batch moves from the one place to the other, and is in at least one of them at every instant.
  const waits = (await objects.head(WAITING_PREFIX + id)) !== null;
  const isKept = (await objects.head(MERGED_PREFIX + id)) !== null;
  const { consumed } = manifest;
  if (!waits && !isKept) return 'not-found';
  if (!isKept && !consumed.includes(id)) {
    // As if it had been merged: no tick looks at it again, but to move it to the kept ones.
    return { change: { consumed: [...consumed, id] }, takenUp: { ...NO_BATCHES, batches: [id] }, list };
  }
  const others = (ids: readonly string[]) => ids.filter((one) => one !== id);
  if (manifest.replay.includes(id)) {
    const change = { replay: others(manifest.replay), unscreened: others(manifest.unscreened) };
    return { change, takenUp: NO_BATCHES, list };
  }
  const aside = await readSetAside(objects, manifest);
  const left = aside.filter((one) => one.id !== id);
  if (left.length < aside.length) {
    const setAside = await writeSetAside(objects, manifest.generation + 1, context.randomId(), left);
    return { change: { setAside }, takenUp: NO_BATCHES, list };
  }
  const batch = await opened(context, id);
  if (batch === null) return 'unreadable';
  const ledger = await readLedger(objects, manifest);
  const omission = (await readOmissions(objects, ledger, (one) => one === id)).get(id);
  const isHeld = omission !== undefined && without(batch, omission).rows === 0;
  const after = await ledgerAfterWithdrawal(objects, ledger, { id, sources: batch.sources }, context.now());
  const key =
    after === ledger ? manifest.ledger : await writeLedger(objects, manifest.generation + 1, context.randomId(), after);
  const next = isHeld ? list : withPending(list, id);
  // A replacement that is not gone on with must not be taken for a compaction.
  const isGivenUp = manifest.withdrawals?.replacing === true && next.job === null;
  return {
    change: { ledger: key, compaction: isGivenUp ? null : manifest.compaction },
    takenUp: NO_BATCHES,
    list: next,
  };
}

/** With a batch whose numbers are to be computed anew, from the first on. */
function withPending({ withdrawn, pending, job }: Withdrawals, id: string): Withdrawals {
  return {
    withdrawn,
    pending: [...pending.filter((one) => one.id !== id), { id, from: 0 }],
    // A job that began when the batch was not withdrawn yet is no good for it.
    job: job?.batches.some((one) => one.id === id) === true ? null : job,
  };
}

/** null: it is damaged. */
async function opened({ objects, pace }: MergeContext, id: string): Promise<Batch | null> {
  const { bytes } = await readKept(objects, id);
  try {
    return await pace.run(openBatchSteps(bytes));
  } catch {
    return null;
  }
}
