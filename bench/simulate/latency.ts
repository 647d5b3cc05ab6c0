/**
 * How long answers take and how many never leave their city, over all cities of a month: the model of city.ts, many
 * times.
 */

import { PAGE_RANKS } from '../../src/format/segment.ts';
import { VERDICTS_BUDGET } from '../../src/lookup/columns.ts';
import { WAIT_MS } from '../../src/lookup/snapshot.ts';
import { TIER_RATIO } from '../../src/merge/compact.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { CACHE_SECONDS as KV_CACHE_SECONDS } from '../../src/storage/cloudflare.ts';
import { atLeast, type Bar, type Row, round } from '../report.ts';
import { type Random, Zipf, zipfShares } from '../support/random.ts';
import {
  DAYS_A_MONTH,
  detectionsAMinute,
  EDGE,
  HOUR_MS,
  LATENCY,
  LISTED_SHARE,
  LOOKUP_CPU_MS,
  MANIFEST_CPU_MS_A_MEGABYTE,
  MINUTE_MS,
  TENANTS,
  TODAY,
  WORKER_START_MS,
} from './assumptions.ts';
import { type Answered, City, type CitySettings, ModelIsolate, type ModelRun, type Place } from './city.ts';
import { MIDDLE_OF_THE_FORTNIGHT, type ScaleModel } from './model.ts';
import { type Section, three } from './table.ts';

/** The loads, and the share of lookups that is to be answered without leaving the city (the design's). */
const LOADS: readonly { readonly lookupsAMonth: number; readonly bar: number | null }[] = [
  { lookupsAMonth: 1_000_000, bar: 0.6 },
  { lookupsAMonth: 10_000_000, bar: 0.9 },
  { lookupsAMonth: 100_000_000, bar: 0.98 },
  { lookupsAMonth: 1_000_000_000, bar: null },
];

export interface Circumstances {
  readonly name: string;
  readonly cities: number;
  readonly isolateLifeHours: number;
  /** Isolates that a city has however few its lookups are. */
  readonly leastIsolates: number;
  readonly hasCity: boolean;
  readonly keepsUp: boolean;
  readonly kvKeepsMs: number;
  /** How lookups spread over the numbers: 0 is evenly. */
  readonly segmentZipf: number;
  readonly uploadsAMinute: number;
  /** Age of manifest and rules' index from which on a lookup waits for a refresh. */
  readonly waitMs: number;
  /** Between two lookups that somebody makes in every isolate only to keep it up; infinite: nobody does. */
  readonly probedEveryMs: number;
}

export const STANDING: Circumstances = {
  name: 'as assumed',
  cities: EDGE.colos,
  isolateLifeHours: EDGE.isolateLifeHours,
  leastIsolates: 1,
  hasCity: true,
  keepsUp: true,
  kvKeepsMs: KV_CACHE_SECONDS * 1000,
  segmentZipf: 1,
  uploadsAMinute: TODAY.uploadsAMinute,
  waitMs: WAIT_MS,
  probedEveryMs: Number.POSITIVE_INFINITY,
};

const OTHERS: readonly Circumstances[] = [
  { ...STANDING, name: '20 cities', cities: 20 },
  { ...STANDING, name: 'isolates live 1 h', isolateLifeHours: 1 },
  { ...STANDING, name: 'isolates live 24 h', isolateLifeHours: 24 },
  { ...STANDING, name: 'four isolates in every city', leastIsolates: 4 },
  { ...STANDING, name: 'the same without a custom domain', leastIsolates: 4, hasCity: false },
  { ...STANDING, name: 'lookups spread evenly over the numbers', segmentZipf: 0 },
  { ...STANDING, name: 'uploads every ten minutes', uploadsAMinute: 0.1 },
  { ...STANDING, name: 'without a custom domain (no cache of the city)', hasCity: false },
  { ...STANDING, name: 'without the refreshes after the last lookup', keepsUp: false },
  { ...STANDING, name: 'without both', hasCity: false, keepsUp: false },
  { ...STANDING, name: 'KV keeps a value for 1 minute in a city', kvKeepsMs: MINUTE_MS },
  { ...STANDING, name: 'answers from what is up to two minutes old', waitMs: 120_000 },
  { ...STANDING, name: 'a monitor’s lookup in every city, every 50 s', probedEveryMs: 50_000 },
];

