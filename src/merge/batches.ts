/**
 * Batches as an operator lists them, each with its state: first those that wait, then those that ticks took up, the
 * latest first, as the history has them. A page takes a bounded number of reads; `next` of a page tells where the
 * following one begins.
 */

import { openBatchSteps, type Receipt, receiptOfTail } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import type { SourceName } from '../format/source.ts';
import { FormatError } from '../lib/bytes.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { readHeld } from '../quality/excluded-rows.ts';
import { readLedger } from '../quality/ledger.ts';
import { MERGED_PREFIX, timeOfBatch, WAITING_PREFIX } from '../storage/keys.ts';
import type { ObjectHead, ObjectStore } from '../storage/store.ts';
import { readSetAside, type SetAside } from './failing-batches.ts';
import { historyFrom, historyOf } from './history.ts';
import { loadManifest } from './publish-manifest.ts';
import { isListed, readWithdrawals, stateIn, type Withdrawals, withdrawalOf } from './withdraw.ts';

/** Batches looked at for a page: two reads each, and of one with many sources the whole of it. */
export const PAGE_BATCHES = 100;
/** Generations looked at for a page. Some have no batches. */
const PAGE_GENERATIONS = 300;
/** As a rule the receipt is in it: 100 errors and 200 sources take some 40 KB. */
const TAIL_BYTES = 65_536;
/** Names told of one batch. */
const NAMED_SOURCES = 20;

/** The form of `next`. */
export const POSITION = /^(?:waiting:[0-9A-Za-z_-]{1,120}|[1-9][0-9]{0,9}:[0-9A-Za-z_-]{1,80}:[0-9]{1,6})$/;

export interface BatchQuery {
  /** Milliseconds since 1970: only those that wait or were taken up since. */
  readonly since: number | null;
  /** Only those with lines of this source; undefined: all. */
  readonly source: SourceName | undefined;
  /** `next` of the page before; null: from the beginning. */
  readonly after: string | null;
}

export interface BatchRow {
  readonly id: string;
  readonly state: BatchState;
  /** When it came in, milliseconds since 1970; null: with an Idempotency-Key and taken up, that is no longer known. */
  readonly receivedAt: number | null;
  /** When a tick took it up, or it was withdrawn before any did; null: it waits. */
  readonly takenUpAt: number | null;
  /** The generation that merged it first, or took it up to keep it out. */
  readonly generation: number | null;
  /** Accepted lines; null: the batch cannot be read. */
  readonly accepted: number | null;
  readonly rejected: number | null;
  /** Whose upload it is; null: not known, of batches from before it was kept. */
  readonly tenant: string | null;
  /** How many of the accepted lines are held back with their source. */
  readonly held: number;
  /** The first twenty sources that it names. */
  readonly sources: readonly SourceName[];
  readonly setAside: { readonly reason: string; readonly detail: string | null; readonly at: number } | null;
  readonly withdrawn: { readonly at: number; readonly by: string; readonly step: WithdrawalStep | null } | null;
}

export interface BatchPage {
  readonly rows: readonly BatchRow[];
  /** null: there are no more. */
  readonly next: string | null;
}

interface Found {
  readonly id: string;
  readonly receivedAt: number | null;
  readonly takenUpAt: number | null;
  readonly generation: number | null;
}

/**
 * Rejects when storage does not answer, or the history is not whole. null: `after` is not a `next` that a page has
 * given.
 */
export async function listBatches(objects: ObjectStore, query: BatchQuery, pace: Pacer): Promise<BatchPage | null> {
  const states = await BatchStates.read(objects, true, pace);
  const page = await findBatches(objects, states, query);
  if (page === null) return null;
  const { found, next } = page;
  const rows: (BatchRow | null)[] = [];
  await mapConcurrent(found.entries(), async ([i, one]) => {
    rows[i] = await rowOf({ objects, pace }, states, one, query.source);
  });
  return { rows: rows.filter((row) => row !== null), next };
}

/** null: `after` is no place in the history. */
async function findBatches(
  objects: ObjectStore,
  states: BatchStates,
  { since, after }: BatchQuery,
): Promise<{ readonly found: Found[]; readonly next: string | null } | null> {
  const found: Found[] = [];
  const position = positionOf(after);
  if (position.kind === 'waiting') {
    const { waiting, last, isWhole } = await listWaiting(objects, states, position.after);
    found.push(...waiting.filter(({ receivedAt }) => since === null || (receivedAt ?? since) >= since));
    if (!isWhole) return { found, next: `waiting:${last}` };
  }
  const { manifest } = states;
  const history =
    position.kind === 'waiting'
      ? historyOf(objects, manifest)
      : await historyFrom(objects, manifest, position.generation, position.commit);
  if (history === null) return null;
  let from = position.kind === 'waiting' ? 0 : position.from;
  let steps = 0;
  for await (const { generation, commit, batches, writtenAt } of history) {
    const place = `${generation}:${commit}`;
    if (found.length >= PAGE_BATCHES || steps >= PAGE_GENERATIONS) return { found, next: `${place}:${from}` };
    if (since !== null && writtenAt < since) break;
    const of = { takenUpAt: writtenAt, generation };
    const taken = batches.slice(from, from + PAGE_BATCHES - found.length);
    found.push(...taken.map((id) => ({ id, receivedAt: timeOfBatch(id), ...of })));
    from += taken.length;
    if (from < batches.length) return { found, next: `${place}:${from}` };
    from = 0;
    steps += 1;
  }
  return { found, next: null };
}

