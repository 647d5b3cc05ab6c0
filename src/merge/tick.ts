/**
 * One tick of the cron handler: settle what earlier ticks left, merge waiting batches into a new run and publish it,
 * then do a share of any compaction. Ticks may overlap and may stop anywhere: everything before a swap is invisible,
 * everything after it is taken up again from the manifest.
 */

import type { Manifest } from '../format/manifest.ts';
import { watermarkAt } from '../format/manifest.ts';
import type { Case } from '../quality/ledger.ts';
import { mergeActivity } from './activity.ts';
import { collectGarbage, isCollectionTick } from './collect-garbage.ts';
import { compact, planInline, runCursor } from './compact.ts';
import type { MergeContext } from './context.ts';
import { boundLog } from './context.ts';
import { underLease } from './decisions.ts';
import {
  type Attempt,
  beginAttempt,
  readSetAside,
  type SetAside,
  sift,
  watch,
  writeSetAside,
} from './failing-batches.ts';
import { BatchCursor, fold } from './fold.ts';
import type { MergedBatches } from './history.ts';
import { type LoadedManifest, loadManifest, type ManifestChange, publish } from './publish.ts';
import { rewrite } from './rewrite-withdrawn.ts';
import { type ScreenedBatches, screenBatches } from './screen.ts';
import { MergeDictionary } from './segment-builder.ts';
import { repairSlices, SegmentWriter } from './segment-writer.ts';
import {
  type Candidates,
  candidatesOf,
  listWaiting,
  NOTHING_PENDING,
  openInputs,
  openPendingRelease,
  type PendingRelease,
  settle,
  type TakenBatches,
  withoutDuplicates,
} from './take.ts';

export interface TickResult {
  /** The generation that was current when the tick ended, as far as it knows. */
  readonly generation: number;
  /** Batches that this tick took up, released ones included, and detections of them that it published. */
  readonly batches: number;
  readonly detections: number;
  /** Another writer published first: this tick's work will be done again by a later one. */
  readonly lostRace: boolean;
}

/** How often a tick goes again if it publishes nothing because others are first. */
const LEASES = 2;

export async function tick(outer: MergeContext): Promise<TickResult> {
  const bounded = boundLog(outer);
  const context = { ...outer, log: bounded.log };
  try {
    let result = await boundedTick(context);
    for (let lease = 0; lease < LEASES && result.lostRace && result.batches === 0; lease++) {
      result = await underLease(context, () => boundedTick(context));
    }
    return result;
  } finally {
    bounded.end();
  }
}

async function boundedTick(context: MergeContext): Promise<TickResult> {
  const base = await loadManifest(context.objects);
  // The manifest is read before the list: a batch that left `consumed` had left `waiting` before that.
  const waiting = await listWaiting(context.objects, context.now());
  const unsettled = base.manifest.consumed.filter((id) => !waiting.isGone(id));
  const gone = await settle(context, unsettled);
  const leftover = unsettled.filter((id) => !gone.has(id));
  const unsliced = await repairSlices(context, base.manifest.unsliced);

  const candidates = candidatesOf(context, base.manifest, waiting);
  const ids = [...candidates.replay, ...candidates.waiting];
  const attempt = await beginAttempt(context, base.manifest, ids, candidates.oldestAt);
  let merged: MergedInputs;
  try {
    merged = await mergeWaiting(context, base, candidates, attempt, { leftover, unsliced });
  } catch (error) {
    await attempt.end();
    throw error;
  }
  if (merged.current === null) {
    await attempt.end();
    return { generation: base.manifest.generation, batches: 0, detections: 0, lostRace: true };
  }
  if (merged.current === base) await attempt.end();
  await settle(context, merged.settled);
  const rewritten = await rewrite(context, merged.current);
  const compacted = rewritten && (await compact(context, rewritten));
  const end = compacted ?? rewritten ?? merged.current;
  if (isCollectionTick(context.now())) await collectGarbage(context, end.manifest);
  return {
    generation: end.manifest.generation,
    batches: merged.batches,
    detections: merged.detections,
    lostRace: compacted === null,
  };
}

interface MergedInputs {
  /** What is current now: what was, if there was nothing to publish; null: another writer was first. */
  readonly current: LoadedManifest | null;
  readonly batches: number;
  readonly detections: number;
  /** No longer waiting, as the manifest says. */
  readonly settled: readonly string[];
}

