/**
 * The fold: records from any number of cursors, in number order, one record a number. First seen is the earliest,
 * last seen the latest, sightings add up, profiles and evidence unite: every part of it commutes and associates, so
 * neither the order of detections nor their division into batches and runs can show in the result.
 */
import { blockStart, type EncodedSegment, encodeSegment } from '../format/segment.ts';
import { type Pacer, UNPACED } from '../lib/cooperate.ts';
import type { RecordCursor } from './cursor.ts';
import type { MergeDictionary } from './dictionary.ts';
import { SegmentBuilder } from './segment-builder.ts';

export interface FoldedSegment {
  readonly segment: EncodedSegment;
  /** Where a later fold of the same sources goes on, or null after the last segment. */
  readonly resumeFrom: number | null;
}

/** Folds the cursors and yields segments as they fill. */
export async function* fold(
  cursors: readonly RecordCursor[],
  dictionary: MergeDictionary,
  segmentRecords?: number,
  pace: Pacer = UNPACED,
): AsyncGenerator<FoldedSegment> {
  const builder = new SegmentBuilder(dictionary, segmentRecords);
  const heap = new CursorHeap();
  for (const cursor of cursors) {
    await cursor.load(pace);
    heap.push(cursor);
  }
  let previous = -1;
  for (let cursor = heap.first; cursor !== undefined && cursor.number !== Number.POSITIVE_INFINITY; ) {
    if (cursor.number !== previous) {
      if (cursor.number < previous) throw new RangeError('a source of the fold is not in number order');
      previous = cursor.number;
      if (builder.begin(previous)) {
        const segment = await encodeSegment(builder.peek(), pace);
        builder.drop();
        yield { segment, resumeFrom: builder.isEmpty ? blockStart(previous) : builder.boundary };
        builder.begin(previous);
      }
    }
    const entries = cursor.emit(builder);
    if (!cursor.advance()) await cursor.load(pace);
    heap.siftFirst();
    cursor = heap.first;
    // The heap and the builder are this fold's own, and whole: nobody else can have changed them meanwhile.
    if (pace.count(entries)) await pace.giveWay();
  }
  while (!builder.isEmpty) {
    const segment = await encodeSegment(builder.peek(), pace);
    builder.drop();
    yield { segment, resumeFrom: builder.isEmpty ? null : builder.boundary };
  }
}

/** A binary heap of cursors by the number they stand on. */
class CursorHeap {
  readonly #cursors: RecordCursor[] = [];

  get first(): RecordCursor | undefined {
    return this.#cursors[0];
  }

  push(cursor: RecordCursor): void {
    const cursors = this.#cursors;
    let at = cursors.length;
    cursors.push(cursor);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((cursors[parent] as RecordCursor).number <= cursor.number) break;
      cursors[at] = cursors[parent] as RecordCursor;
      at = parent;
    }
    cursors[at] = cursor;
  }

  /** Restores the order after the first cursor moved on. */
  siftFirst(): void {
    const cursors = this.#cursors;
    const cursor = cursors[0];
    if (cursor === undefined) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= cursors.length) break;
      if (child + 1 < cursors.length && numberOf(cursors, child + 1) < numberOf(cursors, child)) child += 1;
      if (numberOf(cursors, child) >= cursor.number) break;
      cursors[at] = cursors[child] as RecordCursor;
      at = child;
    }
    cursors[at] = cursor;
  }
}

function numberOf(cursors: readonly RecordCursor[], index: number): number {
  return (cursors[index] as RecordCursor).number;
}
