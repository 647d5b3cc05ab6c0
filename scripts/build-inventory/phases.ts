/** The phases that run as tasks, several at a time: what of each is left to do, and what it has come to. */

import { mapConcurrent } from '../../src/lib/concurrency.ts';
import { OBJECT_BYTES } from '../../src/merge/activity-fold.ts';
import type { Progress } from '../command/progress.ts';
import {
  type BlockCounts,
  planParts,
  planShares,
  type Share,
  type SharePlan,
  type SpilledActivity,
  type SpilledSegment,
} from './fold.ts';
import { type ActivityPart, openPiece } from './fold-activity.ts';

import { type Input, type InputRange, rangesOf, wholeFile } from './inputs.ts';
import type { Journal } from './journal.ts';
import { type ParsedRange, rangeName, type SpilledBatch } from './parse.ts';
import { SpillFile } from './spill.ts';
import type { TaskRunner } from './tasks.ts';

// Phase 1: all pieces of all inputs, those that an earlier run of the build has done left out.

export interface ParsedInput {
  readonly input: Input;
  readonly ranges: readonly { readonly range: InputRange; readonly parsed: ParsedRange }[];
}

interface ParseRequest {
  readonly inputs: readonly Input[];
  readonly folder: string;
  readonly labels: readonly string[];
  readonly rangeBytes?: number;
  readonly maxBatchRows?: number;
}

/** The pieces of each input, in order. Stopped anywhere, a piece is in the journal, or is done again. */
export async function parseInputs(
  request: ParseRequest,
  journal: Journal,
  runner: TaskRunner,
  progress: Progress,
): Promise<ParsedInput[]> {
  const { inputs, folder, labels } = request;
  const total = inputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  progress.begin('reading', total, { unit: 'rows' });
  const whole = new Set(journal.all('whole').map(({ input }) => input));
  const plan = () =>
    inputs.flatMap((input, i) => (whole.has(i) ? [wholeFile(i)] : rangesOf(input, i, request.rangeBytes)));
  const done = new Map<string, ParsedRange>(journal.all('parsed').map((entry) => [entry.range, entry]));
  const parse = async (range: InputRange) => {
    const input = inputs[range.input];
    if (input === undefined || done.has(rangeName(range)) || isObsolete(range, whole)) return;
    const maxBatchRows = request.maxBatchRows;
    const task = {
      kind: 'parse' as const,
      input,
      range,
      folder,
      labels,
      nowMs: journal.beganMs,
      ...(maxBatchRows !== undefined && { maxBatchRows }),
    };
    const parsed = await runner.run<'parse'>(task, ({ bytes, rows }) => progress.advance(bytes, rows));
    if (parsed === 'needs-whole-file') {
      if (!whole.has(range.input)) journal.add({ event: 'whole', input: range.input });
      whole.add(range.input);
      return;
    }
    const { lines, accepted, undated, rejectedByCode, batches } = parsed;
    journal.add({
      event: 'parsed',
      range: rangeName(range),
      lines,
      accepted,
      undated,
      rejectedByCode: { ...rejectedByCode },
      batches: [...batches],
    });
    done.set(rangeName(range), parsed);
  };
  await mapConcurrent(plan(), parse, runner.threads);
  // Files that turned out to need it are read again, as a whole; the second plan has only those left to do.
  await mapConcurrent(plan(), parse, runner.threads);
  return inputs.map((input, i) => ({
    input,
    ranges: plan()
      .filter((range) => range.input === i)
      .map((range) => ({ range, parsed: parsedOf(done, range) })),
  }));
}

/** Whether the piece is one of a file that is read as a whole. */
function isObsolete(range: InputRange, whole: ReadonlySet<number>): boolean {
  return whole.has(range.input) && !range.isWhole;
}

function parsedOf(done: ReadonlyMap<string, ParsedRange>, range: InputRange): ParsedRange {
  const parsed = done.get(rangeName(range));
  if (parsed === undefined) throw new Error(`piece ${rangeName(range)} was not read`);
  return parsed;
}

// Phase 2: all batches folded into the segments of one run, those that are there already left out.

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
  readonly progress: Progress;
}

