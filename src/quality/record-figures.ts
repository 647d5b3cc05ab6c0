/** The ledger's daily figures, with those of new uploads. */
import type { CountedBatch } from './counted.ts';
import { type DayFigures, type Figures, sum } from './figures.ts';
import { LEDGER_DAYS, type Ledger, MAX_SOURCES } from './ledger.ts';
import { idText, sourceId } from './source-id.ts';

/** @param today UTC days since 1970: when they arrived, whatever days they tell of */
export function withFigures(ledger: Ledger, arrived: readonly CountedBatch[], today: number): Ledger {
  const sources = new Map<string, Ledger['sources'][number]>();
  for (const one of ledger.sources) {
    const days = one.days.filter(({ day }) => day > today - LEDGER_DAYS);
    if (days.length > 0) sources.set(idText(one), { ...one, days });
  }
  for (const { owner, figures } of arrived) {
    for (const [name, added] of figures) {
      const id = sourceId(owner, name);
      const text = idText(id);
      sources.set(text, { ...id, days: withDay(sources.get(text)?.days ?? [], today, added) });
    }
  }
  const all = [...sources.values()];
  return { ...ledger, sources: all.length > MAX_SOURCES ? withMostLines(all) : all };
}

function withDay(days: readonly DayFigures[], day: number, added: Figures): DayFigures[] {
  const same = days.find((one) => one.day === day);
  const before = days.filter((one) => one !== same);
  return [...before, { day, ...sum(same === undefined ? [added] : [same, added]) }];
}

/**
 * Those with the most lines, of each tenant in its turn: whoever invents names makes nobody else's figures forgotten.
 * Of a tenant those that go have the fewest lines, so they are the last whose shares could be judged.
 */
function withMostLines(all: readonly Ledger['sources'][number][]): Ledger['sources'] {
  const size = new Map(all.map((one) => [one, one.days.reduce((n, { lines, accepted }) => n + lines + accepted, 0)]));
  const bySize = all.toSorted((a, b) => (size.get(b) ?? 0) - (size.get(a) ?? 0));
  const turns = [...Map.groupBy(bySize, ({ tenant }) => tenant).values()];
  const kept: Ledger['sources'][number][] = [];
  for (let turn = 0; kept.length < MAX_SOURCES; turn++) {
    const next = turns.flatMap((own) => own[turn] ?? []);
    kept.push(...next.slice(0, MAX_SOURCES - kept.length));
  }
  return kept;
}
