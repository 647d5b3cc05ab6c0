/** A fresh store from kept batches alone, by the ticks and compactions that would have merged them. */
import { inventoryNumbers } from '../../src/format/manifest.ts';
import { type MergeContext, messageOf } from '../../src/merge/context.ts';
import { NO_BATCHES } from '../../src/merge/history.ts';
import { loadManifest, publish } from '../../src/merge/publish.ts';
import { compactFully, drain } from '../../src/merge/rebuild.ts';
import { readSetAside, type SetAside, writeSetAside } from '../../src/merge/set-aside.ts';
import { readKept } from '../../src/merge/waiting.ts';
import { markWithdrawn } from '../../src/merge/withdrawals.ts';
import { readCanaries } from '../../src/quality/canaries.ts';
import { type Ledger, writeLedger } from '../../src/quality/ledger.ts';
import { MERGED_PREFIX, QUARANTINE_PAGE_PREFIX, WAITING_PREFIX, WITHDRAWN_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { readDecided } from './decided.ts';
import { isKept, listObjects } from './list-all.ts';
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
  /** Of those that were set aside or withdrawn, what is not kept any more: the new store has nothing of it. */
  readonly gone: { readonly setAside: number; readonly withdrawn: number };
  /** Where it says which batches were set aside; null: nowhere, and so none are. */
  readonly setAsideFrom: string | null;
  /** Where it says what was held back; null: nowhere, and so everything was screened anew. */
  readonly heldFrom: string | null;
}

/**
 * Builds in an empty store. Batches that were set aside are kept and set aside again, for the same reason; of merged ones, what
 * was in quarantine stays in it; those that waited are screened and merged. Stopped anywhere, the source is as it was, and the target of no use.
 *
 * @param choice what to go by where nobody can tell what was kept out (decided.ts); null: nothing is chosen
 * @throws LookError if there is nothing to build from, or what was kept out cannot be told
 */
export async function rebuild(
  source: ObjectStore,
  into: MergeContext,
  progress: Progress,
  choice: string | null = null,
): Promise<Rebuilt> {
  await readCanaries(source).catch((error: unknown) => {
    const remedy = 'put it back from a copy of the bucket, or without one delete it and plant the canaries anew';
    throw new LookError(`${messageOf(error)}. Without it a rebuild would list canaries: ${remedy}`);
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
  if (copied + withdrawn.size === 0) throw new LookError('there is no kept batch to build a store from');
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

/**
 * Keeps what was taken back, named by the history as all that ever came in, and with the objects that say so. Returns of
 * how many there is nothing left to keep.
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
  const key = await writeLedger(target.objects, base.manifest.generation + 1, target.randomId(), ledger);
  await publish(target, base, { ledger: key }, NO_BATCHES);
}
