/** Screens opened uploads by source: what of them is merged, and the ledger that says what is kept out. */
import type { Batch } from '../format/batch.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Steps } from '../lib/cooperate.ts';
import { readCanaries } from '../quality/canaries.ts';
import {
  type ExcludedOfBatch,
  NOTHING_EXCLUDED,
  only,
  readDropped,
  readExcludedRows,
  without,
} from '../quality/excluded-rows.ts';
import { type Case, type Ledger, readLedger, writeLedger } from '../quality/ledger.ts';
import { DEFAULT_BOUNDS } from '../quality/quarantine.ts';
import { findHits, screen } from '../quality/screen.ts';
import type { MergeContext } from './context.ts';
import { countNew, distinctNumbers, findKnown } from './first-time.ts';
import type { Released } from './history.ts';
import type { PendingReleaseBatch, Taken, TakenBatches } from './take.ts';

export interface ScreenedBatches {
  /** What is to be merged. */
  readonly batches: readonly Batch[];
  readonly detections: number;
  /** Distinct numbers that no run knows. */
  readonly newNumbers: number;
  /** Of batches that were merged before. */
  readonly released: readonly Released[];
  /** Key of the ledger to publish. */
  readonly ledger: string | null;
  /** Held back from now on, if that is published. */
  readonly quarantined: readonly Case[];
}

/** Rejects when the ledger or the canaries cannot be read or written: then nothing is merged. */
export async function screenBatches(
  context: MergeContext,
  manifest: Manifest,
  { batches: inputs, due }: Pick<Taken, 'batches' | 'due'>,
): Promise<ScreenedBatches> {
  if (inputs.all.length === 0 && due.batches.length === 0) {
    return { batches: [], detections: 0, newNumbers: 0, released: [], ledger: manifest.ledger, quarantined: [] };
  }
  const { pace } = context;
  const ledger = due.ledger ?? (await readLedger(context.objects, manifest, pace));
  const opened = [...inputs.all, ...due.batches].map(({ batch }) => batch);
  const known = await findKnown(context, manifest.runs, await pace.run(distinctNumbers(opened)));
  const canaries = await readCanaries(context.objects);
  const isRecorded = (id: string) => context.isRecorded?.(id) === true;
  const unscreened = new Set(manifest.unscreened);
  // Out of what was merged or held before; of a new upload nothing can have been dropped.
  const isOld = inputs.replayed.length + due.batches.length > 0;
  const dropped = isOld ? await readDropped(context.objects, ledger, pace) : new Map<string, ExcludedOfBatch>();
  const lessDropped = (id: string, batch: Batch) => without(batch, dropped.get(id) ?? NOTHING_EXCLUDED);
  const screening = screen(
    [
      ...inputs.replayed.map((upload) => ({
        ...upload,
        batch: lessDropped(upload.id, upload.batch),
        isReplayed: !unscreened.has(upload.id),
      })),
      ...inputs.waiting.map((upload) => ({ ...upload, isReplayed: false })),
    ].filter(({ id }) => !isRecorded(id)),
    ledger,
    { canaries, known, now: context.now(), bounds: context.bounds ?? DEFAULT_BOUNDS },
  );
  const screened = await pace.run(screening);
  const recorded = await withoutOmitted(context, ledger, inputs, isRecorded);
  const released = due.batches.map(({ id, batch, of }) => lessDropped(id, only(batch, of, canaries)));
  const batches = [...screened.batches, ...recorded, ...released];
  // As a rule nothing is left out, and sorting half a million numbers once is enough.
  const isWhole = batches.every((batch, i) => batch === opened[i]);
  return {
    batches,
    detections: batches.reduce((sum, { rows }) => sum + rows, 0),
    newNumbers: await pace.run(countNew(isWhole ? known.numbers : await pace.run(distinctNumbers(batches)), known)),
    released: due.batches.map(({ id, of: { source, every } }) => ({ batch: id, source, ...(every && { every }) })),
    ledger: await writeLedger(
      context.objects,
      manifest.generation + 1,
      context.randomId(),
      await pace.run(withReleased(screened.ledger, due.batches, canaries)),
      pace,
    ),
    quarantined: screened.quarantined,
  };
}

/** Batches merged as the ledger says. */
async function withoutOmitted(
  { objects, pace }: MergeContext,
  ledger: Ledger,
  { all }: TakenBatches,
  isRecorded: (id: string) => boolean,
): Promise<Batch[]> {
  const recorded = all.filter(({ id }) => isRecorded(id));
  if (recorded.length === 0) return [];
  const ids = new Set(recorded.map(({ id }) => id));
  const omissions = await readExcludedRows(objects, ledger, pace, (id) => ids.has(id));
  return recorded.map(({ id, batch }) => {
    const omission = omissions.get(id);
    return omission === undefined ? batch : without(batch, omission);
  });
}

/** Notes the canaries that were not merged with what was released. */
export function* withReleased(
  ledger: Ledger,
  due: readonly PendingReleaseBatch[],
  canaries: ReadonlySet<number>,
): Steps<Ledger> {
  if (canaries.size === 0) return ledger;
  const ascending = Float64Array.from(canaries).sort();
  const leftOut = [...ledger.leftOut];
  for (const { id, of, batch } of due) {
    for (const [source, numbers] of yield* findHits(batch, ascending)) {
      if (of.every === true || source === of.source) leftOut.push({ batch: id, source, numbers: [...numbers.keys()] });
    }
  }
  return leftOut.length === ledger.leftOut.length ? ledger : { ...ledger, leftOut };
}
