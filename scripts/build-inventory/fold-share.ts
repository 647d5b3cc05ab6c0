/** Phase 2, second half, some segments: all batches folded in number order by the merge's own fold. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { SegmentShape } from '../../src/format/segment.ts';
import { MergeDictionary } from '../../src/merge/dictionary.ts';
import { FactsRows } from '../../src/merge/facts-rows.ts';
import { fold } from '../../src/merge/fold.ts';
import { BuildError } from './build-error.ts';
import type { SpilledFacts } from './fold-facts.ts';
import { type SpilledBatch, writeWhole } from './parse-range.ts';
import type { Share } from './plan-shares.ts';
import { SpillFile } from './spill-batch.ts';
import { HeldRows, SpillCursor } from './spill-cursor.ts';

/** Rows of all batches together that one fold holds, 24 bytes each. */
export const MAX_HELD_ROWS = 2 ** 19;
/** Rows of facts sorted at once: those of a share, nearly always. 8 MB, and as much again while they are. */
const FACTS_PIECE_ROWS = 2 ** 19;
/** A piece of a batch is worth a few system calls from about this many rows on. */
const MAX_ROWS_AT_ONCE = 2 ** 14;

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
  readonly shape: SegmentShape;
  readonly bytes: number;
  /** Of the file, which may wait for its upload over a crash of the machine. */
  readonly crc32: number;
}

export interface FoldedShare {
  readonly segments: readonly SpilledSegment[];
  readonly facts: readonly SpilledFacts[];
  /** The most rows of batches that were in memory at once. */
  readonly heldRows: number;
}

export function segmentName(index: number): string {
  return `${String(index).padStart(6, '0')}.segment`;
}

/**
 * Stopped anywhere, its files are written again by the next try, to the same bytes.
 *
 * @throws BuildError `damaged-work` if the segments are not those that were planned
 */
export async function foldShare(
  { folder, batches, share, maxHeldRows = MAX_HELD_ROWS }: FoldTask,
  onProgress: (numbers: number) => void,
): Promise<FoldedShare> {
  const dictionary = new MergeDictionary();
  const held = new HeldRows();
  const atOnce = Math.max(1, Math.min(MAX_ROWS_AT_ONCE, Math.floor(maxHeldRows / Math.max(1, batches.length))));
  const facts: SpilledFacts[] = [];
  const textOf = (id: number) => dictionary.circumstancesText(id);
  const factsRows = new FactsRows(
    textOf,
    ({ shape, file }) => {
      const name = `${String(share.firstSegment).padStart(6, '0')}-${facts.length}.piece`;
      writeWhole(join(folder, name), file);
      facts.push({ name, shape });
    },
    FACTS_PIECE_ROWS,
  );
  const cursors = batches.flatMap((batch) => {
    const file = new SpillFile(folder, batch);
    const [from = 0, to = 0] = file.lowerBound(share.from, share.to);
    return from === to ? [] : [new SpillCursor(file, { from, to }, atOnce, dictionary, { held, facts: factsRows })];
  });
  const segments: SpilledSegment[] = [];
  for await (const { segment } of fold(cursors, dictionary)) {
    const index = share.firstSegment + segments.length;
    const { shape, file } = segment;
    writeWhole(join(folder, segmentName(index)), file);
    segments.push({ index, shape, bytes: file.length, crc32: crc32(file) });
    onProgress(shape.count);
  }
  factsRows.finish();
  const numbers = segments.reduce((sum, { shape }) => sum + shape.count, 0);
  if (segments.length !== share.segments || numbers !== share.numbers) {
    throw new BuildError(
      'damaged-work',
      `${segments.length} segments of ${numbers} numbers came out where ${share.segments} of ${share.numbers} were counted: delete the work folder and start again`,
    );
  }
  return { segments, facts, heldRows: held.most };
}
