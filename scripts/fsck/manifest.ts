/**
 * Checks the manifest: that it is there, can be read and does not contradict itself; if it is lost, which copy it was.
 */
import { decodeManifest, EMPTY_MANIFEST, type Manifest, type SegmentEntry } from '../../src/format/manifest.ts';
import { SEGMENT_ALIGNMENT } from '../../src/format/segment.ts';
import { loggableMessage, messageOf } from '../../src/lib/errors.ts';
import { readOutput } from '../../src/merge/compaction-output.ts';
import { currentPage } from '../../src/merge/history.ts';
import {
  ACTIVITY_PREFIX,
  COMPACTION_PREFIX,
  generationKey,
  HISTORY_PREFIX,
  LEDGER_PREFIX,
  MANIFEST_KEY,
  MERGED_PREFIX,
  RETAINED_PREFIX,
  SEGMENT_PREFIX,
  SET_ASIDE_PREFIX,
  WAITING_PREFIX,
  WITHDRAWALS_PREFIX,
} from '../../src/storage/keys.ts';
import { hasMerged } from '../../src/storage/manifest-object.ts';
import type { ObjectHead, ObjectStore, StoredObject } from '../../src/storage/store.ts';
import { type Check, type FsckContext, FsckError, listObjects, REBUILD } from './findings.ts';

// What a manifest says of itself, held against itself. Its reader has checked that segments are in number order.

/** The segments that a compaction under way has written; null: they cannot be told. */
export type Output = readonly SegmentEntry[] | null;

/** What in a manifest cannot be true at once, each as the end of a sentence about it. */
export function contradictions(manifest: Manifest, output: Output): string[] {
  const {
    runs,
    activity,
    watermarks,
    replay,
    unscreened,
    missingSlices,
    generation,
    parent,
    retained,
    compaction,
    withdrawals,
  } = manifest;
  const problems: string[] = [];
  const entries = segmentsInUse(manifest, output);
  const keys = entries.map(({ key }) => key);
  if (generation === 0) problems.push('is of generation 0, which is never published');
  if ((generation === 1) !== (parent === null)) problems.push(`is of generation ${generation} with parent ${parent}`);
  if (hasRepeats(entries.map(({ key, offset }) => `${key} ${offset}`))) problems.push('names a segment twice');
  if (hasRepeats(activity.map(({ key }) => key))) problems.push('names an activity object twice');
  const isStack = watermarks.every(({ generation: from, day }, i) => {
    const before = watermarks[i - 1];
    return from <= generation && (before === undefined || (before.generation < from && before.day < day));
  });
  if (!isStack) problems.push('says since when activity has come in, but not in order');
  if (hasRepeats(runs.map(({ id }) => id))) problems.push('has two runs of one name');
  if (hasRepeats(replay)) problems.push('has a batch to be merged again twice');
  if (unscreened.some((id) => !replay.includes(id)))
    problems.push('has a batch to be screened that it is not to merge');
  if (output !== null && missingSlices.some((key) => !keys.includes(key))) {
    problems.push('has a segment without slices that no run names');
  }
  if (withdrawals?.replacing === true && (compaction === null || withdrawals.pending === 0)) {
    problems.push('takes out withdrawn batches, but has none, or no compaction that does');
  }
  const isAscending = retained.every((entry, i) => entry.generation < (retained[i + 1]?.generation ?? generation));
  if (!isAscending) problems.push('retains generations that are not in order');
  return [...problems, ...compactionContradictions(manifest, output)];
}

function compactionContradictions({ runs, compaction }: Manifest, output: Output): string[] {
  if (compaction === null) return [];
  const { inputs, resumeFrom } = compaction;
  const first = runs.findIndex(({ id }) => id === inputs[0]);
  const problems: string[] = [];
  if (first === -1 || inputs.some((id, i) => runs[first + i]?.id !== id)) {
    problems.push('has a compaction of runs that are not neighbours in it');
  }
  if (resumeFrom % SEGMENT_ALIGNMENT !== 0 || (output?.at(-1)?.last ?? -1) >= resumeFrom) {
    problems.push('has a compaction that goes on in the middle of a block, or where it has been');
  }
  return problems;
}

