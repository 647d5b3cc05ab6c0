/** The table of the benchmark, and the bars it is held to. */

import { atLeast, atMost, type Bar, type Row, round } from '../report.ts';
import { type Difference, type Latencies, type RouteLatency, SHARES } from './latency.ts';
import {
  BATCH,
  GET_LISTED,
  GET_LISTED_RULES,
  GET_UNLISTED,
  GET_UNLISTED_RULES,
  POST_LISTED,
  POST_UNLISTED,
} from './routes.ts';
import { findRoute, type RouteMeasure } from './saturation.ts';

/** Requests a second in those of the empty route: of many connections, and of one. */
const RATE_RATIO: Readonly<Record<string, number>> = {
  [GET_UNLISTED]: 0.92,
  [GET_LISTED]: 0.88,
  [GET_UNLISTED_RULES]: 0.92,
  [GET_LISTED_RULES]: 0.88,
  [POST_UNLISTED]: 0.85,
  [POST_LISTED]: 0.82,
};
const ALONE_RATIO = 0.8;
const ALONE = [GET_UNLISTED, GET_LISTED, POST_UNLISTED, POST_LISTED];
const P99_ABOVE_MS = 0.5;
/** Of the commit before. */
const BATCH_RATIO = 2;

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

export interface AtRate extends Latencies {
  /** Of saturation; null: that was not measured. */
  readonly share: number | null;
  readonly requestsASecond: number;
}

/** What was measured, and what was counted meanwhile. */
export interface Measures {
  /** At many connections, at one (null in the small form), and of lookups that read from storage. */
  readonly saturated: readonly RouteMeasure[];
  readonly alone: readonly RouteMeasure[] | null;
  readonly reading: readonly RouteMeasure[];
  readonly atRates: readonly AtRate[];
  readonly connections: number;
  /** Storage reads of lookups whose columns were in memory, of any kind but for the manifest's freshness. */
  readonly warmReads: number;
  readonly rightAnswers: number;
}

/** The share of saturation that the bar of latency is set at. */
const HALF = 0.5;

export function table({ saturated, alone, reading, atRates, connections }: Measures): Row[] {
  return [
    ...saturated.map((each) => saturationRow(each, `${connections} connections`)),
    ...(alone ?? []).map((each) => saturationRow(each, '1 connection')),
    ...reading.map((each) => saturationRow(each, `${connections} connections`)),
    ...atRates.flatMap((rate) => rate.routes.map((route) => latencyRow(route, rate))),
  ];
}

const NO_LATENCY = {
  'p50 ms': '',
  'p99 ms': '',
  'p99.9 ms': '',
  'p50 above empty, ms': '',
  'p99 above empty, ms': '',
  '95 % interval of that': '',
  'p99.9 above empty, ms': '',
  'without stalls: p99 above empty, ms': '',
  'interval of that': '',
  'turns with a stall, %': '',
  'sent late, p99 ms': '',
} as const;
const NO_SATURATION = {
  'CPU us a request': '',
  'requests/s to empty': '',
  'CPU to empty': '',
  'to the commit before': '',
};

function saturationRow(measure: RouteMeasure, load: string): Row {
  const { route, requestsASecond, cpuMicros, rateRatio, cpuRatio, beforeRatio } = measure;
  return {
    route: route.name,
    load,
    'requests/s': round(requestsASecond),
    'numbers/s': round(requestsASecond * route.numbersARequest),
    'CPU us a request': round(cpuMicros),
    'requests/s to empty': round(rateRatio),
    'CPU to empty': round(cpuRatio),
    'to the commit before': Number.isNaN(beforeRatio) ? '' : round(beforeRatio),
    ...NO_LATENCY,
  };
}

function latencyRow({ name, quantiles, above, calmAbove }: RouteLatency, rate: AtRate): Row {
  const [p50 = Number.NaN, p99 = Number.NaN, p999 = Number.NaN] = quantiles;
  const [above50, above99, above999] = above;
  const calm99 = calmAbove[SHARES.indexOf(0.99)];
  return {
    route: name,
    load: rate.share === null ? 'a fixed rate' : `${rate.share} of saturation`,
    'requests/s': round(rate.requestsASecond),
    'numbers/s': round(rate.requestsASecond),
    ...NO_SATURATION,
    'p50 ms': round(p50),
    'p99 ms': round(p99),
    'p99.9 ms': round(p999),
    'p50 above empty, ms': shown(above50),
    'p99 above empty, ms': shown(above99),
    '95 % interval of that': intervalOf(above99),
    'p99.9 above empty, ms': shown(above999),
    'without stalls: p99 above empty, ms': shown(calm99),
    'interval of that': intervalOf(calm99),
    'turns with a stall, %': round(100 * rate.stalledShare),
    'sent late, p99 ms': round(rate.lateP99Ms),
  };
}

function shown(difference: Difference | undefined): number | '' {
  return difference === undefined || Number.isNaN(difference.value) ? '' : round(difference.value);
}

function intervalOf(difference: Difference | undefined): string {
  if (difference === undefined || Number.isNaN(difference.low)) return '';
  return `${round(difference.low)} to ${round(difference.high)}`;
}

export function speedBars({ saturated, alone, atRates, ...counted }: Measures): readonly Bar[] {
  const { beforeRatio } = findRoute(saturated, BATCH);
  const half = atRates.find(({ share }) => share === HALF)?.routes ?? [];
  return [
    ...Object.entries(RATE_RATIO).map(([name, limit]) =>
      atLeast(`${name}: requests/s to the empty route`, round(findRoute(saturated, name).rateRatio), limit),
    ),
    ...ALONE.map((name) => {
      const { rateRatio } = findRoute(alone ?? [], name);
      return atLeast(`${name}, one connection: requests/s to the empty route`, round(rateRatio), ALONE_RATIO);
    }),
    ...half
      .filter(({ above }) => above.length > 0)
      .flatMap(({ name, above, calmAbove }) => {
        const p99Bar = (of: readonly Difference[], how: string) => {
          const { value } = of[SHARES.indexOf(0.99)] ?? { value: Number.NaN };
          return atMost(
            `${name}: p99 above the empty route at half of saturation${how}, ms`,
            round(value),
            P99_ABOVE_MS,
          );
        };
        return [p99Bar(above, ''), p99Bar(calmAbove, ', stalls of the load tool apart')];
      }),
    // Without the commit before there is nothing to hold it to.
    ...(Number.isNaN(beforeRatio)
      ? []
      : [atLeast(`${BATCH}: numbers/s to the commit before`, round(beforeRatio), BATCH_RATIO)]),
    ...countBars(counted),
  ];
}

export function regressionBars({ saturated, atRates, ...counted }: Measures): readonly Bar[] {
  const batch = findRoute(saturated, BATCH);
  return [
    ...Object.entries(CI_CPU_RATIO).map(([name, limit]) =>
      atMost(`${name}: CPU to the empty route`, round(findRoute(saturated, name).cpuRatio), limit),
    ),
    atMost(
      `${BATCH}: CPU of a number to the empty route`,
      round(batch.cpuRatio / batch.route.numbersARequest),
      CI_BATCH_CPU_RATIO,
    ),
    ...countBars(counted),
  ];
}

function countBars({ warmReads, rightAnswers }: Pick<Measures, 'warmReads' | 'rightAnswers'>): readonly Bar[] {
  return [
    atMost('storage reads of warm lookups, snapshot refreshes apart', warmReads, 0),
    atLeast('right answers among those compared', rightAnswers, 1200),
  ];
}
