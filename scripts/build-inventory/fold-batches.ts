/** Phase 2: all batches folded into the segments of one run, those that are there already left out. */

import type { BlockCounts } from './count-blocks.ts';
import type { SpilledSegment } from './fold-share.ts';
import { inParallel } from './in-parallel.ts';
import type { Journal } from './journal.ts';
import type { SpilledBatch } from './parse-range.ts';
import { planParts, planShares, type Share, type SharePlan } from './plan-shares.ts';
import type { BuildProgress } from './progress.ts';
import { SpillFile } from './spill-batch.ts';
import type { TaskRunner } from './tasks.ts';

/** Rows of one part of the number space while its blocks are counted: 4 MB of numbers. */
const PART_ROWS = 500_000;
/** One number of so many tells where the parts should be cut. */
const SAMPLE_STEP = 4096;

export interface FoldedBatches {
  /** In number order. */
  readonly segments: readonly SpilledSegment[];
  /** The most rows of batches that a fold had in memory at once; 0 if nothing was left to fold. */
  readonly heldRows: number;
}

interface Job {
  readonly folder: string;
  readonly batches: readonly SpilledBatch[];
  readonly runner: TaskRunner;
  readonly progress: BuildProgress;
}

/** Stopped anywhere, a segment is in the journal, or is made again to the same bytes. */
export async function foldBatches(job: Job, journal: Journal): Promise<FoldedBatches> {
  const { folder, batches, runner, progress } = job;
  const plan = await countAndPlan(job);
  const segments = new Map(foldedBefore(journal).segments.map((segment) => [segment.index, segment]));
  let heldRows = 0;
  progress.begin('folding', plan.numbers, 'numbers');
  await inParallel(plan.shares, runner.threads, async (share) => {
    if (isDone(share, segments)) return;
    const task = { kind: 'fold' as const, folder, batches, share };
    const folded = await runner.run<'fold'>(task, ({ rows }) => progress.advance(rows, rows));
    journal.add({ event: 'folded', segments: [...folded.segments], facts: [...folded.facts] });
    for (const segment of folded.segments) segments.set(segment.index, segment);
    heldRows = Math.max(heldRows, folded.heldRows);
  });
  return { segments: inOrder(segments.values()), heldRows };
}

/** What earlier runs of the build have folded. */
export function foldedBefore(journal: Journal): FoldedBatches {
  return { segments: inOrder(journal.all('folded').flatMap(({ segments }) => segments)), heldRows: 0 };
}

function inOrder(segments: Iterable<SpilledSegment>): SpilledSegment[] {
  return [...segments].sort((a, b) => a.index - b.index);
}

function isDone(share: Share, segments: ReadonlyMap<number, SpilledSegment>): boolean {
  return Array.from({ length: share.segments }, (_, i) => segments.has(share.firstSegment + i)).every(Boolean);
}

async function countAndPlan({ folder, batches, runner, progress }: Job): Promise<SharePlan> {
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const sample = batches.flatMap((batch) => new SpillFile(folder, batch).sample(SAMPLE_STEP));
  const starts = planParts(sample, Math.ceil(rows / PART_ROWS));
  const counts: BlockCounts[] = [];
  progress.begin('counting', rows, 'rows');
  await inParallel(starts, runner.threads, async (from, i) => {
    const to = starts[i + 1] ?? Number.MAX_SAFE_INTEGER;
    const counted = await runner.run<'count'>({ kind: 'count', folder, batches, from, to }, () => {});
    counts[i] = counted;
    const done = counted.rows.reduce((sum, count) => sum + count, 0);
    progress.advance(done, done);
  });
  return planShares(counts);
}
