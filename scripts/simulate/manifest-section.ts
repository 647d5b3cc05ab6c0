/** Manifests: their size, what refreshing them costs, and the first lookup, in the present form and in others. */
import { atMost, type Bar, type Row } from '../../bench/report.ts';
import { REFRESH_MS } from '../../src/serve/snapshot.ts';
import {
  breakingPoint,
  FIRST_LOOKUP_BYTES,
  FIRST_LOOKUP_READS,
  FORMS,
  firstLookup,
  MOST_NUMBERS,
  PRESENT_FORM,
} from './first-lookup.ts';
import { quantilesOf } from './quantiles.ts';
import { kibibytes, type Section, three } from './table.ts';
import type { TierSample } from './tiers-year.ts';
import type { ScaleModel } from './world-model.ts';

const HOURS_A_FORTNIGHT = 14 * 24;
const MINUTES_A_DAY = 24 * 60;

export function manifestSection(models: readonly ScaleModel[]): Section {
  return {
    tables: [
      {
        id: 'manifest',
        title: 'The manifest, and what isolates read to keep up with it',
        rows: models.map(manifestRow),
      },
      { id: 'first-lookup', title: 'The first lookup of a new isolate', rows: models.flatMap(formRows) },
      { id: 'breaking', title: 'Inventory at which the first lookup passes 512 KiB', rows: breakingRows(models) },
    ],
    bars: models.slice(0, 1).flatMap(bars),
  };
}

/** The scale's own fortnight: later in the year the inventory has grown. */
function firstFortnight({ year }: ScaleModel): readonly TierSample[] {
  return year.samples.hourly.slice(0, HOURS_A_FORTNIGHT);
}

/** The moment of the year's first rewriting of the base at which the manifest names most. */
function rewriting({ year, sizes }: ScaleModel): TierSample {
  const isOfBase = ({ runs, compactionOutput }: TierSample) =>
    compactionOutput * sizes.segment.records >= (runs.at(-1) ?? 0);
  const first = year.samples.peaks.find(isOfBase);
  if (first === undefined) throw new Error('the base was not rewritten in a year');
  return first;
}

function manifestRow(model: ScaleModel): Row {
  const { scale, sizes } = model;
  const bytes = firstFortnight(model).map((sample) => firstLookup(PRESENT_FORM, sample, sizes).manifestBytes);
  const { p50 } = quantilesOf(bytes);
  const swapsADay = MINUTES_A_DAY * (1 - Math.exp(-scale.uploadsAMinute));
  return {
    numbers: scale.name,
    'segment entries': three((p50 - sizes.manifest.envelopeBytes) / sizes.manifest.entryBytes),
    'bytes an entry': three(sizes.manifest.entryBytes),
    'KiB, tiers in order': kibibytes(p50),
    'KiB, base being rewritten': kibibytes(firstLookup(PRESENT_FORM, rewriting(model), sizes).manifestBytes),
    'conditional reads a day, busy isolate': three(86_400_000 / (REFRESH_MS + 200)),
    'of these changed': three(swapsADay),
    'MB a day, busy isolate': three((swapsADay * p50) / 1e6),
  };
}

function formRows(model: ScaleModel): Row[] {
  const { scale, sizes } = model;
  return FORMS.map((form) => {
    const lookups = firstFortnight(model).map((sample) => firstLookup(form, sample, sizes));
    const worst = firstLookup(form, rewriting(model), sizes);
    const most = (figure: (lookup: (typeof lookups)[number]) => number) => quantilesOf(lookups.map(figure)).max;
    return {
      form: `${scale.name}: ${form.name}`,
      'manifest or root, KiB': kibibytes(quantilesOf(lookups.map((lookup) => lookup.manifestBytes)).p50),
      'unlisted, KiB p50': kibibytes(quantilesOf(lookups.map((lookup) => lookup.missBytes)).p50),
      'listed, KiB max': kibibytes(most(({ hitBytes }) => hitBytes)),
      'in two runs, KiB max': kibibytes(most(({ twoRunsBytes }) => twoRunsBytes)),
      'in every run, KiB max': kibibytes(most(({ allRunsBytes }) => allRunsBytes)),
      'listed, base being rewritten': kibibytes(worst.hitBytes),
      'in two runs, base being rewritten': kibibytes(worst.twoRunsBytes),
      'reads in sequence, at most': `${Math.max(
        worst.missReads,
        most(({ missReads }) => missReads),
      )} / ${Math.max(
        worst.hitReads,
        most(({ hitReads }) => hitReads),
      )}`,
    };
  });
}

/** With the tiers as they are in the middle of the fortnight. */
function breakingRows(models: readonly ScaleModel[]): Row[] {
  const [model] = models;
  const sample = model === undefined ? undefined : firstFortnight(model)[HOURS_A_FORTNIGHT / 2];
  if (model === undefined || sample === undefined) return [];
  const millions = (numbers: number) => {
    if (numbers === 0) return 'always above';
    return numbers > MOST_NUMBERS - 1e6 ? 'beyond 2,000M' : `${three(numbers / 1e6)}M`;
  };
  return FORMS.map((form) => ({
    form: form.name,
    'unlisted number': millions(breakingPoint(form, sample, model.sizes, 'missBytes')),
    'listed number': millions(breakingPoint(form, sample, model.sizes, 'hitBytes')),
    'listed in two runs': millions(breakingPoint(form, sample, model.sizes, 'twoRunsBytes')),
  }));
}

function bars(model: ScaleModel): Bar[] {
  const lookups = firstFortnight(model).map((sample) => firstLookup(PRESENT_FORM, sample, model.sizes));
  const most = (figure: (lookup: ReturnType<typeof firstLookup>) => number) => quantilesOf(lookups.map(figure)).max;
  const worst = firstLookup(PRESENT_FORM, rewriting(model), model.sizes);
  const limit = kibibytes(FIRST_LOOKUP_BYTES);
  const what = `first lookup at ${model.scale.name}`;
  return [
    atMost(`${what}, unlisted, KiB`, kibibytes(most(({ missBytes }) => missBytes)), limit),
    atMost(`${what}, listed, KiB`, kibibytes(most(({ hitBytes }) => hitBytes)), limit),
    atMost(`${what}, listed in two runs, KiB`, kibibytes(most(({ twoRunsBytes }) => twoRunsBytes)), limit),
    atMost(`${what}, listed, base being rewritten, KiB`, kibibytes(worst.hitBytes), limit),
    atMost(`${what}, listed in two runs, base being rewritten, KiB`, kibibytes(worst.twoRunsBytes), limit),
    atMost(
      `${what}, reads in sequence`,
      most(({ hitReads }) => hitReads),
      FIRST_LOOKUP_READS,
    ),
  ];
}
