/** The first stages of a tick: what there is (load), and what of it is merged now, opened (take). */

import { type Batch, openBatchSteps } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import { idOf, type SourceId } from '../format/source.ts';
import type { Bytes } from '../lib/bytes.ts';
import { CONNECTIONS } from '../lib/concurrency.ts';
import type { Steps } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { toSortedSteps } from '../lib/sorted.ts';
import { type BatchSet, type SetBatch, unfoldPage } from '../quality/batch-set.ts';
import { type Case, hasPendingRelease, type Ledger, readLedger, withCases } from '../quality/ledger.ts';
import { MERGED_PREFIX, tenantOf, WAITING_PREFIX } from '../storage/keys.ts';
import type { ObjectHead, StoredObject } from '../storage/store.ts';
import type { MergeContext, TickBudget } from './context.ts';
import type { Attempt } from './failing-batches.ts';
import { knownUntaken } from './history.ts';
import type { LoadedManifest } from './last-published.ts';
import { loadManifest } from './publish-manifest.ts';
import { repairSlices } from './segment-writer.ts';
import { batchId, listWaiting, readKept, readWaiting, settle, type WaitingList, withoutDuplicates } from './waiting.ts';

export interface Loaded {
  readonly base: LoadedManifest;
  readonly candidates: Candidates;
  /** Merged by earlier ticks, and waiting still: they could not be moved. */
  readonly leftover: readonly string[];
  /** Slices that are missing still. */
  readonly missingSlices: readonly string[];
}

/**
 * Reads the generation, unless this isolate has published the last one a minute ago, and lists what waits, and does
 * what earlier ticks could not. Rejects when storage fails.
 */
export async function load(context: MergeContext): Promise<Loaded> {
  const { objects, now, lastPublished } = context;
  const base = lastPublished?.read(now()) ?? (await loadManifest(objects));
  // The manifest is read before the list: a batch that left `consumed` had left `waiting` before that.
  const waiting = await listWaiting(objects, now());
  const unsettled = base.manifest.consumed.filter((id) => !waiting.isGone(id));
  const gone = await settle(context, unsettled);
  return {
    base,
    leftover: unsettled.filter((id) => !gone.has(id)),
    missingSlices: await repairSlices(context, base.manifest.missingSlices),
    candidates: await context.pace.run(candidatesOf(context, base.manifest, waiting)),
  };
}

export interface Taken {
  readonly batches: TakenBatches;
  readonly due: PendingRelease;
  /** To be set aside unopened: ticks die of them. */
  readonly exhausted: readonly string[];
}

/** Opens what this tick merges: as much of what waits, was put back or released as its budget and the attempt allow. */
export async function take(
  context: MergeContext,
  { base: { manifest }, candidates }: Pick<Loaded, 'base' | 'candidates'>,
  attempt: Attempt,
): Promise<Taken> {
  const budget = { ...context.budget, batches: Math.min(context.budget.batches, attempt.most) };
  const limited = { ...context, budget };
  // What came back after it was merged is not set aside: released, it would count twice.
  const isReplay = (id: string) => manifest.replay.includes(id);
  const waiting = attempt.exhausted.filter((id) => !isReplay(id));
  const exhausted = [...attempt.exhausted.filter(isReplay), ...(await withoutDuplicates(context, waiting))];
  const isAlone = attempt.most === 1 && candidates.replay.length + candidates.waiting.length > 0;
  const due = isAlone ? NOTHING_PENDING : await openPendingRelease(limited, manifest);
  const batches = await openInputs(limited, candidates, {
    takenBytes: due.sizeBytes,
    isUntaken: candidates.waiting.length === 0 ? () => false : await knownUntaken(context.objects, manifest),
    isWanted: (id) => (attempt.only === null ? !attempt.passedOver.has(id) : id === attempt.only),
  });
  return { batches, due, exhausted };
}

