/**
 * Isolates warming up: how many there are, what they read until they are warm, and what keeping up with the generations
 * reads after that. Every figure is an expectation over exponentially distributed lives.
 */

import { meanMs, type Random, Zipf, zipfShares } from '../../bench/support/random.ts';
import { REFRESH_MS } from '../../src/serve/snapshot.ts';
import { DAYS_A_MONTH, EDGE, LATENCY, LISTED_SHARE, type Scale, SLICE_MISSING_SHARE } from './assumptions.ts';
import type { Usage } from './prices.ts';

const MONTH_SECONDS = DAYS_A_MONTH * 86_400;
const LIFE_SECONDS = EDGE.isolateLifeHours * 3_600;

export interface FleetInput {
  readonly scale: Scale;
  readonly lookupsAMonth: number;
  /** Stores that share the numbers by range; each location has isolates for each. */
  readonly stores: number;
  /** Segments of each run of one store. */
  readonly runSegments: readonly number[];
  /** Segments that compactions of one store write a month: their slices are new to everyone. */
  readonly compactionSegmentsAMonth: number;
  /** How lookups spread over the segments of a run: 0 is evenly, 1 is Zipf. */
  readonly segmentZipf: number;
}

export interface Fleet {
  readonly isolates: number;
  readonly coldStarts: number;
  /** Manifests read because they had changed, or for the first time. */
  readonly manifestsChanged: number;
  /** Slices that a life reads on the way to being warm, on average over all isolates. */
  readonly slicesALife: number;
  readonly usage: Usage;
}

export function simulateFleet(input: FleetInput): Fleet {
  const { scale, lookupsAMonth, stores } = input;
  const shares = zipfShares(EDGE.colos, EDGE.coloZipf);
  const generationsASecond = (1 - Math.exp(-scale.uploadsAMinute)) / 60;
  const total = { isolates: 0, coldStarts: 0, manifests: 0, checks: 0, kvReads: 0, warming: 0 };
  for (const share of shares) {
    const rate = (lookupsAMonth * share) / MONTH_SECONDS;
    const machines = Math.min(EDGE.isolatesAColo, Math.max(1, Math.ceil(rate / EDGE.lookupsASecondAnIsolate)));
    const isolates = machines * stores;
    const own = rate / isolates;
    // With exponential lives of mean L, what comes at a rate r comes at least once in a life with r L / (1 + r L).
    const lives = (isolates * MONTH_SECONDS) / LIFE_SECONDS;
    const coldStarts = lives * touched(own);
    const warming = lives * slicesTouched(input, own);
    // A lookup in the time between two generations reads the newest run's slice.
    const perGeneration = own / (own + generationsASecond);
    const newest = isolates * MONTH_SECONDS * generationsASecond * perGeneration;
    const compacted = isolates * input.compactionSegmentsAMonth * warmShare(input, own);
    const checks = (isolates * MONTH_SECONDS) / (REFRESH_MS / 1000 + meanMs(LATENCY.objectRead) / 1000 + 1 / own);
    total.isolates += isolates;
    total.coldStarts += coldStarts;
    total.warming += warming;
    total.kvReads += warming + newest + compacted;
    total.checks += checks;
    total.manifests += coldStarts + Math.min(checks, isolates * MONTH_SECONDS * generationsASecond);
  }
  // The API keys and the index of tenants are checked as often as the manifest, by the same kind of conditional read
  // (src/store/held-copy.ts).
  const objectReads = 3 * (total.checks + total.coldStarts) + SLICE_MISSING_SHARE * total.kvReads;
  return {
    isolates: total.isolates,
    coldStarts: total.coldStarts,
    manifestsChanged: total.manifests,
    slicesALife: total.warming / total.coldStarts,
    usage: { kvReads: total.kvReads, r2ClassB: objectReads },
  };
}

/** Chance that something of this rate happens in a life. */
function touched(ratePerSecond: number): number {
  return (ratePerSecond * LIFE_SECONDS) / (1 + ratePerSecond * LIFE_SECONDS);
}

/** Numbers and verdicts slices that a life touches. */
function slicesTouched({ runSegments, segmentZipf }: FleetInput, rate: number): number {
  let slices = 0;
  for (const segments of runSegments) {
    for (const share of zipfShares(segments, segmentZipf)) {
      slices += touched(rate * share) + touched(rate * share * LISTED_SHARE);
    }
  }
  return slices;
}

/** The share of the base's numbers slices that a life touches. */
function warmShare({ runSegments, segmentZipf }: FleetInput, rate: number): number {
  const base = runSegments.at(-1) ?? 1;
  const shares = zipfShares(base, segmentZipf);
  return shares.reduce((sum, share) => sum + touched(rate * share), 0) / base;
}

/** Distinct slices that so many lookups touch, drawn so many times. */
export function drawDistinct(random: Random, segments: number, zipf: number, lookups: number, times: number): number[] {
  const source = new Zipf(segments, zipf);
  return Array.from({ length: times }, () => {
    const seen = new Set<number>();
    for (let i = 0; i < lookups; i++) seen.add(source.draw(random));
    return seen.size;
  });
}
