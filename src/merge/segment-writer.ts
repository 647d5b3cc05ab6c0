/** Writes segments to the object store, several in an object, and their slices to the slice store. */
import type { SegmentEntry } from '../format/manifest.ts';
import { type EncodedSegment, joined, openSegment, segmentsIn } from '../format/segment.ts';
import type { Bytes } from '../lib/bytes.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import { messageOf } from '../lib/errors.ts';
import { SEGMENT_PREFIX } from '../storage/keys.ts';
import { writeSlices } from '../storage/slices.ts';
import type { MergeContext } from './context.ts';

/** Segments of a pack, and bytes: a write costs the same whatever its size, but two packs are in memory at a time. */
export const PACK_SEGMENTS = 4;
export const PACK_BYTES = 2 * 2 ** 20;

/** Where the segments of an attempt go: as many into a pack as there is room for. */
export class PackPlaces {
  readonly #attempt: string;
  #packs = 0;
  #segments = 0;
  #offset = 0;

  constructor(attempt: string) {
    this.#attempt = attempt;
  }

  /** Of the next one, which has so many bytes; a new pack begins at offset 0. */
  next(bytes: number): Pick<SegmentEntry, 'key' | 'offset'> {
    if (this.#packs === 0 || this.#segments >= PACK_SEGMENTS || this.#offset + bytes > PACK_BYTES) {
      this.#packs += 1;
      this.#segments = 0;
      this.#offset = 0;
    }
    const key = `${SEGMENT_PREFIX}${this.#attempt}-${String(this.#packs - 1).padStart(6, '0')}`;
    const place = { key, offset: this.#offset };
    this.#segments += 1;
    this.#offset += bytes;
    return place;
  }
}

/** Segments written by one attempt, which has an id of its own: no other attempt ever writes the same keys. */
export class SegmentWriter {
  readonly #context: MergeContext;
  readonly #attempt: string;
  readonly #entries: SegmentEntry[] = [];
  readonly #missingSlices: string[] = [];
  /** The pack that is being filled. */
  #pack: EncodedSegment[] = [];
  readonly #places: PackPlaces;
  /** The pack before, on its way. */
  #underWay: Promise<void> = Promise.resolve();
  readonly #hasSlices: boolean;

  /** @param hasSlices whether lookups will ask the slice store for them; if not, no slices are written */
  constructor(context: MergeContext, hasSlices = true) {
    this.#context = context;
    this.#hasSlices = hasSlices;
    this.#attempt = context.randomId();
    this.#places = new PackPlaces(this.#attempt);
  }

  /** Identifies the attempt, and the run if it is published. */
  get attempt(): string {
    return this.#attempt;
  }

  /** How many segments have been taken. */
  get count(): number {
    return this.#entries.length;
  }

  /** Takes a segment, and waits while the pack before is on its way. Rejects when an earlier one cannot be written. */
  async write(segment: EncodedSegment): Promise<void> {
    const { shape } = segment;
    const place = this.#places.next(shape.bytes);
    if (place.offset === 0) await this.#send();
    this.#pack.push(segment);
    this.#entries.push({ ...place, ...shape });
  }

  /**
   * What has been written, in number order, once all of it is there. `missingSlices` are keys of packs whose slices did
   * not all reach the slice store. Rejects if a pack cannot be written: then nothing refers to any of them.
   */
  async finish(): Promise<{ readonly entries: SegmentEntry[]; readonly missingSlices: string[] }> {
    await this.#send();
    await this.#underWay;
    return { entries: this.#entries, missingSlices: this.#missingSlices.sort() };
  }

  async #send(): Promise<void> {
    const pack = this.#pack;
    const key = this.#entries.at(-1)?.key;
    if (key === undefined) return;
    this.#pack = [];
    await this.#underWay;
    this.#underWay = this.#put(key, pack);
    // A failure shows when the next one is sent, or at the end.
    this.#underWay.catch(() => undefined);
  }

  /** The pack first, then its slices. */
  async #put(key: string, pack: EncodedSegment[]): Promise<void> {
    const { objects, slices, now } = this.#context;
    const bytes = bytesOf(pack);
    // From here on the segments are views of the pack: nothing is in memory twice.
    let at = 0;
    pack.forEach(({ shape }, i) => {
      pack[i] = { shape, file: bytes.subarray(at, at + shape.bytes) };
      at += shape.bytes;
    });
    await objects.put(key, bytes);
    if (!this.#hasSlices) return;
    try {
      await mapConcurrent(pack, (segment) => writeSlices(slices, segment, now()));
    } catch (error) {
      // Served from the segments themselves until a later tick has repaired it.
      this.#missingSlices.push(key);
      logUnwritten(this.#context, key, error);
    }
  }
}

function bytesOf(pack: readonly EncodedSegment[]): Bytes {
  const [only] = pack;
  // A segment that is larger than a pack is not copied.
  return only !== undefined && pack.length === 1 ? only.file : joined(pack.map(({ file }) => file));
}

/** As many segments as a tick's chunk of a compaction writes: a storage call each, and some 3 ms of work. */
const REPAIRS = 104;

/**
 * Puts missing slices into the slice store, of a bounded number of segments. Returns the keys of the packs that are
 * still without. Once the slice store fails no more is tried: every minute of its outage would read every pack that it
 * lacks.
 */
export async function repairSlices(context: MergeContext, keys: readonly string[]): Promise<string[]> {
  /** Those that cannot be read come last, so that they do not keep others from being tried. */
  const unreadable: string[] = [];
  let tried = 0;
  for (let repaired = 0; tried < keys.length && repaired < REPAIRS; ) {
    const key = keys[tried++] as string;
    let pack: EncodedSegment[];
    try {
      const object = await context.objects.get(key);
      if (object === null) continue;
      pack = [];
      for (const { file } of segmentsIn(object.bytes)) {
        pack.push({ shape: (await openSegment(file, context.pace)).shape, file });
      }
    } catch (error) {
      unreadable.push(key);
      repaired += 1;
      logUnwritten(context, key, error);
      continue;
    }
    repaired += pack.length;
    try {
      await mapConcurrent(pack, (segment) => writeSlices(context.slices, segment, context.now()));
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
