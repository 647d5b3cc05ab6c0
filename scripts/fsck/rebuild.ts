/** A fresh store from kept batches alone, by the ticks and compactions that would have merged them. */
import { decodeManifest, inventoryNumbers, type Manifest } from '../../src/format/manifest.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { loggableMessage, messageOf } from '../../src/lib/errors.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { readSetAside, type SetAside, writeSetAside } from '../../src/merge/failing-batches.ts';
import { historyOf, NO_BATCHES } from '../../src/merge/history.ts';
import { loadManifest, publish } from '../../src/merge/publish-manifest.ts';
import { compactFully, drain } from '../../src/merge/rebuild.ts';
import { readKept } from '../../src/merge/waiting.ts';
import { markedWithdrawn, markWithdrawn, readWithdrawals, type Withdrawn } from '../../src/merge/withdraw.ts';
import { type BatchSet, batchesOfSet, batchSetOf, excludedRowsOf } from '../../src/quality/batch-set.ts';
import { readCanaries } from '../../src/quality/canaries.ts';
import { readExcludedRows } from '../../src/quality/excluded-rows.ts';
import { type Ledger, readLedger, writeLedger } from '../../src/quality/ledger.ts';
import {
  generationKey,
  MANIFEST_KEY,
  MERGED_PREFIX,
  QUARANTINE_PAGE_PREFIX,
  RETAINED_PREFIX,
  WAITING_PREFIX,
  WITHDRAWN_PREFIX,
} from '../../src/storage/keys.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import type { Progress } from '../command/progress.ts';
import { FsckError, isKept, listObjects } from './findings.ts';
import { generationOf, newestCopies } from './manifest.ts';

// What was decided of batches, which the batches themselves do not tell: which are set aside, which rows are held back.
// A rebuild that did without would list what was kept out, so what cannot be read is not passed over: whoever rebuilds
// chooses what to go by instead.

/** What `--decisions` takes for: nothing is known, everything is screened as if it had just come in. */
export const NO_DECISIONS = 'none';

interface Decided {
  /** Ids of all that were taken back. */
  readonly withdrawn: ReadonlySet<string>;
  /** Those of them that may not be marked yet. */
  readonly unmarked: readonly Withdrawn[];
  readonly setAside: readonly SetAside[];
  readonly ledger: Ledger | null;
  /** Whether the ledger says what is left out of the batch; any other is screened. */
  readonly isMerged: (id: string) => boolean;
  /** Keys of the manifests that say what is set aside, and what is held back; null: none does. */
  readonly setAsideFrom: string | null;
  readonly heldFrom: string | null;
}

/** A manifest, with all that it names of decisions. */
interface Generation {
  readonly key: string;
  readonly manifest: Manifest;
  readonly ledger: Ledger | null;
  readonly withdrawn: readonly Withdrawn[];
  readonly setAside: readonly SetAside[];
}

/**
 * @param choice key of a copy of a manifest, or NO_DECISIONS; null: the manifest, or if that is lost the copy that it
 *   was; without any copy nothing is known, and everything is screened
 * @throws FsckError if that cannot be read, or nobody can tell which copy it was: it says what there is to choose from
 */
async function readDecided(source: ObjectStore, choice: string | null): Promise<Decided> {
  const withdrawn = new Set<string>();
  for await (const id of markedWithdrawn(source)) withdrawn.add(id);
  if (choice === NO_DECISIONS) return nothingDecided(withdrawn);
  if (choice !== null) return decidedThen(source, choice, withdrawn);
  const now = await readNow(source);
  if (now === null) return nothingDecided(withdrawn);
  const merged = new Set(now.manifest.consumed);
  for await (const { key } of listObjects(source, MERGED_PREFIX)) merged.add(key.slice(MERGED_PREFIX.length));
  return {
    ...now,
    withdrawn: new Set([...withdrawn, ...now.withdrawn.map(({ id }) => id)]),
    unmarked: now.withdrawn,
    isMerged: (id) => merged.has(id),
    setAsideFrom: now.key,
    heldFrom: now.key,
  };
}

/** Of what was in quarantine nobody knows. */
function nothingDecided(withdrawn: ReadonlySet<string>): Decided {
  const nothing = { unmarked: [], setAside: [], ledger: null, setAsideFrom: null, heldFrom: null };
  return { ...nothing, withdrawn, isMerged: () => false };
}

