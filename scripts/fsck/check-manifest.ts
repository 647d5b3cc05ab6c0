/** The manifest: that it is there, can be read, and agrees with itself. */
import { decodeManifest, EMPTY_MANIFEST, type Manifest } from '../../src/format/manifest.ts';
import { loggableMessage, messageOf } from '../../src/merge/context.ts';
import {
  FACTS_PREFIX,
  generationKey,
  HISTORY_PREFIX,
  MANIFEST_KEY,
  MERGED_PREFIX,
  RETAINED_PREFIX,
  SEGMENT_PREFIX,
  WAITING_PREFIX,
} from '../../src/store/keys.ts';
import { hasMerged } from '../../src/store/lost-manifest.ts';
import type { ObjectStore, StoredObject } from '../../src/store/store.ts';
import { contradictions } from './contradictions.ts';
import { listObjects } from './list-all.ts';
import { type Look, LookError, REBUILD } from './look.ts';
import { newestCopies } from './newest-copies.ts';

/** What a published generation leaves behind, so that none of it is there in a store that never had one. */
const TRACES = [RETAINED_PREFIX, HISTORY_PREFIX, SEGMENT_PREFIX, FACTS_PREFIX, MERGED_PREFIX];

const NO_BATCHES = 'There are no batches to rebuild the store from: put a copy of the bucket back.';

export interface ReadManifest {
  readonly manifest: Manifest;
  /** Null before the first generation. */
  readonly object: StoredObject | null;
}

/**
 * The current manifest, or null, with a problem told, if it is missing or damaged.
 *
 * @throws LookError if the storage does not answer: this is the first thing that is asked of it
 */
export async function checkManifest({ objects, findings, progress }: Look): Promise<ReadManifest | null> {
  progress.begin('manifest');
  const check = findings.begin('manifest');
  let object: StoredObject | null;
  try {
    object = await objects.get(MANIFEST_KEY);
  } catch (error) {
    throw new LookError(`the storage did not answer: ${messageOf(error)}`);
  }
  if (object === null) {
    const trace = await firstKey(objects, TRACES);
    if (trace === null) return { manifest: EMPTY_MANIFEST, object: null };
    const isWaiting = (await firstKey(objects, [WAITING_PREFIX])) !== null;
    if (isWaiting && !(await wasPublished(objects))) {
      // All that the tick wrote is garbage, and what it was to merge still waits.
      const remedy = 'Nothing is lost: the next tick publishes what waits.';
      check.warning(MANIFEST_KEY, 'is not there yet: the first tick was stopped before it published', remedy);
      return { manifest: EMPTY_MANIFEST, object: null };
    }
    const stop = 'Ticks stop, and lookups answer unknown, until it is back.';
    check.error(MANIFEST_KEY, `is missing, but there is ${trace}`, `${stop} ${await remedy(objects)}`);
    return null;
  }
  check.looked = 1;
  try {
    const manifest = decodeManifest(object.bytes);
    for (const problem of contradictions(manifest)) check.error(MANIFEST_KEY, problem, REBUILD);
    return { manifest, object };
  } catch (error) {
    check.error(MANIFEST_KEY, loggableMessage(error), await remedy(objects));
    return null;
  }
}

/** That the manifest is the same as at the beginning. @throws LookError if it is not: the findings may be of neither */
export async function checkUnchanged({ objects }: Look, { manifest, object }: ReadManifest): Promise<void> {
  const etag = (await objects.head(MANIFEST_KEY))?.etag;
  if (etag === object?.etag) return;
  throw new LookError(
    `generation ${manifest.generation} was replaced while it was checked, so what was found may be of neither. ` +
      'Stop whatever else works on this store and check again.',
  );
}

/**
 * Whether a generation was ever current, by what the next tick goes by, or by a copy of one that follows another.
 *
 * @throws LookError if the storage does not answer
 */
async function wasPublished(objects: ObjectStore): Promise<boolean> {
  try {
    if (await hasMerged(objects)) return true;
  } catch (error) {
    throw new LookError(`the storage did not answer: ${messageOf(error)}`, { cause: error });
  }
  const first = generationKey(RETAINED_PREFIX, 1, '');
  for await (const { key } of listObjects(objects, RETAINED_PREFIX)) if (!key.startsWith(first)) return true;
  return false;
}

async function firstKey(objects: ObjectStore, prefixes: readonly string[]): Promise<string | null> {
  for (const prefix of prefixes) {
    const [first] = (await objects.list(prefix, { limit: 1 })).objects;
    if (first !== undefined) return first.key;
  }
  return null;
}

/** What to do about a manifest that cannot be read: the copy of its own generation is kept under `manifests/`. */
async function remedy(objects: ObjectStore): Promise<string> {
  const rebuild = (await firstKey(objects, [MERGED_PREFIX, WAITING_PREFIX])) === null ? NO_BATCHES : REBUILD;
  // Two of one generation: one of them lost against the other, and must not come back.
  const { certain } = await newestCopies(objects);
  if (certain === null) return rebuild;
  return `Put a copy of ${certain} in its place and check again. If that does not help: ${rebuild}`;
}
