/** Phase 2 as tasks, but for its end: counting the blocks, cutting them into segments and shares, folding a share. */

import { hash } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { activityPartsOf } from '../../src/format/activity.ts';
import type { ActivityShape, EncodedActivity } from '../../src/format/activity-object.ts';
import { parseAttributes } from '../../src/format/attributes.ts';
import { blockStart, SEGMENT_ALIGNMENT, type SegmentShape } from '../../src/format/segment.ts';
import type { Bytes } from '../../src/lib/bytes.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { sortedOrder } from '../../src/lib/sorted.ts';
import { ActivityRows } from '../../src/merge/activity-fold.ts';
import { fold } from '../../src/merge/fold.ts';
import { MergeDictionary, SEGMENT_RECORDS } from '../../src/merge/segment-builder.ts';
import { BuildError } from './journal.ts';
import { type SpilledBatch, writeWhole } from './parse.ts';
import { HeldRows, SpilledRows, SpillFile, Translation } from './spill.ts';

// Phase 2, first half, a part of the number space: how many distinct numbers each ten-thousand-block has. That is all
// that the cuts of the segments depend on, so with it every segment can be folded by itself.

export interface CountTask {
  readonly kind: 'count';
  readonly folder: string;
  readonly batches: readonly SpilledBatch[];
  /** Numbers from `from` to `to`, exclusive; both begin a block. */
  readonly from: number;
  readonly to: number;
}

/** Of the blocks that have numbers, ascending. */
export interface BlockCounts {
  readonly starts: Float64Array<ArrayBuffer>;
  readonly numbers: Uint16Array<ArrayBuffer>;
  /** Rows with those numbers. */
  readonly rows: Float64Array<ArrayBuffer>;
}

export function countBlocks({ folder, batches, from, to }: CountTask): BlockCounts {
  const all = readNumbers(folder, batches, from, to);
  const order = sortedOrder(all, all.length);
  const starts: number[] = [];
  const numbers: number[] = [];
  const rows: number[] = [];
  let previous = -1;
  let blockEnd = -1;
  let distinct = 0;
  let firstRow = 0;
  const endBlock = (row: number) => {
    if (distinct === 0) return;
    numbers.push(distinct);
    rows.push(row - firstRow);
  };
  for (let row = 0; row < all.length; row++) {
    const number = all[order[row] as number] as number;
    if (number >= blockEnd) {
      endBlock(row);
      const start = blockStart(number);
      starts.push(start);
      blockEnd = start + SEGMENT_ALIGNMENT;
      distinct = 0;
      firstRow = row;
    }
    if (number !== previous) distinct += 1;
    previous = number;
  }
  endBlock(all.length);
  return {
    starts: Float64Array.from(starts),
    numbers: Uint16Array.from(numbers),
    rows: Float64Array.from(rows),
  };
}

function readNumbers(folder: string, batches: readonly SpilledBatch[], from: number, to: number): Float64Array {
  const parts = batches.map((batch) => {
    const file = new SpillFile(folder, batch);
    const start = file.lowerBound(from);
    return { file, start, count: file.lowerBound(to) - start };
  });
  const all = new Float64Array(parts.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { file, start, count } of parts) {
    if (count > 0) file.readNumbers(start, all.subarray(at, at + count));
    at += count;
  }
  return all;
}

// Which segments there will be, and which of them are folded together: from the counts of the blocks alone.

/** Segments folded with one dictionary: enough that each piece read of a batch is worth the call. */
const SHARE_SEGMENTS = 4;

/** Consecutive segments that are folded in one go. */
export interface Share {
  /** Numbers from `from` to `to`, exclusive. */
  readonly from: number;
  readonly to: number;
  /** Index of its first segment among all, and how many it has. */
  readonly firstSegment: number;
  readonly segments: number;
  readonly numbers: number;
  readonly rows: number;
}

export interface SharePlan {
  readonly shares: readonly Share[];
  readonly segments: number;
  readonly numbers: number;
  readonly rows: number;
}

/**
 * Cuts as the segment builder does (docs/FORMAT.md, "Cuts"): whole blocks as long as they fit.
 *
 * @param counts of the whole number space, in order
 */
export function planShares(counts: Iterable<BlockCounts>, shareSegments = SHARE_SEGMENTS): SharePlan {
  const shares: Share[] = [];
  const total = { segments: 0, numbers: 0, rows: 0 };
  let share: { from: number; segments: number; numbers: number; rows: number } | null = null;
  let inSegment = 0;
  const close = (to: number) => {
    if (share === null) return;
    shares.push({ ...share, to, firstSegment: total.segments });
    total.segments += share.segments;
    total.numbers += share.numbers;
    total.rows += share.rows;
    share = null;
  };
  for (const { starts, numbers, rows } of counts) {
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i] as number;
      const count = numbers[i] as number;
      if (share !== null && inSegment + count > SEGMENT_RECORDS) {
        if (share.segments === shareSegments) close(start);
        else share.segments += 1;
        inSegment = 0;
      }
      share ??= { from: start, segments: 1, numbers: 0, rows: 0 };
      share.numbers += count;
      share.rows += rows[i] as number;
      inSegment += count;
    }
  }
  close(Number.MAX_SAFE_INTEGER);
  return { shares, ...total };
}

