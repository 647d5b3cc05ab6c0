/**
 * The history: which batches each generation merged. Frame "RFHI" version 1 around JSON, one object a generation,
 * written before the generation is published. Objects that are not on the chain of parents belong to attempts that
 * were never published.
 */
import * as v from 'valibot';
import { type Bytes, FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import type { Manifest } from '../format/manifest.ts';
import { generationKey, HISTORY_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';

const MAGIC = 'RFHI';
const VERSION = 1;

/** A rollback over more generations than this would need too many storage calls: three days of minutes. */
export const MAX_HISTORY_STEPS = 4_320;

const schema = v.object({
  generation: v.number(),
  commit: v.string(),
  parent: v.nullable(v.string()),
  /** Merged for the first time; a batch is in one generation's list only. */
  batches: v.array(v.string()),
  /** Merged again after a rollback. */
  replayed: v.array(v.string()),
});

export type HistoryEntry = v.InferOutput<typeof schema>;

/** The batches a generation merged. */
export type MergedBatches = Pick<HistoryEntry, 'batches' | 'replayed'>;

export const NO_BATCHES: MergedBatches = { batches: [], replayed: [] };

const object = framedJson(MAGIC, VERSION, schema);

export function encodeHistory({ generation, commit, parent }: Manifest, { batches, replayed }: MergedBatches): Bytes {
  return object.encode({ generation, commit, parent, batches, replayed });
}

/** Throws FormatError unless the bytes are a history object. */
export function decodeHistory(bytes: Bytes): HistoryEntry {
  return object.decode(bytes);
}

/** Ids of the batches first merged after a generation, up to and including the given manifest's. */
export async function batchesSince(objects: ObjectStore, manifest: Manifest, generation: number): Promise<string[]> {
  if (manifest.generation - generation > MAX_HISTORY_STEPS) {
    throw new RangeError(`generation ${generation} is more than ${MAX_HISTORY_STEPS} generations back`);
  }
  const batches: string[] = [];
  let commit: string | null = manifest.commit;
  for (let step = manifest.generation; step > generation && commit !== null; step--) {
    const key = generationKey(HISTORY_PREFIX, step, commit);
    const object = await objects.get(key);
    if (object === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
    const entry = decodeHistory(object.bytes);
    batches.push(...entry.batches);
    commit = entry.parent;
  }
  return batches;
}
