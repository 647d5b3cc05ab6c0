/**
 * Batches on their way in. An accepted batch is at `batches/waiting/ID`; once a published generation has merged it,
 * it is copied to `batches/merged/ID`, and only then deleted from `waiting`: at every instant it is in at least one
 * of the two. The manifest's `consumed` list says which waiting batches are merged already.
 */
import { type Batch, openBatch } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import { KEYED_BATCH, MERGED_PREFIX, WAITING_PREFIX } from '../store/keys.ts';
import { sideBySide } from '../store/side-by-side.ts';
import type { ObjectHead, ObjectStore, StoredObject } from '../store/store.ts';
import { type MergeContext, messageOf } from './context.ts';

/** One look at the waiting batches: at most 1,000, the first in key order. */
export interface WaitingList {
  readonly heads: readonly ObjectHead[];
  /** Whether the list says for certain that the id is not waiting. */
  isGone(id: string): boolean;
}

export async function listWaiting(objects: ObjectStore): Promise<WaitingList> {
  const page = await objects.list(WAITING_PREFIX);
  const ids = new Set(page.objects.map(({ key }) => batchId(key)));
  const last = page.objects.at(-1)?.key ?? '';
  return {
    heads: page.objects,
    isGone: (id) => !ids.has(id) && (page.cursor === undefined || WAITING_PREFIX + id < last),
  };
}

export function batchId(waitingKey: string): string {
  return waitingKey.slice(WAITING_PREFIX.length);
}

/** Moves merged batches out of `waiting`. Stopped or failing anywhere, the batch is in one place or both. */
export async function settle(context: MergeContext, ids: readonly string[]): Promise<void> {
  const { objects } = context;
  await sideBySide(ids, async (id) => {
    try {
      const waiting = await objects.get(WAITING_PREFIX + id);
      if (waiting === null) return;
      // Only if absent: what is waiting may be a late retry under the same id (dropIfMerged), which must not replace
      // the copy that was merged.
      await objects.put(MERGED_PREFIX + id, waiting.bytes, { absent: true });
      await objects.delete([WAITING_PREFIX + id]);
    } catch (error) {
      // It stays in the manifest's `consumed`, so it is not merged again; the next tick settles it.
      context.log('settle.failed', { batch: id, reason: messageOf(error) });
    }
  });
}

export interface OpenedBatch {
  readonly id: string;
  readonly batch: Batch;
}

export interface Inputs {
  /** Put back by a rollback. */
  readonly replayed: readonly OpenedBatch[];
  readonly waiting: readonly OpenedBatch[];
  /** Both. */
  readonly all: readonly OpenedBatch[];
  /** How many could not be read: they are left where they are, and the others go on. */
  readonly unreadable: number;
}

/**
 * The batches that are to be merged now, those to be replayed first, within the budget.
 * @param takenBytes of the budget, by what else the tick holds in memory
 */
export async function openInputs(
  context: MergeContext,
  manifest: Manifest,
  list: WaitingList,
  takenBytes = 0,
): Promise<Inputs> {
  const { objects, budget } = context;
  const consumed = new Set(manifest.consumed);
  let bytes = takenBytes;
  let unreadable = 0;
  const openAll = async (ids: readonly string[], read: (id: string) => Promise<StoredObject | null>) => {
    const opened: OpenedBatch[] = [];
    for (const id of ids.slice(0, budget.batches)) {
      if (bytes >= budget.batchBytes) break;
      try {
        const object = await read(id);
        if (object === null) continue;
        opened.push({ id, batch: openBatch(object.bytes) });
        bytes += object.sizeBytes;
      } catch (error) {
        unreadable += 1;
        context.log('batch.unreadable', { batch: id, reason: messageOf(error) });
      }
    }
    return opened;
  };
  const replayed = await openAll(manifest.replay, (id) => readKept(objects, id));
  const ids = list.heads.map(({ key }) => batchId(key)).filter((id) => !consumed.has(id));
  const waiting = await openAll(ids, async (id) =>
    id.startsWith(KEYED_BATCH) && (await dropIfMerged(context, id)) ? null : objects.get(WAITING_PREFIX + id),
  );
  return { replayed, waiting, all: [...replayed, ...waiting], unreadable };
}

/** A batch that was merged before, wherever it is at the moment. */
export async function readKept(objects: ObjectStore, id: string): Promise<StoredObject> {
  const object = (await objects.get(MERGED_PREFIX + id)) ?? (await objects.get(WAITING_PREFIX + id));
  if (object === null) throw new RangeError(`batch ${id} is neither merged nor waiting`);
  return object;
}

/**
 * A retried upload can come back to `waiting` just after its first copy was merged and settled (src/ingest/accept.ts).
 * The uploader has been answered from the merged copy, so this one is dropped unread.
 */
async function dropIfMerged(context: MergeContext, id: string): Promise<boolean> {
  if ((await context.objects.head(MERGED_PREFIX + id)) === null) return false;
  await context.objects.delete([WAITING_PREFIX + id]);
  context.log('batch.duplicate', { batch: id });
  return true;
}
