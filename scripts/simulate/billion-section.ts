/** A billion numbers: what a lookup costs in one Worker, what the merge has to do, and ways to divide the work. */
import { atMost, type Bar, type Row } from '../../bench/report.ts';
import type { Random } from '../../bench/support/random.ts';
import { NUMBERS_BUDGET } from '../../src/serve/column-cache.ts';
import { COMPARED_LOOKUPS, DAYS_A_MONTH, STORES } from './assumptions.ts';
import { simulateCache } from './billion.ts';
import { dollarsOf, listDollars } from './prices.ts';
import { type Section, three } from './table.ts';
import { simulateFleet } from './warming.ts';
import { type ScaleModel, typicalRuns } from './world-model.ts';

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
  const sample = year.samples.hourly[7 * 24];
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