/** Merges and publishes what waits and what is due, without what no merge can take. */
async function mergeWaiting(
  context: MergeContext,
  base: LoadedManifest,
  candidates: Candidates,
  attempt: Attempt,
  { leftover, unsliced }: { readonly leftover: readonly string[]; readonly unsliced: readonly string[] },
): Promise<MergedInputs> {
  const { manifest } = base;
  const limited = {
    ...context,
    budget: { ...context.budget, batches: Math.min(context.budget.batches, attempt.most) },
  };
  // What came back after it was merged is not set aside: released, it would count twice.
  const isReplay = (id: string) => manifest.replay.includes(id);
  const waiting = attempt.exhausted.filter((id) => !isReplay(id));
  const exhausted = [...attempt.exhausted.filter(isReplay), ...(await withoutDuplicates(context, waiting))];
  const isAlone = attempt.most === 1 && candidates.replay.length + candidates.waiting.length > 0;
  const due = isAlone ? NOTHING_PENDING : await openPendingRelease(limited, manifest);
  const inputs = await openInputs(limited, candidates, {
    takenBytes: due.sizeBytes,
    isWanted: (id) => (attempt.only === null ? !attempt.passedOver.has(id) : id === attempt.only),
  });
  const repaired = unsliced.length < manifest.unsliced.length;
  const nothing = { current: base, batches: 0, detections: 0, settled: [] };
  if (inputs.all.length + due.batches.length + exhausted.length === 0 && !repaired) return nothing;
  const { merged, failed } = await mergeWhatGoes(context, base, inputs, due, unsliced);
  const aside = [...failed, ...exhausted.map((id) => asideEntry(context, id, 'exhausted', null))];
  if (merged === null && aside.length === 0 && !repaired) return nothing;
  const isAside = new Set(aside.map(({ id }) => id));
  const waitingAside = aside.map(({ id }) => id).filter((id) => !manifest.replay.includes(id));
  const taken = merged ?? (await mergeBatches(context, base, NO_INPUTS, NOTHING_PENDING, unsliced));
  const settled = [...taken.batches.batches, ...waitingAside];
  const current = await publish(
    context,
    base,
    {
      ...taken.change,
      consumed: [...leftover, ...settled],
      replay: taken.change.replay.filter((id) => !isAside.has(id)),
      unscreened: taken.change.unscreened.filter((id) => !isAside.has(id)),
      ...(aside.length === 0 ? {} : { setAside: await withAside(context, manifest, aside) }),
      caution: attempt.caution,
    },
    { ...taken.batches, batches: settled },
  );
  if (current === null) return { ...nothing, current: null };
  logQuarantined(context, taken.admitted.quarantined);
  for (const { id, reason, detail } of aside) {
    context.log('batch.set-aside', { batch: id, reason: detail === null ? reason : `${reason}: ${detail}` });
  }
  const batches = taken.batches.batches.length + taken.batches.replayed.length + taken.due;
  return { current, batches, detections: taken.admitted.detections, settled };
}

/** All of the inputs in one merge, or if that fails for some of them, and not for the store, as many as go. */
async function mergeWhatGoes(
  context: MergeContext,
  base: LoadedManifest,
  inputs: TakenBatches,
  due: PendingRelease,
  unsliced: readonly string[],
): Promise<{ readonly merged: MergedBatchesChange | null; readonly failed: readonly SetAside[] }> {
  const watched = watch(context);
  if (due.batches.length > 0 || inputs.all.length === 0) {
    try {
      return { merged: await mergeBatches(watched.context, base, inputs, due, unsliced), failed: [] };
    } catch (error) {
      if (!watched.isInputs(error)) throw error;
      // Released rows stay due, and are tried again by the next tick.
      context.log('merge.failed', { batches: inputs.all.length + due.batches.length, reason: detailOf(error) });
    }
  }
  const isReplayed = new Set(inputs.replayed);
  const sifted = await sift(
    inputs.all,
    (some) => {
      const [replayed, waiting] = [
        some.filter((one) => isReplayed.has(one)),
        some.filter((one) => !isReplayed.has(one)),
      ];
      const part = { replayed, waiting, all: some, unreadable: inputs.unreadable };
      return mergeBatches(watched.context, base, part, NOTHING_PENDING, unsliced);
    },
    watched.isInputs,
  );
  if (sifted.faulty.length === 0) return { merged: sifted.merged, failed: [] };
  const reason = detailOf(sifted.faulty[0]?.error);
  context.log('merge.failed', { batches: sifted.faulty.length, reason });
  // Where nothing could be merged at all, it may be the code or the store that fails: they wait, and nobody with them.
  if (sifted.merged === null || sifted.merged.admitted.detections === 0) return { merged: sifted.merged, failed: [] };
  const failed = sifted.faulty.map(({ item, error }) => asideEntry(context, item.id, 'failed', detailOf(error)));
  return { merged: sifted.merged, failed };
}

