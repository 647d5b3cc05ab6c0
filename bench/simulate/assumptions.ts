/**
 * What the simulation takes for granted, each with where it comes from. What can be measured from the code is measured
 * (model.ts, tick-calls.ts) and not here; prices are in prices.ts.
 */

import { CACHE_SECONDS as KV_CACHE_SECONDS } from '../../src/storage/cloudflare.ts';
import type { Row } from '../report.ts';
import type { Latency } from '../support/random.ts';
import type { Section } from './table.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const DAYS_A_MONTH = 30;
export const TICKS_A_MONTH = DAYS_A_MONTH * 24 * 60;

export interface Scale {
  readonly name: string;
  readonly numbers: number;
  /** Distinct numbers detected in a fortnight, and how many of these nobody had seen before. */
  readonly detectionsAFortnight: number;
  readonly firstTimeAFortnight: number;
  readonly uploadsAMinute: number;
}

/** The published inventory and fortnight. Assumed: enterprises and crawlers together send two uploads a minute. */
export const TODAY: Scale = {
  name: '20.87M',
  numbers: 20_870_000,
  detectionsAFortnight: 996_141,
  firstTimeAFortnight: 487_368,
  uploadsAMinute: 2,
};

const GROWTH = 1_000_000_000 / TODAY.numbers;

/** Assumed: detections grow with the inventory, uploads a tenth as much, in larger batches. */
export const BILLION: Scale = {
  name: '1B',
  numbers: 1_000_000_000,
  detectionsAFortnight: Math.round(TODAY.detectionsAFortnight * GROWTH),
  firstTimeAFortnight: Math.round(TODAY.firstTimeAFortnight * GROWTH),
  uploadsAMinute: 20,
};

/**
 * A billion numbers as 32 stores, each with a range of numbers, a Worker, a manifest and a tick of its own: so many
 * that a share fits the cache of an isolate even at the 11.5 bits a number that are the bar for the numbers column.
 */
export const STORES = 32;

/** One of them. Every upload has numbers for nearly all of them, and is split as it is accepted. */
export const ONE_STORE: Scale = {
  name: `1B / ${STORES}`,
  numbers: BILLION.numbers / STORES,
  detectionsAFortnight: BILLION.detectionsAFortnight / STORES,
  firstTimeAFortnight: BILLION.firstTimeAFortnight / STORES,
  uploadsAMinute: BILLION.uploadsAMinute,
};

export const SCALES = [TODAY, BILLION, ONE_STORE] as const;

export function detectionsAMinute(scale: Scale): number {
  return scale.detectionsAFortnight / (14 * 24 * 60);
}

/** Sign-ups checked a month by all enterprises together (200 of them at 0.5M each are 100M). */
export const LOOKUPS_A_MONTH: readonly number[] = [10_000_000, 100_000_000, 1_000_000_000];
/** The load at which designs are compared. */
export const COMPARED_LOOKUPS = 100_000_000;

/** Assumed: the share of lookups whose number is listed and so needs a verdict. */
export const LISTED_SHARE = 0.02;

/** Assumed: CPU a lookup, the HTTP route included; and an upload of a few dozen detections. */
export const LOOKUP_CPU_MS = 1;
export const UPLOAD_CPU_MS = 3;

/** CPU a megabyte of manifest that is read, checked and indexed: 12 to 42 by the command below. */
export const MANIFEST_CPU_MS_A_MEGABYTE = 45;

/**
 * CPU a record that is folded: read from a segment, merged, encoded again, evidence included. Measured on 2 cores by
 * `npx node bench/simulate/measure-cpu.ts` as 2.2 to 2.7; more is taken, for other machines and longer evidence.
 */
export const FOLD_CPU_US_A_RECORD = 5;

/**
 * Storage latencies as a Worker sees them. Sources: docs of neither product give figures; Cloudflare's blog puts hot KV
 * reads below 5 ms at p99 (blog.cloudflare.com/faster-workers-kv and its redesign of 2025), R2 is known for tens of
 * milliseconds from near and hundreds from far. These are taken on the slow side; the freshness table has a row with
 * twice as much.
 */
export const LATENCY = {
  objectRead: { medianMs: 60, p99Ms: 400 },
  objectWrite: { medianMs: 120, p99Ms: 800 },
  objectList: { medianMs: 100, p99Ms: 700 },
  objectDelete: { medianMs: 80, p99Ms: 600 },
  sliceReadHot: { medianMs: 3, p99Ms: 30 },
  sliceReadCold: { medianMs: 60, p99Ms: 400 },
  sliceWrite: { medianMs: 120, p99Ms: 800 },
} as const satisfies Readonly<Record<string, Latency>>;

/**
 * The platform's limits of a cron trigger that fires more than once an hour
 * (developers.cloudflare.com/workers/platform/limits).
 */
export const TICK_LIMITS = { wallMs: 15 * MINUTE_MS, cpuSeconds: 30, storageCalls: 10_000 } as const;

/** Assumed: a cron trigger fires up to so late, does not run or dies before its swap this often, and runs twice. */
export const CRON = { lateMs: 3_000, failureShare: 0.002, doubleShare: 0.001 } as const;

