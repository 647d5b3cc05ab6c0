/** Requests, storage and dollars a month at both scales and three loads. */
import type { Row } from '../../bench/report.ts';
import { COMPARED_LOOKUPS, STORES } from './assumptions.ts';
import type { MeasuredTicks } from './measured-tick.ts';
import { type Deployment, type Month, simulateMonth, totalOf } from './monthly-usage.ts';
import {
  dollarsBeyondAllowances,
  dollarsOf,
  listDollars,
  PLAN_DOLLARS_A_MONTH,
  PRICED_UNITS,
  PRICES,
  type Usage,
} from './prices.ts';
import { type Section, three } from './table.ts';
import type { ScaleModel } from './world-model.ts';

/** Lookups spread over the segments as cities over countries: Zipf. */
const SEGMENT_ZIPF = 1;

export function deployments(models: readonly ScaleModel[], lookups: readonly number[]): Deployment[] {
  const [today, , oneStore] = models;
  if (today === undefined || oneStore === undefined) throw new RangeError('a model of each scale is needed');
  return [
    { name: today.scale.name, model: today, stores: 1 },
    { name: `1B in ${STORES} stores`, model: oneStore, stores: STORES },
  ].flatMap((shape) => lookups.map((lookupsAMonth) => ({ ...shape, lookupsAMonth, segmentZipf: SEGMENT_ZIPF })));
}

export function costSection(
  models: readonly ScaleModel[],
  measured: MeasuredTicks,
  lookups: readonly number[],
): Section {
  const months = deployments(models, lookups).map((deployment) => ({
    name: `${deployment.name}, ${deployment.lookupsAMonth / 1e6}M lookups`,
    month: simulateMonth(measured, deployment),
  }));
  return {
    tables: [
      { id: 'prices', title: 'Prices (Cloudflare, November 2026)', rows: priceRows() },
      { id: 'usage', title: 'Millions a month, and GB stored', rows: months.map(usageRow) },
      { id: 'dollars', title: 'Dollars a month at list price', rows: months.map(dollarRow) },
      { id: 'causes', title: 'What causes it: dollars a month at list price', rows: months.map(causeRow) },
    ],
    bars: [],
  };
}

/** At COMPARED_LOOKUPS, what is not requests and CPU: what other storage would replace. */
export function storageDollars(models: readonly ScaleModel[], measured: MeasuredTicks): number[] {
  return deployments(models, [COMPARED_LOOKUPS]).map((deployment) => {
    const usage = totalOf(simulateMonth(measured, deployment));
    return listDollars({ ...usage, workersRequests: 0, workersCpuMs: 0 });
  });
}

interface NamedMonth {
  readonly name: string;
  readonly month: Month;
}

function priceRows(): Row[] {
  return PRICED_UNITS.map((unit) => {
    const { what, dollars, per, includedAMonth, source } = PRICES[unit];
    return { what, 'US dollars': dollars, per, 'included a month': includedAMonth, source };
  });
}

function usageRow({ name, month }: NamedMonth): Row {
  const usage = totalOf(month);
  const millions = (quantity = 0) => three(quantity / 1e6);
  return {
    load: name,
    'Worker requests': millions(usage.workersRequests),
    'CPU ms': millions(usage.workersCpuMs),
    'KV reads': millions(usage.kvReads),
    'KV writes, deletes': millions((usage.kvWrites ?? 0) + (usage.kvDeletes ?? 0)),
    'R2 class A': millions(usage.r2ClassA),
    'R2 class B': millions(usage.r2ClassB),
    'R2 GB': three(usage.r2Gigabytes ?? 0),
    'KV GB': three(usage.kvGigabytes ?? 0),
  };
}

function dollarRow({ name, month }: NamedMonth): Row {
  const usage = totalOf(month);
  const sum = (...units: (keyof Usage)[]) =>
    cents(units.reduce((dollars, unit) => dollars + dollarsOf(unit, usage[unit] ?? 0), 0));
  return {
    load: name,
    Workers: sum('workersRequests', 'workersCpuMs'),
    'KV reads': sum('kvReads'),
    'KV writes, deletes, lists': sum('kvWrites', 'kvDeletes', 'kvLists'),
    'R2 class A': sum('r2ClassA'),
    'R2 class B': sum('r2ClassB'),
    storage: sum('r2Gigabytes', 'kvGigabytes'),
    'all, list price': cents(listDollars(usage)),
    'beyond allowances, with the plan': cents(dollarsBeyondAllowances(usage) + PLAN_DOLLARS_A_MONTH),
  };
}

function causeRow({ name, month }: NamedMonth): Row {
  return {
    load: name,
    'answering lookups': cents(listDollars(month.lookups)),
    'isolates warming and keeping up': cents(listDollars(month.keepingUp)),
    ticks: cents(listDollars(month.ticks)),
    uploads: cents(listDollars(month.uploads)),
    storage: cents(listDollars(month.storage)),
  };
}

function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}