/** Lookups that are measured in each of the cities that are simulated, */
const MEASURED = 8_000;
const MEASURED_OTHERS = 3_000;
/** after those of a life of each isolate, from so many to so many: then most of what is asked for has been read. */
const LEAST_WARMING = 500;
const MOST_WARMING = 10_000;

const LATENCY_OF: Readonly<Record<Place, (random: Random) => number>> = {
  // The Cache API is taken to be as quick as KV in the city.
  city: (random) => random.latencyMs(LATENCY.sliceReadHot),
  kvHot: (random) => random.latencyMs(LATENCY.sliceReadHot),
  kvFar: (random) => random.latencyMs(LATENCY.sliceReadCold),
  r2: (random) => random.latencyMs(LATENCY.objectRead),
};

const REASONS = ['heads', 'numbers, rules', 'verdicts'] as const;

interface Simulated {
  /** Milliseconds, and how much of all lookups each stands for. */
  readonly answers: { readonly ms: number; readonly weight: number }[];
  /** Shares of all lookups. */
  readonly inCity: number;
  readonly leftFor: Readonly<Record<(typeof REASONS)[number], number>>;
}

/**
 * Some cities stand for those of about their rank: cities differ by how many lookups they have, and by nothing else.
 */
function sampledCities(cities: number): { readonly share: number; readonly weight: number }[] {
  const shares = zipfShares(cities, EDGE.coloZipf);
  const sampled: { share: number; weight: number }[] = [];
  for (let from = 0; from < cities; ) {
    const to = Math.min(cities, Math.max(from + 1, Math.ceil(from * 1.5)));
    const group = shares.subarray(from, to);
    const weight = group.reduce((sum, share) => sum + share, 0);
    sampled.push({ share: weight / group.length, weight });
    from = to;
  }
  return sampled;
}

export function simulateLatency(
  random: Random,
  model: ScaleModel,
  lookupsAMonth: number,
  circumstances: Circumstances,
  measured: number,
): Simulated {
  const answers: { ms: number; weight: number }[] = [];
  const left = { heads: 0, 'numbers, rules': 0, verdicts: 0 };
  for (const [i, { share, weight }] of sampledCities(circumstances.cities).entries()) {
    const rate = (lookupsAMonth * share) / (DAYS_A_MONTH * 24 * HOUR_MS);
    const each = weight / measured;
    simulateCity(
      random.stream(`city ${i}`),
      model,
      { rate, lookupsAMonth, measured },
      circumstances,
      (answered, ms) => {
        answers.push({ ms, weight: each });
        if (answered.leftFor !== null) left[answered.leftFor] += each;
      },
    );
  }
  const inCity = 1 - left.heads - left['numbers, rules'] - left.verdicts;
  return { answers, inCity, leftFor: left };
}

interface Traffic {
  /** Lookups a millisecond in this city. */
  readonly rate: number;
  readonly lookupsAMonth: number;
  readonly measured: number;
}

/** Machines beyond these behave as these do; there, every machine has two lookups a second and more. */
const SIMULATED_MACHINES = 4;

