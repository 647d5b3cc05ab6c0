/** How many isolates warm up and what that reads. */
import type { Row } from '../../bench/report.ts';
import type { Random } from '../../bench/support/random.ts';
import { EDGE, TODAY } from './assumptions.ts';
import { listDollars } from './prices.ts';
import { quantilesOf } from './quantiles.ts';
import { type Section, three } from './table.ts';
import { drawDistinct, simulateFleet } from './warming.ts';
import { type ScaleModel, typicalRuns } from './world-model.ts';

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
