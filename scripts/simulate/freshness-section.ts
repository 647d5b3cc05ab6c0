/** Freshness: the table of scenarios, and the bars on those that an operator meets on an ordinary day. */
import { atMost, type Bar, type Row, round } from '../../bench/report.ts';
import type { Random } from '../../bench/support/random.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { WAIT_MS } from '../../src/serve/snapshot.ts';
import { BILLION, HOUR_MS, ONE_STORE, STORES, TODAY } from './assumptions.ts';
import { BUSY, QUIET, type Scenario, simulateFreshness } from './freshness.ts';
import type { Section } from './table.ts';
import { type ScaleModel, typicalRuns } from './world-model.ts';

/** DESIGN: accepted -> served with a one-minute cron. */
export const FRESHNESS_BAR_SECONDS = 90;

/** An hour without ticks, on the first day. */
const OUTAGE = { fromMs: 3 * HOUR_MS, toMs: 4 * HOUR_MS };
const BURST = { uploads: 100, detections: 500 };
const REWRITING = { compactionSegments: DEFAULT_BUDGET.compactionSegments };

interface Held extends Omit<Scenario, 'runSegments'> {
  readonly hasBar?: true;
}

const SCENARIOS: readonly Held[] = [
  { name: 'busy isolate, 5 requests a second', requestsASecond: BUSY, hasBar: true },
  { name: 'quiet isolate, one in 3 minutes', requestsASecond: QUIET, hasBar: true },
  { name: '100 uploads of 500 at once, every hour', requestsASecond: BUSY, burst: BURST, hasBar: true },
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
  { name: 'quiet isolate, were it to wait from 60 s on', requestsASecond: QUIET, isolate: { waitMs: 60_000 } },
  { name: 'quiet isolate, were it to wait from 20 s on', requestsASecond: QUIET, isolate: { waitMs: 20_000 } },
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
    const runSegments = typicalRuns(model);
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
