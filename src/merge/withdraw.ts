/**
 * Withdrawing an upload. The commit is the swap of a manifest whose list of withdrawals names it. A batch that only
 * waits, is set aside, is to be merged again or is held back is out at once. What the inventory has of any other batch
 * is taken out by ticks (rewrite-withdrawn.ts).
 */

import * as v from 'valibot';
import { type Batch, openBatchSteps } from '../format/batch.ts';
import { activityEntry, type Manifest } from '../format/manifest.ts';
import { wholeObject } from '../format/segment.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { ledgerAfterWithdrawal } from '../quality/decide.ts';
import { readExcludedRows, without } from '../quality/excluded-rows.ts';
import { readLedger, writeLedger } from '../quality/ledger.ts';
import { generationKey, MERGED_PREFIX, WAITING_PREFIX, WITHDRAWALS_PREFIX, WITHDRAWN_PREFIX } from '../storage/keys.ts';
import { listObjects, type ObjectStore } from '../storage/store.ts';
import type { MergeContext } from './context.ts';
import { decideOn, LOST } from './decisions.ts';
import { readSetAside, writeSetAside } from './failing-batches.ts';
import { type MergedBatches, NO_BATCHES } from './history.ts';
import { loadManifest, type ManifestChange, publish } from './publish-manifest.ts';
import { readKept } from './waiting.ts';

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
  /** The batch is damaged, so it is not known which rows to take out. */
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
  const aside = await readSetAside(objects, manifest, context.pace);
  const left = aside.filter((one) => one.id !== id);
  if (left.length < aside.length) {
    const setAside = await writeSetAside(objects, manifest.generation + 1, context.randomId(), left);
    return { change: { setAside }, takenUp: NO_BATCHES, list };
  }
  const batch = await opened(context, id);
  if (batch === null) return 'unreadable';
  const ledger = await readLedger(objects, manifest, context.pace);
  const omission = (await readExcludedRows(objects, ledger, context.pace, (one) => one === id)).get(id);
  const isHeld = omission !== undefined && without(batch, omission).rows === 0;
  const sources = new Set(batch.keys.map(({ source }) => source));
  const after = await ledgerAfterWithdrawal(objects, ledger, { id, sources }, context.now(), context.pace);
  const key =
    after === ledger
      ? manifest.ledger
      : await writeLedger(objects, manifest.generation + 1, context.randomId(), after, context.pace);
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

// Which uploads were taken back, and how far taking their rows out of the inventory has come.
//
// For ever there is a small object a batch, `batches/withdrawn/ID`, frame "RFWB" version 1 around JSON {"at", "by"}:
// from the batches and these a store can be rebuilt. What a generation needs is a list of its own, immutable, that its
// manifest names, frame "RFWL" version 2 around JSON (in version 1 segments were of version 1): the swap of the
// manifest is the commit of a withdrawal, as of everything. A batch leaves the list once no generation that a rollback
// can return to has any of its rows; by then its object is there.

const id = v.string();
/** Of a source, or all of a batch. */
const released = v.object({ source: v.nullable(v.string()), every: v.exactOptional(v.literal(true)) });
const slice = v.object({ bytes: count, sha256: v.string() });
const range = { key: v.string(), first: count, last: count, count, numbers: slice };
const parts = v.object({ verdicts: slice, evidenceIndex: slice, evidenceBlocksBytes: count });
/** As manifests have them (src/format/segment.ts). */
const segment = v.object({ ...range, offset: count, verdictsBytes: count, bytes: count, parts: v.nullable(parts) });
/** Each an object of its own, of version 1. */
const segmentOfVersion1 = v.pipe(
  v.object({ ...range, ...parts.entries }),
  v.transform(({ verdicts, evidenceIndex, evidenceBlocksBytes, ...rest }) =>
    wholeObject(rest, { verdicts, evidenceIndex, evidenceBlocksBytes }),
  ),
);

const withdrawn = v.object({
  id,
  /** Milliseconds since 1970. */
  at: count,
  /** Id of the API key. */
  by: v.string(),
  /** From this generation on none of its rows is in the runs; null: some may be, it is among the pending. */
  outSince: v.nullable(count),
});

/** A batch whose numbers are to be computed anew; those below `from` have been. */
const pending = v.object({ id, from: count });

/** Computing the records of some numbers anew, from all batches but those withdrawn (rewrite-withdrawn.ts). */
const jobOf = <const Segment extends v.GenericSchema>(side: Segment) =>
  v.object({
    /** Whose numbers they are: some of the pending, with the number that the job ends before; null: it has all. */
    batches: v.array(v.object({ ...pending.entries, to: v.nullable(count) })),
    /** What of the batches that are merged is in `side` by now. */
    gathered: v.object({
      /** Merges up to this generation are. */
      generation: count,
      /** Kept batches are read in order of their ids: up to this one, ... */
      cursor: v.string(),
      /** ... or all. */
      isWhole: v.boolean(),
      /** Beside these, which are to be read next: batches, or what was released of one. */
      queue: v.array(v.object({ id, of: v.exactOptional(released) })),
      /** Beyond the cursor, to be passed over: they were in the queue. */
      skip: v.array(id),
    }),
    /** The records of the numbers, in number order, and their activity. */
    side: v.array(side),
    sideFacts: v.array(activityEntry),
    /** Once all is gathered: activity objects to be replaced, with how many have been, and what by. */
    facts: v.nullable(v.object({ inputs: v.array(v.string()), done: count, output: v.array(activityEntry) })),
  });

