/**
 * Storage calls of a tick: counted by the real tick on metered stores, computed for any size, and how long they take.
 */

import { CONNECTIONS } from '../../src/lib/concurrency.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { TIER_RATIO } from '../../src/merge/compact.ts';
import { DEFAULT_BUDGET, type MergeContext, SMALL_RUN, type TickBudget } from '../../src/merge/context.ts';
import { SEGMENT_RECORDS } from '../../src/merge/segment-builder.ts';
import { PACK_SEGMENTS } from '../../src/merge/segment-writer.ts';
import { BATCHES_AHEAD } from '../../src/merge/take.ts';
import { tick } from '../../src/merge/tick.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../src/storage/memory.ts';
import {
  type CallKind,
  ObservedObjectStore,
  ObservedSliceStore,
  type StorageCall,
} from '../support/counting-stores.ts';
import type { Latency, Random } from '../support/random.ts';
import { FOLD_CPU_US_A_RECORD, LATENCY, MINUTE_MS, TODAY } from './assumptions.ts';
import { sampleBatch } from './model.ts';
import type { Usage } from './prices.ts';

// How many storage calls a tick makes. A test holds the counts equal to those of the real tick
// (test/unit/bench/simulate/tick-calls.test.ts).

export type Calls = Readonly<Record<CallKind, number>>;

export const NO_CALLS: Calls = {
  objectRead: 0,
  objectWrite: 0,
  objectList: 0,
  objectDelete: 0,
  sliceRead: 0,
  sliceWrite: 0,
  sliceDelete: 0,
  sliceList: 0,
};

export function countCalls(log: readonly StorageCall[]): Calls {
  const calls = { ...NO_CALLS };
  for (const { kind } of log) calls[kind] += 1;
  return calls;
}

/** What the calls are billed as. Deletes in R2 are free. */
export function usageOf(calls: Calls): Usage {
  return {
    r2ClassA: calls.objectWrite + calls.objectList,
    r2ClassB: calls.objectRead,
    kvReads: calls.sliceRead,
    kvWrites: calls.sliceWrite,
    kvDeletes: calls.sliceDelete,
    kvLists: calls.sliceList,
  };
}

export function calls(counts: Partial<Calls>): Calls {
  return { ...NO_CALLS, ...counts };
}

/** Moving one merged batch out of `waiting`: its bytes are in memory still. */
export const SETTLE_CALLS = calls({ objectWrite: 1, objectDelete: 1 });

/**
 * Segments that a tick serves at once: packs, and no slices. A single one is gathered, and written with the manifest.
 */
export function foldedCalls(segments: number): Calls {
  return calls({ objectWrite: isGathered(segments) ? 0 : Math.ceil(segments / PACK_SEGMENTS) });
}

/** Two are more than a tick gathers (src/merge/gathered-writes.ts). */
function isGathered(segments: number): boolean {
  return segments <= 1;
}

/** Segments of a compaction: packs, and a slice of each. */
export function compactedCalls(segments: number): Calls {
  return calls({ objectWrite: Math.ceil(segments / PACK_SEGMENTS), sliceWrite: segments });
}

/**
 * The page of the history that the next one repeats is read. Then a copy of the manifest with that page and what else
 * was gathered (a run of one segment, activity, the ledger), and the swap. Once in 64 generations the page is an object
 * of its own: that is left out.
 */
export const PUBLISH_CALLS = calls({ objectRead: 1, objectWrite: 2 });

/**
 * Screening uploads by source: the ledger and the canaries are read. The ledger is gathered, and so is the activity of
 * the batches, up to some fifty thousand detections; every eighth tick also reads the seven objects of activity before,
 * to write them as one.
 */
const SCREEN_CALLS = calls({ objectRead: 2 });

/** A tick always reads the manifest and lists what waits. */
export const LOOK_CALLS = calls({ objectRead: 1, objectList: 1 });

/**
 * The page of the history tells which batches were taken up before. Of those that came in before it, or less than five
 * minutes after its first generation, one more read each tells: they are left out.
 */
const PAGE_CALLS = calls({ objectRead: 1 });

/** One batch. */
const OPEN_CALLS = calls({ objectRead: 1 });

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
    writtenSegments: Math.ceil((JOINED_RECORDS + detections) / SEGMENT_RECORDS),
  };
}

