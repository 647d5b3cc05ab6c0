/** What the merge works with: its stores, clock and randomness, the budget of a tick, and a log with a bound. */
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { Log } from '../lib/errors.ts';
import type { Bounds } from '../quality/quarantine.ts';
import type { ObjectStore, SliceStore } from '../storage/store.ts';
import type { GatheredWrites } from './gathered-writes.ts';
import { PAGE_GENERATIONS } from './history.ts';
import type { LastPublished } from './last-published.ts';
import { SEGMENT_RECORDS } from './segment-builder.ts';

/** What the merge works with; clock and randomness are handed in. */
export interface MergeContext {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** What every loop over records counts with, and gives way by. */
  readonly pace: Pacer;
  /** A fresh random identifier of at least 64 bits, in characters that a key may have. */
  randomId(): string;
  /** An event for the operator's log, which keeps phone numbers out of it (src/lib/errors.ts). */
  readonly log: Log;
  readonly budget: TickBudget;
  /** Numbers columns that the isolate keeps. Without, they are read from the object store, every time. */
  readonly numbers?: KeptNumbers;
  /** Whether what a tick writes is gathered into one object; without, each is an object of its own. */
  readonly gathers?: true;
  /** What the isolate has published last. Without, every tick reads the manifest. */
  readonly lastPublished?: LastPublished;
  /** What the tick at work has gathered so far: its `objects`. */
  readonly gathered?: GatheredWrites;
  /** What a source may be like; without, the defaults. */
  readonly bounds?: Bounds;
  /**
   * Whether a batch is merged as the ledger says, and neither counted nor judged: those that a rebuild takes from a
   * store that had merged them. Without, none is.
   */
  readonly isRecorded?: (batch: string) => boolean;
  /**
   * What of others is collected together with the merge's own garbage, by what it is called in the log: each deletes
   * what is garbage of its kind, and tells how many objects that were. Without, there are none.
   */
  readonly collectors?: Readonly<Record<string, () => Promise<number>>>;
}

/** A tick asks for the numbers columns of nearly the whole inventory, and lookups have them in memory. */
export interface KeptNumbers {
  /** From memory or the object store. Rejects when the column is not to be had undamaged. */
  load(entry: SegmentEntry): Promise<NumbersReader>;
  /** Lets go of the columns of all segments but these. */
  retain(entries: Iterable<SegmentEntry>): void;
}

/** How much one tick may do. Cron ticks have 30 s of CPU, 128 MB and 10,000 storage calls. */
export interface TickBudget {
  /** Batches merged by a tick; each costs about four storage calls. */
  readonly batches: number;
  /** Bytes of batches held in memory at once. */
  readonly batchBytes: number;
  /** Records rewritten together with new detections before they are served. */
  readonly inlineRecords: number;
  /** Segments written by a tick's chunk of a compaction: a slice and up to 24,576 records each, eight in an object. */
  readonly compactionSegments: number;
  /** Distinct attributes that a chunk of a compaction meets before it ends: links, one a number, are held as text. */
  readonly compactionAttributes: number;
  /** Kept batches read by a tick's chunk of a withdrawal; their bytes are bounded by four times `batchBytes`. */
  readonly withdrawalBatches: number;
  /**
   * Activity objects of a size that are written as one; each has a directory of kinds, which a fold reads and writes
   * anew.
   */
  readonly activityObjects: number;
  /** Generations whose history is in their copies before it is written as an object; 64 at most. */
  readonly historyGenerations: number;
  /** Records of a segment at most, and of a run that is merged with whatever is newer. Fewer in a simulation only. */
  readonly segmentRecords: number;
  readonly smallRun: number;
}

/** Runs up to this size are merged with whatever is newer at once: a segment, so two slices a minute to reload. */
export const SMALL_RUN = 32_768;

export const DEFAULT_BUDGET: TickBudget = {
  batches: 500,
  batchBytes: 16 * 2 ** 20,
  inlineRecords: 131_072,
  compactionSegments: 104,
  compactionAttributes: 8_192,
  withdrawalBatches: 2_000,
  activityObjects: 8,
  historyGenerations: PAGE_GENERATIONS,
  segmentRecords: SEGMENT_RECORDS,
  smallRun: SMALL_RUN,
};

/** Lines of one event in a tick: enough to see what it is about, however many batches or segments it is true of. */
const MAX_LINES = 5;

/** A log that says the same a few times only, and at the end how often it was. */
export function boundLog({ log }: MergeContext): { readonly log: MergeContext['log']; end(): void } {
  const counts = new Map<string, number>();
  return {
    log: (event, details) => {
      const count = (counts.get(event) ?? 0) + 1;
      counts.set(event, count);
      if (count <= MAX_LINES) log(event, details);
    },
    end: () => {
      const more = [...counts].filter(([, count]) => count > MAX_LINES);
      if (more.length > 0) log('log.bounded', Object.fromEntries(more));
    },
  };
}