function asideEntry(context: MergeContext, id: string, reason: SetAside['reason'], detail: string | null): SetAside {
  return { id, reason, detail, at: context.now(), by: null };
}

async function withAside({ objects, randomId }: MergeContext, manifest: Manifest, aside: readonly SetAside[]) {
  const before = await readSetAside(objects, manifest);
  return writeSetAside(objects, manifest.generation + 1, randomId(), [...before, ...aside]);
}

const MAX_DETAIL_CHARS = 200;

/** What an error says, without anything that could be a number. */
function detailOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replace(/\d{6,}/g, '#').slice(0, MAX_DETAIL_CHARS);
}

/** Logs one line for all of them: an upload may name as many sources as it has lines. */
function logQuarantined({ log }: MergeContext, quarantined: readonly Case[]): void {
  if (quarantined.length === 0) return;
  const reasons = [...new Set(quarantined.flatMap((one) => one.reasons))];
  log('source.quarantined', { sources: quarantined.length, reasons: reasons.join(' ') });
}

interface MergedBatchesChange {
  readonly admitted: ScreenedBatches;
  readonly change: ManifestChange & Pick<Manifest, 'replay' | 'unscreened'>;
  readonly batches: MergedBatches;
  /** Batches of which released rows were merged. */
  readonly due: number;
}

const NO_INPUTS: TakenBatches = { replayed: [], waiting: [], all: [], unreadable: 0 };

/** Folds what is admitted of batches and the newest small runs into one new run, to be published. */
async function mergeBatches(
  context: MergeContext,
  { manifest }: LoadedManifest,
  inputs: TakenBatches,
  due: PendingRelease,
  stillUnsliced: readonly string[],
): Promise<MergedBatchesChange> {
  const { budget } = context;
  const admitted = await screenBatches(context, manifest, inputs, due);
  const { batches, detections, newNumbers, ledger } = admitted;
  const facts = await mergeActivity(context, manifest.facts, batches, manifest.withdrawals?.replacing !== true);
  let runs = manifest.runs;
  const unsliced = [...stillUnsliced];
  if (detections > 0) {
    const writer = new SegmentWriter(context);
    const joined = planInline(
      runs,
      manifest.compaction?.inputs ?? [],
      detections,
      budget.inlineRecords,
      budget.smallRun,
    );
    const dictionary = new MergeDictionary();
    const cursors = [
      ...batches.map((batch) => new BatchCursor(batch, dictionary)),
      ...runs.slice(0, joined).map(({ segments }) => runCursor(context, segments, 0, dictionary)),
    ];
    for await (const { segment } of fold(cursors, dictionary, budget.segmentRecords, context.pace))
      await writer.write(segment);
    const firstHere = runs.slice(0, joined).reduce((sum, run) => sum + run.firstHere, newNumbers);
    const written = await writer.finish();
    runs = [{ id: writer.attempt, firstHere, segments: written.entries }, ...runs.slice(joined)];
    unsliced.push(...written.unsliced);
  }
  const replayed = new Set(inputs.replayed.map(({ id }) => id));
  return {
    admitted,
    change: {
      runs,
      unsliced,
      ledger,
      facts: facts.entries,
      reached: watermarkAt(manifest.reached, manifest.generation + 1, facts.firstDay),
      replay: manifest.replay.filter((id) => !replayed.has(id)),
      unscreened: manifest.unscreened.filter((id) => !replayed.has(id)),
      lastTick: {
        at: context.now(),
        batches: inputs.all.length,
        detections,
        newNumbers,
        unreadable: inputs.unreadable,
      },
    },
    batches: { batches: inputs.waiting.map(({ id }) => id), replayed: [...replayed], released: admitted.released },
    due: due.batches.length,
  };
}