async function readNow(source: ObjectStore): Promise<Generation | null> {
  let manifest: Manifest | null = null;
  let problem: string;
  try {
    manifest = await readManifest(source, MANIFEST_KEY);
    return await readGeneration(source, MANIFEST_KEY, manifest);
  } catch (error) {
    problem = messageOf(error);
  }
  if (manifest !== null) {
    const retained = manifest.retained.map(({ generation, commit }) =>
      generationKey(RETAINED_PREFIX, generation, commit),
    );
    throw await refusal(source, problem, retained);
  }
  const { keys, gone, certain } = await newestCopies(source);
  if (keys.length === 0) return null;
  const copies: string[] = [];
  for await (const { key } of listObjects(source, RETAINED_PREFIX)) copies.push(key);
  if (certain === null) {
    const why =
      gone === null
        ? `${keys.join(' and ')} are copies of one generation, and which of them was published nobody can tell`
        : `${gone} is as late as every copy of a manifest, or later, and the copy that belongs to it is gone`;
    throw await refusal(source, `${problem}; ${why}`, copies);
  }
  try {
    return await readGeneration(source, certain, await readManifest(source, certain));
  } catch (error) {
    throw await refusal(source, `${problem}; ${messageOf(error)}`, copies);
  }
}

/** @param copies keys, oldest first; those of the newest generation that can be gone by are named */
async function refusal(source: ObjectStore, problem: string, copies: readonly string[]): Promise<FsckError> {
  const choices: string[] = [];
  for (const key of copies.toReversed()) {
    if (choices[0] !== undefined && generationOf(choices[0]) !== generationOf(key)) break;
    try {
      const manifest = await readManifest(source, key);
      await readGeneration(source, key, manifest);
      await mergedBy(source, manifest);
      choices.push(key);
    } catch {
      // Not to be chosen: it would be refused as well.
    }
  }
  return new FsckError(
    `${problem}. Without it nobody knows what was kept out of the inventory, and a rebuild would list it. Put it back ` +
      'from a copy of the bucket, or choose what to go by: ' +
      choices
        .map((key) => `--decisions ${key} (what was merged later is screened as if it came in now), or `)
        .join('') +
      `--decisions ${NO_DECISIONS} (everything is screened as if it came in now). What was decided of sources since is to be decided again`,
  );
}

/** As a copy of a manifest says; set aside stays what is so now, if that can be read. */
async function decidedThen(source: ObjectStore, key: string, marked: ReadonlySet<string>): Promise<Decided> {
  const then = await readGeneration(source, key, await readManifest(source, key));
  const merged = await mergedBy(source, then.manifest);
  let { setAside } = then;
  let setAsideFrom = key;
  const unmarked = [...then.withdrawn];
  const now = await readManifest(source, MANIFEST_KEY).catch(() => null);
  if (now !== null) {
    // Each is told by the check if it cannot be read; then that of the copy has to do.
    const asideNow = await readSetAside(source, now, UNPACED).catch(() => null);
    if (asideNow !== null) [setAside, setAsideFrom] = [asideNow, MANIFEST_KEY];
    const recent = await readWithdrawals(source, now).catch(() => null);
    unmarked.push(...(recent?.withdrawn ?? []));
  }
  const aside = new Set(setAside.map(({ id }) => id));
  return {
    withdrawn: new Set([...marked, ...unmarked.map(({ id }) => id)]),
    unmarked,
    setAside,
    ledger: then.ledger === null ? null : await withoutBatches(source, then.ledger, aside),
    isMerged: (id) => merged.has(id),
    setAsideFrom,
    heldFrom: key,
  };
}

/** Of a batch that is kept out as a whole no ledger has anything; once it is brought back it is screened. */
async function withoutBatches(objects: ObjectStore, ledger: Ledger, out: ReadonlySet<string>): Promise<Ledger> {
  if (out.size === 0) return ledger;
  const rest = async (batches: BatchSet) =>
    batchSetOf((await batchesOfSet(objects, batches, UNPACED)).filter(({ id }) => !out.has(id)));
  const cases = [];
  for (const one of ledger.cases) cases.push({ ...one, held: await rest(one.held), due: await rest(one.due) });
  const excluded = [];
  for await (const entry of excludedRowsOf(objects, ledger, UNPACED)) if (!out.has(entry.batch)) excluded.push(entry);
  return { ...ledger, cases, leftOut: excluded, leftOutPage: null };
}

