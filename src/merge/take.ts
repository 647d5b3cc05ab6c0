/**
 * Batches on their way in. An accepted batch is at `batches/waiting/ID`; once a published generation has merged it,
 * it is copied to `batches/merged/ID`, and only then deleted from `waiting`: at every instant it is in at least one
 * of the two. The manifest's `consumed` list says which waiting batches are merged already.
 */

import { hasLink } from '../format/attributes.ts';
import { type Batch, openBatchSteps } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import { messageOf } from '../lib/errors.ts';
import { type BatchSet, type SetBatch, unfoldPage } from '../quality/batch-set.ts';
import {
  type Case,
  hasPendingRelease,
  idOf,
  type Ledger,
  readLedger,
  type SourceId,
  withCases,
} from '../quality/ledger.ts';
import { KEYED_BATCH, MERGED_PREFIX, tenantOf, WAITING_PREFIX } from '../storage/keys.ts';
import { listPages, type ObjectHead, type ObjectStore, type StoredObject } from '../storage/store.ts';
import type { MergeContext, TickBudget } from './context.ts';

/** Pages of 1,000 keys: twice as many as a flood of ten thousand uploads, and some 10 MB of heads. */
const LIST_PAGES = 20;
/** So far back, where more wait than are listed, the latest are looked at as well; clocks of isolates may be ahead. */
const RECENT_MS = 300_000;
const AHEAD_MS = 10_000;
/**
 * Of the 13 digits of milliseconds, those that tell 10 seconds apart: what a key of 6,000 uploads a minute fills a page
 * with.
 */
const WINDOW_DIGITS = 9;
const WINDOW_MS = 10_000;

/** One look at the waiting batches. */
interface WaitingList {
  readonly heads: readonly ObjectHead[];
  /** Whether these are all; if not, there are more. */
  readonly isWhole: boolean;
  /** Whether the list says for certain that the id is not waiting. */
  isGone(id: string): boolean;
}

/**
 * Lists up to 20,000. Where more wait, more is looked at: of those without an Idempotency-Key, whose ids begin with the
 * time, every ten seconds of the last minutes; of those with one, whose ids are hashes, a page after
 * each twentieth of them. Both begin at another place each time, which nobody who uploads can foresee.
 * @param now milliseconds since 1970
 */
export async function listWaiting(objects: ObjectStore, now: number): Promise<WaitingList> {
  const first = await headsOf(objects, WAITING_PREFIX, LIST_PAGES);
  const found = new Map(first.heads.map((head) => [head.key, head]));
  const add = ({ heads }: { readonly heads: readonly ObjectHead[] }) => {
    for (const head of heads) found.set(head.key, head);
  };
  if (!first.isWhole) {
    const place = placeAt(now);
    const keyed = WAITING_PREFIX + KEYED_BATCH;
    const some = await headsOf(objects, keyed, LIST_PAGES);
    add(some);
    const places = some.isWhole ? [] : Array.from({ length: LIST_PAGES }, (_, i) => (i + place) / LIST_PAGES);
    await mapConcurrent(places, async (start) => add(await headsOf(objects, keyed, 1, keyed + hexOf(start))));
    const count = (RECENT_MS + AHEAD_MS) / WINDOW_MS;
    const windows = Array.from({ length: count + 1 }, (_, i) => digitsOf(now - RECENT_MS + i * WINDOW_MS));
    await mapConcurrent(windows, async (digits) => {
      const window = WAITING_PREFIX + digits.slice(0, WINDOW_DIGITS);
      const begin = await headsOf(objects, window, 1);
      add(begin);
      const offset = String(Math.floor(place * WINDOW_MS)).padStart(digits.length - WINDOW_DIGITS, '0');
      if (!begin.isWhole) add(await headsOf(objects, window, 1, window + offset));
    });
  }
  const last = first.heads.at(-1)?.key ?? '';
  return {
    heads: [...found.values()],
    isWhole: first.isWhole,
    isGone: (id) => !found.has(WAITING_PREFIX + id) && (first.isWhole || WAITING_PREFIX + id < last),
  };
}

/** 0 to below 1, another for each millisecond, and no part of the range left out for long (a Weyl sequence). */
function placeAt(now: number): number {
  return (now * ((Math.sqrt(5) - 1) / 2)) % 1;
}

