import type { SegmentEntry } from '../format/manifest.ts';
import { SEGMENT_NUMBERS } from '../format/numbers.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { Bounds } from '../quality/bounds.ts';
import type { ObjectStore, SliceStore } from '../store/store.ts';
import { SMALL_RUN } from './tiers.ts';

/** What the merge works with; clock and randomness are handed in. */
export interface MergeContext {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /** Milliseconds since 1970. */
  now(): number;
  delay(ms: number): Promise<void>;
  /** What every loop over records counts with, and gives way by. */
  readonly pace: Pacer;
  /** A fresh random identifier of at least 64 bits, in characters that a key may have. */
  randomId(): string;
  /** An event for the operator's log. Details never contain a number. */
  log(event: string, details: Readonly<Record<string, string | number>>): void;
  readonly budget: TickBudget;
  /**
   * The numbers column of a segment from wherever the isolate keeps it: a tick asks for those of nearly the whole
   * inventory, and lookups have them in memory. Without, they are read from the object store, every time. Rejects when
   * the column is not to be had undamaged.
   */
  readonly numbers?: (entry: SegmentEntry) => Promise<NumbersReader>;
  /** What a source may be like; without, the defaults. */
  readonly bounds?: Bounds;
  /**
   * Whether a batch is merged as the ledger says, and neither counted nor judged: those that a rebuild takes from a
   * store that had merged them. Without, none is.
   */
  readonly isRecorded?: (batch: string) => boolean;
}

/** How much one tick may do. Cron ticks have 30 s of CPU, 128 MB and 10,000 storage calls. */
export interface TickBudget {
  /** Batches merged by a tick; each costs about four storage calls. */
  readonly batches: number;
  /** Bytes of batches held in memory at once. */
  readonly batchBytes: number;
  /** Records rewritten together with new detections before they are served. */
  readonly inlineRecords: number;
  /** Segments written by a tick's share of a compaction: three storage writes and up to 32,768 records each. */
  readonly compactionSegments: number;
  /** Distinct circumstances that a share of a compaction meets before it ends: links, one a number, are held as text. */
  readonly compactionCircumstances: number;
  /** Kept batches read by a tick's share of a withdrawal; their bytes are bounded by four times `batchBytes`. */
  readonly withdrawalBatches: number;
  /** Facts objects of a size that are written as one; each has a directory of kinds, which a fold reads and writes anew. */
  readonly factsObjects: number;
  /** Records of a segment at most, and of a run that is merged with whatever is newer. Fewer in a simulation only. */
  readonly segmentRecords: number;
  readonly smallRun: number;
}

export const DEFAULT_BUDGET: TickBudget = {
  batches: 500,
  batchBytes: 16 * 2 ** 20,
  inlineRecords: 131_072,
  compactionSegments: 80,
  compactionCircumstances: 8_192,
  withdrawalBatches: 2_000,
  factsObjects: 8,
  segmentRecords: SEGMENT_NUMBERS,
  smallRun: SMALL_RUN,
};

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Seven digits or more that stand alone: not part of a key, a hash or a commit, so perhaps a phone number. */
const LONE_DIGITS = /(?<![0-9a-z-])\+?\d{7,}(?![0-9a-z-])/gi;

/**
 * What an error says, fit to be logged: the reader of a manifest quotes a value that it refuses, and the first and
 * last number of a segment are values. Other readers name places, sizes and hashes only.
 */
export function loggableMessage(error: unknown): string {
  return messageOf(error).replaceAll(LONE_DIGITS, '(digits)');
}
