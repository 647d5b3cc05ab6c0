/**
 * Checks batches: which were merged, set aside, withdrawn or held back, and that each is kept, since all else is made
 * from them.
 */
import { openBatch } from '../../src/format/batch.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { readSetAside } from '../../src/merge/failing-batches.ts';
import { markedWithdrawn, readMark, readWithdrawals } from '../../src/merge/withdraw.ts';
import { EMPTY_BATCH_SET } from '../../src/quality/batch-set.ts';
import { readDropped, readExcludedRows } from '../../src/quality/excluded-rows.ts';
import { quarantineTotals, readLedger } from '../../src/quality/ledger.ts';
import { MANIFEST_KEY, MERGED_PREFIX, WAITING_PREFIX, WITHDRAWN_PREFIX } from '../../src/storage/keys.ts';
import { type Check, type FsckContext, FsckError, isKept, listObjects, REBUILD } from './findings.ts';
import type { History } from './history.ts';

// The batches, of which everything else is made: each that was merged is kept, once, and whole; others wait.

/** About a hundred bytes of memory each; so many are never left unmerged. */
const MAX_WAITING = 1_000_000;

const LOST = 'The inventory has it, but a rebuild would lose it: put it back from a copy of the bucket.';
const ASIDE =
  'It is kept out of the inventory, and a rebuild goes on without it: put it back from a copy of the bucket, or it ' +
  'cannot be brought back.';

/** Batches that nothing, or not everything, goes by. */
interface Excluded {
  /** Taken back, for good. */
  readonly withdrawn: ReadonlySet<string>;
  /** Set aside, or to be merged again: the inventory has nothing of them. */
  readonly outside: ReadonlySet<string>;
}

const NOTHING_EXCLUDED: Excluded = { withdrawn: new Set(), outside: new Set() };

/**
 * @param manifest with `history`, or null: then the batches are only read, since nothing says which must be there
 * @returns whether every kept batch can be read
 */
export async function checkBatches(
  context: FsckContext,
  manifest: Manifest | null,
  history: History | null,
  { withdrawn, outside }: Excluded = NOTHING_EXCLUDED,
): Promise<boolean> {
  const remedyOf = (id: string) => (outside.has(id) ? ASIDE : LOST);
  const { objects, findings, progress } = context;
  const merged = findings.begin('merged batches');
  const waiting = findings.begin('waiting batches');
  const waitingIds = new Set<string>();
  for await (const { key } of listObjects(objects, WAITING_PREFIX)) {
    waitingIds.add(key.slice(WAITING_PREFIX.length));
    if (waitingIds.size > MAX_WAITING) throw new FsckError(`more than ${MAX_WAITING} batches are waiting`);
  }
  progress.begin('merged batches', history?.mergedBy.size ?? null);
  // What is left of it at the end was found in neither place.
  const missing = new Map(history?.mergedBy);
  const inBoth = new Set<string>();
  for await (const { key } of listObjects(objects, MERGED_PREFIX)) {
    const id = key.slice(MERGED_PREFIX.length);
    // One that could never be read is withdrawn so that no tick tries any more.
    if (!withdrawn.has(id)) await checkBatch(context, key, merged, remedyOf(id));
    if (!missing.delete(id) && history !== null) unnamed(context, key, history, merged);
    if (waitingIds.has(id)) inBoth.add(id);
    progress.advance();
  }
  progress.begin('waiting batches', waitingIds.size);
  const consumed = new Set(manifest?.consumed);
  for (const id of waitingIds) {
    const wasMerged = missing.delete(id) || inBoth.has(id);
    if (!withdrawn.has(id))
      await checkBatch(
        context,
        WAITING_PREFIX + id,
        waiting,
        wasMerged ? remedyOf(id) : 'Nothing of it is in the inventory. Ask its sender for it again, and move it away.',
      );
    progress.advance();
    if (!wasMerged) findings.count('batches waiting to be merged', 1);
    else if (consumed.has(id) || inBoth.has(id) || manifest === null) {
      findings.count('merged batches that a tick will take out of waiting', 1);
    } else {
      const what = 'was merged before, and the next tick will merge it again: its sightings will count twice';
      waiting.error(WAITING_PREFIX + id, what, `Stop the ticks and move it to ${MERGED_PREFIX}${id}.`);
    }
  }
  for (const [id, generation] of missing) {
    if (withdrawn.has(id)) continue;
    const what = `is missing, and does not wait either; generation ${generation} merged it`;
    merged.error(MERGED_PREFIX + id, what, remedyOf(id));
  }
  return merged.errors + waiting.errors === 0;
}

async function checkBatch({ objects }: FsckContext, key: string, check: Check, remedy: string): Promise<void> {
  check.looked += 1;
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('was there a moment ago and is gone');
    openBatch(object.bytes);
  } catch (error) {
    check.error(key, messageOf(error), remedy);
  }
}

function unnamed({ findings }: FsckContext, key: string, history: History, check: Check): void {
  if (history.isWhole) {
    const remedy =
      'The inventory does not have it. If it is yours, move it to batches/waiting/ to be merged; else move it away.';
    check.error(key, 'is among the merged batches, but no generation merged it', remedy);
  } else {
    findings.count('merged batches that only the missing part of the history can name', 1);
  }
}

// Batches kept out of the inventory as a whole: that the manifest's list of them can be read, and contradicts nothing.

