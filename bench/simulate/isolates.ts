/** Isolates: how many warm up and what that reads, and what a billion numbers in one of them would cost. */
import { PAGE_RANKS } from '../../src/format/segment.ts';
import { ByteCache } from '../../src/lib/byte-cache.ts';
import { REFRESH_AFTER_MS } from '../../src/lib/swr-cache.ts';
import { NUMBERS_BUDGET } from '../../src/lookup/columns.ts';
import { SEGMENT_RECORDS } from '../../src/merge/segment-builder.ts';
import { atMost, type Bar, type Quantiles, quantilesOf, type Row } from '../report.ts';
import { type Latency, meanMs, type Random, shuffle, Zipf, zipfShares } from '../support/random.ts';
import {
  COMPARED_LOOKUPS,
  DAYS_A_MONTH,
  EDGE,
  LATENCY,
  LISTED_SHARE,
  type Scale,
  SLICE_MISSING_SHARE,
  STORES,
  TODAY,
} from './assumptions.ts';
import { MIDDLE_OF_THE_FORTNIGHT, type ScaleModel, typicalRuns } from './model.ts';
import { dollarsOf, listDollars, PRICES, type Usage } from './prices.ts';
import { type Section, three } from './table.ts';

// Isolates warming up: how many there are, what they read until they are warm, and what keeping up with the generations
// reads after that. Every figure is an expectation over exponentially distributed lives.

const MONTH_SECONDS = DAYS_A_MONTH * 86_400;
const LIFE_SECONDS = EDGE.isolateLifeHours * 3_600;

interface FleetInput {
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
  /** Numbers slices that a life reads on the way to being warm, on average over all isolates. */
  readonly slicesALife: number;
  readonly usage: Usage;
}

