/** The table of the benchmark and the bars it is held to. */
import { atLeast, atMost, type Bar, type BenchSize, type Row, round } from '../report.ts';
import type { RouteMeasure } from './measure.ts';
import type { Counters } from './paths.ts';
import {
  BATCH,
  GET_LISTED,
  GET_LISTED_RULES,
  GET_UNLISTED,
  GET_UNLISTED_RULES,
  POST_LISTED,
  POST_UNLISTED,
} from './routes.ts';

/** The bar: this share of the empty route's requests a second. */
const REQUESTS_RATIO = 0.9;
const P99_ABOVE_MS = 1;
const BATCH_NUMBERS_A_SECOND = 150_000;

/**
 * For CI, where the load tool and the Worker share two cores with who knows what: CPU time alone, as a ratio, and a
 * third above what is usual, so that a regression shows and a busy machine does not.
 */
const CI_CPU_RATIO: Readonly<Record<string, number>> = {
  [GET_UNLISTED]: 1.8,
  [GET_LISTED]: 2.1,
  [GET_UNLISTED_RULES]: 1.8,
  [GET_LISTED_RULES]: 2.1,
  [POST_UNLISTED]: 2.4,
  [POST_LISTED]: 2.6,
};
/** CPU of one number of a batch in CPU of the empty route. */
const CI_BATCH_CPU_RATIO = 0.12;

/** Both ways of loading the routes, and what was counted meanwhile. */
export interface Measures {
  /** As many requests as the Worker can answer: latency is then mostly the time in its queue. */
  readonly saturated: readonly RouteMeasure[];
  /** Few connections, whose latency is that of an answer. */
  readonly moderate: readonly RouteMeasure[];
  /** Storage reads of lookups whose columns were in memory, of any kind but for the manifest's freshness. */
  readonly warmReads: number;
  readonly rightAnswers: number;
}

export function table({ saturated, moderate, reading }: Measures & { readonly reading: readonly RouteMeasure[] }) {
  return [...saturated, ...moderate, ...reading].map(rowOf);
}

function rowOf(measure: RouteMeasure): Row {
  return {
    route: measure.route.name,
    connections: measure.connections,
    'requests/s': round(measure.requestsASecond),
    'numbers/s': round(measure.requestsASecond * measure.route.numbersARequest),
    'p50 ms': round(measure.p50Ms),
    'p99 ms': round(measure.p99Ms),
    'p99.9 ms': round(measure.p999Ms),
    'CPU us a request': round(measure.cpuMicros),
    'requests/s to empty': round(measure.rateRatio),
    'CPU to empty': round(measure.cpuRatio),
    'p99 above empty ms': round(measure.p99AboveMs),
  };
}

export function bars(measures: Measures, size: BenchSize): readonly Bar[] {
  const { warmReads, rightAnswers } = measures;
  return [
    ...(size === 'full' ? speedBars(measures) : regressionBars(measures)),
    atMost('storage reads of warm lookups, snapshot refreshes apart', warmReads, 0),
    atLeast('right answers among those compared', rightAnswers, 1200),
  ];
}

function speedBars({ saturated, moderate }: Measures): readonly Bar[] {
  const batch = find(saturated, BATCH);
  return [
    ...[GET_UNLISTED, GET_LISTED, GET_UNLISTED_RULES, GET_LISTED_RULES].map((name) => {
      return atLeast(`${name}: requests/s to the empty route`, round(find(saturated, name).rateRatio), REQUESTS_RATIO);
    }),
    ...[GET_UNLISTED, GET_LISTED].map((name) => {
      return atMost(`${name}: p99 above the empty route, ms`, round(find(moderate, name).p99AboveMs), P99_ABOVE_MS);
    }),
    atLeast(`${BATCH}: numbers/s`, round(batch.requestsASecond * batch.route.numbersARequest), BATCH_NUMBERS_A_SECOND),
  ];
}

function regressionBars({ saturated }: Measures): readonly Bar[] {
  const batch = find(saturated, BATCH);
  return [
    ...Object.entries(CI_CPU_RATIO).map(([name, limit]) => {
      return atMost(`${name}: CPU to the empty route`, round(find(saturated, name).cpuRatio), limit);
    }),
    atMost(
      `${BATCH}: CPU of a number to the empty route`,
      round(batch.cpuRatio / batch.route.numbersARequest),
      CI_BATCH_CPU_RATIO,
    ),
  ];
}

function find(measures: readonly RouteMeasure[], name: string): RouteMeasure {
  const found = measures.find(({ route }) => route.name === name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

/** Reads that a warm lookup must not make: all but the looks at whether the manifest or the keys have changed. */
export function storageReads({ store, keys }: Counters): number {
  return store.sliceReads + store.objectReads + keys.objectReads;
}
