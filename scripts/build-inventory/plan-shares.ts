/** Which segments there will be, and which of them are folded together: from the counts of the blocks alone. */
import { SEGMENT_NUMBERS } from '../../src/format/numbers.ts';
import { blockStart } from '../../src/format/segment.ts';
import type { BlockCounts } from './count-blocks.ts';

/** Segments folded with one dictionary: enough that each piece read of a batch is worth the call. */
export const SHARE_SEGMENTS = 4;

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
      if (share !== null && inSegment + count > SEGMENT_NUMBERS) {
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
