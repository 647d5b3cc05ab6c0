/**
 * The history: which batches each generation merged, kept for ever. Each generation has a page, which ends with it and
 * has the generations before it back to where the next page begins. A generation's page is a part of the copy of its
 * manifest, which is written anyway, until it has sixty-four generations or is large; then it is an object of its own,
 * and the next one begins anew. So the chain of pages is one of objects, but for the first, which the manifest names;
 * an object is named like the generation that its page ends with. Objects that are not on the chain belong to attempts
 * that were never published.
 *
 * A page is a frame "RFHI" version 2 around JSON. Version 1 has one generation.
 */
import * as v from 'valibot';
import { decodeManifest, type Manifest } from '../format/manifest.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { Log } from '../lib/errors.ts';
import { framedJson, frameVersion } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { generationKey, HISTORY_PREFIX, RETAINED_PREFIX, timeOfBatch } from '../storage/keys.ts';
import { listObjects, type ObjectStore } from '../storage/store.ts';

const MAGIC = 'RFHI';
const VERSION = 2;

/** Generations of a page: an hour of ticks, in some 10 KB that each of them writes with its copy. */
export const PAGE_GENERATIONS = 64;
/** A page that is larger becomes an object: thousands of batches came in at once. */
export const PAGE_BYTES = 16_384;

/** A rollback over more generations than this would need too many storage calls: three days of minutes. */
const MAX_HISTORY_STEPS = 4_320;
/** Reading an entry, and each id in it, in records of a merge. */
const ENTRY_WORK = 16;
const ID_WORK = 1 / 4;

const merged = {
  /** Taken up for the first time, to be merged or withdrawn; a batch is in one generation's list only. */
  batches: v.array(v.string()),
  /** Merged again after a rollback. */
  replayed: v.array(v.string()),
  /** Of batches merged before: rows that had been held back, of a source or all, and were merged now, released. */
  released: v.exactOptional(
    v.array(v.object({ batch: v.string(), source: v.nullable(v.string()), every: v.exactOptional(v.literal(true)) })),
  ),
};

const page = v.object({
  /** The last one of the page; the others count down. */
  generation: count,
  /** Commit of the generation before the first of the page, null if that was the first of all. */
  parent: v.nullable(v.string()),
  /** Oldest first. `at`: when it was published, milliseconds since 1970. */
  entries: v.pipe(
    v.array(v.object({ commit: v.string(), at: count, ...merged })),
    v.minLength(1),
    v.maxLength(PAGE_GENERATIONS),
  ),
});

const pageOfVersion1 = v.object({ generation: count, commit: v.string(), parent: v.nullable(v.string()), ...merged });

/** What one generation merged. */
export interface HistoryEntry extends MergedBatches {
  readonly generation: number;
  readonly commit: string;
  readonly parent: string | null;
  /** When it was published, or in an object of version 1 written, a moment before; milliseconds since 1970. */
  readonly writtenAt: number;
}

export type Released = Readonly<NonNullable<v.InferOutput<typeof pageOfVersion1>['released']>[number]>;

/** The batches a generation merged. */
export interface MergedBatches {
  readonly batches: readonly string[];
  readonly replayed: readonly string[];
  readonly released?: readonly Released[];
}

export const NO_BATCHES: MergedBatches = { batches: [], replayed: [] };

const frameOf = { page: framedJson(MAGIC, VERSION, page), version1: framedJson(MAGIC, 1, pageOfVersion1) };

/** @param entries the generations of a page, newest first, each the parent of the one before it in the list */
export function encodeHistory(entries: readonly HistoryEntry[]): Bytes {
  const [newest, oldest] = [entries[0], entries.at(-1)];
  if (newest === undefined || oldest === undefined)
    throw new RangeError('a page of the history has a generation at least');
  return frameOf.page.encode({
    generation: newest.generation,
    parent: oldest.parent,
    entries: entries.toReversed().map(({ commit, writtenAt, batches, replayed, released = [] }) => ({
      ...{ commit, at: writtenAt, batches: [...batches], replayed: [...replayed] },
      ...(released.length > 0 && { released: [...released] }),
    })),
  });
}