type Position =
  | { readonly kind: 'waiting'; readonly after: string }
  | { readonly kind: 'generation'; readonly generation: number; readonly commit: string; readonly from: number };

/** Reads a position from text of the form POSITION. */
function positionOf(after: string | null): Position {
  const [first = '', second = '', third = ''] = (after ?? 'waiting:').split(':');
  if (first === 'waiting') return { kind: 'waiting', after: second };
  return { kind: 'generation', generation: Number(first), commit: second, from: Number(third) };
}

/** A page of those that wait, in order of their ids. */
async function listWaiting(objects: ObjectStore, { manifest }: BatchStates, after: string) {
  const options = { limit: PAGE_BATCHES, ...(after !== '' && { startAfter: WAITING_PREFIX + after }) };
  const page = await objects.list(WAITING_PREFIX, options);
  const consumed = new Set(manifest.consumed);
  const ids = page.objects.map((head) => ({ id: head.key.slice(WAITING_PREFIX.length), head }));
  const waiting = ids
    .filter(({ id }) => !consumed.has(id))
    .map(({ id, head }): Found => ({ id, receivedAt: head.uploadedAt, takenUpAt: null, generation: null }));
  return { waiting, last: ids.at(-1)?.id ?? after, isWhole: page.cursor === undefined };
}

/** What batches are read with. */
interface Reading {
  readonly objects: ObjectStore;
  readonly pace: Pacer;
}

async function rowOf(
  reading: Reading,
  states: BatchStates,
  found: Found,
  source: SourceName | undefined,
): Promise<BatchRow | null> {
  const { id } = found;
  const read = await readReceipt(reading, id, source);
  if (read.isOther) return null;
  const { receipt } = read;
  const aside = states.setAside(id);
  const withdrawal = await states.withdrawal(id);
  const names = (receipt?.sources ?? []).flatMap((one) => (one.source === undefined ? [] : [one.source]));
  return {
    ...found,
    state: await states.of(id, receipt?.accepted ?? 0),
    accepted: receipt?.accepted ?? null,
    rejected: receipt?.rejected ?? null,
    tenant: receipt?.owner?.tenant ?? null,
    held: states.held(id),
    sources: names.slice(0, NAMED_SOURCES),
    setAside: aside && { reason: aside.reason, detail: aside.detail, at: aside.at },
    withdrawn: withdrawal && { at: withdrawal.at, by: withdrawal.by, step: states.withdrawalStep(id) },
  };
}

interface ReadReceipt {
  /** null: the batch is damaged. */
  readonly receipt: Receipt | null;
  /** It has no line of the source that is asked for. */
  readonly isOther: boolean;
}

