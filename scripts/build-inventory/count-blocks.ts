/**
 * Phase 2, first half, a part of the number space: how many distinct numbers each ten-thousand-block has. That is all
 * that the cuts of the segments depend on, so with it every segment can be folded by itself.
 */
import { blockStart, SEGMENT_ALIGNMENT } from '../../src/format/segment.ts';
import type { SpilledBatch } from './parse-range.ts';
import { SpillFile } from './spill-batch.ts';

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
  all.sort();
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
    const number = all[row] as number;
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
    const [start = 0, end = 0] = file.lowerBound(from, to);
    return { file, start, count: end - start };
  });
  const all = new Float64Array(parts.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { file, start, count } of parts) {
    if (count > 0) file.readNumbers(start, all.subarray(at, at + count));
    at += count;
  }
  return all;
}
