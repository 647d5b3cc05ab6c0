/**
 * The snapshot: a manifest as this isolate holds it. It is refreshed behind the answers; only the first lookup, and
 * the first one after a long pause, wait. If storage fails, the last good one is served and its age is told.
 */
import { decodeManifest, EMPTY_MANIFEST, type Manifest, type SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../format/segment.ts';
import { MANIFEST_KEY } from '../store/keys.ts';
import { assertNeverPublished } from '../store/lost-manifest.ts';
import type { HeldSegments } from './column-cache.ts';
import type { ServeContext } from './context.ts';

/** A snapshot older than this is checked against storage; with a tick a minute, a generation is seen in time. */
export const REFRESH_MS = 10_000;
/**
 * An isolate without traffic has nobody to refresh behind. Past this age a lookup waits for the refresh, since a
 * number may have been listed for long by then (docs/decisions/0004).
 */
export const WAIT_MS = 30_000;
/** But not for longer than this: then the old snapshot answers. */
const WAIT_LIMIT_MS = 1_000;
/** A refresh that has not come back by then went down with its request; another may start. */
const REFRESH_LOST_MS = 15_000;

/** One run, ready for finding the segment of a number. */
export class RunIndex {
  readonly entries: readonly SegmentEntry[];
  /** Numbers columns in memory, by segment: what every lookup asks for (CachedColumn.peekAt). */
  readonly numbers: HeldSegments<NumbersReader>;
  /** Where each segment begins: the ten-thousand-block of its first number. */
  readonly #starts: Float64Array;
  /** Where each ends: after the ten-thousand-block of its last number. */
  readonly #ends: Float64Array;

  constructor(entries: readonly SegmentEntry[]) {
    this.entries = entries;
    this.numbers = entries.map(() => undefined);
    this.#starts = Float64Array.from(entries, ({ first }) => blockStart(first));
    this.#ends = Float64Array.from(entries, ({ last }) => blockStart(last) + SEGMENT_ALIGNMENT);
  }

  /**
   * The only segment that can have the number or any other of its ten-thousand-block, or undefined when the run has
   * none of them.
   */
  segmentFor(number: number): SegmentEntry | undefined {
    return this.entries[this.indexFor(number)];
  }

  /** The index of that segment, or -1. */
  indexFor(number: number): number {
    const starts = this.#starts;
    let index = 0;
    for (let length = starts.length; length > 1; ) {
      // A step that no branch decides: none could be foretold, and the starts are always in the fastest memory.
      const half = length >>> 1;
      index += Math.imul(half, Number((starts[index + half] as number) <= number));
      length -= half;
    }
    return number >= (starts[index] as number) && number < (this.#ends[index] as number) ? index : -1;
  }
}

export class Snapshot {
  readonly manifest: Manifest;
  readonly runs: readonly RunIndex[];
  readonly unsliced: ReadonlySet<string>;

  constructor(manifest: Manifest) {
    this.manifest = manifest;
    this.runs = manifest.runs.map(({ segments }) => new RunIndex(segments));
    this.unsliced = new Set(manifest.unsliced);
  }
}

export class SnapshotHolder {
  readonly #context: ServeContext;
  #snapshot: Snapshot | undefined;
  #etag = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #refreshStartedAt = Number.NEGATIVE_INFINITY;
  #waitedAt = Number.NEGATIVE_INFINITY;

  constructor(context: ServeContext) {
    this.#context = context;
  }

  /** Seconds since the snapshot was last known to be current. */
  get ageSeconds(): number {
    return Math.max(0, Math.floor((this.#context.now() - this.#checkedAt) / 1000));
  }

  /** The snapshot, if there is no need to look whether there is a newer one; null says nothing. */
  peek(): Snapshot | null {
    return this.#snapshot !== undefined && this.#context.now() - this.#checkedAt < REFRESH_MS ? this.#snapshot : null;
  }

  /** The snapshot at hand, refreshed in the background when due; the first caller waits for it. Rejects if there is none to be had. */
  async get(): Promise<Snapshot> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return this.refresh();
    const now = this.#context.now();
    const age = now - this.#checkedAt;
    if (age >= WAIT_MS && now - this.#waitedAt >= WAIT_MS) {
      // One request at a time waits, and after a failure none for a while: an outage must not slow every lookup.
      this.#waitedAt = now;
      this.#refreshStartedAt = now;
      const refreshed = this.#refreshQuietly();
      this.#context.background(refreshed);
      await Promise.race([refreshed, this.#context.delay(WAIT_LIMIT_MS)]);
      return this.#snapshot ?? snapshot;
    }
    if (age >= REFRESH_MS && now - this.#refreshStartedAt >= REFRESH_LOST_MS) {
      this.#refreshStartedAt = now;
      this.#context.background(this.#refreshQuietly());
    }
    return snapshot;
  }

  async #refreshQuietly(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      // The last good snapshot stays; its age tells.
      this.#context.log('snapshot.stale', { ageSeconds: this.ageSeconds, reason: String(error) });
    } finally {
      this.#refreshStartedAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** Brings the snapshot up to date. Rejects, leaving the old one, when storage cannot answer. */
  async refresh(): Promise<Snapshot> {
    const startedAt = this.#context.now();
    const object = await this.#context.objects.getIfChanged(MANIFEST_KEY, this.#etag);
    const known = this.#snapshot;
    if (object === 'unchanged' && known !== undefined) {
      this.#checkedAt = startedAt;
      return known;
    }
    if (object === 'unchanged') throw new RangeError('the store says unchanged, but nothing was known');
    if (object === null) await assertNeverPublished(this.#context.objects);
    const manifest = object === null ? EMPTY_MANIFEST : decodeManifest(object.bytes);
    // Two refreshes may cross: the later generation stays.
    if (known !== undefined && manifest.generation < known.manifest.generation) return known;
    const snapshot = new Snapshot(manifest);
    this.#snapshot = snapshot;
    this.#etag = object?.etag ?? '';
    this.#checkedAt = startedAt;
    return snapshot;
  }
}