/** Stopped anywhere, a segment is in the journal, or is made again to the same bytes. */
export async function foldBatches(job: Job, journal: Journal): Promise<FoldedBatches> {
  const { folder, batches, runner, progress } = job;
  const plan = await countAndPlan(job);
  const segments = new Map(foldedBefore(journal).segments.map((segment) => [segment.index, segment]));
  let heldRows = 0;
  progress.begin('folding', plan.numbers, { unit: 'numbers' });
  await mapConcurrent(
    plan.shares,
    async (share) => {
      if (isDone(share, segments)) return;
      const task = { kind: 'fold' as const, folder, batches, share };
      const folded = await runner.run<'fold'>(task, ({ rows }) => progress.advance(rows));
      journal.add({ event: 'folded', segments: [...folded.segments], facts: [...folded.activity] });
      for (const segment of folded.segments) segments.set(segment.index, segment);
      heldRows = Math.max(heldRows, folded.heldRows);
    },
    runner.threads,
  );
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
  progress.begin('counting', rows, { unit: 'rows' });
  await mapConcurrent(
    starts,
    async (from, i) => {
      const to = starts[i + 1] ?? Number.MAX_SAFE_INTEGER;
      const counted = await runner.run<'count'>({ kind: 'count', folder, batches, from, to }, () => {});
      counts[i] = counted;
      const done = counted.rows.reduce((sum, count) => sum + count, 0);
      progress.advance(done);
    },
    runner.threads,
  );
  return planShares(counts);
}

// Phase 2, its end: which part of the activity, by days, each task folds; those that are there already left out.

interface ActivityJob {
  readonly folder: string;
  readonly runner: TaskRunner;
  readonly progress: Progress;
}

/** Stopped anywhere, a part is in the journal, or is made again to the same bytes. */
export async function foldActivity(
  { folder, runner, progress }: ActivityJob,
  journal: Journal,
): Promise<SpilledActivity[]> {
  const pieces = journal.all('folded').flatMap(({ facts }) => facts);
  const parts = planActivityParts(folder, pieces);
  const done = new Map(journal.all('facts').map(({ part, objects }) => [part, objects]));
  progress.begin(
    'sorting by day',
    pieces.reduce((sum, { shape }) => sum + shape.rows, 0),
    { unit: 'activity rows' },
  );
  await mapConcurrent(
    parts,
    async (part, index) => {
      if (done.has(index)) return;
      const objects = await runner.run<'activity'>({ kind: 'activity', folder, pieces, index, part }, () => {});
      journal.add({ event: 'facts', part: index, objects: [...objects] });
      done.set(index, [...objects]);
      const rows = objects.reduce((sum, { shape }) => sum + shape.rows, 0);
      progress.advance(rows);
    },
    runner.threads,
  );
  return parts.flatMap((_, index) => done.get(index) ?? []);
}

/** Parts of about an object each, so that a thread holds little more. */
function planActivityParts(
  folder: string,
  pieces: readonly SpilledActivity[],
  partBytes = OBJECT_BYTES,
): ActivityPart[] {
  const byDay = new Map<number, Map<number, number>>();
  for (const [index, piece] of pieces.entries()) {
    for (const { day, bytes } of openPiece(folder, piece).directory.blocks) {
      const ofDay = byDay.get(day) ?? new Map<number, number>();
      byDay.set(day, ofDay.set(index, (ofDay.get(index) ?? 0) + bytes));
    }
  }
  const parts: ActivityPart[] = [];
  let open: { from: number; to: number; pieces: Set<number>; bytes: number } | null = null;
  const close = () => {
    if (open !== null) parts.push({ from: open.from, to: open.to, pieces: [...open.pieces] });
    open = null;
  };
  for (const [day, ofDay] of [...byDay].sort(([a], [b]) => a - b)) {
    const dayBytes = [...ofDay.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (open !== null && open.bytes + dayBytes > partBytes) close();
    for (const [piece, bytes] of ofDay) {
      // Only a day that is alone in its part is ever too large for it.
      if (open !== null && dayBytes > partBytes && open.bytes + bytes > partBytes) close();
      open ??= { from: day, to: day, pieces: new Set(), bytes: 0 };
      open.to = day;
      open.pieces.add(piece);
      open.bytes += bytes;
    }
    if (dayBytes > partBytes) close();
  }
  close();
  return parts;
}
