/**
 * The screen every upload passes between being opened and being merged: which of its sources are beyond their bounds,
 * and what is left of it without them. Pure: the same uploads on the same ledger give the same answer, so that a tick
 * that lost its race, or stopped, is done again by the next one as if it had never been.
 */
import type { Batch } from '../format/batch.ts';
import { dayOf } from '../format/records.ts';
import type { Bounds, Reason } from './bounds.ts';
import { type CountedBatch, countBatch, type Known } from './counted.ts';
import { type DayFigures, type Figures, minus, NO_FIGURES, sum } from './figures.ts';
import { brokenBounds, WINDOW_DAYS } from './judge.ts';
import { type Case, caseOf, type Ledger, newCase, type SourceName, withCases } from './ledger.ts';
import { joinPiles, pileOf } from './pile.ts';
import { withFigures } from './record-figures.ts';
import { withHits } from './record-hits.ts';
import { type Omission, without } from './rows.ts';

export interface ScreenedUpload {
  readonly id: string;
  readonly batch: Batch;
  /** It was screened and merged before, and a rollback put it back: its lines count once, and are judged once. */
  readonly isReplayed: boolean;
}

export interface Screen {
  readonly canaries: ReadonlySet<number>;
  readonly known: Known;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly bounds: Bounds;
}

export interface Screened {
  /** What is to be merged of each upload, in their order. */
  readonly batches: readonly Batch[];
  readonly ledger: Ledger;
  /** Quarantined just now. */
  readonly quarantined: readonly Case[];
}

export function screen(uploads: readonly ScreenedUpload[], before: Ledger, how: Screen): Screened {
  const canaries = Float64Array.from(how.canaries).sort();
  const counted = uploads.map(({ batch }) => countBatch(batch, canaries, how.known));
  const arrived = counted.filter((_, i) => uploads[i]?.isReplayed === false);
  const today = dayOf(how.now / 1000);
  let ledger = withFigures(before, arrived, today);
  ledger = withHits(ledger, counted, how);
  const quarantined = judgeAll(ledger, counted, arrived, today, how);
  ledger = withCases(ledger, quarantined, how.now);
  const out = new Set(ledger.cases.filter(({ state }) => state === 'quarantined').map(({ source }) => source));
  const leftOut = [...ledger.leftOut];
  const held = new Map<SourceName, { id: string; rows: number }[]>();
  const batches = uploads.map(({ id, batch }, i) => {
    const { figures = new Map(), hits = new Map() } = counted[i] ?? {};
    const omission = omissionOf(hits, out);
    for (const [source, { accepted: rows }] of figures) {
      if (out.has(source) && rows > 0) held.set(source, [...(held.get(source) ?? []), { id, rows }]);
    }
    for (const [source, numbers] of omission.numbers) leftOut.push({ batch: id, source, numbers: [...numbers] });
    return without(batch, omission);
  });
  const changed = [...held].flatMap(([source, more]) => {
    const found = caseOf(ledger, source);
    return found === undefined ? [] : [{ ...found, held: joinPiles(found.held, pileOf(more)) }];
  });
  return { batches, ledger: { ...withCases(ledger, changed, how.now), leftOut }, quarantined };
}

/** Cases of the sources that are to be held back from now on. An upload may name as many as it has lines. */
function judgeAll(
  ledger: Ledger,
  counted: readonly CountedBatch[],
  arrived: readonly CountedBatch[],
  today: number,
  { bounds, now }: Screen,
): Case[] {
  const cases = new Map(ledger.cases.map((one) => [one.source, one]));
  const daysOf = new Map<SourceName, readonly DayFigures[]>(ledger.sources.map(({ source, days }) => [source, days]));
  const weekOf = (days: readonly DayFigures[]) => sum(days.filter(({ day }) => day > today - WINDOW_DAYS));
  const week = sum([...daysOf.values()].map(weekOf));
  const inTick = new Map<SourceName, Figures>();
  for (const { figures } of arrived) {
    for (const [name, own] of figures) inTick.set(name, sum([inTick.get(name) ?? NO_FIGURES, own]));
  }
  const hit = new Set(counted.flatMap(({ hits }) => [...hits.keys()]));
  return [...new Set([...inTick.keys(), ...hit])].flatMap((name) => {
    const known = cases.get(name);
    if (known?.state === 'quarantined') return [];
    const days = daysOf.get(name) ?? [];
    const tick = inTick.get(name);
    const broken: Reason[] = hit.has(name) ? ['canary'] : [];
    // What was not uploaded now says nothing new of its source.
    if (tick !== undefined) {
      broken.push(...brokenBounds({ today, tick, days, others: minus(week, weekOf(days)) }, bounds));
    }
    const trusted = known?.trust && now < known.trust.until ? known.trust.reasons : [];
    const reasons = broken.filter((reason) => !trusted.includes(reason));
    if (reasons.length === 0) return [];
    return [{ ...(known ?? newCase(name, now)), state: 'quarantined' as const, since: now, reasons }];
  });
}

function omissionOf(hits: CountedBatch['hits'], sources: ReadonlySet<SourceName>): Omission {
  const numbers = new Map<SourceName, ReadonlySet<number>>();
  for (const [source, own] of hits) if (!sources.has(source)) numbers.set(source, new Set(own.keys()));
  return { sources, numbers };
}