/**
 * Assumed: a slice just written is not yet visible in KV where a reader is, or was missed there before. The read then
 * goes on to R2; the miss, though remembered, delays nobody, since the same bytes are in the segment.
 */
export const SLICE_MISSING_SHARE = 0.2;

/**
 * Where lookups are answered. Assumed: back-ends of 200 enterprises reach 100 of Cloudflare's 330 cities, with Zipf
 * traffic; a city spreads a Worker over one machine for every 2 lookups a second, 16 at most; an isolate lives 6 hours
 * on average, exponentially distributed (kian.org.uk/cloudflare-workers-isolate-lifetimes saw one idle for 48 minutes).
 */
export const EDGE = {
  colos: 100,
  coloZipf: 1,
  lookupsASecondAnIsolate: 2,
  isolatesAColo: 16,
  isolateLifeHours: 6,
} as const;

/**
 * Assumed: an enterprise makes so many lookups a month from back-ends that reach so many cities, and has rules and
 * overrides of its own; a deployment has up to a thousand (src/tenants).
 */
export const TENANTS = { lookupsAMonth: 500_000, cities: 10, most: 1_000 } as const;

/**
 * Assumed: from a request for which there is no isolate until the Worker runs (bench/startup measures the script's
 * part).
 */
export const WORKER_START_MS = 20;

/** Assumed: mobile numbers assigned in the world's plans, over which the listed ones spread. */
export const ASSIGNED_NUMBERS = 20_000_000_000;

// The assumptions as a table, so that the document has them as they are in the code.

const MEASURED = 'measured by `npx node bench/simulate/measure-cpu.ts`, taken above it';
const PUBLISHED = 'published figures';

export function assumptionsSection(): Section {
  const rows: Row[] = [
    row('detections a fortnight, first-time', `${TODAY.detectionsAFortnight}, ${TODAY.firstTimeAFortnight}`, PUBLISHED),
    row('the same at 1B', `${BILLION.detectionsAFortnight}, ${BILLION.firstTimeAFortnight}`, 'in proportion'),
    row('uploads a minute', `${TODAY.uploadsAMinute}; at 1B ${BILLION.uploadsAMinute}`, 'assumed'),
    row('mobile numbers assigned worldwide', `${ASSIGNED_NUMBERS / 1e9} billion`, 'assumed'),
    row('how numbers cluster', 'see bench/simulate/model.ts', 'fitted to a real list of 126,000'),
    row(
      'cities that answer lookups',
      `${EDGE.colos}, traffic Zipf ${EDGE.coloZipf}`,
      'assumed; Cloudflare has some 330',
    ),
    row(
      'isolates in a city',
      `one for ${EDGE.lookupsASecondAnIsolate} lookups/s, 1 to ${EDGE.isolatesAColo}`,
      'assumed',
    ),
    row('life of an isolate', `${EDGE.isolateLifeHours} h on average`, 'assumed'),
    row(
      'enterprises',
      `one for ${TENANTS.lookupsAMonth / 1e6}M lookups a month, ${TENANTS.most} at most, each in ${TENANTS.cities} cities`,
      'assumed',
    ),
    row('start of an isolate', `${WORKER_START_MS} ms`, 'assumed'),
    row('KV keeps in a city what was read there', `${KV_CACHE_SECONDS / 3600} h`, 'as the Worker asks for it'),
    row('a read of the city’s cache', 'as a KV get in the city', 'assumed'),
    row('lookups of listed numbers', `${LISTED_SHARE * 100} %`, 'assumed'),
    row('CPU a lookup, an upload', `${LOOKUP_CPU_MS} ms, ${UPLOAD_CPU_MS} ms`, 'assumed'),
    row('CPU a record folded', `${FOLD_CPU_US_A_RECORD} µs`, MEASURED),
    row('CPU a megabyte of manifest', `${MANIFEST_CPU_MS_A_MEGABYTE} ms`, MEASURED),
    latencyRow('R2 get', LATENCY.objectRead),
    latencyRow('R2 put', LATENCY.objectWrite),
    latencyRow('R2 list', LATENCY.objectList),
    latencyRow('R2 delete', LATENCY.objectDelete),
    latencyRow('KV get, in the city', LATENCY.sliceReadHot),
    latencyRow('KV get, from afar', LATENCY.sliceReadCold),
    latencyRow('KV put', LATENCY.sliceWrite),
    row('new slice not in KV where it is read', `${SLICE_MISSING_SHARE * 100} %`, 'assumed; it is read from R2 then'),
    row('a cron tick is late by', `up to ${CRON.lateMs / 1000} s`, 'assumed'),
    row('ticks that fail, that run twice', `${CRON.failureShare * 100} %, ${CRON.doubleShare * 100} %`, 'assumed'),
  ];
  return { tables: [{ id: 'assumptions', title: 'Assumptions', rows }], bars: [] };
}

function row(assumption: string, value: string, source: string): Row {
  return { assumption, value, source };
}

function latencyRow(what: string, { medianMs, p99Ms }: Latency): Row {
  return row(
    `${what}, p50 and p99`,
    `${medianMs} ms, ${p99Ms} ms`,
    'assumed, log-normal; on the slow side of what is told',
  );
}
