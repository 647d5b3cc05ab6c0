/** A fresh store from kept batches alone, by the ticks and compactions that would have merged them. */
import { decodeManifest, inventoryNumbers } from '../../src/format/manifest.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { NO_BATCHES } from '../../src/merge/history.ts';
import { loadManifest, publish } from '../../src/merge/publish.ts';
import { compactFully, drain } from '../../src/merge/rebuild.ts';
import { readSetAside, type SetAside, writeSetAside } from '../../src/merge/set-aside.ts';
import { readKept } from '../../src/merge/waiting.ts';
import { markedWithdrawn, markWithdrawn, readWithdrawals } from '../../src/merge/withdrawals.ts';
import { type Ledger, readLedger, writeLedger } from '../../src/quality/ledger.ts';
import {
  MANIFEST_KEY,
  MERGED_PREFIX,
  QUARANTINE_PAGE_PREFIX,
  RETAINED_PREFIX,
  WAITING_PREFIX,
  WITHDRAWN_PREFIX,
} from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { listObjects } from './list-all.ts';
import { LookError } from './look.ts';
import type { Progress } from './progress.ts';

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
  /** Where it says which batches were set aside; null: nowhere, and so none are. */
  readonly setAsideFrom: string | null;
}

/** What was decided of batches, which the batches themselves do not tell. */
interface Decided {
  readonly setAside: readonly SetAside[];
  readonly withdrawn: ReadonlySet<string>;
  readonly ledger: Ledger | null;
  /** Batches that were merged, and screened then, but for a copy that still waits. */
  readonly isMerged: (id: string) => boolean;
  readonly from: string | null;
}

/**
 * Builds in an empty store. Batches that were set aside are kept and set aside again, for the same reason; of merged ones, what
 * was in quarantine stays in it; those that waited are screened and merged. Stopped anywhere, the source is as it was, and the target of no use.
 *
 * @throws LookError if there is nothing to build from
 */
export async function rebuild(source: ObjectStore, into: MergeContext, progress: Progress): Promise<Rebuilt> {
  const { setAside, withdrawn, ledger, isMerged, from } = await readDecided(source, into.objects);
  const target: MergeContext = { ...into, isRecorded: isMerged };
  progress.begin('copying configuration');
  for (const prefix of COPIED_PREFIXES) await copyObjects(source, target, prefix);
  progress.begin('copying batches');
  const isSetAside = new Set(setAside.map(({ id }) => id));
  const isMerging = (id: string) => !isSetAside.has(id) && !withdrawn.has(id);
  const copied = await copyBatches(source, target, progress, isMerging);
  if (copied + withdrawn.size === 0) throw new LookError('there is no kept batch to build a store from');
  await keepWithdrawn(source, target, progress, withdrawn);
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
    unreadable,
    setAsideFrom: from,
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
  const all = [...(await readSetAside(objects, base.manifest)), ...setAside];
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

/** Keeps what was taken back, named by the history as all that ever came in, and with the objects that say so. */
async function keepWithdrawn(
  source: ObjectStore,
  target: MergeContext,
  progress: Progress,
  withdrawn: ReadonlySet<string>,
): Promise<void> {
  if (withdrawn.size === 0) return;
  progress.begin('keeping withdrawn batches');
  const base = await loadManifest(target.objects);
  await publish(target, base, {}, { ...NO_BATCHES, batches: [...withdrawn] });
  for (const id of withdrawn) {
    await target.objects.put(MERGED_PREFIX + id, (await readKept(source, id)).bytes, { absent: true });
    progress.advance();
  }
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
  const key = await writeLedger(target.objects, base.manifest.generation + 1, target.randomId(), ledger);
  await publish(target, base, { ledger: key }, NO_BATCHES);
}

/** From the manifest, or if it or its ledger cannot be read from the newest copy of one that can. */
async function readDecided(source: ObjectStore, into: ObjectStore): Promise<Decided> {
  const merged = new Set<string>();
  const withdrawn = new Set<string>();
  for await (const id of markedWithdrawn(source)) withdrawn.add(id);
  for await (const { key } of listObjects(source, MERGED_PREFIX)) merged.add(key.slice(MERGED_PREFIX.length));
  const copies: string[] = [];
  for await (const { key } of listObjects(source, RETAINED_PREFIX)) copies.push(key);
  for (const key of [MANIFEST_KEY, ...copies.toReversed()]) {
    try {
      const object = await source.get(key);
      if (object === null) continue;
      const manifest = decodeManifest(object.bytes);
      const ledger = manifest.ledger === null ? null : await readLedger(source, manifest);
      const recent = (await readWithdrawals(source, manifest)).withdrawn;
      for (const one of recent) {
        withdrawn.add(one.id);
        await markWithdrawn(into, one);
      }
      for (const id of manifest.consumed) merged.add(id);
      const setAside = await readSetAside(source, manifest);
      return { withdrawn, setAside, ledger, isMerged: (id) => merged.has(id), from: key };
    } catch {
      // Damaged: the one before it is the next best.
    }
  }
  // Nobody knows what was in quarantine: everything is screened as if it had just come in.
  return { withdrawn, setAside: [], ledger: null, isMerged: () => false, from: null };
}
