/**
 * The snapshot: a manifest as this isolate holds it. It is refreshed behind the answers; only the first lookups, and
 * those after a long pause, wait. If storage fails, the last good snapshot answers and its age is told, until it is too
 * old.
 */
import { decodeManifest, EMPTY_MANIFEST, type Manifest, type SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../format/segment.ts';
import type { Held } from '../lib/byte-cache.ts';
import { SwrCache, type Version } from '../lib/swr-cache.ts';
import { STALE_AFTER_SECONDS } from '../policy/decide.ts';
import { MANIFEST_KEY } from '../storage/keys.ts';
import { readManifestObject } from '../storage/manifest-object.ts';
import { nearbyOf, type ObjectStore, type SliceStore, StorageUnavailable } from '../storage/store.ts';

/** Stores, clock, background work and log, as lookups use them. */
export interface LookupContext {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /** A snapshot older than this answers nothing; the default is MAX_AGE_MS. */
  readonly maxAgeMs?: number;
  /** Whether the snapshot is refreshed after the last lookup, too (src/lib/swr-cache.ts). */
  readonly keepsUp?: boolean;
  /** Milliseconds since 1970. */
  now(): number;
  /** Lets work go on after the answer has been sent (the platform's waitUntil). */
  waitUntil(work: Promise<unknown>): void;
  sleep(ms: number): Promise<void>;
  /** An event for the operator's log. Details never contain a number. */
  log(event: string, details: Readonly<Record<string, string | number>>): void;
}

/**
 * Without traffic, an isolate has no lookups behind which it could refresh. Past this age a lookup waits for the
 * refresh, since a number may long have been listed by then (docs/decisions/0004). How long is weighed in 0036: the
 * shorter, the sooner a quiet isolate serves what was accepted, and the more lookups wait.
 */
export const WAIT_MS = 23_000;
/** A snapshot older than this answers nothing, unless the operator says otherwise (RINGFENCE_STALE). */
export const MAX_AGE_MS = STALE_AFTER_SECONDS * 1000;

/**
 * Reads RINGFENCE_STALE, `unknown` (the default) or `serve`: how old answers may be, in milliseconds.
 * @throws RangeError for another text
 */
export function parseStale(text: string | undefined): number {
  if (text === undefined || text === '' || text === 'unknown') return MAX_AGE_MS;
  if (text === 'serve') return Number.POSITIVE_INFINITY;
  throw new RangeError(`RINGFENCE_STALE: expected unknown or serve; found ${JSON.stringify(text.slice(0, 40))}`);
}

/** For each segment of a run, by its index, what memory held when it was last asked; it may have been dropped since. */
export type HeldSegments<Reader> = (Held<Reader> | undefined)[];

/** One run, made ready for finding the segment of a number. */
export class RunIndex {
  readonly entries: readonly SegmentEntry[];
  /** Numbers columns in memory by segment, which every lookup asks for (CachedColumn.peekAt). */
  readonly numbers: HeldSegments<NumbersReader>;
  /** Where each segment begins: at the block of its first number. */
  readonly #starts: Float64Array;
  /** Where each segment ends: behind the block of its last number. */
  readonly #ends: Float64Array;

  constructor(entries: readonly SegmentEntry[]) {
    this.entries = entries;
    this.numbers = entries.map(() => undefined);
    this.#starts = Float64Array.from(entries, ({ first }) => blockStart(first));
    this.#ends = Float64Array.from(entries, ({ last }) => blockStart(last) + SEGMENT_ALIGNMENT);
  }

  /**
   * The only segment that can have the number or any other number of its block; undefined: the run has none of them.
   */
  segmentFor(number: number): SegmentEntry | undefined {
    return this.entries[this.indexFor(number)];
  }

  /** The index of that segment, or -1. */
  indexFor(number: number): number {
    const starts = this.#starts;
    let index = 0;
    for (let length = starts.length; length > 1; ) {
      // Written without a branch, since no processor could predict it; the starts are always in the fastest cache.
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
  readonly #unsliced: ReadonlySet<string>;
  /** When the read began that last found it to be the newest, in milliseconds since 1970. */
  confirmedAt = Number.NEGATIVE_INFINITY;

  constructor(manifest: Manifest) {
    this.manifest = manifest;
    this.runs = manifest.runs.map(({ segments }) => new RunIndex(segments));
    const unsliced = manifest.runs.filter((run) => run.noSlices).flatMap(({ segments }) => segments);
    this.#unsliced = new Set([...manifest.missingSlices, ...unsliced.map(({ key }) => key)]);
  }

  /** Whether the slices of a segment are in the slice store, as far as is known. */
  isSliced({ key }: SegmentEntry): boolean {
    return !this.#unsliced.has(key);
  }

  /** Whole seconds since the snapshot was certainly the newest. */
  ageSeconds(now: number): number {
    return Math.max(0, Math.floor((now - this.confirmedAt) / 1000));
  }
}

export class SnapshotCache {
  readonly #context: LookupContext;
  readonly #copy: SwrCache<Snapshot>;

  /** @param prepare is told of a snapshot that will replace another, while nobody waits for it */
  constructor(context: LookupContext, prepare?: (next: Snapshot, held: Snapshot) => Promise<void>) {
    this.#context = context;
    this.#copy = new SwrCache(
      {
        readIfChanged: (etag) => this.#readIfChanged(etag),
        now: () => context.now(),
        waitUntil: (work) => context.waitUntil(work),
        sleep: (ms) => context.sleep(ms),
        // The last good snapshot stays, and answers tell its age.
        report: (error) => context.log('snapshot.stale', { ageSeconds: this.ageSeconds, reason: String(error) }),
        nearby: nearbyOf(context.objects, MANIFEST_KEY, (bytes) => new Snapshot(decodeManifest(bytes))),
        keepsUp: context.keepsUp,
        ...(prepare === undefined ? {} : { prepare }),
        compare: (a, b) => a.manifest.generation - b.manifest.generation,
        confirmed: (snapshot, at) => {
          snapshot.confirmedAt = at;
        },
      },
      { refreshFirstAfterMs: WAIT_MS, maxAgeMs: context.maxAgeMs ?? MAX_AGE_MS },
    );
  }

  /** Seconds since the snapshot at hand was certainly the newest; infinite if there is none. */
  get ageSeconds(): number {
    return Math.floor(this.#copy.ageMs / 1000);
  }

  /** The snapshot at hand, whatever its age. */
  get held(): Snapshot | null {
    return this.#copy.held;
  }

  /** Whether the snapshot has to be compared with storage before it is used. */
  get isDue(): boolean {
    return this.#copy.isDue;
  }

  /** The snapshot, if it is too young to be compared with storage; null says nothing about it. */
  peek(now?: number): Snapshot | null {
    return this.#copy.peek(now);
  }

  /** The snapshot at hand, refreshed as src/lib/swr-cache.ts says. Rejects if there is none recent enough to be had. */
  async get(): Promise<Snapshot> {
    const snapshot = await this.#copy.get();
    if (snapshot === null) throw new StorageUnavailable('the inventory cannot be read at the moment');
    return snapshot;
  }

  /** The snapshot as storage has it now. Rejects, leaving the old one, when storage cannot answer. */
  refresh(): Promise<Snapshot> {
    return this.#copy.refresh();
  }

  /**
   * Does some work on the snapshot at hand. The snapshot may be so old that its segments have been collected: if the
   * work rejects and there is a newer one, it is done on that, once.
   */
  async use<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const snapshot = await this.get();
    try {
      return await work(snapshot);
    } catch (error) {
      const newer = await this.refresh();
      if (newer === snapshot) throw error;
      return work(newer);
    }
  }

  /** Call this when another isolate has published or reported a generation for this one, or may have. Never rejects. */
  changedElsewhere(): Promise<void> {
    return this.#copy.changedElsewhere();
  }

  /** Compares the snapshot with storage, while whoever asks meanwhile goes on with what is held. Never rejects. */
  async lookAgain(): Promise<void> {
    if (this.#copy.held !== null) await this.#copy.refreshIfOlder(0);
  }

  async #readIfChanged(etag: string | null): Promise<Version<Snapshot> | 'unchanged'> {
    const object = await readManifestObject(this.#context.objects, etag);
    if (object === 'unchanged') return object;
    const manifest = object === null ? EMPTY_MANIFEST : decodeManifest(object.bytes);
    return { value: new Snapshot(manifest), etag: object?.etag ?? null };
  }
}
