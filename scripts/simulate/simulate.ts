/** All sections in order; the same options give the same figures. */
import type { Bar } from '../../bench/report.ts';
import { Random } from '../../bench/support/random.ts';
import { assumptionsSection } from './assumptions-section.ts';
import { billionSection } from './billion-section.ts';
import { costSection, storageDollars } from './cost-section.ts';
import { designsSection } from './designs-section.ts';
import { freshnessSection } from './freshness-section.ts';
import { manifestSection } from './manifest-section.ts';
import { measureTicks } from './measured-tick.ts';
import { mergeSection } from './merge-section.ts';
import type { Options } from './options.ts';
import { sizesSection } from './sizes-section.ts';
import type { Section, Table } from './table.ts';
import { warmingSection } from './warming-section.ts';
import { modelScales } from './world-model.ts';

export async function simulate({ seed, cronSeconds, lookupsAMonth }: Options): Promise<Section> {
  const random = new Random(seed);
  const models = await modelScales(random.stream('sizes'));
  const measured = await measureTicks(random.stream('ticks'));
  const sections = [
    assumptionsSection(),
    sizesSection(models, measured),
    costSection(models, measured, lookupsAMonth),
    designsSection(models, storageDollars(models, measured)),
    manifestSection(models),
    freshnessSection(random.stream('freshness'), models, cronSeconds * 1000),
    warmingSection(random.stream('warming'), models, lookupsAMonth),
    mergeSection(random.stream('merge'), models),
    billionSection(random.stream('billion'), models),
  ];
  const bars = sections.flatMap((section) => section.bars);
  return { tables: [...sections.flatMap(({ tables }) => tables), barsTable(bars)], bars };
}

function barsTable(bars: readonly Bar[]): Table {
  const rows = bars.map(({ what, value, wanted, limit, met }) => ({
    bar: what,
    value,
    limit: `${wanted} ${limit}`,
    met: met ? 'yes' : '**no**',
  }));
  return { id: 'bars', title: 'Bars', rows };
}
