/**
 * How many storage calls a tick makes. A test holds the counts equal to those of the real tick
 * (test/unit/simulate/tick-calls.test.ts). How long they take is tick-time.ts.
 */
import { SEGMENT_NUMBERS } from '../../src/format/numbers.ts';
import { SMALL_RUN, TIER_RATIO } from '../../src/merge/tiers.ts';
import { type CallKind, type Calls, NO_CALLS } from './metered-store.ts';

export function calls(counts: Partial<Calls>): Calls {
  return { ...NO_CALLS, ...counts };
}

/** Moving one merged batch out of `waiting`. */
export const SETTLE_CALLS = calls({ objectRead: 1, objectWrite: 1, objectDelete: 1 });

/** A segment and its two slices. */
export const SEGMENT_CALLS = calls({ objectWrite: 1, sliceWrite: 2 });

/** A copy of the manifest, its history, the swap. */
export const PUBLISH_CALLS = calls({ objectWrite: 3 });

/** Screening uploads by source: the ledger is read and written anew, the canaries are read. */
export const SCREEN_CALLS = calls({ objectRead: 2, objectWrite: 1 });

/** The facts of the batches. Every eighth tick also reads the seven objects before, to write them as one. */
export const FACTS_CALLS = calls({ objectWrite: 1 });

/** A tick always reads the manifest and lists what waits. */
export const LOOK_CALLS = calls({ objectRead: 1, objectList: 1 });

/** One batch: it is read, and beside that looked for among the merged ones. */
export const OPEN_CALLS = calls({ objectRead: 2 });

export interface MergeShape {
  readonly batches: number;
  /** Numbers columns read to tell which numbers are new. */
  readonly columnReads: number;
  /** Segments of the runs that are rewritten with the batches, and segments written. */
  readonly joinedSegments: number;
  readonly writtenSegments: number;
}

/** Records of the newest run, rewritten with the news: on average half of what makes a run no longer small. */
export const JOINED_RECORDS = SMALL_RUN / 2;

/** A tick that merges so many detections with the newest run, in a store whose runs have so many segments each. */
export function mergeShape(runSegments: readonly number[], batches: number, detections: number): MergeShape {
  const columnReads = runSegments.reduce((sum, segments) => sum + distinctSegments(segments, detections), 0);
  return {
    batches,
    columnReads: Math.round(columnReads),
    joinedSegments: 1,
    writtenSegments: Math.ceil((JOINED_RECORDS + detections) / SEGMENT_NUMBERS),
  };
}

/** From the list to the swap that serves the batches. */
export function mergeCalls({ batches, columnReads, joinedSegments, writtenSegments }: MergeShape): Calls {
  return addCalls(
    timesCalls(OPEN_CALLS, batches),
    calls({ objectRead: columnReads + joinedSegments }),
    timesCalls(SEGMENT_CALLS, writtenSegments),
    SCREEN_CALLS,
    FACTS_CALLS,
    PUBLISH_CALLS,
  );
}

/** Segments that a tick reads to write so many of a compaction: of the base, and of what has grown to an eighth of it. */
export function compactionInputs(outputSegments: number): number {
  return outputSegments + Math.ceil(outputSegments / TIER_RATIO);
}

/** A tick's share of a compaction, its swap included. */
export function compactionCalls(inputSegments: number, outputSegments: number): Calls {
  return addCalls(calls({ objectRead: inputSegments }), timesCalls(SEGMENT_CALLS, outputSegments), PUBLISH_CALLS);
}

/** Segments, of so many, into which at least one of the numbers falls: each costs a tick one read of a numbers column. */
export function distinctSegments(segments: number, numbers: number): number {
  return segments === 0 ? 0 : segments * (1 - (1 - 1 / segments) ** numbers);
}

export const CALL_KINDS = Object.keys(NO_CALLS) as CallKind[];

export function addCalls(...parts: readonly Calls[]): Calls {
  const sum = { ...NO_CALLS };
  for (const part of parts) for (const kind of CALL_KINDS) sum[kind] += part[kind];
  return sum;
}

export function timesCalls(part: Calls, times: number): Calls {
  const product = { ...NO_CALLS };
  for (const kind of CALL_KINDS) product[kind] = part[kind] * times;
  return product;
}

export function sumOfCalls(made: Calls): number {
  return CALL_KINDS.reduce((sum, kind) => sum + made[kind], 0);
}