const job = jobOf(segment);

const members = {
  withdrawn: v.array(withdrawn),
  /** Batches whose numbers are to be computed anew: withdrawn ones, and those with rows that were dropped. */
  pending: v.array(pending),
};
const schema = v.object({ ...members, job: v.nullable(job) });
const schemaOfVersion1 = v.object({ ...members, job: v.nullable(jobOf(segmentOfVersion1)) });

export type Withdrawn = Readonly<v.InferOutput<typeof withdrawn>>;
type Pending = Readonly<v.InferOutput<typeof pending>>;
export type Job = v.InferOutput<typeof job>;
export type Gathered = Job['gathered'];
export interface Withdrawals {
  readonly withdrawn: readonly Withdrawn[];
  readonly pending: readonly Pending[];
  readonly job: Job | null;
}

/**
 * Withdrawals in a list at once: those of the last three days, since a generation is retained for so long. Each takes a
 * hundred bytes, and every step of taking rows out writes the list anew.
 */
export const MAX_RECENT = 2_000;

const NONE: Withdrawals = { withdrawn: [], pending: [], job: null };

const LIST_MAGIC = 'RFWL';
const listFile = framedJson(LIST_MAGIC, 2, schema, { 1: schemaOfVersion1 });
const markFile = framedJson('RFWB', 1, v.object({ at: count, by: v.string() }));

export function encodeWithdrawals({ withdrawn: all, pending: left, job: current }: Withdrawals): Bytes {
  return listFile.encode({ withdrawn: [...all], pending: [...left], job: current });
}

/** Throws FormatError unless the bytes are such a list. */
export function decodeWithdrawals(bytes: Bytes): Withdrawals {
  return listFile.decode(bytes);
}

export function encodeMark({ at, by }: Pick<Withdrawn, 'at' | 'by'>): Bytes {
  return markFile.encode({ at, by });
}

/** Throws FormatError unless the bytes say when and by whom a batch was withdrawn. */
export function decodeMark(bytes: Bytes): Pick<Withdrawn, 'at' | 'by'> {
  return markFile.decode(bytes);
}

/** The list of a generation. Rejects when it is missing or damaged. */
export async function readWithdrawals(
  objects: ObjectStore,
  { withdrawals }: Pick<Manifest, 'withdrawals'>,
): Promise<Withdrawals> {
  if (withdrawals === null) return NONE;
  const object = await objects.get(withdrawals.key);
  if (object === null) throw new FormatError(`${LIST_MAGIC}: ${withdrawals.key} is missing`);
  return decodeWithdrawals(object.bytes);
}

/** Whether some generation that a rollback can return to may have rows of the batch. */
function isRecent(
  { outSince }: Withdrawn,
  { generation, retained }: Pick<Manifest, 'generation' | 'retained'>,
): boolean {
  return outSince === null || outSince >= (retained[0]?.generation ?? generation);
}

/** Whether the list has room for one more. */
function hasRoom(list: Withdrawals, base: Pick<Manifest, 'generation' | 'retained'>): boolean {
  return list.withdrawn.filter((one) => isRecent(one, base)).length < MAX_RECENT;
}

/**
 * Writes the list of the generation after `base`, and returns what its manifest is to say. Not published, the object is
 * garbage. Rejects when something cannot be written.
 */
export async function writeWithdrawals(
  objects: ObjectStore,
  base: Pick<Manifest, 'generation' | 'retained'>,
  randomId: string,
  list: Withdrawals,
): Promise<Manifest['withdrawals']> {
  const pendingIds = new Set(list.pending.map(({ id: batch }) => batch));
  const all = list.withdrawn.map((one) => ({
    ...one,
    outSince: pendingIds.has(one.id) ? null : (one.outSince ?? base.generation + 1),
  }));
  const kept = all.filter((one) => isRecent(one, base));
  // As a rule they have been marked by who withdrew them; but that may have stopped right after its swap.
  for (const one of all) if (!kept.includes(one)) await markWithdrawn(objects, one);
  if (kept.length === 0 && list.pending.length === 0) return null;
  const key = generationKey(WITHDRAWALS_PREFIX, base.generation + 1, randomId);
  await objects.put(key, encodeWithdrawals({ ...list, withdrawn: kept }));
  return { key, pending: list.pending.length, replacing: list.job !== null && list.job.facts !== null };
}

/** Writes the object that says for ever that a batch was withdrawn; if it is there, it stays as it is. */
export async function markWithdrawn(objects: ObjectStore, one: Pick<Withdrawn, 'id' | 'at' | 'by'>) {
  await objects.put(WITHDRAWN_PREFIX + one.id, encodeMark(one), { absent: true });
}

/** Ids of all batches that have such an object, in order: few, since each was withdrawn by hand. */
export async function* markedWithdrawn(objects: ObjectStore): AsyncGenerator<string> {
  for await (const { key } of listObjects(objects, WITHDRAWN_PREFIX, Number.POSITIVE_INFINITY)) {
    yield key.slice(WITHDRAWN_PREFIX.length);
  }
}

/** When and by whom a batch was withdrawn, as its object says; null: there is none. */
export async function readMark(
  objects: ObjectStore,
  batch: string,
): Promise<{ readonly at: number; readonly by: string } | null> {
  const object = await objects.get(WITHDRAWN_PREFIX + batch);
  return object === null ? null : decodeMark(object.bytes);
}
