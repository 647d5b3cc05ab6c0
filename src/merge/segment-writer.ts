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
    const { objects, slices, now } = this.#context;
    await objects.put(key, segment.file);
    if (!this.#isServed) return;
    try {
      await writeSlices(slices, segment, now());
    } catch (error) {
      // Served from the segment itself until a later tick has repaired it.
      this.#missingSlices.push(key);
      logUnwritten(this.#context, key, error);
    }
  }
}

/** As many segments as a tick's chunk of a compaction writes: three storage calls each, and some 5 ms of work. */
const REPAIRS = 80;

/**
 * Puts missing slices into the slice store, of a bounded number of segments. Returns the keys of the segments that are
 * still without. Once the slice store fails no more is tried: every minute of its outage would read every segment that it
 * lacks.
 */
export async function repairSlices(context: MergeContext, keys: readonly string[]): Promise<string[]> {
  /** Those that cannot be read come last, so that they do not keep others from being tried. */
  const unreadable: string[] = [];
  let tried = 0;
  for (const key of keys.slice(0, REPAIRS)) {
    tried += 1;
    let segment: EncodedSegment;
    try {
      const object = await context.objects.get(key);
      if (object === null) continue;
      segment = { shape: (await openSegment(object.bytes, context.pace)).shape, file: object.bytes };
    } catch (error) {
      unreadable.push(key);
      logUnwritten(context, key, error);
      continue;
    }
    try {
      await writeSlices(context.slices, segment, context.now());
    } catch (error) {
      logUnwritten(context, key, error);
      return [key, ...keys.slice(tried), ...unreadable];
    }
  }
  return [...keys.slice(tried), ...unreadable];
}

function logUnwritten({ log }: MergeContext, segment: string, error: unknown): void {
  log('slice.unwritten', { segment, reason: messageOf(error) });
}