const STOPPED =
  'Lookups are right, but no rollback can be made and no batch set aside or released until it is back: put it back ' +
  'from a copy of the bucket.';

/** Returns the ids, or null if they cannot be read: then nobody knows what the inventory is made of. */
export async function checkSetAside(context: FsckContext, manifest: Manifest): Promise<ReadonlySet<string> | null> {
  const { objects, findings } = context;
  const check = findings.begin('batches set aside');
  const { setAside, replay } = manifest;
  try {
    const ids = (await readSetAside(objects, manifest, UNPACED)).map(({ id }) => id);
    check.looked = ids.length;
    const known = new Set(ids);
    if (known.size !== ids.length) check.error(MANIFEST_KEY, 'has a batch set aside twice', REBUILD);
    if (replay.some((id) => known.has(id))) {
      check.error(MANIFEST_KEY, 'has a batch both set aside and to be merged again', REBUILD);
    }
    findings.count('batches set aside', ids.length);
    return known;
  } catch (error) {
    check.error(setAside.key ?? MANIFEST_KEY, messageOf(error), STOPPED);
    return null;
  }
}

// Which uploads were taken back: the list of the generation, and the objects that say so for ever.

interface CheckedWithdrawals {
  /** Ids; null: the list of the generation cannot be read. */
  readonly withdrawn: ReadonlySet<string> | null;
  /** Batches of which the inventory may still have rows that are to be taken out. */
  readonly pending: number;
}

/** Checks that each can be read, and that what was withdrawn is kept. */
export async function checkWithdrawals(context: FsckContext, manifest: Manifest): Promise<CheckedWithdrawals> {
  const { objects, findings } = context;
  const withdrawn = new Set<string>();
  for await (const id of markedWithdrawn(objects)) withdrawn.add(id);
  if (withdrawn.size === 0 && manifest.withdrawals === null) return { withdrawn, pending: 0 };
  const check = findings.begin('withdrawn batches');
  for (const id of withdrawn) {
    check.looked += 1;
    try {
      await readMark(objects, id);
    } catch (error) {
      check.error(WITHDRAWN_PREFIX + id, messageOf(error), 'The batch stays withdrawn; by whom and when is lost.');
    }
  }
  let pending: ReadonlySet<string> = new Set();
  try {
    const list = await readWithdrawals(objects, manifest);
    for (const { id } of list.withdrawn) withdrawn.add(id);
    pending = new Set(list.pending.map(({ id }) => id));
  } catch (error) {
    const remedy = 'No batch can be withdrawn, and no rollback made, until it is back: put it back from a copy.';
    check.error(manifest.withdrawals?.key ?? WITHDRAWN_PREFIX, messageOf(error), remedy);
    return { withdrawn: null, pending: 0 };
  }
  for (const id of withdrawn) {
    if (await isKept(objects, id)) continue;
    if (pending.has(id)) check.error(MERGED_PREFIX + id, 'is missing', STILL_IN);
    else check.warning(MERGED_PREFIX + id, 'is missing', WITHDRAWN_LOST);
  }
  findings.count('batches withdrawn', withdrawn.size);
  findings.count('batches that are being taken out of the inventory', pending.size);
  return { withdrawn, pending: pending.size };
}

const WITHDRAWN_LOST = 'It is withdrawn, so nothing depends on it.';
/** Which numbers to compute anew is read from the batch itself. */
const STILL_IN = `It is withdrawn, but what the inventory has of it cannot be taken out without it. ${REBUILD}`;

// The ledger of sources: that it can be read, with its pages, and that what it keeps out of the inventory is kept.

const NO_MERGES =
  'No tick can merge anything until it is back: put it back from a copy of the bucket. Without one, a rebuild says what ' +
  'there is to go by instead: npm run fsck -- --rebuild DIR.';

/**
 * Returns whether it is whole.
 * @param outside batches of which the inventory has nothing
 */
export async function checkLedger(
  { objects, findings, progress }: FsckContext,
  manifest: Manifest,
  outside: ReadonlySet<string>,
): Promise<boolean> {
  if (manifest.ledger === null) return true;
  progress.begin('ledger of sources');
  const check = findings.begin('ledger of sources');
  try {
    const ledger = await readLedger(objects, manifest, UNPACED);
    check.looked = 1;
    // What was dropped stays so in whatever becomes of its batch.
    const undropped = { ...ledger, cases: ledger.cases.map((one) => ({ ...one, dropped: EMPTY_BATCH_SET })) };
    for (const id of (await readExcludedRows(objects, undropped, UNPACED)).keys()) {
      check.looked += 1;
      progress.advance();
      if (outside.has(id)) {
        const what = `keeps rows of the batch ${id} out of the inventory, which has nothing of it`;
        check.error(manifest.ledger, what, REBUILD);
      } else if (!(await isKept(objects, id))) {
        const what = `keeps rows of the batch ${id} out of the inventory, and it is gone`;
        check.error(manifest.ledger, what, 'A release would bring nothing back: put the batch back from a copy.');
      }
    }
    // What was dropped is read by the ticks that merge again, or merge what was released.
    await readDropped(objects, ledger, UNPACED);
    findings.count('detections in quarantine', quarantineTotals(ledger).detections);
  } catch (error) {
    check.error(manifest.ledger, messageOf(error), NO_MERGES);
  }
  return check.errors === 0;
}