/** From the list to the swap that serves the batches. */
export function mergeCalls({ batches, columnReads, joinedSegments, writtenSegments }: MergeShape): Calls {
  return addCalls(
    PAGE_CALLS,
    timesCalls(OPEN_CALLS, batches),
    calls({ objectRead: columnReads + joinedSegments }),
    foldedCalls(writtenSegments),
    SCREEN_CALLS,
    PUBLISH_CALLS,
  );
}

/**
 * Segments that a tick reads to write so many of a compaction: of the base, and of what has grown to an eighth of it.
 */
export function compactionInputs(outputSegments: number): number {
  return outputSegments + Math.ceil(outputSegments / TIER_RATIO);
}

/** The list of what a compaction has written so far: read by all ticks but its first, written by all but its last. */
const OUTPUT_CALLS = calls({ objectWrite: 1 });

/** A tick's share of a compaction, its swap included. @param objectRead the list of what it has written, and inputs */
export function compactionCalls(objectRead: number, outputSegments: number): Calls {
  return addCalls(calls({ objectRead }), compactedCalls(outputSegments), OUTPUT_CALLS, PUBLISH_CALLS);
}

/**
 * Segments, of so many, into which at least one of the numbers falls: each costs a tick one read of a numbers column.
 */
export function distinctSegments(segments: number, numbers: number): number {
  return segments === 0 ? 0 : segments * (1 - (1 - 1 / segments) ** numbers);
}

const CALL_KINDS = Object.keys(NO_CALLS) as CallKind[];

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

// How long the calls of a tick take, made as src/merge makes them: most one after another, batches, numbers columns,
// slices of a pack and settled batches up to CONNECTIONS at a time (src/lib/concurrency.ts). A test watches the real
// tick for which is which (test/unit/bench/simulate/tick-time.test.ts).

/**
 * Slices are neither read nor listed on the way to being served; deleting and listing them is taken to be as slow as a
 * write.
 */
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
const PACK_WRITE = calls({ objectWrite: 1 });
const SLICE_WRITE = calls({ sliceWrite: 1 });

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
export function concurrentEnds(lasts: Lasts, chain: Calls, times: number): number[] {
  const connections = new Connections();
  return Array.from({ length: times }, () => connections.end(0, lasts(chain)));
}

/** Those of a Worker: who finds none free waits for the first to be. */
class Connections {
  readonly #free = new Float64Array(CONNECTIONS);

  /** When something ends that is asked for at `from`, and takes so long. */
  end(from: number, ms: number): number {
    const free = this.#free;
    let earliest = 0;
    for (let i = 1; i < CONNECTIONS; i++) if ((free[i] ?? 0) < (free[earliest] ?? 0)) earliest = i;
    const end = Math.max(from, free[earliest] ?? 0) + ms;
    free[earliest] = end;
    return end;
  }
}

/** Opening batches, in their order: each is asked for when the one that is BATCHES_AHEAD before it has been opened. */
export function openMs(lasts: Lasts, batches: number): number {
  const connections = new Connections();
  const opened: number[] = [];
  for (let i = 0; i < batches; i++) {
    const from = opened[i - BATCHES_AHEAD] ?? 0;
    const read = connections.end(from, lasts(OPEN_CALLS));
    opened.push(Math.max(read, opened[i - 1] ?? 0));
  }
  return opened.at(-1) ?? 0;
}

/**
 * A fold: it reads its input segments one after another, and hands each output segment to the writer, which sends a
 * pack when it is full and the one before has been written, and goes on with the next. So reads, CPU and writes
 * overlap.
 * @param cpuMs CPU for each output segment
 * @param hasSlices whether slices are written after each pack, six at a time
 */
export function foldAndWriteMs(
  lasts: Lasts,
  inputs: number,
  outputs: number,
  cpuMs: number,
  hasSlices: boolean,
): number {
  let now = 0;
  let end = 0;
  for (let i = 0; i < outputs; i++) {
    const reads = Math.floor(((i + 1) * inputs) / outputs) - Math.floor((i * inputs) / outputs);
    now += lasts(timesCalls(READ, reads)) + cpuMs;
    const inPack = (i % PACK_SEGMENTS) + 1;
    if (inPack < PACK_SEGMENTS && i + 1 < outputs) continue;
    if (!hasSlices && isGathered(outputs)) continue;
    now = Math.max(now, end);
    end = now + lasts(PACK_WRITE);
    if (hasSlices) end += Math.max(0, ...concurrentEnds(lasts, SLICE_WRITE, inPack));
  }
  return Math.max(now, end);
}

