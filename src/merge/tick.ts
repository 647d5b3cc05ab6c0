/**
 * One tick of the cron handler: settle what earlier ticks left, merge waiting batches into a new run and publish it,
 * then do a share of any compaction. Ticks may overlap and may stop anywhere: everything before a swap is invisible,
 * everything after it is taken up again from the manifest.
 */
import { reachedBy } from '../format/facts-reached.ts';
import type { Run, SegmentEntry } from '../format/manifest.ts';
import type { Case } from '../quality/ledger.ts';
import { readSegment } from '../store/columns.ts';
import { type Admitted, admit } from './admit.ts';
import { collectGarbage, isCollectionTick } from './collect.ts';
import type { MergeContext } from './context.ts';
import { BatchCursor, RunCursor } from './cursor.ts';
import { MergeDictionary } from './dictionary.ts';
import { openDue } from './due.ts';
import { mergeFacts } from './facts.ts';
import { fold } from './fold.ts';
import { NO_BATCHES } from './history.ts';
import { type LoadedManifest, loadManifest, publish } from './publish.ts';
import { planCompaction, planInline } from './tiers.ts';
import { type Inputs, listWaiting, openInputs, settle } from './waiting.ts';
import { repairSlices, SegmentWriter } from './write.ts';

export interface TickResult {
  /** The generation that was current when the tick ended, as far as it knows. */
  readonly generation: number;
  /** Batches that this tick took up, released ones included, and detections of them that it published. */
  readonly batches: number;
  readonly detections: number;
  /** Another writer published first: this tick's work will be done again by a later one. */
  readonly lostRace: boolean;
}

export async function tick(context: MergeContext): Promise<TickResult> {
  const base = await loadManifest(context.objects);
  // The manifest is read before the list: a batch that left `consumed` had left `waiting` before that.
  const waiting = await listWaiting(context.objects, context.now());
  const unsettled = base.manifest.consumed.filter((id) => !waiting.isGone(id));
  const gone = await settle(context, unsettled);
  const leftover = unsettled.filter((id) => !gone.has(id));
  const unsliced = await repairSlices(context, base.manifest.unsliced);

  const due = await openDue(context, base.manifest);
  const inputs = await openInputs(context, base.manifest, waiting, due.sizeBytes);
  const consumed = leftover.concat(inputs.waiting.map(({ id }) => id));
  const repaired = unsliced.length < base.manifest.unsliced.length;
  const count = inputs.all.length + due.batches.length;
  let current: LoadedManifest = base;
  let detections = 0;
  if (count > 0 || repaired) {
    const admitted = await admit(context, base.manifest, inputs, due);
    const published = await mergeBatches(context, base, inputs, admitted, { consumed, unsliced });
    if (published === null) return { generation: base.manifest.generation, batches: 0, detections: 0, lostRace: true };
    current = published;
    logQuarantined(context, admitted.quarantined);
    detections = admitted.detections;
    await settle(
      context,
      inputs.waiting.map(({ id }) => id),
    );
  }
  const compacted = await compact(context, current);
  const end = compacted ?? current;
  if (isCollectionTick(context.now())) await collectGarbage(context, end.manifest);
  return {
    generation: end.manifest.generation,
    batches: count,
    detections,
    lostRace: compacted === null,
  };
}

/** One line, however many: an upload may name as many sources as it has lines. */
function logQuarantined({ log }: MergeContext, quarantined: readonly Case[]): void {
  if (quarantined.length === 0) return;
  const reasons = [...new Set(quarantined.flatMap((one) => one.reasons))];
  log('source.quarantined', { sources: quarantined.length, reasons: reasons.join(' ') });
}

