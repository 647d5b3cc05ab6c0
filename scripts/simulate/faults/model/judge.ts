/**
 * Who must be held back, by docs/QUALITY.md: shares of bad lines in the uploads of a tick, of the day and of the week, and
 * reports of canaries. Of both kinds of error: a source that is not held, and one that is without a reason.
 */
import { dayOfMs } from './calendar.ts';
import type { Configuration } from './configuration.ts';
import type { HistoryFile } from './decode.ts';
import { feedName, type PlainBatch, type PlainRow } from './detections.ts';
import { type Generation, isInInventory, NO_CASE } from './generation.ts';

/** As the simulation configures it. */
export const MIN_LINES = 6;
const INVALID_SHARE = 0.2;
const UNASSIGNED_SHARE = 0.15;
const FIXED_SHARE = 0.3;
const WEEK_DAYS = 7;
/** Between what a tick has read and its generation. */
const TICK_MS = 16 * 60_000;

interface Tally {
  lines: number;
  accepted: number;
  invalid: number;
  unassigned: number;
  fixed: number;
}

/** feedName of it. */
type Source = string;
type OnBroken = (invariant: string, detail: string) => void;

export class Judge {
  readonly #configuration: Configuration;
  /** Of each source by day of arrival. */
  readonly #days = new Map<Source, Map<number, Tally>>();

  /** Batches whose lines have been counted. */
  readonly #seen = new Set<string>();

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
  }

  /** To be told of every generation in turn, but for those that a rollback made. */
  check(
    before: Generation,
    next: Generation,
    history: HistoryFile,
    batches: ReadonlyMap<string, PlainBatch>,
    onBroken: OnBroken,
  ): void {
    // What a tick sets aside is not looked at before it comes back.
    const taken = [...history.batches, ...history.replayed].filter((id) => isInInventory(next, id));
    const merged = taken.flatMap((id) => batches.get(id) ?? []);
    const arrived = merged.filter(({ id }) => !this.#seen.has(id));
    for (const { id } of arrived) this.#seen.add(id);
    const day = dayOfMs(next.publishedAt);
    const tick = new Map<Source, Tally>();
    for (const batch of arrived) {
      addLines(batch, (source) => tallyOf(tick, source));
      addLines(batch, (source) => {
        const days = this.#days.get(source) ?? new Map<number, Tally>();
        this.#days.set(source, days);
        return tallyOf(days, day);
      });
    }
    const canaries = this.#configuration.canariesIn(next.committedAt - TICK_MS, next.committedAt);
    // What was dropped is left out when its upload is merged again, and says nothing of its source any more.
    const isDropped = ({ batch, feed }: PlainRow) => before.ledger.cases.get(feed)?.dropped.has(batch) === true;
    const reports = (numbers: ReadonlySet<number>) => {
      const hits = merged.flatMap(({ rows }) => rows.filter((row) => numbers.has(row.number) && !isDropped(row)));
      return new Set(hits.map(({ feed }) => feed));
    };
    const [surelyHit, maybeHit] = [reports(canaries.surely), reports(canaries.maybe)];
    // Around midnight nobody but the tick knows which day it was.
    const isSure = dayOfMs(next.publishedAt - TICK_MS) === day && dayOfMs(next.committedAt) === day;
    for (const source of new Set([...tick.keys(), ...maybeHit])) {
      const then = before.ledger.cases.get(source) ?? NO_CASE;
      const isHeld = (next.ledger.cases.get(source) ?? NO_CASE).isQuarantined;
      if (then.isQuarantined || !isSure) continue;
      const broken = tick.has(source) ? this.#broken(source, tick.get(source), day) : new Set<string>();
      const trusted = (atMs: number) => (then.trust !== null && atMs < then.trust.until ? then.trust.reasons : []);
      const [mostTrusted, leastTrusted] = [trusted(next.publishedAt - TICK_MS), trusted(next.committedAt)];
      const sure = [...broken, ...(surelyHit.has(source) ? ['canary'] : [])].filter(
        (one) => !mostTrusted.includes(one),
      );
      const possible = [...broken, ...(maybeHit.has(source) ? ['canary'] : [])].filter(
        (one) => !leastTrusted.includes(one),
      );
      const name = `source ${source} in generation ${next.generation}`;
      if (!isHeld && sure.length > 0)
        onBroken('a source beyond its bounds is held back', `${name}: ${sure.join(', ')}`);
      if (isHeld && possible.length === 0) onBroken('no source is held back without a reason', name);
    }
  }

  #broken(source: Source, tick: Tally | undefined, today: number): Set<string> {
    const days = [...(this.#days.get(source) ?? [])];
    const ofToday = days.filter(([day]) => day === today).map(([, tally]) => tally);
    const ofWeek = days.filter(([day]) => day > today - WEEK_DAYS && day <= today).map(([, tally]) => tally);
    const windows = [tick === undefined ? [] : [tick], ofToday, ofWeek];
    return new Set(windows.flatMap((tallies) => beyond(sum(tallies))));
  }
}

function beyond({ lines, accepted, invalid, unassigned, fixed }: Tally): string[] {
  if (lines < MIN_LINES) return [];
  const reasons: string[] = [];
  if ((invalid + unassigned) / lines > INVALID_SHARE) reasons.push('invalid-numbers');
  if (unassigned / lines > UNASSIGNED_SHARE) reasons.push('unassigned-ranges');
  if (accepted >= MIN_LINES && fixed / Math.min(accepted, lines) > FIXED_SHARE) reasons.push('fixed-lines');
  return reasons;
}

function addLines({ body, owner }: PlainBatch, of: (source: Source) => Tally): void {
  for (const { source, isFixed } of body.detections) {
    const tally = of(feedName(owner, source));
    tally.lines += 1;
    tally.accepted += 1;
    if (isFixed) tally.fixed += 1;
  }
  for (const { source, fault } of body.rejected) {
    const tally = of(feedName(owner, source));
    tally.lines += 1;
    if (fault !== 'other') tally[fault] += 1;
  }
}

function tallyOf<Key>(tallies: Map<Key, Tally>, key: Key): Tally {
  const found = tallies.get(key) ?? { lines: 0, accepted: 0, invalid: 0, unassigned: 0, fixed: 0 };
  tallies.set(key, found);
  return found;
}

function sum(tallies: readonly Tally[]): Tally {
  const total = { lines: 0, accepted: 0, invalid: 0, unassigned: 0, fixed: 0 };
  for (const one of tallies) {
    for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += one[name];
  }
  return total;
}

/** A canary is never listed, but as it was before it was one. */
export function checkCanaries(
  configuration: Configuration,
  next: Generation,
  isCounted: (row: PlainRow) => boolean,
  wasCounted: (row: PlainRow) => boolean,
  rowsOf: (number: number) => readonly PlainRow[],
  onBroken: OnBroken,
): void {
  for (const number of configuration.canariesIn(next.committedAt - TICK_MS, next.committedAt).surely) {
    const listed = rowsOf(number).find((row) => isCounted(row) && !wasCounted(row));
    if (listed !== undefined) onBroken('a canary is never listed', `+${number} in generation ${next.generation}`);
  }
}
