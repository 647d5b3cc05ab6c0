/** Accepted -> served: scenarios of uploads, ticks and isolates, and what comes out of each. */

import type { Random } from '../../bench/support/random.ts';
import { DAY_MS, detectionsAMinute, HOUR_MS, MINUTE_MS, type Scale, TODAY } from './assumptions.ts';
import { type IsolateSettings, servedAt } from './isolate-simulation.ts';
import { meanOf, type Quantiles, quantilesOf } from './quantiles.ts';
import {
  newUpload,
  poissonUploads,
  simulateTicks,
  type TickOutcome,
  type TickSettings,
  type Upload,
} from './tick-simulation.ts';

export interface Scenario {
  readonly name: string;
  readonly scale?: Scale;
  readonly requestsASecond: number;
  /** Segments of the runs that news are compared with, newest first. */
  readonly runSegments: readonly number[];
  readonly ticks?: Partial<Omit<TickSettings, 'runSegments'>>;
  readonly isolate?: Partial<IsolateSettings>;
  /** Beside the steady stream: so many uploads at once, every hour. */
  readonly burst?: { readonly uploads: number; readonly detections: number };
  readonly days?: number;
  /** How often all of it is done again with other random numbers, and put together. */
  readonly repeats?: number;
  /** Whose freshness counts when there is an outage: what was accepted during it, from its end on, or in the hour after. */
  readonly watch?: 'backlog' | 'afterwards';
}

export interface Freshness {
  readonly uploads: number;
  readonly servedSeconds: Quantiles;
  readonly ticks: number;
  readonly failed: number;
  readonly lostRaces: number;
  readonly meanSwapSeconds: number;
}

/** Long enough for a 99th percentile that a few failed ticks do not move. */
const DAYS = 7;
/** Isolates watched; they see the same manifests at times of their own. */
const ISOLATES = 8;
/** Ticks go on for so long after the last upload, so that everything is served. */
const DRAIN_MS = 3 * HOUR_MS;

export const BUSY = 5;
/** A request every three minutes. */
export const QUIET = 1 / 180;

export function simulateFreshness(random: Random, scenario: Scenario): Freshness {
  const rounds = Array.from({ length: scenario.repeats ?? 1 }, (_, i) =>
    simulateOnce(random.stream(`round ${i}`), scenario),
  );
  const swaps = rounds.flatMap(({ outcome }) => outcome.swapMs);
  const sum = (figure: (round: Round) => number) => rounds.reduce((total, round) => total + figure(round), 0);
  return {
    uploads: sum(({ uploads }) => uploads),
    servedSeconds: quantilesOf(rounds.flatMap(({ seconds }) => seconds)),
    ticks: sum(({ outcome }) => outcome.ticks),
    failed: sum(({ outcome }) => outcome.failed),
    lostRaces: sum(({ outcome }) => outcome.lostRaces),
    meanSwapSeconds: swaps.length === 0 ? Number.POSITIVE_INFINITY : meanOf(swaps) / 1000,
  };
}

interface Round {
  readonly uploads: number;
  readonly seconds: readonly number[];
  readonly outcome: TickOutcome;
}

function simulateOnce(random: Random, scenario: Scenario): Round {
  const scale = scenario.scale ?? TODAY;
  const untilMs = (scenario.days ?? DAYS) * DAY_MS;
  const perUpload = detectionsAMinute(scale) / scale.uploadsAMinute;
  const uploads = poissonUploads(random.stream('uploads'), scale.uploadsAMinute, perUpload, untilMs);
  const all = scenario.burst === undefined ? uploads : uploads.concat(burstsOf(random, scenario.burst, untilMs));
  all.sort((a, b) => a.acceptedAt - b.acceptedAt);
  const slowness = scenario.ticks?.slowness ?? 1;
  const settings: TickSettings = {
    cronMs: MINUTE_MS,
    untilMs: untilMs + DRAIN_MS,
    runSegments: scenario.runSegments,
    compactionSegments: 0,
    slowness,
    outage: null,
    ...scenario.ticks,
  };
  const outcome = simulateTicks(random.stream('ticks'), all, settings);
  const watched = watchedUploads(all, scenario);
  const seconds: number[] = [];
  for (let i = 0; i < ISOLATES; i++) {
    const isolate = { requestsASecond: scenario.requestsASecond, slowness, ...scenario.isolate };
    const served = servedAt(random.stream(`isolate ${i}`), watched.uploads, outcome.publications, isolate);
    // What no tick came round to before the simulated time was over counts as never served.
    const left = watched.uploads.filter(({ publishedAt }) => publishedAt === Number.POSITIVE_INFINITY).length;
    if (served.length + left !== watched.uploads.length) throw new Error('not every published upload was served once');
    seconds.push(...Array.from({ length: left }, () => Number.POSITIVE_INFINITY));
    for (const { upload, atMs } of served) seconds.push((atMs - Math.max(upload.acceptedAt, watched.fromMs)) / 1000);
  }
  return { uploads: watched.uploads.length, seconds, outcome };
}

function burstsOf(random: Random, burst: { uploads: number; detections: number }, untilMs: number): Upload[] {
  const source = random.stream('bursts');
  const uploads: Upload[] = [];
  for (let hour = 0; hour < untilMs; hour += HOUR_MS) {
    const at = hour + source.next() * HOUR_MS;
    for (let i = 0; i < burst.uploads; i++) uploads.push(newUpload(at + source.next() * 10_000, burst.detections));
  }
  return uploads.filter(({ acceptedAt }) => acceptedAt < untilMs);
}

interface Watched {
  readonly uploads: readonly Upload[];
  /** Waiting for the outage to end is not what is measured. */
  readonly fromMs: number;
}

function watchedUploads(uploads: readonly Upload[], { ticks, watch }: Scenario): Watched {
  const outage = ticks?.outage ?? null;
  if (outage === null) return { uploads, fromMs: 0 };
  const { fromMs, toMs } = outage;
  if (watch === 'backlog') {
    return { uploads: uploads.filter(({ acceptedAt }) => acceptedAt >= fromMs && acceptedAt < toMs), fromMs: toMs };
  }
  return { uploads: uploads.filter(({ acceptedAt }) => acceptedAt >= toMs && acceptedAt < toMs + HOUR_MS), fromMs: 0 };
}
