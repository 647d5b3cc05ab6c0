/**
 * Checks the history: the chain of parents from the current generation back to the first, and the batches named on it.
 */
import { decodeManifest, type Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { decodeHistory, type HistoryEntry, PAGE_GENERATIONS } from '../../src/merge/history.ts';
import { generationKey, HISTORY_PREFIX, MANIFEST_KEY, RETAINED_PREFIX } from '../../src/storage/keys.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type Check, type FsckContext, FsckError, listObjects, REBUILD } from './findings.ts';

/** Ten years of minutes. */
const MAX_GENERATIONS = 5_256_000;
/** About a hundred bytes of memory each. */
const MAX_BATCHES = 8_000_000;

export interface History {
  /** Batch -> the generation that first merged it. */
  readonly mergedBy: Map<string, number>;
  /** Objects of the history that are on the chain; pages that are parts of copies are none. */
  readonly length: number;
  /** Whether all of it could be read; if not, `mergedBy` lacks some. */
  readonly isWhole: boolean;
}

/** @throws FsckError beyond MAX_GENERATIONS or MAX_BATCHES */
export async function checkHistory(
  context: FsckContext,
  manifest: Manifest,
  setAside: ReadonlySet<string>,
): Promise<History> {
  const check = context.findings.begin('history');
  if (manifest.generation > MAX_GENERATIONS) {
    throw new FsckError(`the history has ${manifest.generation} generations, expected ${MAX_GENERATIONS} at most`);
  }
  context.progress.begin('history', manifest.generation);
  const retained = new Map(manifest.retained.map(({ generation, commit }) => [generation, commit]));
  const mergedBy = new Map<string, number>();
  const replayed = new Map<string, string>();
  let place: Place | null =
    manifest.generation === 0 ? null : { ...manifest, key: manifest.history ?? ownKey(manifest) };
  let length = 0;
  let isWhole = true;
  while (place !== null) {
    const { key }: Place = place;
    const page = await readPage(context.objects, place, check);
    if (page === null) isWhole = false;
    else if (key.startsWith(HISTORY_PREFIX)) length += 1;
    for (const entry of page ?? []) {
      const expected = retained.get(entry.generation);
      if (expected !== undefined && expected !== entry.commit) {
        check.error(MANIFEST_KEY, `retains commit ${expected}, but the history leads to ${ownKey(entry)}`, REBUILD);
      }
      addBatches(entry, key, mergedBy, check);
      for (const id of entry.replayed) replayed.set(id, key);
      context.progress.advance();
    }
    place = page === null ? await beforeHole(context.objects, place) : parentOf(page);
  }
  if (isWhole) checkReferences(manifest, setAside, mergedBy, replayed, check);
  return { mergedBy, length, isWhole };
}

/** A generation, and the key of the page that ends with it. */
type Place = Pick<HistoryEntry, 'generation' | 'commit'> & { readonly key: string };

/** Of the page that ends with a generation, if that is an object. */
function ownKey({ generation, commit }: Omit<Place, 'key'>): string {
  return generationKey(HISTORY_PREFIX, generation, commit);
}

/** Where the history goes on; null: the page begins with the first generation. */
function parentOf(page: readonly HistoryEntry[]): Place | null {
  const { generation, parent } = page.at(-1) as HistoryEntry;
  if (parent === null) return null;
  const before = { generation: generation - 1, commit: parent };
  return { ...before, key: ownKey(before) };
}

async function readPage(
  objects: ObjectStore,
  { generation, commit, key }: Place,
  check: Check,
): Promise<HistoryEntry[] | null> {
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('is missing');
    const page = decodeHistory(object.bytes, object.uploadedAt);
    check.looked += page.length;
    const [newest, oldest] = [page[0], page.at(-1)];
    if (newest?.generation !== generation || newest.commit !== commit) {
      throw new RangeError(`is that of generation ${newest?.generation}, commit ${newest?.commit}`);
    }
    if ((oldest?.generation === 1) !== (oldest?.parent === null)) {
      throw new RangeError(`names ${oldest?.parent} as its parent`);
    }
    return page;
  } catch (error) {
    check.looked += 1;
    const remedy = `Lookups are right. Do not roll back beyond generation ${generation}.`;
    check.error(key, messageOf(error), remedy);
    return null;
  }
}

/**
 * Where the history goes on before a page that cannot be read: with that of the generation before, if the lost one's
 * copy is there to say which that was; else with the latest object before, if there is only one so late.
 */
async function beforeHole(objects: ObjectStore, { generation, commit }: Place): Promise<Place | null> {
  const parent = (await copyOf(objects, generation, commit))?.parent;
  if (parent != null) {
    const before = { generation: generation - 1, commit: parent };
    if ((await objects.head(ownKey(before))) !== null) return { ...before, key: ownKey(before) };
    const key = (await copyOf(objects, before.generation, parent))?.history;
    if (key != null) return { ...before, key };
  }
  const startAfter = generationKey(HISTORY_PREFIX, Math.max(0, generation - PAGE_GENERATIONS), '');
  const keys: string[] = [];
  for await (const { key } of listObjects(objects, HISTORY_PREFIX, startAfter)) {
    if (generationIn(key) >= generation) break;
    if (keys[0] !== undefined && generationIn(keys[0]) !== generationIn(key)) keys.length = 0;
    keys.push(key);
  }
  const [only, other] = keys;
  if (only === undefined || other !== undefined) return null;
  return { generation: generationIn(only), commit: only.slice(only.indexOf('-') + 1), key: only };
}

/** Of a key below `history/`. */
function generationIn(key: string): number {
  return Number(key.slice(HISTORY_PREFIX.length, key.indexOf('-')));
}

/** The manifest of a generation, from its copy; null: that cannot be read, which is told where it is checked. */
async function copyOf(objects: ObjectStore, generation: number, commit: string): Promise<Manifest | null> {
  try {
    const copy = await objects.get(generationKey(RETAINED_PREFIX, generation, commit));
    return copy && decodeManifest(copy.bytes);
  } catch {
    return null;
  }
}

function addBatches(entry: HistoryEntry, key: string, mergedBy: Map<string, number>, check: Check): void {
  for (const id of entry.batches) {
    const later = mergedBy.get(id);
    if (later !== undefined) {
      const what = `merged batch ${id}, and generation ${later} merged it again: its sightings count twice`;
      check.error(key, what, REBUILD);
    }
    mergedBy.set(id, entry.generation);
  }
  if (mergedBy.size > MAX_BATCHES) throw new FsckError(`the history names more than ${MAX_BATCHES} batches`);
}

/** Whatever is named as merged before must have been. */
function checkReferences(
  { replay, consumed }: Manifest,
  setAside: ReadonlySet<string>,
  mergedBy: ReadonlyMap<string, number>,
  replayed: ReadonlyMap<string, string>,
  check: Check,
): void {
  const inManifest = { 'set aside': setAside, 'to be merged again': replay, 'as consumed': consumed };
  for (const [what, ids] of Object.entries(inManifest)) {
    for (const id of ids) {
      if (!mergedBy.has(id)) check.error(MANIFEST_KEY, `has batch ${id} ${what}, which was never merged`, REBUILD);
    }
  }
  for (const [id, key] of replayed) {
    if (!mergedBy.has(id)) check.error(key, `merged batch ${id} again, which was never merged before`, REBUILD);
  }
}
