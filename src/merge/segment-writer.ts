/** Writes segments to the object store, and their slices to the slice store. */
import type { SegmentEntry } from '../format/manifest.ts';
import { type EncodedSegment, openSegment } from '../format/segment.ts';
import { CONNECTIONS } from '../lib/concurrency.ts';
import { messageOf } from '../lib/errors.ts';
import { SEGMENT_PREFIX } from '../storage/keys.ts';
import { writeSlices } from '../storage/slices.ts';
import type { MergeContext } from './context.ts';

/** Segments written by one attempt, which has an id of its own: no other attempt ever writes the same keys. */
export class SegmentWriter {
  readonly #context: MergeContext;
  readonly #attempt: string;
  readonly #entries: SegmentEntry[] = [];
  readonly #missingSlices: string[] = [];
  /** Segments on their way; never more than there are connections, so that few are in memory. */
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  readonly #isServed: boolean;

  /** @param isServed whether lookups will ask for the segments; if not, no slices are written */
  constructor(context: MergeContext, isServed = true) {
    this.#context = context;
    this.#isServed = isServed;
    this.#attempt = context.randomId();
  }

  /** Identifies the attempt, and the run if it is published. */
  get attempt(): string {
    return this.#attempt;
  }

  /** How many segments have been taken. */
  get count(): number {
    return this.#entries.length;
  }

  /** Takes a segment, and waits while too many are on their way. Rejects when an earlier one cannot be written. */
  async write(segment: EncodedSegment): Promise<void> {
    const key = `${SEGMENT_PREFIX}${this.#attempt}-${String(this.#entries.length).padStart(6, '0')}`;
    this.#entries.push({ key, ...segment.shape });
    const written = this.#put(key, segment)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .then(() => {
        this.#underWay.delete(written);
      });
    this.#underWay.add(written);
    if (this.#underWay.size >= CONNECTIONS) await Promise.race(this.#underWay);
    this.#throwFailure();
  }

  /**
   * What has been written, in number order, once all of it is there. `missingSlices` are keys of segments whose slices did
   * not reach the slice store. Rejects if a segment cannot be written: then nothing refers to any of them.
   */
  async finish(): Promise<{ readonly entries: SegmentEntry[]; readonly missingSlices: string[] }> {
    await Promise.all(this.#underWay);
    this.#throwFailure();
    return { entries: this.#entries, missingSlices: this.#missingSlices.sort() };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The segment first, then its slices. */
  async #put(key: string, segment: EncodedSegment): Promise<void> {
    const { objects, slices, now, log } = this.#context;
    await objects.put(key, segment.file);
    if (!this.#isServed) return;
    try {
      await writeSlices(slices, segment, now());
    } catch (error) {
      // Served from the segment itself until a later tick has repaired it.
      this.#missingSlices.push(key);
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
      const { shape } = await openSegment(object.bytes, context.pace);
      await writeSlices(context.slices, { shape, file: object.bytes }, context.now());
    } catch (error) {
      remaining.push(key);
      context.log('slice.unwritten', { segment: key, reason: messageOf(error) });
    }
  }
  return remaining;
}