/** Folds what is admitted of batches and the newest small runs into one new run, and publishes it. */
async function mergeBatches(
  context: MergeContext,
  base: LoadedManifest,
  inputs: Inputs,
  { batches, detections, newNumbers, ledger }: Admitted,
  change: { readonly consumed: string[]; readonly unsliced: string[] },
): Promise<LoadedManifest | null> {
  const { budget } = context;
  const { manifest } = base;
  const facts = await mergeFacts(context, manifest.facts, batches);
  let runs = manifest.runs;
  const unsliced = [...change.unsliced];
  if (detections > 0) {
    const writer = new SegmentWriter(context);
    const joined = planInline(runs, manifest.compaction?.inputs ?? [], detections, budget.inlineRecords);
    const dictionary = new MergeDictionary();
    const cursors = [
      ...batches.map((batch) => new BatchCursor(batch, dictionary)),
      ...runs.slice(0, joined).map(({ segments }) => runCursor(context, segments, 0, dictionary)),
    ];
    for await (const { segment } of fold(cursors, dictionary)) await writer.write(segment);
    const firstHere = runs.slice(0, joined).reduce((sum, run) => sum + run.firstHere, newNumbers);
    const written = await writer.finish();
    runs = [{ id: writer.attempt, firstHere, segments: written.entries }, ...runs.slice(joined)];
    unsliced.push(...written.unsliced);
  }
  const replayed = new Set(inputs.replayed.map(({ id }) => id));
  return publish(
    context,
    base,
    {
      runs,
      consumed: change.consumed,
      unsliced,
      ledger,
      facts: facts.entries,
      reached: reachedBy(manifest.reached, manifest.generation + 1, facts.firstDay),
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
    { batches: inputs.waiting.map(({ id }) => id), replayed: [...replayed] },
  );
}

function runCursor(
  context: MergeContext,
  segments: readonly SegmentEntry[],
  from: number,
  dictionary: MergeDictionary,
): RunCursor {
  return new RunCursor(segments, from, (entry) => readSegment(context.objects, entry), dictionary);
}

/**
 * Does a tick's share of a compaction: starts one if the tiers ask for it, goes on from where the last tick stopped,
 * publishes progress, and replaces the input runs when all is merged. Returns what is current afterwards, or null
 * when another writer was first; the segments written are then garbage, and the work is done again.
 */
export async function compact(
  context: MergeContext,
  base: LoadedManifest,
  plan: (runs: readonly Run[]) => readonly Run[] = planCompaction,
): Promise<LoadedManifest | null> {
  const { manifest } = base;
  const planned = plan(manifest.runs).map(({ id }) => id);
  const state = manifest.compaction ?? (planned.length > 0 ? { inputs: planned, output: [], resumeFrom: 0 } : null);
  if (state === null) return base;
  const inputs = manifest.runs.filter(({ id }) => state.inputs.includes(id));
  const dictionary = new MergeDictionary();
  const cursors = inputs.map(({ segments }) => runCursor(context, segments, state.resumeFrom, dictionary));
  const writer = new SegmentWriter(context);
  let resumeFrom: number | null = null;
  for await (const folded of fold(cursors, dictionary)) {
    await writer.write(folded.segment);
    resumeFrom = folded.resumeFrom;
    const { compactionSegments, compactionCircumstances } = context.budget;
    if (writer.count >= compactionSegments || dictionary.size >= compactionCircumstances) break;
  }
  const written = await writer.finish();
  const output = [...state.output, ...written.entries];
  const unsliced = [...manifest.unsliced, ...written.unsliced];
  if (resumeFrom !== null) {
    return publish(context, base, { compaction: { ...state, output, resumeFrom }, unsliced }, NO_BATCHES);
  }
  const firstHere = inputs.reduce((sum, run) => sum + run.firstHere, 0);
  const at = manifest.runs.findIndex(({ id }) => id === inputs[0]?.id);
  const merged: Run = { id: writer.attempt, firstHere, segments: output };
  const runs = manifest.runs.toSpliced(at, inputs.length, merged);
  return publish(context, base, { runs, compaction: null, unsliced }, NO_BATCHES);
}