/** Segments of the runs, newest run first, then those of a compaction that is under way. */
export function segmentsInUse({ runs }: Manifest, output: Output): SegmentEntry[] {
  return [...runs.flatMap(({ segments }) => segments), ...(output ?? [])];
}

/**
 * What the compaction of a manifest has written, or null, with a problem told, if that cannot be read.
 * @param cost what that costs, and what to do
 */
export async function checkOutput(
  objects: ObjectStore,
  { compaction }: Manifest,
  check: Check,
  cost: string,
): Promise<Output> {
  if (compaction === null) return [];
  try {
    return await readOutput(objects, compaction.output);
  } catch (error) {
    check.error(compaction.output.key ?? MANIFEST_KEY, messageOf(error), cost);
    return null;
  }
}

function hasRepeats(values: readonly string[]): boolean {
  return new Set(values).size !== values.length;
}

// The copies of manifests, for who has lost the manifest: which of them it may have been.

interface NewestCopies {
  /** Keys of all copies of the newest generation that has one; of several, one at most was published. */
  readonly keys: readonly string[];
  /**
   * What tells of as late a generation or a later one whose copy is gone, and that may have been the one published: its
   * history, if that is an object, a list that it had, or a batch that it took up. Only a generation that decided
   * nothing and merged nothing, the last of a compaction, leaves none of it: without it nothing is lost. Nor does the
   * release of the last batch that was set aside, which is then set aside as before.
   */
  readonly gone: string | null;
  /**
   * What the manifest was, or would have been a moment later: of the newest generation there was no other. null: nobody
   * can tell.
   */
  readonly certain: string | null;
}

export async function newestCopies(objects: ObjectStore): Promise<NewestCopies> {
  const heads: ObjectHead[] = [];
  for await (const head of listObjects(objects, RETAINED_PREFIX)) {
    if (heads[0] !== undefined && generationOf(heads[0].key) !== generationOf(head.key)) heads.length = 0;
    heads.push(head);
  }
  const keys = heads.map(({ key }) => key);
  const [only, other] = keys;
  if (only === undefined) return { keys, gone: null, certain: null };
  const startAfter = generationKey(HISTORY_PREFIX, generationOf(only), '');
  const histories = (await objects.list(HISTORY_PREFIX, { limit: keys.length + 1, startAfter })).objects;
  const copied = new Set(keys.map((key) => HISTORY_PREFIX + key.slice(RETAINED_PREFIX.length)));
  const gone =
    histories.find(({ key }) => !copied.has(key))?.key ??
    (await listedLater(objects, generationOf(only))) ??
    (await takenUpLater(objects, heads));
  return { keys, gone, certain: other === undefined && gone === null ? only : null };
}

/** Whose keys begin with the generation that they were written for. */
const OF_GENERATIONS = [LEDGER_PREFIX, SET_ASIDE_PREFIX, WITHDRAWALS_PREFIX, COMPACTION_PREFIX];

/** Key of what was written for a later generation, be it that it was not published; null: there is nothing. */
async function listedLater(objects: ObjectStore, generation: number): Promise<string | null> {
  for (const prefix of OF_GENERATIONS) {
    const startAfter = generationKey(prefix, generation + 1, '');
    const [first] = (await objects.list(prefix, { startAfter, limit: 1 })).objects;
    if (first !== undefined) return first.key;
  }
  return null;
}

/**
 * Key of a batch that was moved after the newest copies were written, and that none of them knows of; null: there is
 * none. What a generation takes up is moved after its copy is written; a copy that was written before a batch was moved
 * names it as consumed, unless it is of an earlier generation than that which took it up.
 */
async function takenUpLater(objects: ObjectStore, copies: readonly ObjectHead[]): Promise<string | null> {
  const known = new Set<string>();
  for (const { key } of copies) {
    try {
      const copy = await objects.get(key);
      const manifest = copy === null ? EMPTY_MANIFEST : decodeManifest(copy.bytes);
      const [newest] = manifest.generation === 0 ? [] : await currentPage(objects, manifest);
      for (const id of [...manifest.consumed, ...(newest?.batches ?? [])]) known.add(id);
    } catch {
      // Told where what it says is needed.
    }
  }
  const since = Math.max(...copies.map(({ uploadedAt }) => uploadedAt));
  for await (const { key, uploadedAt } of listObjects(objects, MERGED_PREFIX)) {
    if (uploadedAt > since && !known.has(key.slice(MERGED_PREFIX.length))) return key;
  }
  return null;
}