/** From the list of what waits to the swap. */
export function mergeMs(lasts: Lasts, shape: MergeShape, cpuMs: number): number {
  const { batches, columnReads, joinedSegments, writtenSegments } = shape;
  const opened = lasts(PAGE_CALLS) + openMs(lasts, batches);
  const decided = Math.max(0, ...concurrentEnds(lasts, READ, columnReads));
  const written = foldAndWriteMs(lasts, joinedSegments, writtenSegments, cpuMs / writtenSegments, false);
  return opened + decided + written + lasts(SCREEN_CALLS) + lasts(PUBLISH_CALLS);
}

/** When each of so many merged batches has left `waiting`. */
export function settleEnds(lasts: Lasts, batches: number): number[] {
  return concurrentEnds(lasts, SETTLE_CALLS, batches);
}

/** A tick's share of a compaction, its swap included. @param cpuMs CPU for each segment written */
export function compactionMs(lasts: Lasts, segments: number, cpuMs: number): number {
  return (
    foldAndWriteMs(lasts, compactionInputs(segments), segments, cpuMs, true) +
    lasts(OUTPUT_CALLS) +
    lasts(PUBLISH_CALLS)
  );
}

export function foldMs(records: number): number {
  return (records * FOLD_CPU_US_A_RECORD) / 1000;
}

export const FOLD_SEGMENT_MS = foldMs(SEGMENT_RECORDS);

// The real tick on metered in-memory stores: what one tick of each kind calls, and in which order.

const ROWS = 25;

/** Not near a minute in which garbage is collected. */
const START_MS = Date.UTC(2026, 10, 2, 12, 30);

/** A store, a clock that the merge's own delays move on, and a log of all calls. */
export class MeasuredWorld {
  readonly calls: StorageCall[] = [];
  readonly objects: ObservedObjectStore<MemoryObjectStore>;
  readonly slices: ObservedSliceStore;
  readonly context: MergeContext;
  clockMs = START_MS;
  #ids = 0;
  #uploads = 0;

  constructor(budget: TickBudget = DEFAULT_BUDGET) {
    const noted = <T>(call: StorageCall, make: () => Promise<T>): Promise<T> => {
      this.calls.push(call);
      return make();
    };
    this.objects = new ObservedObjectStore(new MemoryObjectStore(() => this.clockMs), noted);
    this.slices = new ObservedSliceStore(new MemorySliceStore(), noted);
    this.context = {
      pace: UNPACED,
      objects: this.objects,
      slices: this.slices,
      now: () => this.clockMs,
      sleep: async (ms) => {
        this.clockMs += ms;
      },
      // As long as the Worker's, so that keys and manifests have their real sizes.
      randomId: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`,
      log: () => {},
      budget,
      gathers: true,
    };
  }

  /** Puts a batch of made-up detections into `waiting`; not counted as a call of the tick. */
  async upload(random: Random, records: number, inventory: number): Promise<void> {
    this.#uploads += 1;
    const id = `${String(this.clockMs).padStart(13, '0')}-${String(this.#uploads).padStart(12, '0')}`;
    await this.objects.inner.put(WAITING_PREFIX + id, sampleBatch(random, records, inventory));
  }

  /** Uploads and ticks until the page of the history tells of all that comes in then. */
  async warmUp(random: Random): Promise<void> {
    for (let minute = 0; minute < 6; minute++) {
      await this.upload(random, ROWS, TODAY.numbers);
      await this.tick();
    }
  }

  /** One tick, then the clock goes on to the next minute. Returns its calls in order. */
  async tick(): Promise<StorageCall[]> {
    const from = this.calls.length;
    await tick(this.context);
    this.clockMs += MINUTE_MS;
    return this.calls.slice(from);
  }
}

export interface MeasuredTicks {
  readonly idle: Calls;
  /** With one upload and with three, all that the tick does. */
  readonly one: Calls;
  readonly three: Calls;
}

/** Calls of whole ticks in a small store that has been running for a few minutes. */
export async function measureTicks(random: Random): Promise<MeasuredTicks> {
  const world = new MeasuredWorld();
  const tickWith = async (uploads: number): Promise<Calls> => {
    for (let i = 0; i < uploads; i++) await world.upload(random, ROWS, TODAY.numbers);
    return countCalls(await world.tick());
  };
  await world.warmUp(random);
  return { idle: await tickWith(0), one: await tickWith(1), three: await tickWith(3) };
}
