/** What is compared, and the two contenders that run everywhere: a sorted array, and Ringfence's own columns. */

import type { SegmentEntry } from '../../src/format/manifest.ts';
import { lowerBound } from '../../src/lib/sorted.ts';
import { ColumnCache } from '../../src/lookup/columns.ts';
import { type Neighbours, neighboursOf } from '../../src/lookup/neighbours.ts';
import { Snapshot } from '../../src/lookup/snapshot.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';

/** What is compared: ways to hold the same set of numbers and to say whether a number is in it. */
export interface Contender {
  readonly name: string;
  /**
   * Writes 1 to `out` at the index of each probe that is listed, 0 at the others. The loop is the contender's own, so
   * that none pays for a call that another has inlined.
   */
  answer(probes: Float64Array, out: Uint8Array): void;
}

/** One contender's pass over one workload. */
export interface Pass {
  readonly ms: number;
  /** Answers that differ from what is known of the probes. */
  readonly wrong: number;
}

/** Runs a contender over the probes `repeats` times, and checks every answer of the last time. */
export function timedPass(
  contender: Contender,
  { probes, expected }: { readonly probes: Float64Array; readonly expected: Uint8Array },
  repeats: number,
  now: () => number,
): Pass {
  const out = new Uint8Array(probes.length).fill(2);
  const startedAt = now();
  for (let i = 0; i < repeats; i++) contender.answer(probes, out);
  const ms = (now() - startedAt) / repeats;
  let wrong = 0;
  for (let i = 0; i < out.length; i++) if (out[i] !== expected[i]) wrong += 1;
  return { ms, wrong };
}

// The measure of everything else: a binary search in a sorted Float64Array of all numbers.

export class SortedArray implements Contender {
  readonly name = 'Float64Array';
  readonly #numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  answer(probes: Float64Array, out: Uint8Array): void {
    const numbers = this.#numbers;
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i] as number;
      out[i] = numbers[lowerBound(numbers, probe)] === probe ? 1 : 0;
    }
  }
}

// Ringfence as a warm lookup probes it (Finder, src/lookup/finder.ts): of each run the segment, of the segment the
// column in the isolate's cache, in the column the number. The same objects, loaded the same way, their hashes checked.

export class Ringfence implements Contender {
  readonly name = 'Ringfence';
  readonly snapshot: Snapshot;
  readonly #columns: ColumnCache;

  /** Use `openRingfence`. */
  constructor(snapshot: Snapshot, columns: ColumnCache) {
    this.snapshot = snapshot;
    this.#columns = columns;
  }

  /** Bytes of the numbers columns in memory. */
  get columnBytes(): number {
    return this.#columns.numbers.cache.bytes;
  }

  answer(probes: Float64Array, out: Uint8Array): void {
    const { runs } = this.snapshot;
    const columns = this.#columns.numbers;
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i] as number;
      let listed = 0;
      for (const run of runs) {
        const index = run.indexFor(probe);
        if (index < 0) continue;
        const reader = columns.peekAt(run.numbers, run.entries, index) ?? missing(run.entries[index]);
        if (reader.find(probe) >= 0) listed = 1;
      }
      out[i] = listed;
    }
  }

  /** How many listed numbers are smaller, of all segments, when there is one run. */
  rank(number: number): number {
    const [run] = this.snapshot.runs;
    let rank = 0;
    for (const entry of run?.entries ?? []) {
      if (number < entry.first) break;
      rank +=
        number > entry.last ? entry.count : (this.#columns.numbers.peek(entry.numbers) ?? missing(entry)).rank(number);
    }
    return rank;
  }

  /** The latest first seen of any number, UTC day since 1970. */
  get newestDay(): number {
    const days = this.snapshot.runs.flatMap(({ entries }) =>
      entries.map((entry) => (this.#columns.numbers.peek(entry.numbers) ?? missing(entry)).recency?.newestDay ?? 0),
    );
    return days.reduce((newest, day) => Math.max(newest, day), 0);
  }

  /** Other listed numbers around the number, and what they say of it. */
  neighbours(number: number, today: number): Neighbours {
    const readers = this.snapshot.runs.flatMap((run) => {
      const entry = run.segmentFor(number);
      return entry === undefined ? [] : [this.#columns.numbers.peek(entry.numbers) ?? missing(entry)];
    });
    return neighboursOf(readers, number, today);
  }
}

/** Loads every numbers column into the cache, from the slice store or else from the segments. */
export async function openRingfence(objects: ObjectStore, slices: SliceStore): Promise<Ringfence> {
  const snapshot = new Snapshot((await loadManifest(objects)).manifest);
  const columns = new ColumnCache({
    objects,
    slices,
    now: () => 0,
    waitUntil: () => {},
    sleep: async () => {},
    log: (event, details) => console.error(event, details),
  });
  for (const { entries } of snapshot.runs) {
    for (const entry of entries) await columns.numbers.load(snapshot, entry);
  }
  return new Ringfence(snapshot, columns);
}

function missing(entry: SegmentEntry | undefined): never {
  throw new RangeError(
    `the numbers of ${entry?.key} are not in memory: the cache's budget is too small for all of them`,
  );
}
