/** The history: the chain of parents from the current generation back to the first, and the batches named on it. */
import { decodeManifest, type Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import { decodeHistory, type HistoryEntry } from '../../src/merge/history.ts';
import { generationKey, HISTORY_PREFIX, MANIFEST_KEY, RETAINED_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import type { Check } from './findings.ts';
import { type Look, LookError, REBUILD } from './look.ts';

/** Ten years of minutes. */
const MAX_GENERATIONS = 5_256_000;
/** About a hundred bytes of memory each. */
const MAX_BATCHES = 8_000_000;

export interface History {
  /** Batch -> the generation that first merged it. */
  readonly mergedBy: Map<string, number>;
  /** Objects of the history that are on the chain. */
  readonly length: number;
  /** Whether all of it could be read; if not, `mergedBy` lacks some. */
  readonly isWhole: boolean;
}

/** @throws LookError beyond MAX_GENERATIONS or MAX_BATCHES */
export async function checkHistory(look: Look, manifest: Manifest, setAside: ReadonlySet<string>): Promise<History> {
  const check = look.findings.begin('history');
  if (manifest.generation > MAX_GENERATIONS) {
    throw new LookError(`the history has ${manifest.generation} generations, expected ${MAX_GENERATIONS} at most`);
  }
  look.progress.begin('history', manifest.generation);
  const retained = new Map(manifest.retained.map(({ generation, commit }) => [generation, commit]));
  const mergedBy = new Map<string, number>();
  const replayed = new Map<string, string>();
  let commit: string | null = manifest.commit;
  let length = 0;
  let isWhole = true;
  for (let generation = manifest.generation; generation > 0; generation--) {
    if (commit === null) {
      isWhole = false;
      break;
    }
    const key = generationKey(HISTORY_PREFIX, generation, commit);
    const expected = retained.get(generation);
    if (expected !== undefined && expected !== commit) {
      check.error(MANIFEST_KEY, `retains commit ${expected}, but the history leads to ${key}`, REBUILD);
    }
    const entry = await readEntry(look.objects, key, { generation, commit }, check);
    if (entry === null) isWhole = false;
    else {
      length += 1;
      addBatches(entry, key, mergedBy, check);
      for (const id of entry.replayed) replayed.set(id, key);
    }
    commit = entry === null ? await parentWithoutHistory(look.objects, generation, commit) : entry.parent;
    look.progress.advance();
  }
  if (isWhole) checkReferences(manifest, setAside, mergedBy, replayed, check);
  return { mergedBy, length, isWhole };
}

async function readEntry(
  objects: ObjectStore,
  key: string,
  expected: Pick<HistoryEntry, 'generation' | 'commit'>,
  check: Check,
): Promise<HistoryEntry | null> {
  check.looked += 1;
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('is missing');
    const entry = decodeHistory(object.bytes);
    const { generation, commit, parent } = entry;
    if (generation !== expected.generation || commit !== expected.commit) {
      throw new RangeError(`is that of generation ${generation}, commit ${commit}`);
    }
    if ((generation === 1) !== (parent === null)) throw new RangeError(`names ${parent} as its parent`);
    return entry;
  } catch (error) {
    const remedy = `Lookups are right. Do not roll back beyond generation ${expected.generation}.`;
    check.error(key, messageOf(error), remedy);
    return null;
  }
}

/** The parent of a generation whose history cannot be read: from its retained manifest, or the only one there is. */
async function parentWithoutHistory(objects: ObjectStore, generation: number, commit: string): Promise<string | null> {
  const copy = await objects.get(generationKey(RETAINED_PREFIX, generation, commit)).catch(() => null);
  if (copy !== null) {
    try {
      return decodeManifest(copy.bytes).parent;
    } catch {
      // Told by the check of the retained generations, if it is one.
    }
  }
  const prefix = generationKey(HISTORY_PREFIX, generation - 1, '');
  const [only, other] = (await objects.list(prefix, { limit: 2 })).objects;
  return only === undefined || other !== undefined ? null : only.key.slice(prefix.length);
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
  if (mergedBy.size > MAX_BATCHES) throw new LookError(`the history names more than ${MAX_BATCHES} batches`);
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
