/**
 * What Cloudflare charges: list prices in US dollars and what the Workers Paid plan includes a month, as of November
 * 2026. Every dollar of the simulation comes from this table.
 */

interface Price {
  readonly what: string;
  readonly dollars: number;
  /** The quantity that costs so much. */
  readonly per: number;
  /** Included in each month of the Workers Paid plan (R2: in its free tier). */
  readonly includedAMonth: number;
  readonly source: string;
}

const MILLION = 1_000_000;
const WORKERS = 'https://developers.cloudflare.com/workers/platform/pricing/';
const KV = 'https://developers.cloudflare.com/kv/platform/pricing/';
const R2 = 'https://developers.cloudflare.com/r2/pricing/';
const D1 = 'https://developers.cloudflare.com/d1/platform/pricing/';
const DURABLE_OBJECTS = 'https://developers.cloudflare.com/durable-objects/platform/pricing/';

/** Gigabytes are 10^9 bytes. A delete in R2 is free, one in KV is not; a failed conditional put in R2 is a class A. */
export const PRICES = {
  workersRequests: price('Workers: requests', 0.3, MILLION, 10 * MILLION, WORKERS),
  workersCpuMs: price('Workers: CPU milliseconds', 0.02, MILLION, 30 * MILLION, WORKERS),
  kvReads: price('KV: reads', 0.5, MILLION, 10 * MILLION, KV),
  kvWrites: price('KV: writes', 5, MILLION, MILLION, KV),
  kvDeletes: price('KV: deletes', 5, MILLION, MILLION, KV),
  kvLists: price('KV: lists', 5, MILLION, MILLION, KV),
  kvGigabytes: price('KV: GB-months', 0.5, 1, 1, KV),
  r2ClassA: price('R2: class A (put, list)', 4.5, MILLION, MILLION, R2),
  r2ClassB: price('R2: class B (get, head)', 0.36, MILLION, 10 * MILLION, R2),
  r2Gigabytes: price('R2: GB-months', 0.015, 1, 10, R2),
  d1RowsRead: price('D1: rows read', 0.001, MILLION, 25_000 * MILLION, D1),
  d1RowsWritten: price('D1: rows written', 1, MILLION, 50 * MILLION, D1),
  d1Gigabytes: price('D1: GB-months', 0.75, 1, 5, D1),
  durableObjectRequests: price('Durable Objects: requests', 0.15, MILLION, MILLION, DURABLE_OBJECTS),
  durableObjectGigabyteSeconds: price('Durable Objects: GB-seconds', 12.5, MILLION, 400_000, DURABLE_OBJECTS),
} as const satisfies Readonly<Record<string, Price>>;

export type PricedUnit = keyof typeof PRICES;

/** The Workers Paid plan itself, dollars a month an account. Source: as the requests. */
export const PLAN_DOLLARS_A_MONTH = 5;

export const PRICED_UNITS = Object.keys(PRICES) as PricedUnit[];

/** Quantities of one month. */
export type Usage = Partial<Readonly<Record<PricedUnit, number>>>;

function price(what: string, dollars: number, per: number, includedAMonth: number, source: string): Price {
  return { what, dollars, per, includedAMonth, source };
}

/** Dollars at list price, allowances not taken off. */
export function listDollars(usage: Usage): number {
  return PRICED_UNITS.reduce((sum, unit) => sum + dollarsOf(unit, usage[unit] ?? 0), 0);
}

/** Dollars for what goes beyond the allowances, as if the account had nothing else on it; without the plan's fee. */
export function dollarsBeyondAllowances(usage: Usage): number {
  return PRICED_UNITS.reduce(
    (sum, unit) => sum + dollarsOf(unit, Math.max(0, (usage[unit] ?? 0) - PRICES[unit].includedAMonth)),
    0,
  );
}

export function dollarsOf(unit: PricedUnit, quantity: number): number {
  return (quantity / PRICES[unit].per) * PRICES[unit].dollars;
}

export function addUsage(...parts: readonly Usage[]): Usage {
  const sum: Partial<Record<PricedUnit, number>> = {};
  for (const part of parts) {
    for (const unit of PRICED_UNITS) {
      const quantity = part[unit];
      if (quantity !== undefined) sum[unit] = (sum[unit] ?? 0) + quantity;
    }
  }
  return sum;
}

export function timesUsage(usage: Usage, times: number): Usage {
  const product: Partial<Record<PricedUnit, number>> = {};
  for (const unit of PRICED_UNITS) {
    const quantity = usage[unit];
    if (quantity !== undefined) product[unit] = quantity * times;
  }
  return product;
}
