/** The batches, of which everything else is made: each that was merged is kept, once, and whole; others wait. */
import { openBatch } from '../../src/format/batch.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import { generationKey, HISTORY_PREFIX, MERGED_PREFIX, WAITING_PREFIX } from '../../src/store/keys.ts';
import type { History } from './check-history.ts';
import type { Check } from './findings.ts';
import { listObjects } from './list-all.ts';
import { type Look, LookError } from './look.ts';

/** About a hundred bytes of memory each; so many are never left unmerged. */
const MAX_WAITING = 1_000_000;

const LOST = 'The inventory has it, but a rebuild would lose it: put it back from a copy of the bucket.';
const ASIDE =
  'It is kept out of the inventory, and a rebuild goes on without it: put it back from a copy of the bucket, or it ' +
  'cannot be brought back.';

/** Batches that nothing, or not everything, goes by. */
export interface Excluded {
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
  look: Look,
  manifest: Manifest | null,
  history: History | null,
  { withdrawn, outside }: Excluded = NOTHING_EXCLUDED,
): Promise<boolean> {
  const remedyOf = (id: string) => (outside.has(id) ? ASIDE : LOST);
  const { objects, findings, progress } = look;
  const merged = findings.begin('merged batches');
  const waiting = findings.begin('waiting batches');
  const waitingIds = new Set<string>();
  for await (const { key } of listObjects(objects, WAITING_PREFIX)) {
    waitingIds.add(key.slice(WAITING_PREFIX.length));
    if (waitingIds.size > MAX_WAITING) throw new LookError(`more than ${MAX_WAITING} batches are waiting`);
  }
  progress.begin('merged batches', history?.mergedBy.size ?? null);
  // What is left of it at the end was found in neither place.
  const missing = new Map(history?.mergedBy);
  const inBoth = new Set<string>();
  for await (const { key } of listObjects(objects, MERGED_PREFIX)) {
    const id = key.slice(MERGED_PREFIX.length);
    // One that could never be read is withdrawn so that no tick tries any more.
    if (!withdrawn.has(id)) await checkBatch(look, key, merged, remedyOf(id));
    if (!missing.delete(id) && history !== null) unnamed(look, key, history, merged);
    if (waitingIds.has(id)) inBoth.add(id);
    progress.advance();
  }
  progress.begin('waiting batches', waitingIds.size);
  const consumed = new Set(manifest?.consumed);
  for (const id of waitingIds) {
    const wasMerged = missing.delete(id) || inBoth.has(id);
    if (!withdrawn.has(id))
      await checkBatch(
        look,
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
    const by = generationKey(HISTORY_PREFIX, generation, '');
    merged.error(MERGED_PREFIX + id, `is missing, and does not wait either; ${by}* names it as merged`, remedyOf(id));
  }
  return merged.errors + waiting.errors === 0;
}

async function checkBatch({ objects }: Look, key: string, check: Check, remedy: string): Promise<void> {
  check.looked += 1;
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('was there a moment ago and is gone');
    openBatch(object.bytes);
  } catch (error) {
    check.error(key, messageOf(error), remedy);
  }
}

function unnamed({ findings }: Look, key: string, history: History, check: Check): void {
  if (history.isWhole) {
    const remedy =
      'The inventory does not have it. If it is yours, move it to batches/waiting/ to be merged; else move it away.';
    check.error(key, 'is among the merged batches, but no generation merged it', remedy);
  } else {
    findings.count('merged batches that only the missing part of the history can name', 1);
  }
}
