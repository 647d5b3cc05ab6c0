/**
 * The history: which batches each generation merged. Frame "RFHI" version 1 around JSON, one object a generation,
 * written before the generation is published. Objects that are not on the chain of parents belong to attempts that
 * were never published.
 */
import * as v from 'valibot';
import type { Manifest } from '../format/manifest.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { generationKey, HISTORY_PREFIX } from '../storage/keys.ts';
import type { ObjectStore } from '../storage/store.ts';

const MAGIC = 'RFHI';
const VERSION = 1;

/** A rollback over more generations than this would need too many storage calls: three days of minutes. */
const MAX_HISTORY_STEPS = 4_320;
/** Reading an entry, and each id in it, in records of a merge. */
const ENTRY_WORK = 16;
const ID_WORK = 1 / 4;

const schema = v.object({
  generation: count,
  commit: v.string(),
  parent: v.nullable(v.string()),
  /** Taken up for the first time, to be merged or withdrawn; a batch is in one generation's list only. */
  batches: v.array(v.string()),
  /** Merged again after a rollback. */
  replayed: v.array(v.string()),
  /** Of batches merged before: rows that had been held back, of a source or all, and were merged now, released. */
  released: v.exactOptional(
    v.array(v.object({ batch: v.string(), source: v.nullable(v.string()), every: v.exactOptional(v.literal(true)) })),
  ),
});

export type HistoryEntry = v.InferOutput<typeof schema>;
export type Released = Readonly<NonNullable<HistoryEntry['released']>[number]>;

/** The batches a generation merged. */
export interface MergedBatches extends Readonly<Pick<HistoryEntry, 'batches' | 'replayed'>> {
  readonly released?: readonly Released[];
}

export const NO_BATCHES: MergedBatches = { batches: [], replayed: [] };

const object = framedJson(MAGIC, VERSION, schema);

export function encodeHistory({ generation, commit, parent }: Manifest, merged: MergedBatches): Bytes {
  const { batches, replayed, released = [] } = merged;
  return object.encode({
    ...{ generation, commit, parent, batches, replayed },
    ...(released.length > 0 && { released: [...released] }),
  });
}

/** Throws FormatError unless the bytes are a history object. */
export function decodeHistory(bytes: Bytes): HistoryEntry {
  return object.decode(bytes);
}

/**
 * What was merged after a generation, up to and including the given manifest's, newest first. Rejects when that is too
 * long ago, or a part of the history cannot be read.
 */
export async function historySince(
  objects: ObjectStore,
  manifest: Manifest,
  generation: number,
  pace: Pacer,
): Promise<HistoryEntry[]> {
  if (manifest.generation - generation > MAX_HISTORY_STEPS) {
    throw new RangeError(`generation ${generation} is more than ${MAX_HISTORY_STEPS} generations back`);
  }
  const entries: HistoryEntry[] = [];
  let commit: string | null = manifest.commit;
  for (let step = manifest.generation; step > generation && commit !== null; step--) {
    const entry = await readHistory(objects, step, commit);
    entries.push(entry);
    commit = entry.parent;
    if (pace.count(ENTRY_WORK + (entry.batches.length + entry.replayed.length) * ID_WORK)) await pace.giveWay();
  }
  return entries;
}

/** Ids of the batches first merged after a generation, up to and including the given manifest's. */
export async function batchesSince(
  objects: ObjectStore,
  manifest: Manifest,
  generation: number,
  pace: Pacer,
): Promise<string[]> {
  return (await historySince(objects, manifest, generation, pace)).flatMap(({ batches }) => batches);
}

/** Whether there is one of a generation. */
export async function hasHistory(objects: ObjectStore, generation: number, commit: string): Promise<boolean> {
  return (await objects.head(generationKey(HISTORY_PREFIX, generation, commit))) !== null;
}

/** Of one generation, with when it was written: a moment before it was published. Rejects when it cannot be read. */
export async function readHistory(
  objects: ObjectStore,
  generation: number,
  commit: string,
): Promise<HistoryEntry & { readonly writtenAt: number }> {
  const key = generationKey(HISTORY_PREFIX, generation, commit);
  const stored = await objects.get(key);
  if (stored === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
  return { ...decodeHistory(stored.bytes), writtenAt: stored.uploadedAt };
}