function simulateCity(
  random: Random,
  model: ScaleModel,
  traffic: Traffic,
  circumstances: Circumstances,
  onAnswer: (answered: Answered, ms: number) => void,
): void {
  const wanted = Math.ceil((traffic.rate * 1000) / EDGE.lookupsASecondAnIsolate);
  const machines = Math.min(EDGE.isolatesAColo, Math.max(circumstances.leastIsolates, wanted));
  const simulated = Math.min(machines, SIMULATED_MACHINES);
  const gapMs = machines / simulated / traffic.rate;
  const city = new City(settingsOf(random, model, circumstances));
  const isolates: { isolate: ModelIsolate; untilMs: number }[] = [];
  const base = typicalRuns(model, circumstances).at(-1)?.segments ?? 1;
  const segments = new Zipf(base, circumstances.segmentZipf);
  const tenants = new Zipf(tenantsOfCity(traffic.lookupsAMonth), 1);
  const manifestCpuMs = MANIFEST_CPU_MS_A_MEGABYTE * (manifestBytes(model) / 1e6);
  const { queue } = city;
  const aLife = (circumstances.isolateLifeHours * HOUR_MS) / gapMs;
  const warming = Math.min(MOST_WARMING * simulated, Math.max(LEAST_WARMING, Math.round(aLife)));
  let probedAt = 0;
  for (let i = 0; i < warming + traffic.measured; i++) {
    const now = queue.now + random.exponential(gapMs);
    while (probedAt + circumstances.probedEveryMs < now) {
      probedAt += circumstances.probedEveryMs;
      queue.runUntil(probedAt);
      for (const { isolate } of isolates) {
        city.lookup(isolate, { at: segments.draw(random) / base, isListed: false, tenant: 0 });
      }
    }
    queue.runUntil(now);
    const slot = random.below(simulated);
    let ms = LOOKUP_CPU_MS;
    let at = isolates[slot];
    if (at === undefined || at.untilMs <= now) {
      if (at !== undefined) at.isolate.isAlive = false;
      const lifeMs = random.exponential(circumstances.isolateLifeHours * HOUR_MS);
      at = { isolate: new ModelIsolate(), untilMs: now + lifeMs };
      isolates[slot] = at;
      ms += WORKER_START_MS;
    }
    const lookup = {
      at: (segments.draw(random) + 0.5) / base,
      isListed: random.chance(LISTED_SHARE),
      tenant: tenants.draw(random),
    };
    const answered = city.lookup(at.isolate, lookup);
    if (answered.hasOpened) ms += manifestCpuMs;
    if (i >= warming) onAnswer(answered, ms + answered.waitedMs);
  }
}

function tenantsOfCity(lookupsAMonth: number): number {
  const all = Math.min(TENANTS.most, Math.max(1, lookupsAMonth / TENANTS.lookupsAMonth));
  return Math.max(1, Math.round((all * TENANTS.cities) / EDGE.colos));
}

function settingsOf(random: Random, model: ScaleModel, circumstances: Circumstances): CitySettings {
  const { hasCity, keepsUp, kvKeepsMs, waitMs } = circumstances;
  const generationMs = MINUTE_MS / generationsAMinute(circumstances);
  const latency = random.stream('latency');
  return {
    ...{ hasCity, keepsUp, kvKeepsMs, waitMs },
    runs: typicalRuns(model, circumstances),
    generationAt: (ms) => Math.floor(ms / generationMs),
    verdictPages: Math.floor((VERDICTS_BUDGET * pagesOf(model)) / model.sizes.segment.verdictsBytes),
    latencyMs: (place) => LATENCY_OF[place](latency),
    onRead: () => {},
  };
}

/** Ticks that find an upload. */
function generationsAMinute({ uploadsAMinute }: Circumstances): number {
  return 1 - Math.exp(-uploadsAMinute);
}

/**
 * The tiers in the middle of the fortnight. A run is written anew when what is newer has grown to a fifth of it, the
 * youngest by every generation; the base a few times a year, which is left out.
 */