/**
 * The generations of a page, newest first. Throws FormatError unless the bytes are one.
 * @param writtenAt when they were stored, which version 1 does not say
 */
export function decodeHistory(bytes: Bytes, writtenAt: number): HistoryEntry[] {
  if (frameVersion(bytes) === 1) return [{ ...frameOf.version1.decode(bytes), writtenAt }];
  const { generation, parent, entries } = frameOf.page.decode(bytes);
  if (entries.length > generation)
    throw new FormatError(`${MAGIC}: has ${entries.length} of ${generation} generations`);
  return entries
    .map(({ at, ...entry }, i) => ({
      ...entry,
      generation: generation - (entries.length - 1 - i),
      parent: entries[i - 1]?.commit ?? parent,
      writtenAt: at,
    }))
    .reverse();
}

/**
 * Of the present generation and those before it, back to the first, newest first. Rejects where a page cannot be read.
 */
export async function* historyOf(
  objects: ObjectStore,
  manifest: Manifest,
): AsyncGenerator<HistoryEntry, void, undefined> {
  if (manifest.generation > 0) yield* onwards(objects, await currentPage(objects, manifest));
}

/**
 * Likewise, from a generation on that came before the manifest's; null: the history has none such.
 * @param commit of the generation
 */
export async function historyFrom(
  objects: ObjectStore,
  manifest: Manifest,
  generation: number,
  commit: string,
): Promise<AsyncGenerator<HistoryEntry, void, undefined> | null> {
  const found = await pageWith(objects, manifest, generation, commit);
  return (
    found &&
    onwards(
      objects,
      found.filter((entry) => entry.generation <= generation),
    )
  );
}

