/** Rows that were held back and have been released: merged by the next ticks, out of batches that were merged before. */
import { type Batch, openBatchSteps } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import { type Case, hasDue, type Ledger, readLedger, type SourceId, withCases } from '../quality/ledger.ts';
import { type Pile, type PileBatch, unfoldPage } from '../quality/pile.ts';
import { idOf } from '../quality/source-id.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../store/keys.ts';
import { type MergeContext, messageOf } from './context.ts';

/** Released rows may take half of a tick's budget, so that they do not keep new uploads waiting. */
const SHARE = 0.5;

export interface DueBatch {
  readonly id: string;
  /** Only whose rows are to be merged. */
  readonly of: SourceId;
  readonly batch: Batch;
}

export interface Due {
  readonly batches: readonly DueBatch[];
  readonly sizeBytes: number;
  /** Without what is merged now; null: not read, since nothing of it is due. */
  readonly ledger: Ledger | null;
}

export const NOTHING_DUE: Due = { batches: [], sizeBytes: 0, ledger: null };

/** Opens what is due, oldest first. What cannot be read stays due, and the others go on. */
export async function openDue(context: MergeContext, manifest: Manifest): Promise<Due> {
  if (!hasDue(manifest)) return NOTHING_DUE;
  const ledger = await readLedger(context.objects, manifest);
  const batches: DueBatch[] = [];
  const changed: Case[] = [];
  let sizeBytes = 0;
  let left = Math.ceil(context.budget.batches * SHARE);
  for (const one of ledger.cases) {
    if (left === 0 || sizeBytes >= context.budget.batchBytes * SHARE) break;
    const due = await unfoldPage(context.objects, one.due);
    const taken = new Set<string>();
    for (const { id } of due.batches.slice(0, left)) {
      if (sizeBytes >= context.budget.batchBytes * SHARE) break;
      const opened = await openMerged(context, manifest, id);
      if (opened === null) continue;
      batches.push({ id, of: idOf(one), batch: opened.batch });
      sizeBytes += opened.sizeBytes;
      taken.add(id);
    }
    left -= taken.size;
    if (taken.size > 0) changed.push({ ...one, due: withoutTaken(due, taken) });
  }
  return { batches, sizeBytes, ledger: changed.length === 0 ? ledger : withCases(ledger, changed, context.now()) };
}

/** null: it cannot be read, or is not merged yet, as in a store that is being rebuilt. */
async function openMerged(
  { objects, pace, log }: MergeContext,
  manifest: Manifest,
  id: string,
): Promise<{ readonly batch: Batch; readonly sizeBytes: number } | null> {
  try {
    const merged = await objects.get(MERGED_PREFIX + id);
    const object = merged ?? (manifest.consumed.includes(id) ? await objects.get(WAITING_PREFIX + id) : null);
    if (object === null) return null;
    return { batch: await pace.run(openBatchSteps(object.bytes)), sizeBytes: object.sizeBytes };
  } catch (error) {
    log('batch.unreadable', { batch: id, reason: messageOf(error) });
    return null;
  }
}

function withoutTaken(due: Pile, taken: ReadonlySet<string>): Pile {
  const rowsOf = (batches: readonly PileBatch[]) => batches.reduce((sum, { rows }) => sum + rows, 0);
  const batches = due.batches.filter(({ id }) => !taken.has(id));
  return { ...due, batches, detections: due.detections - rowsOf(due.batches) + rowsOf(batches) };
}
