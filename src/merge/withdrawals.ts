/**
 * Which uploads were taken back, and how far taking their rows out of the inventory has come.
 *
 * For ever there is a small object a batch, `batches/withdrawn/ID`, frame "RFWB" version 1 around JSON {"at", "by"}: from
 * the batches and these a store can be rebuilt. What a generation needs is a list of its own, immutable, that its manifest
 * names, frame "RFWL" version 1 around JSON: the swap of the manifest is the commit of a withdrawal, as of everything. A
 * batch leaves the list once no generation that a rollback can return to has any of its rows; by then its object is there.
 */
import * as v from 'valibot';
import { type Bytes, FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import type { Manifest } from '../format/manifest.ts';
import { generationKey, WITHDRAWALS_PREFIX, WITHDRAWN_PREFIX } from '../store/keys.ts';
import { listObjects } from '../store/list-objects.ts';
import type { ObjectStore } from '../store/store.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const id = v.string();
/** Of a source, or all of a batch. */
const released = v.object({ source: v.nullable(v.string()), every: v.exactOptional(v.literal(true)) });
const column = v.object({ bytes: count, sha256: v.string() });
const segment = v.object({
  key: v.string(),
  first: count,
  last: count,
  count,
  numbers: column,
  verdicts: column,
  evidenceIndex: column,
  evidenceBlocksBytes: count,
});
const facts = v.object({
  key: v.string(),
  firstDay: count,
  lastDay: count,
  rows: count,
  bytes: count,
  directoryBytes: count,
  crc32: count,
});

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

/** Computing the records of some numbers anew, from all batches but those withdrawn (rewrite.ts). */
const job = v.object({
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
  /** The records of the numbers, in number order, and their facts. */
  side: v.array(segment),
  sideFacts: v.array(facts),
  /** Once all is gathered: facts objects to be replaced, with how many have been, and what by. */
  facts: v.nullable(v.object({ inputs: v.array(v.string()), done: count, output: v.array(facts) })),
});

const schema = v.object({
  withdrawn: v.array(withdrawn),
  /** Batches whose numbers are to be computed anew: withdrawn ones, and those with rows that were dropped. */
  pending: v.array(pending),
  job: v.nullable(job),
});

export type Withdrawn = Readonly<v.InferOutput<typeof withdrawn>>;
export type Pending = Readonly<v.InferOutput<typeof pending>>;
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
const listFile = framedJson(LIST_MAGIC, 1, schema);
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
export function hasRoom(list: Withdrawals, base: Pick<Manifest, 'generation' | 'retained'>): boolean {
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
