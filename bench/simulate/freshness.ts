/** Accepted -> served: scenarios of uploads, ticks and isolates, and what comes out of each. */

import {
  CLOCK_DIFFERENCE_MS,
  KEEP_UP_AFTER_MS,
  NEARBY_BEHIND_MS,
  NEARBY_MS,
  REFRESH_AFTER_MS,
} from '../../src/lib/swr-cache.ts';
import { WAIT_MS } from '../../src/lookup/snapshot.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { atMost, type Bar, type Quantiles, quantilesOf, type Row, round } from '../report.ts';
import type { Random } from '../support/random.ts';
import {
  BILLION,
  DAY_MS,
  detectionsAMinute,
  HOUR_MS,
  LATENCY,
  MINUTE_MS,
  ONE_STORE,
  type Scale,
  STORES,
  TODAY,
} from './assumptions.ts';
import { type ScaleModel, typicalRuns } from './model.ts';
import { meanOf, type Section } from './table.ts';
import {
  newUpload,
  type Publication,
  poissonUploads,
  simulateTicks,
  type TickOutcome,
  type TickSettings,
  type Upload,
} from './tick-simulation.ts';

// When an isolate serves what was published: it looks at the manifest when a request finds its snapshot 10 s old,
// beside the answer, and KEEP_UP_AFTER_MS after the last request; after WAIT_MS the request waits
// (src/lookup/snapshot.ts). What it looks at may be what its city knows from another isolate (src/storage/city.ts).
// Then a lookup reads the new run's slice.

interface IsolateSettings {
  readonly requestsASecond: number;
  readonly slowness: number;
  /** As in src/lookup/snapshot.ts unless something else is tried. */
  readonly refreshMs?: number;
  readonly waitMs?: number;
  /** How long after the last request it looks again; never, if empty. */
  readonly looksAfterMs?: readonly number[];
  /** Whether its city always knows something from another isolate, of any age that may be used. */
  readonly isInBusyCity?: boolean;
}

interface Served {
  readonly upload: Upload;
  readonly atMs: number;
}

/**
 * For each published upload the instant from which on no lookup of this isolate can miss it any more,
 * whenever it comes: a lookup that comes late enough to wait for the refresh sees it too, so the time without any
 * traffic does not count, but the time in which a lookup would have been answered without it does.
 */
export function servedAt(
  random: Random,
  uploads: readonly Upload[],
  publications: readonly Publication[],
  settings: IsolateSettings,
): Served[] {
  const { requestsASecond, slowness, refreshMs = REFRESH_AFTER_MS, waitMs = WAIT_MS } = settings;
  const { looksAfterMs = KEEP_UP_AFTER_MS } = settings;
  const cityAgeMs = (mostMs: number) =>
    settings.isInBusyCity === true ? random.next() * mostMs + CLOCK_DIFFERENCE_MS : 0;
  const meanGapMs = 1000 / requestsASecond;
  const served: Served[] = [];
  const order = uploads.filter(({ publishedAt }) => publishedAt < Number.POSITIVE_INFINITY);
  const pending = order.toSorted((a, b) => a.publishedAt - b.publishedAt);
  const lastAt = publications.at(-1)?.at ?? 0;
  const readMs = () => random.latencyMs(LATENCY.objectRead) * slowness;
  let next = 0;
  let checkedAt = -random.next() * waitMs;
  let lastAskedAt = Number.NEGATIVE_INFINITY;
  while (next < pending.length) {
    if (checkedAt > lastAt + 10 * waitMs + 100 * meanGapMs) throw new Error('an isolate never saw the last generation');
    // The first request that finds the snapshot due: requests are a Poisson stream, which has no memory.
    const askedAt = checkedAt + refreshMs + random.exponential(meanGapMs);
    // Unless a refresh after the request before comes first, which nobody asks for.
    const keptUpAt = nextLook(lastAskedAt, looksAfterMs, checkedAt + refreshMs);
    const isAsked = askedAt <= keptUpAt;
    if (isAsked) lastAskedAt = askedAt;
    const dueAt = isAsked ? askedAt : keptUpAt;
    const latencyMs = readMs();
    const isWaitedFor = isAsked && dueAt >= checkedAt + waitMs;
    const seenAt = dueAt + latencyMs / 2 - cityAgeMs(isWaitedFor ? NEARBY_MS : NEARBY_BEHIND_MS);
    const installedAt = dueAt + latencyMs;
    for (let upload = pending[next]; upload !== undefined && upload.publishedAt <= seenAt; upload = pending[++next]) {
      // A lookup that comes waitMs after the last check waits for the manifest. If it gives up first, as it does after
      // a second, the read it began still brings the new snapshot to the next one.
      const waited = Math.max(checkedAt + waitMs, upload.publishedAt + cityAgeMs(NEARBY_MS)) + readMs();
      served.push({ upload, atMs: Math.min(installedAt, waited) + columnMs(random, slowness) });
    }
    // Ages count from the read that brought what the city knows.
    checkedAt = Math.min(dueAt, seenAt);
  }
  return served;
}

/** The first look after a request that finds the snapshot due; infinite: none does. */
function nextLook(askedAt: number, looksAfterMs: readonly number[], dueAt: number): number {
  for (const afterMs of looksAfterMs) if (askedAt + afterMs >= dueAt) return askedAt + afterMs;
  return Number.POSITIVE_INFINITY;
}