export function simulateFleet(input: FleetInput): Fleet {
  const { scale, lookupsAMonth, stores } = input;
  const shares = zipfShares(EDGE.colos, EDGE.coloZipf);
  const generationsASecond = (1 - Math.exp(-scale.uploadsAMinute)) / 60;
  const total = { isolates: 0, coldStarts: 0, manifests: 0, checks: 0, kvReads: 0, warming: 0, segmentReads: 0 };
  for (const share of shares) {
    const rate = (lookupsAMonth * share) / MONTH_SECONDS;
    const machines = Math.min(EDGE.isolatesAColo, Math.max(1, Math.ceil(rate / EDGE.lookupsASecondAnIsolate)));
    const isolates = machines * stores;
    const own = rate / isolates;
    // With exponential lives of mean L, what comes at a rate r comes at least once in a life with r L / (1 + r L).
    const lives = (isolates * MONTH_SECONDS) / LIFE_SECONDS;
    const coldStarts = lives * touched(own);
    const warming = lives * slicesTouched(input, own);
    const pages = lives * pagesTouched(input, own);
    // A lookup in the time between two generations reads the newest run's numbers, which are in R2 alone.
    const perGeneration = own / (own + generationsASecond);
    const newest = isolates * MONTH_SECONDS * generationsASecond * perGeneration;
    const compacted = isolates * input.compactionSegmentsAMonth * warmShare(input, own);
    const checks = (isolates * MONTH_SECONDS) / (REFRESH_AFTER_MS / 1000 + meanMs(LATENCY.objectRead) / 1000 + 1 / own);
    total.isolates += isolates;
    total.coldStarts += coldStarts;
    total.warming += warming;
    total.kvReads += warming + compacted;
    total.segmentReads += pages + newest;
    total.checks += checks;
    total.manifests += coldStarts + Math.min(checks, isolates * MONTH_SECONDS * generationsASecond);
  }
  // The API keys and the index of tenants are checked as often as the manifest, by the same kind of conditional read
  // (src/lib/swr-cache.ts).
  const checks = 3 * (total.checks + total.coldStarts);
  const objectReads = checks + total.segmentReads + SLICE_MISSING_SHARE * total.kvReads;
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

/** Numbers slices that a life touches. */
function slicesTouched({ runSegments, segmentZipf }: FleetInput, rate: number): number {
  let slices = 0;
  for (const segments of runSegments) {
    for (const share of zipfShares(segments, segmentZipf)) slices += touched(rate * share);
  }
  return slices;
}

const PAGES_A_SEGMENT = Math.ceil(SEGMENT_RECORDS / PAGE_RANKS);

/** Pages of verdicts that it touches; those of a segment are touched alike. */
function pagesTouched({ runSegments, segmentZipf }: FleetInput, rate: number): number {
  let pages = 0;
  for (const segments of runSegments) {
    for (const share of zipfShares(segments, segmentZipf)) {
      pages += PAGES_A_SEGMENT * touched((rate * share * LISTED_SHARE) / PAGES_A_SEGMENT);
    }
  }
  return pages;
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

// How many isolates warm up and what that reads.

const MIXES = [
  { name: 'even', zipf: 0 },
  { name: 'Zipf', zipf: 1 },
] as const;
const DRAWN_LOOKUPS = [10, 100, 1_000, 10_000] as const;
const DRAWS = 100;

export function warmingSection(random: Random, models: readonly ScaleModel[], lookups: readonly number[]): Section {
  const [model] = models;
  if (model === undefined) throw new RangeError('a model is needed');
  return {
    tables: [
      {
        id: 'warming',
        title: `Isolates in ${EDGE.colos} cities at ${TODAY.name}, a month`,
        rows: fleetRows(model, lookups),
      },
      { id: 'slices', title: 'Distinct slices of the base that an isolate reads', rows: sliceRows(random, model) },
    ],
    bars: [],
  };
}

function fleetRows(model: ScaleModel, lookups: readonly number[]): Row[] {
  const runSegments = typicalRuns(model);
  const compactionSegmentsAMonth = model.year.compactionSegments / 12;
  return lookups.flatMap((lookupsAMonth) =>
    MIXES.map(({ name, zipf }) => {
      const input = { scale: model.scale, lookupsAMonth, stores: 1, runSegments, compactionSegmentsAMonth };
      const { isolates, coldStarts, slicesALife, manifestsChanged, usage } = simulateFleet({
        ...input,
        segmentZipf: zipf,
      });
      return {
        load: `${lookupsAMonth / 1e6}M lookups, ${name}`,
        isolates,
        'cold starts': Math.round(coldStarts),
        'slices a life': three(slicesALife),
        'M manifests read anew': three(manifestsChanged / 1e6),
        'M KV reads': three((usage.kvReads ?? 0) / 1e6),
        'M R2 reads': three((usage.r2ClassB ?? 0) / 1e6),
        'KV reads a lookup': three((usage.kvReads ?? 0) / lookupsAMonth),
        dollars: three(listDollars(usage)),
      };
    }),
  );
}

function sliceRows(random: Random, model: ScaleModel): Row[] {
  const base = typicalRuns(model).at(-1) ?? 1;
  const { numbersBytes } = model.sizes.segment;
  return DRAWN_LOOKUPS.flatMap((lookups) =>
    MIXES.map(({ name, zipf }) => {
      const drawn = drawDistinct(random.stream(`${lookups} ${name}`), base, zipf, lookups, DRAWS);
      const { p50, p99 } = quantilesOf(drawn);
      return { lookups: `${lookups}, ${name}`, p50, p99, 'of all': base, 'MB p50': three((p50 * numbersBytes) / 1e6) };
    }),
  );
}

// One Worker at a billion numbers: its numbers column does not fit an isolate, so lookups read slices.

/** Lookups before anything is counted, so that the cache is full, and lookups counted. */
const WARMUP_LOOKUPS = 5_000;
const LOOKUPS = 15_000;

interface CacheInput {
  /** Segments of each run, and bytes of a numbers column of each. */
  readonly runs: readonly { readonly segments: number; readonly bytes: number }[];
  /** How lookups spread over the number space, seen as the base's segments: 0 evenly, 1 Zipf. */
  readonly zipf: number;
}

interface CacheOutcome {
  readonly hitShare: number;
  readonly readsALookup: number;
  readonly megabytesALookup: number;
  /** What a lookup waits for storage when the city's KV cache has the slices, and when it has none. */
  readonly hotMs: Quantiles;
  readonly coldMs: Quantiles;
  readonly dollarsAMillionLookups: number;
}

/** The isolate's own cache with its real budget, in front of KV. */
export function simulateCache(random: Random, { runs, zipf }: CacheInput): CacheOutcome {
  const cache = new ByteCache<true>(NUMBERS_BUDGET);
  const base = runs.at(-1)?.segments ?? 1;
  const source = new Zipf(base, zipf);
  const counted = { probes: 0, misses: 0, bytes: 0 };
  const hot: number[] = [];
  const cold: number[] = [];
  // Which segments are popular has nothing to do with their place in number order.
  const order = shuffle(
    Uint32Array.from({ length: base }, (_, i) => i),
    random,
  );
  for (let lookup = 0; lookup < WARMUP_LOOKUPS + LOOKUPS; lookup++) {
    const place = ((order[source.draw(random)] ?? 0) + random.next()) / base;
    let misses = 0;
    let bytes = 0;
    runs.forEach((run, i) => {
      const key = `${i}-${Math.floor(place * run.segments)}`;
      if (cache.get(key) !== undefined) return;
      cache.set(key, true, run.bytes);
      misses += 1;
      bytes += run.bytes;
    });
    if (lookup < WARMUP_LOOKUPS) continue;
    counted.probes += runs.length;
    counted.misses += misses;
    counted.bytes += bytes;
    hot.push(slowest(random, LATENCY.sliceReadHot, misses));
    cold.push(slowest(random, LATENCY.sliceReadCold, misses));
  }
  const readsALookup = counted.misses / LOOKUPS;
  return {
    hitShare: 1 - counted.misses / counted.probes,
    readsALookup,
    megabytesALookup: counted.bytes / LOOKUPS / 1e6,
    hotMs: quantilesOf(hot),
    coldMs: quantilesOf(cold),
    dollarsAMillionLookups: (readsALookup * 1e6 * PRICES.kvReads.dollars) / PRICES.kvReads.per,
  };
}

/** Runs are read at the same time: a lookup waits for the slowest. */
function slowest(random: Random, latency: Latency, reads: number): number {
  let ms = 0;
  for (let i = 0; i < reads; i++) ms = Math.max(ms, random.latencyMs(latency));
  return ms;
}

// A billion numbers: what a lookup costs in one Worker, what the merge has to do, and ways to divide the work.

const SPREADS = [0, 0.8, 1, 1.2] as const;
/** A Durable Object counts as 128 MB for as long as it is in memory; with steady traffic, always. */
const OBJECT_GIGABYTES = 0.128;

export function billionSection(random: Random, models: readonly ScaleModel[]): Section {
  const [, billion, oneStore] = models;
  if (billion === undefined || oneStore === undefined) throw new RangeError('a model of each scale is needed');
  const caches = SPREADS.map((zipf) => ({
    zipf,
    ...simulateCache(random.stream(`cache ${zipf}`), cacheInput(billion, zipf)),
  }));
  const cacheRows = caches.map(
    ({ zipf, hitShare, readsALookup, megabytesALookup, hotMs, coldMs, dollarsAMillionLookups }) => ({
      'lookups over the number space': zipf === 0 ? 'evenly' : `Zipf ${zipf}`,
      'in memory, %': three(100 * hitShare),
      'KV reads a lookup': three(readsALookup),
      'MB a lookup': three(megabytesALookup),
      'ms p50, KV hot': three(hotMs.p50),
      'ms p99, KV hot': three(hotMs.p99),
      'ms p50, KV cold': three(coldMs.p50),
      'ms p99, KV cold': three(coldMs.p99),
      'dollars a million': three(dollarsAMillionLookups),
    }),
  );
  const zipf = caches.find((cache) => cache.zipf === 1);
  const memoryMegabytes = columnMegabytes(oneStore);
  const ways: Row[] = [
    {
      way: 'one Worker, slices on demand',
      'numbers in an isolate, MB': three(NUMBERS_BUDGET / 1e6),
      'storage reads a warm lookup': three(zipf?.readsALookup ?? Number.NaN),
      'dollars a million': three(zipf?.dollarsAMillionLookups ?? Number.NaN),
    },
    {
      way: `${STORES} Workers by number range, service bindings`,
      'numbers in an isolate, MB': three(memoryMegabytes),
      'storage reads a warm lookup': 0,
      'dollars a million': three(fleetDollars(oneStore) / (COMPARED_LOOKUPS / 1e6)),
    },
    {
      way: `${STORES} Durable Objects, one place each`,
      'numbers in an isolate, MB': three(memoryMegabytes),
      'storage reads a warm lookup': 0,
      'dollars a million': three(objectDollars() / (COMPARED_LOOKUPS / 1e6)),
    },
  ];
  const bars: Bar[] = [
    atMost(`numbers of one of ${STORES} stores, MB in an isolate`, three(memoryMegabytes), three(NUMBERS_BUDGET / 1e6)),
  ];
  return {
    tables: [
      { id: 'cache', title: '1B in one Worker: a lookup of an unlisted number', rows: cacheRows },
      { id: 'ways', title: 'Ways to serve 1B, at 100M lookups a month, beside the requests themselves', rows: ways },
    ],
    bars,
  };
}

function cacheInput({ scale, sizes, year }: ScaleModel, zipf: number) {
  const sample = year.samples.hourly[MIDDLE_OF_THE_FORTNIGHT];
  const runs = (sample?.runs ?? [scale.numbers]).map((numbers) => ({
    segments: Math.ceil(numbers / sizes.segment.records),
    bytes: (sizes.bits.of(numbers) * Math.min(numbers, sizes.segment.records)) / 8,
  }));
  return { runs, zipf };
}

/** The numbers columns of all runs of a store. */
function columnMegabytes(model: ScaleModel): number {
  const { numbersBytes } = model.sizes.segment;
  return (typicalRuns(model).reduce((sum, segments) => sum + segments, 0) * numbersBytes) / 1e6;
}

function fleetDollars(model: ScaleModel): number {
  const { usage } = simulateFleet({
    scale: model.scale,
    lookupsAMonth: COMPARED_LOOKUPS,
    stores: STORES,
    runSegments: typicalRuns(model),
    compactionSegmentsAMonth: model.year.compactionSegments / 12,
    segmentZipf: 1,
  });
  return listDollars(usage);
}

function objectDollars(): number {
  const gigabyteSeconds = STORES * OBJECT_GIGABYTES * DAYS_A_MONTH * 86_400;
  return (
    dollarsOf('durableObjectRequests', COMPARED_LOOKUPS) + dollarsOf('durableObjectGigabyteSeconds', gigabyteSeconds)
  );
}