export interface OpenedBatch {
  readonly id: string;
  readonly batch: Batch;
  /** As it is stored; the batch is a view on it. */
  readonly bytes: Bytes;
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

function* candidatesOf({ budget }: MergeContext, manifest: Manifest, list: WaitingList): Steps<Candidates> {
  const consumed = new Set(manifest.consumed);
  const heads = yield* fairOrder(
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

interface Opening {
  /** Of the budget, by what else the tick holds in memory. */
  readonly takenBytes: number;
  readonly isUntaken: (id: string) => boolean;
  readonly isWanted: (id: string) => boolean;
}

/** The batches that are to be merged now, those to be replayed first, within the budget. */
async function openInputs(
  context: MergeContext,
  candidates: Candidates,
  { takenBytes, isUntaken, isWanted }: Opening,
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
    const wanted = ids.filter(isWanted);
    const reads = new ReadAhead(wanted, read, candidates.sizeBytes);
    for (const id of wanted) {
      if (bytes >= most.batchBytes || opened.length >= most.batches || failed >= most.batches) break;
      // One that does not fit beside those before it is the first of the next tick.
      if (opened.length > 0 && bytes + (candidates.sizeBytes.get(id) ?? 0) > most.batchBytes) break;
      try {
        const object = await reads.next({ batches: most.batches - opened.length, batchBytes: most.batchBytes - bytes });
        if (object === null) continue;
        const batch = await context.pace.run(openBatchSteps(object.bytes));
        opened.push({ id, batch, bytes: object.bytes });
        bytes += memoryBytes(batch, object.sizeBytes);
      } catch (error) {
        failed += 1;
        context.log('batch.unreadable', { batch: id, reason: messageOf(error) });
      }
    }
    await reads.end();
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
  const waiting = await openAll(candidates.waiting, (id) => readWaiting(context, id, isUntaken), {
    ...budget,
    batches,
  });
  return { replayed, waiting, all: [...replayed, ...waiting], unreadable };
}

/**
 * Twice what connections allow, since a batch may take two calls, and one that is slow keeps those behind it waiting.
 */
export const BATCHES_AHEAD = 2 * CONNECTIONS;

/**
 * Reads batches in their order, those that come next while one is opened: as many as are sure to be taken for all that
 * is known of them, which is their size. One of unknown size, as of what a rollback has put back, is read by itself.
 * What was read and is not taken after all waits where it is: nothing was made of it.
 */
class ReadAhead {
  readonly #ids: readonly string[];
  readonly #read: (id: string) => Promise<StoredObject | null>;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #underWay: { readonly size: number; readonly result: Promise<PromiseSettledResult<StoredObject | null>> }[] =
    [];
  #begun = 0;

  constructor(
    ids: readonly string[],
    read: (id: string) => Promise<StoredObject | null>,
    sizes: ReadonlyMap<string, number>,
  ) {
    this.#ids = ids;
    this.#read = read;
    this.#sizes = sizes;
  }

  /**
   * The next one, whatever its size; rejects if its own read fails.
   * @param left of the budget: nothing that would go beyond it is read ahead
   */
  async next(left: Pick<TickBudget, 'batches' | 'batchBytes'>): Promise<StoredObject | null> {
    let bytes = this.#underWay.reduce((sum, { size }) => sum + size, 0);
    while (this.#begun < this.#ids.length) {
      const id = this.#ids[this.#begun] as string;
      const size = this.#sizes.get(id) ?? Number.POSITIVE_INFINITY;
      const { length } = this.#underWay;
      if (length > 0 && (length >= Math.min(BATCHES_AHEAD, left.batches) || bytes + size > left.batchBytes)) break;
      const result = Promise.allSettled([this.#read(id)]).then(([settled]) => settled);
      this.#underWay.push({ size, result });
      bytes += size;
      this.#begun += 1;
    }
    const settled = await this.#underWay.shift()?.result;
    if (settled === undefined) throw new RangeError('unreachable: all batches have been read');
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  }

  /** Waits for what is under way, so that nothing goes on behind the tick. Never rejects. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay.map(({ result }) => result));
  }
}

/** Of a tick's budget, what is to be merged again may take while something else waits. */
const REPLAY_SHARE = 0.5;

/**
 * Attributes with a link are little more than their bytes. Those without are kinds, of activity and of profiles as
 * well, and a merge has their text four times over: measured in test/unit/merge/memory.test.ts.
 */
const KIND_COPIES = 3;

/** What a batch takes in memory while it is merged, more or less, with what is made of it. */
export function memoryBytes({ attributes, keys }: Pick<Batch, 'attributes' | 'keys'>, sizeBytes: number): number {
  let kindChars = 0;
  for (const [i, text] of attributes.entries()) if (keys[i]?.linkHost === null) kindChars += text.length;
  return sizeBytes + kindChars * KIND_COPIES;
}

// In which order waiting batches are taken when more wait than a tick takes: each tenant in its turn, each key of a
// tenant in its turn, of each the oldest first. A turn is as long as what it takes of a tick's budget, so that neither
// many batches nor large ones of one key keep those of others waiting.

interface Queued {
  readonly head: ObjectHead;
  /** Of the budget; what a tick has of it is 1. */
  readonly cost: number;
}

/** What a head costs the ordering beside the comparisons, in records of a merge. */
const HEAD_WORK = 1 / 4;
const STEP_HEADS = 1_024;

/** In steps: a flood is a hundred thousand heads, and whoever waits beside it is not to wait for their order. */
export function* fairOrder(
  heads: readonly ObjectHead[],
  { batches, batchBytes }: TickBudget,
): Steps<readonly ObjectHead[]> {
  const byAge = yield* toSortedSteps(heads, (a, b) => a.uploadedAt - b.uploadedAt || (a.key < b.key ? -1 : 1));
  /** By tenant, by key. */
  const queues = new Map<string, Map<string, Queued[]>>();
  let keys = 0;
  for (const [i, head] of byAge.entries()) {
    const { owner = '', sizeBytes } = head;
    const tenant = tenantOf(owner);
    const ofTenant = queues.get(tenant) ?? new Map<string, Queued[]>();
    queues.set(tenant, ofTenant);
    const queue = ofTenant.get(owner) ?? [];
    if (queue.length === 0) keys += 1;
    ofTenant.set(owner, queue);
    queue.push({ head, cost: 1 / batches + sizeBytes / batchBytes });
    if (i % STEP_HEADS === 0) yield STEP_HEADS * HEAD_WORK;
  }
  if (keys <= 1) return byAge;
  const ofTenants: Queued[][] = [];
  for (const ofTenant of queues.values()) ofTenants.push(yield* merged([...ofTenant.values()]));
  return (yield* merged(ofTenants)).map(({ head }) => head);
}

/** Each stands where its own queue has taken as much of the budget as the others have; equal ones by age. */
function* merged(queues: readonly (readonly Queued[])[]): Steps<Queued[]> {
  const all: { readonly queued: Queued; readonly at: number }[] = [];
  for (const queue of queues) {
    let at = 0;
    for (const queued of queue) {
      all.push({ queued, at });
      at += queued.cost;
      if (all.length % STEP_HEADS === 0) yield STEP_HEADS * HEAD_WORK;
    }
  }
  const ageOf = ({ queued }: { readonly queued: Queued }) => queued.head.uploadedAt;
  const sorted = yield* toSortedSteps(all, (a, b) => a.at - b.at || ageOf(a) - ageOf(b));
  return sorted.map(({ queued }) => queued);
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
async function openPendingRelease(context: MergeContext, manifest: Manifest): Promise<PendingRelease> {
  if (!hasPendingRelease(manifest)) return NOTHING_PENDING;
  const ledger = await readLedger(context.objects, manifest, context.pace);
  const batches: PendingReleaseBatch[] = [];
  const changed: Case[] = [];
  let sizeBytes = 0;
  let left = Math.ceil(context.budget.batches * SHARE);
  for (const one of ledger.cases) {
    if (left === 0 || sizeBytes >= context.budget.batchBytes * SHARE) break;
    const due = await unfoldPage(context.objects, one.due, context.pace);
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