function typicalRuns(model: ScaleModel, circumstances: Circumstances): ModelRun[] {
  const { scale, sizes, year } = model;
  const runs = year.samples.hourly[MIDDLE_OF_THE_FORTNIGHT]?.runs ?? [];
  const aGeneration = detectionsAMinute(scale) / generationsAMinute(circumstances);
  return runs.map((numbers, i) => ({
    segments: Math.ceil(numbers / sizes.segment.records),
    period:
      i === runs.length - 1
        ? Number.POSITIVE_INFINITY
        : i === 0
          ? 1
          : Math.max(1, Math.round(numbers / TIER_RATIO / aGeneration)),
    // Larger runs are what compactions and bulk builds have written.
    isSliced: numbers > DEFAULT_BUDGET.inlineRecords,
    pages: pagesOf(model),
  }));
}

function pagesOf({ sizes }: ScaleModel): number {
  return Math.ceil(sizes.segment.records / PAGE_RANKS);
}

function manifestBytes({ sizes, year }: ScaleModel): number {
  const runs = year.samples.hourly[MIDDLE_OF_THE_FORTNIGHT]?.runs ?? [];
  const segments = runs.reduce((sum, numbers) => sum + Math.ceil(numbers / sizes.segment.records), 0);
  return sizes.manifest.envelopeBytes + segments * sizes.manifest.entryBytes;
}

// The tables.

export function latencySection(random: Random, models: readonly ScaleModel[]): Section {
  const [model] = models;
  if (model === undefined) throw new RangeError('a model is needed');
  const rows: Row[] = [];
  const bars: Bar[] = [];
  const standing: Record<string, number> = {};
  for (const { lookupsAMonth, bar } of LOADS) {
    const simulated = simulateLatency(random.stream(`${lookupsAMonth}`), model, lookupsAMonth, STANDING, MEASURED);
    const { inCity, leftFor } = simulated;
    const quantile = quantilesOf(simulated);
    rows.push({
      'lookups a month': nameOf(lookupsAMonth),
      'ms p50': three(quantile(0.5)),
      'ms p95': three(quantile(0.95)),
      'ms p99': three(quantile(0.99)),
      'without leaving the city, %': percent(inCity),
      'left for manifest, keys, rules’ index, %': percent(leftFor.heads),
      'for numbers or rules, %': percent(leftFor['numbers, rules']),
      'for verdicts, %': percent(leftFor.verdicts),
    });
    standing[nameOf(lookupsAMonth)] = percent(inCity);
    if (bar === null) continue;
    const what = `answered without leaving the city at ${nameOf(lookupsAMonth)} lookups a month, %`;
    bars.push(atLeast(what, percent(inCity), bar * 100));
  }
  return {
    tables: [
      { id: 'latency', title: `Answers at ${TODAY.name}, over ${STANDING.cities} cities`, rows },
      {
        id: 'latency-otherwise',
        title: 'Share of answers without leaving the city, %',
        rows: [
          { circumstances: STANDING.name, ...standing },
          ...OTHERS.map((each) => otherwiseRow(random, model, each)),
        ],
      },
    ],
    bars,
  };
}

function otherwiseRow(random: Random, model: ScaleModel, circumstances: Circumstances): Row {
  const shares = LOADS.map(({ lookupsAMonth }) => {
    const stream = random.stream(`${circumstances.name} ${lookupsAMonth}`);
    const { inCity } = simulateLatency(stream, model, lookupsAMonth, circumstances, MEASURED_OTHERS);
    return [nameOf(lookupsAMonth), percent(inCity)] as const;
  });
  return { circumstances: circumstances.name, ...Object.fromEntries(shares) };
}

function nameOf(lookupsAMonth: number): string {
  return `${lookupsAMonth / 1e6}M`;
}

function percent(share: number): number {
  return round(Math.round(share * 1000) / 10);
}

/** By weight. */
function quantilesOf({ answers }: Simulated): (share: number) => number {
  const sorted = answers.toSorted((a, b) => a.ms - b.ms);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  return (share) => {
    let below = 0;
    for (const { ms, weight } of sorted) {
      below += weight;
      if (below >= share * total) return ms;
    }
    return Number.NaN;
  };
}