async function readReceipt(reading: Reading, id: string, source: SourceName | undefined): Promise<ReadReceipt> {
  const { objects } = reading;
  const head = (await objects.head(WAITING_PREFIX + id)) ?? (await objects.head(MERGED_PREFIX + id));
  // Between two reads a batch can have moved; the next page or request finds it.
  if (head === null) return { receipt: null, isOther: source !== undefined };
  try {
    const receipt = await receiptAt(reading, head);
    if (receipt === null) return { receipt, isOther: source !== undefined };
    return { receipt, isOther: source !== undefined && !(await hasSource(reading, head, receipt, source)) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { receipt: null, isOther: source !== undefined };
  }
}

async function receiptAt({ objects, pace }: Reading, { key, sizeBytes }: ObjectHead): Promise<Receipt | null> {
  const length = Math.min(sizeBytes, TAIL_BYTES);
  const tail = await objects.getRange(key, sizeBytes - length, length);
  const receipt = tail && receiptOfTail(tail);
  if (receipt !== null) return receipt;
  const object = await objects.get(key);
  return object && (await pace.run(openBatchSteps(object.bytes))).receipt;
}

async function hasSource(
  { objects, pace }: Reading,
  { key }: ObjectHead,
  { sources }: Receipt,
  wanted: SourceName,
): Promise<boolean> {
  if (sources?.some(({ source }) => source === wanted) === true) return true;
  // Those beyond the named ones are counted together, and batches of old name none.
  if (sources !== undefined && !sources.some(({ source }) => source === undefined)) return false;
  const object = await objects.get(key);
  if (object === null) return false;
  return (await pace.run(openBatchSteps(object.bytes))).keys.some(({ source }) => source === wanted);
}

// What has become of an upload.

export const BATCH_STATES = [
  /** It is to be merged by the next ticks. */
  'waiting',
  /** It is in the inventory, except for rows that are held back or were dropped. */
  'merged',
  /** All of it is held back, with its sources. */
  'held',
  /** Kept out as a whole, by a rollback or since a tick failed on it; can be released. */
  'set-aside',
  /** Taken back: ticks are taking out what the inventory has of it. */
  'withdrawing',
  'withdrawn',
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

export const WITHDRAWAL_STEPS = [
  /** After others. */
  'queued',
  /** Ticks read the kept batches. */
  'gathering',
  /** Ticks write the runs and activity. */
  'rewriting',
] as const;
type WithdrawalStep = (typeof WITHDRAWAL_STEPS)[number];

/** What a generation says of batches: read once, asked for many. */
export class BatchStates {
  readonly manifest: Manifest;
  readonly #objects: ObjectStore;
  readonly #setAside: ReadonlyMap<string, SetAside>;
  #withdrawals: Withdrawals;
  /** Commit of the generation that the list of withdrawals is of. */
  #withdrawalsOf: string;
  readonly #held: ReadonlyMap<string, number>;

  private constructor(
    objects: ObjectStore,
    manifest: Manifest,
    known: {
      readonly setAside: readonly SetAside[];
      readonly withdrawals: Withdrawals;
      readonly held: ReadonlyMap<string, number>;
    },
  ) {
    this.#objects = objects;
    this.manifest = manifest;
    this.#setAside = new Map(known.setAside.map((one) => [one.id, one]));
    this.#withdrawals = known.withdrawals;
    this.#withdrawalsOf = manifest.commit;
    this.#held = known.held;
  }

  /**
   * Of the current generation. A handful of reads, and one for each 5,000 batches set aside and 1,000 held.
   * @param tellsHeld whether what is held back is read as well; else it counts as merged
   */
  static async read(objects: ObjectStore, tellsHeld: boolean, pace: Pacer): Promise<BatchStates> {
    const { manifest } = await loadManifest(objects);
    return new BatchStates(objects, manifest, {
      setAside: await readSetAside(objects, manifest, pace),
      withdrawals: await readWithdrawals(objects, manifest),
      held: tellsHeld ? await readHeld(objects, await readLedger(objects, manifest, pace), pace) : new Map(),
    });
  }

  setAside(id: string): SetAside | null {
    return this.#setAside.get(id) ?? null;
  }

  /**
   * When, in milliseconds since 1970, and by whom it was withdrawn; null: it was not. Takes one read, or three of one
   * that the list does not have: it was withdrawn long ago, or just now, and then the list that has it is read.
   */
  async withdrawal(id: string): Promise<{ readonly at: number; readonly by: string } | null> {
    const found = await withdrawalOf(this.#objects, this.#withdrawals, id);
    if (found === null || isListed(this.#withdrawals, id)) return found;
    const { manifest } = await loadManifest(this.#objects);
    if (manifest.commit !== this.#withdrawalsOf) {
      this.#withdrawals = await readWithdrawals(this.#objects, manifest);
      this.#withdrawalsOf = manifest.commit;
    }
    return found;
  }

  /** How far taking out what the inventory has of a withdrawn batch is; null: nothing is left to do. */
  withdrawalStep(id: string): WithdrawalStep | null {
    const { pending, job } = this.#withdrawals;
    if (!pending.some((one) => one.id === id)) return null;
    if (job === null || !job.batches.some((one) => one.id === id)) return 'queued';
    return job.facts === null ? 'gathering' : 'rewriting';
  }

  /** How many rows of a batch are held back. */
  held(id: string): number {
    return this.#held.get(id) ?? 0;
  }

  /** Takes five reads at most. @param accepted rows of the batch */
  async of(id: string, accepted: number): Promise<BatchState> {
    if ((await this.withdrawal(id)) !== null) return stateIn(this.#withdrawals, id);
    if (this.#setAside.has(id)) return 'set-aside';
    if (await this.#isWaiting(id)) return 'waiting';
    return accepted > 0 && this.held(id) >= accepted ? 'held' : 'merged';
  }

  async #isWaiting(id: string): Promise<boolean> {
    const { replay, consumed } = this.manifest;
    if (replay.includes(id)) return true;
    if (consumed.includes(id)) return false;
    // In this order: a batch moves from the one place to the other.
    const waits = (await this.#objects.head(WAITING_PREFIX + id)) !== null;
    return waits && (await this.#objects.head(MERGED_PREFIX + id)) === null;
  }
}
