/**
 * How long the calls of a tick take, made as src/merge makes them: most one after another, numbers columns, segment
 * writes and settled batches up to CONNECTIONS at a time (src/store/side-by-side.ts). A test watches the real tick for
 * which is which (test/unit/simulate/tick-time.test.ts).
 */

import type { Latency, Random } from '../../bench/support/random.ts';
import { SEGMENT_NUMBERS } from '../../src/format/numbers.ts';
import { CONNECTIONS } from '../../src/store/side-by-side.ts';
import { FOLD_CPU_US_A_RECORD, LATENCY } from './assumptions.ts';
import type { CallKind, Calls } from './metered-store.ts';
import {
  CALL_KINDS,
  calls,
  compactionInputs,
  FACTS_CALLS,
  type MergeShape,
  PUBLISH_CALLS,
  SCREEN_CALLS,
  SEGMENT_CALLS,
  SETTLE_CALLS,
  timesCalls,
} from './tick-calls.ts';

/** Slices are neither read nor listed on the way to being served; deleting and listing them is taken to be as slow as a write. */
const LATENCY_OF: Readonly<Record<CallKind, Latency>> = {
  objectRead: LATENCY.objectRead,
  objectWrite: LATENCY.objectWrite,
  objectList: LATENCY.objectList,
  objectDelete: LATENCY.objectDelete,
  sliceRead: LATENCY.sliceReadCold,
  sliceWrite: LATENCY.sliceWrite,
  sliceDelete: LATENCY.sliceWrite,
  sliceList: LATENCY.sliceWrite,
};

const READ = calls({ objectRead: 1 });

/** Draws how long calls take: gives the milliseconds of these calls, made one after another. */
export type Lasts = (made: Calls) => number;

/** @param slowness what the latencies of assumptions.ts are multiplied with */
export function latencies(random: Random, slowness: number): Lasts {
  return (made) => {
    let sum = 0;
    for (const kind of CALL_KINDS) {
      for (let i = 0; i < made[kind]; i++) sum += random.latencyMs(LATENCY_OF[kind]);
    }
    return sum * slowness;
  };
}

/** When each of so many chains of calls ends, six chains at a time; the next begins when any of these is done. */
export function sideBySideEnds(lasts: Lasts, chain: Calls, times: number): number[] {
  const free = new Float64Array(CONNECTIONS);
  return Array.from({ length: times }, () => {
    let earliest = 0;
    for (let i = 1; i < CONNECTIONS; i++) if ((free[i] ?? 0) < (free[earliest] ?? 0)) earliest = i;
    const end = (free[earliest] ?? 0) + lasts(chain);
    free[earliest] = end;
    return end;
  });
}

/**
 * A fold: it reads its input segments one after another, and hands each output segment to the writer, which takes the
 * next one as long as fewer than six are on their way. So reads, CPU and writes overlap.
 * @param cpuMs CPU for each output segment
 */
export function foldAndWriteMs(lasts: Lasts, inputs: number, outputs: number, cpuMs: number): number {
  let now = 0;
  let underWay: number[] = [];
  let end = 0;
  for (let i = 0; i < outputs; i++) {
    const reads = Math.floor(((i + 1) * inputs) / outputs) - Math.floor((i * inputs) / outputs);
    now += lasts(timesCalls(READ, reads)) + cpuMs;
    const written = now + lasts(SEGMENT_CALLS);
    end = Math.max(end, written);
    underWay = underWay.filter((at) => at > now);
    underWay.push(written);
    if (underWay.length >= CONNECTIONS) now = Math.min(...underWay);
  }
  return Math.max(now, end);
}

/** From the list of what waits to the swap. Batches are opened one after another, each with its two calls side by side. */
export function mergeMs(lasts: Lasts, shape: MergeShape, cpuMs: number): number {
  const { batches, columnReads, joinedSegments, writtenSegments } = shape;
  const opened = lasts(timesCalls(READ, batches));
  const decided = Math.max(0, ...sideBySideEnds(lasts, READ, columnReads));
  const written = foldAndWriteMs(lasts, joinedSegments, writtenSegments, cpuMs / writtenSegments);
  return opened + decided + written + lasts(SCREEN_CALLS) + lasts(FACTS_CALLS) + lasts(PUBLISH_CALLS);
}

/** When each of so many merged batches has left `waiting`. */
export function settleEnds(lasts: Lasts, batches: number): number[] {
  return sideBySideEnds(lasts, SETTLE_CALLS, batches);
}

/** A tick's share of a compaction, its swap included. @param cpuMs CPU for each segment written */
export function compactionMs(lasts: Lasts, segments: number, cpuMs: number): number {
  return foldAndWriteMs(lasts, compactionInputs(segments), segments, cpuMs) + lasts(PUBLISH_CALLS);
}

export function foldMs(records: number): number {
  return (records * FOLD_CPU_US_A_RECORD) / 1000;
}

export const FOLD_SEGMENT_MS = foldMs(SEGMENT_NUMBERS);