/** All batches that a generation and those before it took up. @throws FsckError if the history has a hole */
async function mergedBy(source: ObjectStore, manifest: Manifest): Promise<ReadonlySet<string>> {
  const merged = new Set<string>();
  try {
    for await (const { batches } of historyOf(source, manifest)) for (const id of batches) merged.add(id);
  } catch (error) {
    throw new FsckError(`what was merged by generation ${manifest.generation} is not known: ${messageOf(error)}`);
  }
  return merged;
}

/** @throws FsckError */
async function readManifest(source: ObjectStore, key: string): Promise<Manifest> {
  try {
    const object = await source.get(key);
    if (object === null) throw new RangeError('is missing');
    return decodeManifest(object.bytes);
  } catch (error) {
    throw new FsckError(`${key}: ${loggableMessage(error)}`);
  }
}

/** @throws FsckError naming what cannot be read */
async function readGeneration(source: ObjectStore, key: string, manifest: Manifest): Promise<Generation> {
  const read = async <T>(part: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new FsckError(`${part}, which ${key} names, cannot be read: ${messageOf(error)}`);
    }
  };
  const { ledger: ledgerKey, setAside, withdrawals } = manifest;
  const ledger = ledgerKey === null ? null : await read(ledgerKey, () => readLedger(source, manifest, UNPACED));
  // Its pages: the ticks of the rebuild read them.
  if (ledger !== null) await read(`a page of ${ledgerKey}`, () => readExcludedRows(source, ledger, UNPACED));
  return {
    key,
    manifest,
    ledger,
    withdrawn: (await read(withdrawals?.key ?? '', () => readWithdrawals(source, manifest))).withdrawn,
    setAside: await read(setAside.key ?? '', () => readSetAside(source, manifest, UNPACED)),
  };
}

/** What is not made of batches: API keys, and whatever else is set by hand. */
const CONFIGURATION_PREFIX = 'config/';
/** Copied as they are. The ledger, which is part of a generation, is published in the new store. */
const COPIED_PREFIXES = [CONFIGURATION_PREFIX, QUARANTINE_PAGE_PREFIX, WITHDRAWN_PREFIX];

export interface Rebuilt {
  readonly numbers: number;
  readonly generation: number;
  /** Batches in the inventory. */
  readonly batches: number;
  /** Kept out of the inventory as before, and still kept. */
  readonly setAside: number;
  /** Likewise, and for good. */
  readonly withdrawn: number;
  /** Copied, but they cannot be read: they wait. */
  readonly unreadable: number;
  /** Of those that were set aside or withdrawn, what is not kept any more: the new store has nothing of it. */
  readonly gone: { readonly setAside: number; readonly withdrawn: number };
  /** Where it says which batches were set aside; null: nowhere, and so none are. */
  readonly setAsideFrom: string | null;
  /** Where it says what was held back; null: nowhere, and so everything was screened anew. */
  readonly heldFrom: string | null;
}

/**
 * Builds in an empty store. Batches that were set aside are kept and set aside again, for the same reason; of merged
 * ones, what was in quarantine stays in it; those that waited are screened and merged. Stopped anywhere, the source is
 * as it was, and the target of no use.
 *
 * @param choice what to go by where nobody can tell what was kept out (readDecided); null: nothing is chosen
 * @throws FsckError if there is nothing to build from, or what was kept out cannot be told
 */
export async function rebuild(
  source: ObjectStore,
  into: MergeContext,
  progress: Progress,
  choice: string | null = null,
): Promise<Rebuilt> {
  await readCanaries(source).catch((error: unknown) => {
    const remedy = 'put it back from a copy of the bucket, or without one delete it and plant the canaries anew';
    throw new FsckError(`${messageOf(error)}. Without it a rebuild would list canaries: ${remedy}`);
  });
  const decided = await readDecided(source, choice);
  const { withdrawn, ledger, isMerged } = decided;
  const setAside: SetAside[] = [];
  for (const one of decided.setAside) if (await isKept(source, one.id)) setAside.push(one);
  const target: MergeContext = { ...into, isRecorded: isMerged };
  progress.begin('copying configuration');
  for (const prefix of COPIED_PREFIXES) await copyObjects(source, target, prefix);
  progress.begin('copying batches');
  const isSetAside = new Set(decided.setAside.map(({ id }) => id));
  const isMerging = (id: string) => !isSetAside.has(id) && !withdrawn.has(id);
  const copied = await copyBatches(source, target, progress, isMerging);
  if (copied + withdrawn.size === 0) throw new FsckError('there is no kept batch to build a store from');
  for (const one of decided.unmarked) await markWithdrawn(target.objects, one);
  const goneWithdrawn = await keepWithdrawn(source, target, progress, withdrawn);
  if (ledger !== null) await publishLedger(target, ledger);
  progress.begin(`merging ${copied} batches`);
  await drain(target);
  const excluded = await setAsideAgain(source, target, progress, setAside);
  progress.begin('compacting');
  const { manifest } = await compactFully(target);
  let unreadable = 0;
  for await (const _ of listObjects(target.objects, WAITING_PREFIX)) unreadable += 1;
  return {
    numbers: inventoryNumbers(manifest),
    generation: manifest.generation,
    batches: copied + excluded - unreadable - manifest.setAside.count,
    setAside: manifest.setAside.count,
    withdrawn: withdrawn.size,
    gone: { setAside: decided.setAside.length - setAside.length, withdrawn: goneWithdrawn },
    unreadable,
    setAsideFrom: decided.setAsideFrom,
    heldFrom: decided.heldFrom,
  };
}

