/**
 * Batches on their way in. An accepted batch is at `batches/waiting/ID`; once a published generation has merged it,
 * it is copied to `batches/merged/ID`, and only then deleted from `waiting`: at every instant it is in at least one
 * of the two. The manifest's `consumed` list says which waiting batches are merged already.
 */

import type { Bytes } from '../lib/bytes.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import { messageOf } from '../lib/errors.ts';
import { KEYED_BATCH, MERGED_PREFIX, WAITING_PREFIX } from '../storage/keys.ts';
import { listPages, type ObjectHead, type ObjectStore, type StoredObject } from '../storage/store.ts';
import type { MergeContext } from './context.ts';

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
export interface WaitingList {
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
 * that were found not to be waiting any more.
 * @param held bytes of those that are in memory still, as they were merged; the others are read
 */
export async function settle(
  context: MergeContext,
  ids: readonly string[],
  held: ReadonlyMap<string, Bytes> = new Map(),
): Promise<ReadonlySet<string>> {
  const { objects } = context;
  const gone = new Set<string>();
  await mapConcurrent(ids, async (id) => {
    try {
      const bytes = held.get(id) ?? (await objects.get(WAITING_PREFIX + id))?.bytes;
      if (bytes === undefined) {
        gone.add(id);
        return;
      }
      // Only if absent: what is waiting may be a late retry under the same id (readWaiting), which must not replace
      // the copy that was merged.
      await objects.put(MERGED_PREFIX + id, bytes, { absent: true });
      await objects.delete([WAITING_PREFIX + id]);
    } catch (error) {
      // It stays in the manifest's `consumed`, so it is not merged again; the next tick settles it.
      context.log('settle.failed', { batch: id, reason: messageOf(error) });
    }
  });
  return gone;
}

/**
 * An upload can come back to `waiting` after it was merged and settled: a retry with its Idempotency-Key does
 * (src/ingest/accept.ts), and so does a write that the storage delivers twice. Whoever uploaded has been answered from
 * the merged copy, so this one is dropped unread. null: nothing is to be merged of it.
 * @param isUntaken whether no generation has taken it up for certain (knownUntaken): then there is no merged copy to look for
 */
export async function readWaiting(
  context: MergeContext,
  id: string,
  isUntaken: (id: string) => boolean,
): Promise<StoredObject | null> {
  if (isUntaken(id)) return context.objects.get(WAITING_PREFIX + id);
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