/** Reading the numbers of the run that was just written, from R2. */
function columnMs(random: Random, slowness: number): number {
  return random.latencyMs(LATENCY.objectRead) * slowness;
}

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
  /**
   * Whose freshness counts when there is an outage: what was accepted during it, from its end on, or in the hour after.
   */
  readonly watch?: 'backlog' | 'afterwards';
}

interface Freshness {
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

// Freshness: the table of scenarios, and the bars on those that an operator meets on an ordinary day.

/** From accepted to served, with a cron of a minute (docs/SCALE.md). */
const FRESHNESS_BAR_SECONDS = 75;

/** An hour without ticks, on the first day. */
const OUTAGE = { fromMs: 3 * HOUR_MS, toMs: 4 * HOUR_MS };
const BURST = { uploads: 100, detections: 500 };
const REWRITING = { compactionSegments: DEFAULT_BUDGET.compactionSegments };

interface Held extends Omit<Scenario, 'runSegments'> {
  readonly hasBar?: true;
  /** Whether ticks have in memory what they have read before: all but the columns of the youngest runs. */
  readonly keepsColumns?: true;
}

/** Runs that are written anew every few minutes. */
const YOUNG_RUNS = 2;

const SCENARIOS: readonly Held[] = [
  { name: 'busy isolate, 5 requests a second', requestsASecond: BUSY, hasBar: true },
  { name: 'quiet isolate, one in 3 minutes', requestsASecond: QUIET, hasBar: true },
  { name: '100 uploads of 500 at once, every hour', requestsASecond: BUSY, burst: BURST, hasBar: true },
  { name: 'the same, all ticks in one isolate', requestsASecond: BUSY, burst: BURST, keepsColumns: true },
  { name: 'the base is being rewritten', requestsASecond: BUSY, ticks: REWRITING, hasBar: true },
  {
    name: 'ticks down for an hour: accepted meanwhile, from its end on',
    requestsASecond: BUSY,
    days: 1,
    repeats: 7,
    watch: 'backlog',
    ticks: { outage: OUTAGE },
  },
  {
    name: 'the same: accepted in the hour after',
    requestsASecond: BUSY,
    days: 1,
    repeats: 7,
    watch: 'afterwards',
    ticks: { outage: OUTAGE },
  },
  { name: 'storage twice as slow', requestsASecond: BUSY, ticks: { slowness: 2 } },
  { name: '30 s between ticks', requestsASecond: BUSY, ticks: { cronMs: 30_000 } },
  { name: 'busy isolate in a busy city', requestsASecond: BUSY, isolate: { isInBusyCity: true }, hasBar: true },
  { name: 'quiet isolate in a busy city', requestsASecond: QUIET, isolate: { isInBusyCity: true }, hasBar: true },
  { name: 'quiet isolate, were it not to look after a request', requestsASecond: QUIET, isolate: { looksAfterMs: [] } },
  {
    name: 'quiet isolate, were it to look once, after 25 s',
    requestsASecond: QUIET,
    isolate: { looksAfterMs: [25_000] },
  },
  { name: 'quiet isolate, were it to wait from 30 s on', requestsASecond: QUIET, isolate: { waitMs: 30_000 } },
  {
    name: '1B in one store',
    scale: BILLION,
    requestsASecond: BUSY,
    days: 1,
  },
  {
    name: `1B in ${STORES} stores`,
    scale: ONE_STORE,
    requestsASecond: BUSY,
    days: 2,
    hasBar: true,
  },
];

export function freshnessSection(random: Random, models: readonly ScaleModel[], cronMs: number): Section {
  const rows: Row[] = [];
  const bars: Bar[] = [];
  for (const scenario of SCENARIOS) {
    const ticks = { cronMs, ...scenario.ticks };
    const model = models.find(({ scale }) => scale === (scenario.scale ?? TODAY));
    if (model === undefined) throw new Error(`no model of ${scenario.scale?.name}`);
    const runs = typicalRuns(model);
    const runSegments = scenario.keepsColumns === true ? runs.slice(0, YOUNG_RUNS) : runs;
    const fresh = simulateFreshness(random.stream(scenario.name), { ...scenario, runSegments, ticks });
    const { p50, p90, p99, max } = fresh.servedSeconds;
    rows.push({
      'seconds from accepted to served': scenario.name,
      p50: orNever(p50),
      p90: orNever(p90),
      p99: orNever(p99),
      max: orNever(max),
      'tick to swap': orNever(fresh.meanSwapSeconds),
      'lost races': fresh.lostRaces,
      uploads: fresh.uploads,
    });
    if (scenario.hasBar) {
      bars.push(atMost(`accepted -> served, p99 s: ${scenario.name}`, round(p99), FRESHNESS_BAR_SECONDS));
    }
  }
  return {
    tables: [
      { id: 'freshness', title: `Freshness at ${TODAY.name} (a quiet isolate waits from ${WAIT_MS / 1000} s)`, rows },
    ],
    bars,
  };
}

/** Ticks that are stopped before they are done serve nothing. */
function orNever(seconds: number): number | string {
  return Number.isFinite(seconds) ? round(seconds) : 'never';
}
