/** The stage of a tick that makes what is published: one new run and new activity, written and named by nothing yet. */

import type { Batch } from '../format/batch.ts';
import { type Manifest, type Run, watermarkAt } from '../format/manifest.ts';
import { mergeActivity } from './activity.ts';
import { planInline, runCursor } from './compact.ts';
import type { MergeContext } from './context.ts';
import { BatchCursor, fold } from './fold.ts';
import { MergeDictionary } from './segment-builder.ts';
import { SegmentWriter } from './segment-writer.ts';

/** What is to be folded (screen.ts). */
export interface FoldInput {
  readonly batches: readonly Batch[];
  readonly detections: number;
  /** Distinct numbers of them that no run knows. */
  readonly newNumbers: number;
}

/** Of the next manifest. */
export interface Folded extends Pick<Manifest, 'runs' | 'activity' | 'watermarks'> {}

/**
 * Folds batches with the newest small runs. Rejects when something cannot be written, or read of those runs: then
 * nothing leads to what was written, and it is garbage.
 */
export async function foldBatches(
  context: MergeContext,
  manifest: Manifest,
  { batches, detections, newNumbers }: FoldInput,
): Promise<Folded> {
  const { budget } = context;
  const merged = await mergeActivity(context, manifest.activity, batches, manifest.withdrawals?.replacing !== true);
  const activity = merged.entries;
  const watermarks = watermarkAt(manifest.watermarks, manifest.generation + 1, merged.firstDay);
  if (detections === 0) return { runs: manifest.runs, activity, watermarks };
  // The next tick folds the run again: its slices would hardly have spread by then.
  const writer = new SegmentWriter(context, false);
  const joined = planInline(
    manifest.runs,
    manifest.compaction?.inputs ?? [],
    detections,
    budget.inlineRecords,
    budget.smallRun,
  );
  const small = manifest.runs.slice(0, joined);
  const dictionary = new MergeDictionary();
  const cursors = [
    ...batches.map((batch) => new BatchCursor(batch, dictionary)),
    ...small.map(({ segments }) => runCursor(context, segments, 0, dictionary)),
  ];
  for await (const { segment } of fold(cursors, dictionary, context.pace, budget.segmentRecords))
    await writer.write(segment);
  const newInAll = small.reduce((sum, run) => sum + run.newNumbers, newNumbers);
  const { entries } = await writer.finish();
  const run: Run = { id: writer.attempt, newNumbers: newInAll, segments: entries, noSlices: true };
  return { runs: [run, ...manifest.runs.slice(joined)], activity, watermarks };
}
