/**
 * Ticks as a discrete-event simulation: uploads arrive, ticks look, merge and swap the manifest; they take time,
 * overlap, lose races, fail. What a tick calls and how long that takes is tick-calls.ts; that its swap wins only if
 * nobody swapped since it looked is R2's conditional put.
 */

import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { EventQueue } from '../support/event-queue.ts';
import type { Random } from '../support/random.ts';
import { CRON, MINUTE_MS, TICK_LIMITS } from './assumptions.ts';
import {
  compactionMs,
  FOLD_SEGMENT_MS,
  foldMs,
  JOINED_RECORDS,
  LOOK_CALLS,
  latencies,
  mergeCalls,
  mergeMs,
  mergeShape,
  SETTLE_CALLS,
  settleEnds,
  sumOfCalls,
} from './tick-calls.ts';

export interface Upload {
  readonly acceptedAt: number;
  readonly detections: number;
  /** When the manifest that serves it was swapped in, and its generation. */
  publishedAt: number;
  generation: number;
  /** From when on it is no longer among the waiting. */
  settledAt: number;
}

/** A generation that became current. */
export interface Publication {
  readonly at: number;
  readonly generation: number;
}

export interface TickSettings {
  /** Time between ticks, and how long ticks go on. */
  readonly cronMs: number;
  readonly untilMs: number;
  /** Segments of each run that news are compared with. */
  readonly runSegments: readonly number[];
  /** Segments of a compaction that every tick does a share of: none when the tiers are in order. */
  readonly compactionSegments: number;
  /** What all latencies are multiplied with. */
  readonly slowness: number;
  /** Ticks that begin in here fail. */
  readonly outage: { readonly fromMs: number; readonly toMs: number } | null;
}

export interface TickOutcome {
  readonly publications: readonly Publication[];
  readonly ticks: number;
  readonly failed: number;
  readonly lostRaces: number;
  /** From the start of a tick to its swap, for those that served something. */
  readonly swapMs: readonly number[];
}

/** R2 takes one write a second of one key (src/merge/publish-manifest.ts waits for it). */
const WRITE_INTERVAL_MS = 1_000;
/** A list shows so many (src/storage/store.ts). */
const LIST_LIMIT = 1_000;

/** Fills in when each upload is published. Throws when one would be published twice. */
export function simulateTicks(random: Random, uploads: readonly Upload[], settings: TickSettings): TickOutcome {
  const queue = new EventQueue();
  const publications: Publication[] = [{ at: 0, generation: 0 }];
  const swapMs: number[] = [];
  const counted = { ticks: 0, failed: 0, lostRaces: 0 };
  let generation = 0;
  let firstWaiting = 0;

  const lasts = latencies(random, settings.slowness);
  const swap = (expected: number): boolean => {
    if (generation !== expected) {
      counted.lostRaces += 1;
      return false;
    }
    generation += 1;
    publications.push({ at: queue.now, generation });
    return true;
  };
  const sinceLastSwap = () => queue.now - (publications.at(-1)?.at ?? 0);

  const beginTick = () => {
    counted.ticks += 1;
    const startedAt = queue.now;
    const { outage } = settings;
    const isOut = outage !== null && startedAt >= outage.fromMs && startedAt < outage.toMs;
    if (isOut || random.chance(CRON.failureShare)) {
      counted.failed += 1;
      return;
    }
    // The manifest is read first, then the list; both are instants after a call each.
    queue.plan(startedAt + lasts(LOOK_CALLS) / 2, () => {
      const base = generation;
      queue.plan(queue.now + lasts(LOOK_CALLS) / 2, () => look(startedAt, base));
    });
  };

  const look = (startedAt: number, base: number) => {
    while ((uploads[firstWaiting]?.settledAt ?? Number.POSITIVE_INFINITY) <= queue.now) firstWaiting += 1;
    const waiting: Upload[] = [];
    for (let i = firstWaiting; i < uploads.length && waiting.length < LIST_LIMIT; i++) {
      const upload = uploads[i];
      if (upload === undefined || upload.acceptedAt > queue.now) break;
      if (upload.settledAt > queue.now) waiting.push(upload);
    }
    const leftover = waiting.filter((upload) => upload.generation <= base);
    const inputs = waiting.filter((upload) => upload.generation > base).slice(0, DEFAULT_BUDGET.batches);
    const settledAt = settle(leftover, queue.now);
    if (inputs.length === 0) {
      queue.plan(settledAt, () => compact(base));
      return;
    }
    const detections = inputs.reduce((sum, upload) => sum + upload.detections, 0);
    const shape = mergeShape(settings.runSegments, inputs.length, detections);
    const mergedAt = settledAt + mergeMs(lasts, shape, foldMs(JOINED_RECORDS + detections));
    const at = Math.max(mergedAt, queue.now - sinceLastSwap() + WRITE_INTERVAL_MS);
    const callsMade =
      sumOfCalls(mergeCalls(shape)) + leftover.length * sumOfCalls(SETTLE_CALLS) + sumOfCalls(LOOK_CALLS);
    if (at - startedAt > TICK_LIMITS.wallMs || callsMade > TICK_LIMITS.storageCalls) {
      // The platform stops it before its swap; the next tick finds everything as it was.
      counted.failed += 1;
      return;
    }
    queue.plan(at, () => publishInputs(startedAt, base, inputs));
  };

  const publishInputs = (startedAt: number, base: number, inputs: readonly Upload[]) => {
    if (!swap(base)) return;
    swapMs.push(queue.now - startedAt);
    for (const upload of inputs) {
      if (upload.generation !== Number.POSITIVE_INFINITY) throw new Error('an upload would be served twice');
      upload.publishedAt = queue.now;
      upload.generation = generation;
    }
    const published = generation;
    queue.plan(settle(inputs, queue.now), () => compact(published));
  };

  /** Moves batches; returns when the last one is done. */
  const settle = (batches: readonly Upload[], from: number): number => {
    const ends = settleEnds(lasts, batches.length);
    batches.forEach((upload, i) => {
      upload.settledAt = Math.min(upload.settledAt, from + (ends[i] ?? 0));
    });
    return from + Math.max(0, ...ends);
  };

  const compact = (base: number) => {
    const share = Math.min(settings.compactionSegments, DEFAULT_BUDGET.compactionSegments);
    if (share === 0) return;
    queue.plan(queue.now + compactionMs(lasts, share, FOLD_SEGMENT_MS), () => swap(base));
  };

  for (let at = 0; at < settings.untilMs; at += settings.cronMs) {
    const times = random.chance(CRON.doubleShare) ? 2 : 1;
    for (let i = 0; i < times; i++) queue.plan(at + random.next() * CRON.lateMs, beginTick);
  }
  queue.run();
  return { publications, ...counted, swapMs };
}

/** Uploads of a Poisson stream, not yet published. */
export function poissonUploads(random: Random, perMinute: number, detections: number, untilMs: number): Upload[] {
  const uploads: Upload[] = [];
  for (
    let at = random.exponential(MINUTE_MS / perMinute);
    at < untilMs;
    at += random.exponential(MINUTE_MS / perMinute)
  ) {
    uploads.push(newUpload(at, detections));
  }
  return uploads;
}

export function newUpload(acceptedAt: number, detections: number): Upload {
  const never = Number.POSITIVE_INFINITY;
  return { acceptedAt, detections, publishedAt: never, generation: never, settledAt: never };
}