/** Whether there is one of a generation. */
export async function hasHistory(
  objects: ObjectStore,
  manifest: Manifest,
  generation: number,
  commit: string,
): Promise<boolean> {
  return (await pageWith(objects, manifest, generation, commit)) !== null;
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
  if (manifest.generation <= generation) return entries;
  for await (const entry of historyOf(objects, manifest)) {
    entries.push(entry);
    if (pace.count(ENTRY_WORK + (entry.batches.length + entry.replayed.length) * ID_WORK)) await pace.giveWay();
    if (entry.generation === generation + 1) break;
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

/** What a page is written with. */
interface Publishing {
  readonly objects: ObjectStore;
  readonly log: Log;
  readonly budget: { readonly historyGenerations: number };
}

/**
 * The page of the next generation. Where that of the present one is lost, it begins anew, and what the one before that
 * had is written as an object: the history has a hole of one generation, which no rollback goes beyond.
 */
export async function nextPage(
  { objects, log, budget }: Publishing,
  present: Manifest,
  next: HistoryEntry,
): Promise<{ readonly bytes: Bytes; readonly isFull: boolean }> {
  const before = await carriedPage(objects, present).catch(async (error: unknown) => {
    if (!(error instanceof FormatError)) throw error;
    log('history.lost', { generation: present.generation, reason: error.message });
    await keepEarlier(objects, present);
    return [];
  });
  const entries = [next, ...before];
  const bytes = encodeHistory(entries);
  return { bytes, isFull: entries.length >= budget.historyGenerations || bytes.length > PAGE_BYTES };
}

async function keepEarlier(objects: ObjectStore, { retained, parent }: Manifest): Promise<void> {
  const earlier = retained.at(-1);
  if (earlier === undefined || earlier.commit !== parent) return;
  const { generation, commit } = earlier;
  const copy = await objects.get(generationKey(RETAINED_PREFIX, generation, commit));
  if (copy === null) return;
  const entries = await carriedPage(objects, decodeManifest(copy.bytes));
  if (entries.length > 0) await objects.put(generationKey(HISTORY_PREFIX, generation, commit), encodeHistory(entries));
}

/** What the next generation's page begins with: nothing, if that of the present one is an object. */
async function carriedPage(objects: ObjectStore, { history }: Manifest): Promise<HistoryEntry[]> {
  return history === null ? [] : readPage(objects, history);
}

/** Between the clocks of two isolates, at most, and more than there ever is. */
const CLOCKS_APART_MS = 300_000;

/**
 * Which batches no generation has taken up for certain: they came in after a generation on the page was published,
 * which has all that was taken up since, and does not have them. Of others nothing is known.
 */
export async function knownUntaken(objects: ObjectStore, manifest: Manifest): Promise<(id: string) => boolean> {
  const entries = await carriedPage(objects, manifest).catch((error: unknown) => {
    if (!(error instanceof FormatError)) throw error;
    // Whoever publishes tells.
    return [];
  });
  const since = (entries.at(-1)?.writtenAt ?? Number.POSITIVE_INFINITY) + CLOCKS_APART_MS;
  const taken = new Set(entries.flatMap(({ batches }) => batches));
  return (id) => (timeOfBatch(id) ?? 0) >= since && !taken.has(id);
}

async function* onwards(
  objects: ObjectStore,
  from: readonly HistoryEntry[],
): AsyncGenerator<HistoryEntry, void, undefined> {
  for (let entries = from; ; ) {
    yield* entries;
    const { generation, parent } = entries.at(-1) as HistoryEntry;
    if (parent === null) return;
    entries = await pageOf(objects, generation - 1, parent);
  }
}

/** The page that ends with the generation of a manifest. */
export async function currentPage(objects: ObjectStore, manifest: Manifest): Promise<HistoryEntry[]> {
  const { history, generation, commit } = manifest;
  return history === null ? pageOf(objects, generation, commit) : checkedPage(objects, history, { generation, commit });
}

/** The page that ends with a generation. @throws FormatError if it is missing or damaged */
export async function pageOf(objects: ObjectStore, generation: number, commit: string): Promise<HistoryEntry[]> {
  return checkedPage(objects, generationKey(HISTORY_PREFIX, generation, commit), { generation, commit });
}

async function checkedPage(
  objects: ObjectStore,
  key: string,
  { generation, commit }: Pick<HistoryEntry, 'generation' | 'commit'>,
): Promise<HistoryEntry[]> {
  const entries = await readPage(objects, key);
  const [newest] = entries;
  if (newest?.generation !== generation || newest.commit !== commit) {
    throw new FormatError(`${MAGIC}: ${key} is that of generation ${newest?.generation}, commit ${newest?.commit}`);
  }
  return entries;
}

/** The page that a generation is on; null: there is none. */
async function pageWith(
  objects: ObjectStore,
  manifest: Manifest,
  generation: number,
  commit: string,
): Promise<HistoryEntry[] | null> {
  const isOn = (entries: readonly HistoryEntry[]) =>
    entries.some((entry) => entry.generation === generation && entry.commit === commit);
  if (generation > manifest.generation) return null;
  const current = await carriedPage(objects, manifest);
  if (isOn(current)) return current;
  // A page ends with its generation or one of the next. Of attempts that were not published there are some, too.
  const startAfter = generationKey(HISTORY_PREFIX, generation, '');
  const end = generationKey(HISTORY_PREFIX, generation + PAGE_GENERATIONS, '');
  for await (const { key } of listObjects(objects, HISTORY_PREFIX, Number.POSITIVE_INFINITY, { startAfter })) {
    if (key >= end) break;
    const entries = await readPage(objects, key);
    if (isOn(entries)) return entries;
  }
  return null;
}

async function readPage(objects: ObjectStore, key: string): Promise<HistoryEntry[]> {
  const stored = await objects.get(key);
  if (stored === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
  return decodeHistory(stored.bytes, stored.uploadedAt);
}