/** Copies kept batches to where a tick finds them. Returns how many. */
async function copyBatches(
  source: ObjectStore,
  { objects }: MergeContext,
  progress: Progress,
  isWanted: (id: string) => boolean,
): Promise<number> {
  let copied = 0;
  // A batch in both places is one batch: the merged copy counts, and the second put finds it there.
  for (const prefix of [MERGED_PREFIX, WAITING_PREFIX]) {
    for await (const { key } of listObjects(source, prefix)) {
      const id = key.slice(prefix.length);
      if (!isWanted(id)) continue;
      const { bytes } = await readKept(source, id);
      if ((await objects.put(WAITING_PREFIX + id, bytes, { absent: true })) !== null) copied += 1;
      progress.advance();
    }
  }
  return copied;
}

/**
 * Keeps the batches that were set aside, unmerged, with a generation that says so: the history names them, and they can
 * be brought back. Returns how many there are.
 */
async function setAsideAgain(
  source: ObjectStore,
  target: MergeContext,
  progress: Progress,
  setAside: readonly SetAside[],
): Promise<number> {
  if (setAside.length === 0) return 0;
  progress.begin('setting batches aside', setAside.length);
  const { objects } = target;
  const base = await loadManifest(objects);
  // The merge may have set aside batches that it could not take.
  const all = [...(await readSetAside(objects, base.manifest, UNPACED)), ...setAside];
  const written = await writeSetAside(objects, base.manifest.generation + 1, target.randomId(), all);
  const merged = { batches: setAside.map(({ id }) => id), replayed: [] };
  await publish(target, base, { setAside: written }, merged);
  // After the first generation: a store with merged batches and no manifest is one that has lost it.
  for (const { id } of setAside) {
    const { bytes } = await readKept(source, id);
    await objects.put(MERGED_PREFIX + id, bytes);
    progress.advance();
  }
  return setAside.length;
}

/**
 * Keeps what was taken back, named by the history as all that ever came in, and with the objects that say so. Returns
 * of how many there is nothing left to keep.
 */
async function keepWithdrawn(
  source: ObjectStore,
  target: MergeContext,
  progress: Progress,
  withdrawn: ReadonlySet<string>,
): Promise<number> {
  if (withdrawn.size === 0) return 0;
  progress.begin('keeping withdrawn batches');
  const base = await loadManifest(target.objects);
  await publish(target, base, {}, { ...NO_BATCHES, batches: [...withdrawn] });
  let gone = 0;
  for (const id of withdrawn) {
    if (await isKept(source, id)) {
      await target.objects.put(MERGED_PREFIX + id, (await readKept(source, id)).bytes, { absent: true });
    } else gone += 1;
    progress.advance();
  }
  return gone;
}

async function copyObjects(source: ObjectStore, { objects }: MergeContext, prefix: string): Promise<void> {
  for await (const { key } of listObjects(source, prefix)) {
    const object = await source.get(key);
    if (object !== null) await objects.put(key, object.bytes, { absent: true });
  }
}

/** The first generation of the new store: nothing is merged yet, but it is known of which batches what to leave out. */
async function publishLedger(target: MergeContext, ledger: Ledger): Promise<void> {
  const base = await loadManifest(target.objects);
  const key = await writeLedger(target.objects, base.manifest.generation + 1, target.randomId(), ledger, UNPACED);
  await publish(target, base, { ledger: key }, NO_BATCHES);
}
