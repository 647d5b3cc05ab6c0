/** The ledger's daily figures, with those of new uploads. */
import type { CountedBatch } from './counted.ts';
import { type DayFigures, type Figures, sum } from './figures.ts';
import { LEDGER_DAYS, type Ledger, MAX_SOURCES, type SourceName } from './ledger.ts';

/** @param today UTC days since 1970: when they arrived, whatever days they tell of */
export function withFigures(ledger: Ledger, arrived: readonly CountedBatch[], today: number): Ledger {
  const sources = new Map<SourceName, readonly DayFigures[]>();
  for (const { source, days } of ledger.sources) {
    const recent = days.filter(({ day }) => day > today - LEDGER_DAYS);
    if (recent.length > 0) sources.set(source, recent);
  }
  for (const { figures } of arrived) {
    for (const [source, added] of figures) sources.set(source, withDay(sources.get(source) ?? [], today, added));
  }
  const all = [...sources].map(([source, days]) => ({ source, days }));
  return { ...ledger, sources: all.length > MAX_SOURCES ? withMostLines(all) : all };
}

function withDay(days: readonly DayFigures[], day: number, added: Figures): DayFigures[] {
  const same = days.find((one) => one.day === day);
  const before = days.filter((one) => one !== same);
  return [...before, { day, ...sum(same === undefined ? [added] : [same, added]) }];
}

/** Those that are forgotten have the fewest lines, so they are the last whose shares could be judged. */
function withMostLines(all: Ledger['sources'][number][]): Ledger['sources'] {
  const size = new Map(all.map((one) => [one, one.days.reduce((n, { lines, accepted }) => n + lines + accepted, 0)]));
  return all.toSorted((a, b) => (size.get(b) ?? 0) - (size.get(a) ?? 0)).slice(0, MAX_SOURCES);
}
