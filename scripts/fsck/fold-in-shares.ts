/**
 * The fold of whole runs, however large, in bounded memory: after a few segments it begins anew where it stopped, as a
 * compaction does from tick to tick (src/merge/tick.ts), and so forgets the texts it has met. Segments are cut the
 * same way, so the bytes are the same.
 */
import type { SegmentEntry } from '../../src/format/manifest.ts';
import type { EncodedSegment, OpenSegment } from '../../src/format/segment.ts';
import { RunCursor } from '../../src/merge/cursor.ts';
import { MergeDictionary } from '../../src/merge/dictionary.ts';
import { fold } from '../../src/merge/fold.ts';

/** Half a million records with their texts: some 100 MB when each has a link of its own. */
const SEGMENTS_AT_ONCE = 8;

/**
 * @param runs each with its segments in number order
 * @param open reads a segment; what it rejects with ends the fold
 */
export async function* foldInShares(
  runs: readonly (readonly SegmentEntry[])[],
  open: (entry: SegmentEntry) => Promise<OpenSegment>,
  segmentsAtOnce = SEGMENTS_AT_ONCE,
): AsyncGenerator<EncodedSegment> {
  // Every share begins behind the one before, so it ends with the numbers.
  for (let from: number | null = 0; from !== null; ) {
    const start: number = from;
    const dictionary = new MergeDictionary();
    const cursors = runs.map((segments) => new RunCursor(segments, start, open, dictionary));
    from = null;
    let taken = 0;
    for await (const { segment, resumeFrom } of fold(cursors, dictionary)) {
      yield segment;
      from = resumeFrom;
      taken += 1;
      if (taken === segmentsAtOnce) break;
    }
  }
}