/** The beginning of the hashes from this share of them on. */
function hexOf(share: number): string {
  return Math.floor(share * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

function digitsOf(ms: number): string {
  return String(Math.floor(ms)).padStart(13, '0');
}

async function headsOf(objects: ObjectStore, prefix: string, pages: number, startAfter?: string) {
  const heads: ObjectHead[] = [];
  let isWhole = false;
  const options = { owners: true, ...(startAfter !== undefined && { startAfter }) };
  for await (const { objects: some, cursor } of listPages(objects, prefix, pages, options)) {
    heads.push(...some);
    isWhole = cursor === undefined;
  }
  return { heads, isWhole };
}

export function batchId(waitingKey: string): string {
  return waitingKey.slice(WAITING_PREFIX.length);
}

/**
 * Moves merged batches out of `waiting`. Stopped or failing anywhere, the batch is in one place or both. Returns those
 * that were not waiting any more.
 */
export async function settle(context: MergeContext, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { objects } = context;
  const gone = new Set<string>();
  await mapConcurrent(ids, async (id) => {
    try {
      const waiting = await objects.get(WAITING_PREFIX + id);
      if (waiting === null) {
        gone.add(id);
        return;
      }
      // Only if absent: what is waiting may be a late retry under the same id (readWaiting), which must not replace
      // the copy that was merged.
      await objects.put(MERGED_PREFIX + id, waiting.bytes, { absent: true });
      await objects.delete([WAITING_PREFIX + id]);
    } catch (error) {
      // It stays in the manifest's `consumed`, so it is not merged again; the next tick settles it.
      context.log('settle.failed', { batch: id, reason: messageOf(error) });
    }
  });
  return gone;
}

interface OpenedBatch {
  readonly id: string;
  readonly batch: Batch;
}

export interface TakenBatches {
  /** Put back by a rollback. */
  readonly replayed: readonly OpenedBatch[];
  readonly waiting: readonly OpenedBatch[];
  /** Both. */
  readonly all: readonly OpenedBatch[];
  /** How many could not be read: they are left where they are, and the others go on. */
  readonly unreadable: number;
}

/** Ids of batches that a tick could take, in the order in which it does. */
export interface Candidates {
  readonly replay: readonly string[];
  readonly waiting: readonly string[];
  /** Sizes of the waiting batches. */
  readonly sizeBytes: ReadonlyMap<string, number>;
  /** When the oldest of them was uploaded or put back, milliseconds since 1970. */
  readonly oldestAt: number;
}

export function candidatesOf({ budget }: MergeContext, manifest: Manifest, list: WaitingList): Candidates {
  const consumed = new Set(manifest.consumed);
  const heads = inTurns(
    list.heads.filter(({ key }) => !consumed.has(batchId(key))),
    budget,
  );
  const { replay, publishedAt } = manifest;
  const oldestAt = heads.reduce(
    (oldest, { uploadedAt }) => Math.min(oldest, uploadedAt),
    replay.length === 0 ? Number.POSITIVE_INFINITY : publishedAt,
  );
  const sizeBytes = new Map(heads.map((head) => [batchId(head.key), head.sizeBytes]));
  return { replay, waiting: [...sizeBytes.keys()], sizeBytes, oldestAt };
}

/**
 * The batches that are to be merged now, those to be replayed first, within the budget.
 * @param takenBytes of the budget, by what else the tick holds in memory
 */
export async function openInputs(
  context: MergeContext,
  candidates: Candidates,
  { takenBytes, isWanted }: { readonly takenBytes: number; readonly isWanted: (id: string) => boolean },
): Promise<TakenBatches> {
  const { objects, budget } = context;
  let bytes = takenBytes;
  let unreadable = 0;
  const openAll = async (
    ids: readonly string[],
    read: (id: string) => Promise<StoredObject | null>,
    most: Pick<TickBudget, 'batches' | 'batchBytes'>,
  ) => {
    const opened: OpenedBatch[] = [];
    let failed = 0;
    for (const id of ids) {
      if (bytes >= most.batchBytes || opened.length >= most.batches || failed >= most.batches) break;
      if (!isWanted(id)) continue;
      // One that does not fit beside those before it is the first of the next tick.
      if (opened.length > 0 && bytes + (candidates.sizeBytes.get(id) ?? 0) > most.batchBytes) break;
      try {
        const object = await read(id);
        if (object === null) continue;
        const batch = await context.pace.run(openBatchSteps(object.bytes));
        opened.push({ id, batch });
        bytes += memoryBytes(batch, object.sizeBytes);
      } catch (error) {
        failed += 1;
        context.log('batch.unreadable', { batch: id, reason: messageOf(error) });
      }
    }
    unreadable += failed;
    return opened;
  };
  // What a rollback has put back can be a lot, and is not to keep what comes in from being served.
  const share = candidates.waiting.length === 0 ? 1 : REPLAY_SHARE;
  const replayed = await openAll(candidates.replay, (id) => readKept(objects, id), {
    batches: Math.ceil(budget.batches * share),
    batchBytes: budget.batchBytes * share,
  });
  const batches = budget.batches - replayed.length;
  const waiting = await openAll(candidates.waiting, (id) => readWaiting(context, id), { ...budget, batches });
  return { replayed, waiting, all: [...replayed, ...waiting], unreadable };
}

/** Of a tick's budget, what is to be merged again may take while something else waits. */
const REPLAY_SHARE = 0.5;

/**
 * Attributes with a link are little more than their bytes. Those without are kinds, of activity and of profiles as
 * well, and a merge has their text four times over: measured in test/unit/merge/memory.test.ts.
 */
const KIND_COPIES = 3;

/** What a batch takes in memory while it is merged, more or less, with what is made of it. */
export function memoryBytes({ circumstances }: Batch, sizeBytes: number): number {
  let kindChars = 0;
  for (const text of circumstances) if (!hasLink(text)) kindChars += text.length;
  return sizeBytes + kindChars * KIND_COPIES;
}

/**
 * An upload can come back to `waiting` after it was merged and settled: a retry with its Idempotency-Key does
 * (src/ingest/accept.ts), and so does a write that the storage delivers twice. Whoever uploaded has been answered from
 * the merged copy, so this one is dropped unread. null: nothing is to be merged of it.
 */
async function readWaiting(context: MergeContext, id: string): Promise<StoredObject | null> {
  const [waiting, merged] = await Promise.all([context.objects.get(WAITING_PREFIX + id), keptHead(context, id)]);
  if (waiting === null || merged === null) return waiting;
  await dropDuplicate(context, id);
  return null;
}

/** The waiting batches that were not merged before; the others are dropped (readWaiting). None is opened. */
export async function withoutDuplicates(context: MergeContext, ids: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const id of ids) {
    if ((await keptHead(context, id)) === null) left.push(id);
    else await dropDuplicate(context, id);
  }
  return left;
}

function keptHead({ objects }: MergeContext, id: string): Promise<ObjectHead | null> {
  return objects.head(MERGED_PREFIX + id);
}

async function dropDuplicate({ objects, log }: MergeContext, id: string): Promise<void> {
  await objects.delete([WAITING_PREFIX + id]);
  log('batch.duplicate', { batch: id });
}

/** A batch that was merged before, wherever it is at the moment. */
export async function readKept(objects: ObjectStore, id: string): Promise<StoredObject> {
  const object = (await objects.get(MERGED_PREFIX + id)) ?? (await objects.get(WAITING_PREFIX + id));
  if (object === null) throw new RangeError(`batch ${id} is neither merged nor waiting`);
  return object;
}

// In which order waiting batches are taken when more wait than a tick takes: each tenant in its turn, each key of a
// tenant in its turn, of each the oldest first. A turn is as long as what it takes of a tick's budget, so that neither
// many batches nor large ones of one key keep those of others waiting.

interface Queued {
  readonly head: ObjectHead;
  /** Of the budget; what a tick has of it is 1. */
  readonly cost: number;
}

export function inTurns(heads: readonly ObjectHead[], { batches, batchBytes }: TickBudget): ObjectHead[] {
  const queue = heads
    .toSorted((a, b) => a.uploadedAt - b.uploadedAt || (a.key < b.key ? -1 : 1))
    .map((head): Queued => ({ head, cost: 1 / batches + head.sizeBytes / batchBytes }));
  const byKey = Map.groupBy(queue, ({ head }) => head.owner ?? '');
  if (byKey.size <= 1) return queue.map(({ head }) => head);
  const byTenant = Map.groupBy(byKey, ([owner]) => tenantOf(owner));
  const ofTenants = [...byTenant.values()].map((keys) => merged(keys.map(([, own]) => own)));
  return merged(ofTenants).map(({ head }) => head);
}

/** Each stands where its own queue has taken as much of the budget as the others have; equal ones by age. */
function merged(queues: readonly (readonly Queued[])[]): Queued[] {
  const all: { readonly queued: Queued; readonly at: number }[] = [];
  for (const queue of queues) {
    let at = 0;
    for (const queued of queue) {
      all.push({ queued, at });
      at += queued.cost;
    }
  }
  const ageOf = ({ queued }: { readonly queued: Queued }) => queued.head.uploadedAt;
  return all.sort((a, b) => a.at - b.at || ageOf(a) - ageOf(b)).map(({ queued }) => queued);
}

// Rows that were held back and have been released: merged by the next ticks, out of batches that were merged before.

/** Released rows may take half of a tick's budget, so that they do not keep new uploads waiting. */
const SHARE = 0.5;

export interface PendingReleaseBatch {
  readonly id: string;
  /** Only whose rows are to be merged. */
  readonly of: SourceId;
  readonly batch: Batch;
}

export interface PendingRelease {
  readonly batches: readonly PendingReleaseBatch[];
  readonly sizeBytes: number;
  /** Without what is merged now; null: not read, since nothing of it is due. */
  readonly ledger: Ledger | null;
}

export const NOTHING_PENDING: PendingRelease = { batches: [], sizeBytes: 0, ledger: null };

/** Opens what is due, oldest first. What cannot be read stays due, and the others go on. */
export async function openPendingRelease(context: MergeContext, manifest: Manifest): Promise<PendingRelease> {
  if (!hasPendingRelease(manifest)) return NOTHING_PENDING;
  const ledger = await readLedger(context.objects, manifest);
  const batches: PendingReleaseBatch[] = [];
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

function withoutTaken(due: BatchSet, taken: ReadonlySet<string>): BatchSet {
  const rowsOf = (batches: readonly SetBatch[]) => batches.reduce((sum, { rows }) => sum + rows, 0);
  const batches = due.batches.filter(({ id }) => !taken.has(id));
  return { ...due, batches, detections: due.detections - rowsOf(due.batches) + rowsOf(batches) };
}
