/**
 * Compaction: which runs are merged into one, and a chunk of that work in each tick; the manifest says where the next
 * chunk begins.
 */

import { NO_OUTPUT, type Run, runNumbers, type SegmentEntry } from '../format/manifest.ts';
import { readSegment } from '../storage/slices.ts';
import { progressOf, writeOutput } from './compaction-output.ts';
import { type MergeContext, SMALL_RUN } from './context.ts';
import { fold, type RecordCursor, RunCursor } from './fold.ts';
import { NO_BATCHES } from './history.ts';
import type { LoadedManifest } from './last-published.ts';
import { publish } from './publish-manifest.ts';
import { MergeDictionary } from './segment-builder.ts';
import { SegmentWriter } from './segment-writer.ts';

export function runCursor(
  context: MergeContext,
  segments: readonly SegmentEntry[],
  from: number,
  dictionary: MergeDictionary,
): RunCursor {
  return new RunCursor(segments, from, (entry, pace) => readSegment(context.objects, entry, pace), dictionary);
}

/**
 * Does a tick's chunk of a compaction: starts one if the tiers ask for it, goes on from where the last tick stopped,
 * publishes progress, and replaces the input runs when all is merged. Returns what is current afterwards, or null
 * when another writer was first; the segments written are then garbage, and the work is done again.
 */
export async function compact(
  context: MergeContext,
  base: LoadedManifest,
  plan = (runs: readonly Run[]): readonly Run[] => planCompaction(runs, context.budget.smallRun),
): Promise<LoadedManifest | null> {
  const { manifest } = base;
  // Then `compaction` is not of this kind, and its inputs are all runs that there were.
  if (manifest.withdrawals?.replacing === true) return base;
  const planned = plan(manifest.runs).map(({ id }) => id);
  const begun =
    manifest.compaction ?? (planned.length > 0 ? { inputs: planned, output: NO_OUTPUT, resumeFrom: 0 } : null);
  if (begun === null) return base;
  const state = await progressOf(context, begun);
  const inputs = manifest.runs.filter(({ id }) => state.inputs.includes(id));
  const chunk = await foldChunk(context, (dictionary) =>
    inputs.map(({ segments }) => runCursor(context, segments, state.resumeFrom, dictionary)),
  );
  const segments = [...state.output, ...chunk.entries];
  const missingSlices = [...manifest.missingSlices, ...chunk.missingSlices];
  if (chunk.resumeFrom !== null) {
    const output = await writeOutput(context.objects, manifest.generation + 1, context.randomId(), segments);
    const compaction = { inputs: state.inputs, output, resumeFrom: chunk.resumeFrom };
    return publish(context, base, { compaction, missingSlices }, NO_BATCHES);
  }
  const newNumbers = inputs.reduce((sum, run) => sum + run.newNumbers, 0);
  const at = manifest.runs.findIndex(({ id }) => id === inputs[0]?.id);
  const merged: Run = { id: chunk.attempt, newNumbers, segments };
  const runs = manifest.runs.toSpliced(at, inputs.length, merged);
  return publish(context, base, { runs, compaction: null, missingSlices }, NO_BATCHES);
}

interface FoldedShare {
  /** Names the run, if this was the last chunk. */
  readonly attempt: string;
  readonly entries: SegmentEntry[];
  readonly missingSlices: string[];
  /** From which number on there is more to fold; null: nothing is left. */
  readonly resumeFrom: number | null;
}

/** Folds and writes as many segments as a tick's chunk of a compaction has. */
export async function foldChunk(
  context: MergeContext,
  cursorsOf: (dictionary: MergeDictionary) => readonly RecordCursor[],
): Promise<FoldedShare> {
  const { compactionSegments, compactionAttributes } = context.budget;
  const dictionary = new MergeDictionary();
  const writer = new SegmentWriter(context);
  let resumeFrom: number | null = null;
  for await (const folded of fold(cursorsOf(dictionary), dictionary, context.pace, context.budget.segmentRecords)) {
    await writer.write(folded.segment);
    resumeFrom = folded.resumeFrom;
    if (writer.count >= compactionSegments || dictionary.size >= compactionAttributes) break;
  }
  return { attempt: writer.attempt, ...(await writer.finish()), resumeFrom };
}

// Which runs are merged when: tiered by size, so that a minute's detections never rewrite the base, and a lookup
// folds a handful of runs. A run is merged with what is newer once that has grown to a fifth of it, so a record is
// rewritten some three times a tier, and 20.87 million numbers stand in at most six runs (docs/decisions/0005).

export const TIER_RATIO = 5;

/** How many of the newest runs belong together with `newer` records in front of them. */
function runsToJoin(sizes: readonly number[], newer: number, limit: number, smallRun: number): number {
  let total = newer;
  let joined = 0;
  for (const size of sizes) {
    if (size > Math.max(smallRun, TIER_RATIO * total) || total + size > limit) break;
    total += size;
    joined += 1;
  }
  return joined;
}

/** How many of the newest runs are rewritten together with `newRecords` detections, before those are served. */
export function planInline(
  runs: readonly Run[],
  compacting: readonly string[],
  newRecords: number,
  limit: number,
  smallRun = SMALL_RUN,
): number {
  const busy = runs.findIndex(({ id }) => compacting.includes(id));
  const free = busy === -1 ? runs : runs.slice(0, busy);
  return runsToJoin(free.map(runNumbers), newRecords, limit, smallRun);
}

/** The runs that a new compaction should merge, neighbours, newest first; none when the tiers are in order. */
export function planCompaction(runs: readonly Run[], smallRun = SMALL_RUN): readonly Run[] {
  const sizes = runs.map(runNumbers);
  for (let start = 0; start + 1 < sizes.length; start++) {
    const joined = runsToJoin(sizes.slice(start + 1), sizes[start] as number, Number.POSITIVE_INFINITY, smallRun);
    if (joined > 0) return runs.slice(start, start + 1 + joined);
  }
  return [];
}
