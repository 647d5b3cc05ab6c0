import type { SegmentEntry } from '../format/manifest.ts';
import { type EncodedSegment, openSegment } from '../format/segment.ts';
import { writeSlices } from '../store/columns.ts';
import { SEGMENT_PREFIX } from '../store/keys.ts';
import { type MergeContext, messageOf } from './context.ts';

/** Segments written by one attempt, which has an id of its own: no other attempt ever writes the same keys. */
export class SegmentWriter {
  readonly entries: SegmentEntry[] = [];
  /** Keys of segments whose slices did not reach the slice store. */
  readonly unsliced: string[] = [];
  readonly #context: MergeContext;
  readonly #attempt: string;

  constructor(context: MergeContext) {
    this.#context = context;
    this.#attempt = context.randomId();
  }

  /** Identifies the attempt, and the run if it is published. */
  get attempt(): string {
    return this.#attempt;
  }

  /** The segment first, then its slices. Rejects if the segment cannot be written: then nothing refers to it. */
  async write(segment: EncodedSegment): Promise<void> {
    const { objects, slices, now, log } = this.#context;
    const key = `${SEGMENT_PREFIX}${this.#attempt}-${String(this.entries.length).padStart(6, '0')}`;
    await objects.put(key, segment.file);
    this.entries.push({ key, ...segment.shape });
    try {
      await writeSlices(slices, segment, now());
    } catch (error) {
      // Served from the segment itself until a later tick has repaired it.
      this.unsliced.push(key);
      log('slice.unwritten', { segment: key, reason: messageOf(error) });
    }
  }
}

/** Puts missing slices into the slice store. Returns the keys of the segments that are still without. */
export async function repairSlices(context: MergeContext, keys: readonly string[]): Promise<string[]> {
  const remaining: string[] = [];
  for (const key of keys) {
    try {
      const object = await context.objects.get(key);
      if (object === null) continue;
      const { shape } = await openSegment(object.bytes);
      await writeSlices(context.slices, { shape, file: object.bytes }, context.now());
    } catch (error) {
      remaining.push(key);
      context.log('slice.unwritten', { segment: key, reason: messageOf(error) });
    }
  }
  return remaining;
}