/** Of a key below `manifests/`. */
export function generationOf(key: string): number {
  return Number(key.slice(RETAINED_PREFIX.length, key.indexOf('-')));
}

// The manifest: that it is there, can be read, and agrees with itself.

/** What a published generation leaves behind, so that none of it is there in a store that never had one. */
const TRACES = [RETAINED_PREFIX, HISTORY_PREFIX, SEGMENT_PREFIX, ACTIVITY_PREFIX, MERGED_PREFIX];

const NO_BATCHES = 'There are no batches to rebuild the store from: put a copy of the bucket back.';

export interface WithOutput {
  readonly manifest: Manifest;
  readonly output: Output;
}

export interface ReadManifest extends WithOutput {
  /** Null before the first generation. */
  readonly object: StoredObject | null;
}

const NEVER_PUBLISHED: ReadManifest = { manifest: EMPTY_MANIFEST, output: [], object: null };

const ANEW = 'Nothing is lost, and lookups are right: the next tick begins the compaction anew.';

/**
 * The current manifest, or null, with a problem told, if it is missing or damaged.
 *
 * @throws FsckError if the storage does not answer: this is the first thing that is asked of it
 */
export async function checkManifest({ objects, findings, progress }: FsckContext): Promise<ReadManifest | null> {
  progress.begin('manifest');
  const check = findings.begin('manifest');
  let object: StoredObject | null;
  try {
    object = await objects.get(MANIFEST_KEY);
  } catch (error) {
    throw new FsckError(`the storage did not answer: ${messageOf(error)}`);
  }
  if (object === null) {
    const trace = await firstKey(objects, TRACES);
    if (trace === null) return NEVER_PUBLISHED;
    const isWaiting = (await firstKey(objects, [WAITING_PREFIX])) !== null;
    if (isWaiting && !(await wasPublished(objects))) {
      // All that the tick wrote is garbage, and what it was to merge still waits.
      const remedy = 'Nothing is lost: the next tick publishes what waits.';
      check.warning(MANIFEST_KEY, 'is not there yet: the first tick was stopped before it published', remedy);
      return NEVER_PUBLISHED;
    }
    const stop = 'Ticks stop, and lookups answer unknown, until it is back.';
    check.error(MANIFEST_KEY, `is missing, but there is ${trace}`, `${stop} ${await remedy(objects)}`);
    return null;
  }
  check.looked = 1;
  try {
    const manifest = decodeManifest(object.bytes);
    const output = await checkOutput(objects, manifest, check, ANEW);
    for (const problem of contradictions(manifest, output)) check.error(MANIFEST_KEY, problem, REBUILD);
    return { manifest, output, object };
  } catch (error) {
    check.error(MANIFEST_KEY, loggableMessage(error), await remedy(objects));
    return null;
  }
}

/** That the manifest is the same as at the beginning. @throws FsckError if it is not: the findings may be of neither */
export async function checkUnchanged({ objects }: FsckContext, { manifest, object }: ReadManifest): Promise<void> {
  const etag = (await objects.head(MANIFEST_KEY))?.etag;
  if (etag === object?.etag) return;
  throw new FsckError(
    `generation ${manifest.generation} was replaced while it was checked, so what was found may be of neither. ` +
      'Stop whatever else works on this store and check again.',
  );
}

/**
 * Whether a generation was ever current, by what the next tick goes by, or by a copy of one that follows another.
 *
 * @throws FsckError if the storage does not answer
 */
async function wasPublished(objects: ObjectStore): Promise<boolean> {
  try {
    if (await hasMerged(objects)) return true;
  } catch (error) {
    throw new FsckError(`the storage did not answer: ${messageOf(error)}`, { cause: error });
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