/**
 * Parts of the number space with about as many rows each, cut where blocks begin.
 *
 * @param sample every so many numbers of each batch, in any order
 * @returns where each part begins, the first at 0
 */
export function planParts(sample: readonly number[], parts: number): number[] {
  const sorted = Float64Array.from(sample).sort();
  const starts = [0];
  for (let part = 1; part < parts; part++) {
    const start = blockStart(sorted[Math.floor((part * sorted.length) / parts)] ?? 0);
    if (start > (starts.at(-1) as number)) starts.push(start);
  }
  return starts;
}

// Phase 2, second half, some segments: all batches folded in number order by the merge's own fold.

/** Rows of all batches together that one fold holds, 24 bytes each. */
const MAX_HELD_ROWS = 2 ** 19;
/** Rows of activity sorted at once: those of a share, nearly always. 8 MB, and as much again while they are. */
const ACTIVITY_PIECE_ROWS = 2 ** 19;

export interface FoldTask {
  readonly kind: 'fold';
  readonly folder: string;
  readonly batches: readonly SpilledBatch[];
  readonly share: Share;
  /** Fewer for tests. */
  readonly maxHeldRows?: number;
}

/** A segment in the work folder. */
export interface SpilledSegment {
  readonly index: number;
  readonly shape: SegmentShape & { readonly parts: null };
  /** Of the file, which may wait for its upload over a crash of the machine. */
  readonly crc32: number;
}

/** An activity object in the work folder. */
export interface SpilledActivity {
  readonly name: string;
  readonly shape: ActivityShape;
}

export interface FoldedShare {
  readonly segments: readonly SpilledSegment[];
  readonly activity: readonly SpilledActivity[];
  /** The most rows of batches that were in memory at once. */
  readonly heldRows: number;
}

/** At once: Node would hand each to its thread pool, and this thread would have to wait. */
function sha256(bytes: Bytes): string {
  return hash('sha256', bytes);
}

export function segmentName(index: number): string {
  return `${String(index).padStart(6, '0')}.segment`;
}

/** Texts of attributes that are kept from one share to the next: all there are, unless many rows have links. */
const MAX_KEPT_TEXTS = 2 ** 16;

/** What a share is folded with. */
class FoldMemory {
  readonly dictionary = new MergeDictionary();
  readonly translation = new Translation(this.dictionary);
  readonly rows = new HeldRows();
  readonly activity = new ActivityRows(
    (id) => activityPartsOf(parseAttributes(this.dictionary.attributes.text(id))),
    (piece) => this.onPiece(piece),
    ACTIVITY_PIECE_ROWS,
  );
  onPiece: (piece: EncodedActivity) => void = () => {};
}

/**
 * What a thread keeps from one share to the next: arrays, and what it has learnt of attributes, which hardly differ.
 */
export class ShareMemory {
  #kept: FoldMemory | null = null;

  /** Does the work with what is kept. Work that fails has it to itself. */
  async lend<T>(work: (memory: FoldMemory) => Promise<T>): Promise<T> {
    const memory = this.#kept ?? new FoldMemory();
    this.#kept = null;
    const result = await work(memory);
    if (memory.dictionary.size <= MAX_KEPT_TEXTS) this.#kept = memory;
    return result;
  }

  forget(): void {
    this.#kept = null;
  }
}

/**
 * Stopped anywhere, its files are written again by the next try, to the same bytes.
 *
 * @throws BuildError `damaged-work` if the segments are not those that were planned
 */
export function foldShare(
  task: FoldTask,
  onProgress: (numbers: number) => void,
  shares = new ShareMemory(),
): Promise<FoldedShare> {
  return shares.lend((memory) => foldShareWith(memory, task, onProgress));
}

async function foldShareWith(
  memory: FoldMemory,
  { folder, batches, share, maxHeldRows = MAX_HELD_ROWS }: FoldTask,
  onProgress: (numbers: number) => void,
): Promise<FoldedShare> {
  const { dictionary, activity } = memory;
  const pieces: SpilledActivity[] = [];
  memory.onPiece = ({ shape, file }) => {
    const name = `${String(share.firstSegment).padStart(6, '0')}-${pieces.length}.piece`;
    writeWhole(join(folder, name), file);
    pieces.push({ name, shape });
  };
  const files = batches.map((batch) => new SpillFile(folder, batch));
  const rows = new SpilledRows(files, share, maxHeldRows, memory);
  const segments: SpilledSegment[] = [];
  for await (const { segment } of fold([rows], dictionary, UNPACED, SEGMENT_RECORDS, sha256)) {
    const index = share.firstSegment + segments.length;
    const { shape, file } = segment;
    writeWhole(join(folder, segmentName(index)), file);
    segments.push({ index, shape: { ...shape, parts: null }, crc32: crc32(file) });
    onProgress(shape.count);
  }
  activity.finish();
  const numbers = segments.reduce((sum, { shape }) => sum + shape.count, 0);
  if (segments.length !== share.segments || numbers !== share.numbers) {
    throw new BuildError(
      'damaged-work',
      `${segments.length} segments of ${numbers} numbers came out where ${share.segments} of ${share.numbers} were counted: delete the work folder and start again`,
    );
  }
  return { segments, activity: pieces, heldRows: rows.mostHeld };
}
