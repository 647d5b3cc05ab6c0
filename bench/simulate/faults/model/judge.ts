/**
 * Which sources must be held back, by docs/QUALITY.md: by shares of bad lines in the uploads of a tick, of the day and
 * of the week, and by reports of canaries. It finds both errors: a source that is not held, and one held without a
 * reason.
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

// What docs/QUALITY.md promises of sources that are held back, said of two ledgers that follow each other.

interface Change {
  readonly history: HistoryFile;
  /** The generation that a rollback has returned to; null: this is none. */
  readonly restored: Generation | null;
  readonly batches: ReadonlyMap<string, PlainBatch>;
  /** Numbers that may have been canaries when the generation was made, or before. */
  readonly everCanaries: ReadonlySet<number>;
}

export function checkLedger(
  before: Generation,
  next: Generation,
  { history, restored, batches, everCanaries }: Change,
  onBroken: (invariant: string, detail: string) => void,
): void {
  // What a tick sets aside is not merged, though it is no longer waiting.
  const merged = [...history.batches, ...history.replayed].filter((id) => isInInventory(next, id));
  const isMergedNow = new Set((history.released ?? []).map(({ batch }) => batch));
  const sources = new Set([...before.ledger.cases.keys(), ...next.ledger.cases.keys()]);
  for (const batch of merged) for (const { feed } of batches.get(batch)?.rows ?? []) sources.add(feed);
  for (const source of sources) {
    const then = before.ledger.cases.get(source) ?? NO_CASE;
    const now = next.ledger.cases.get(source) ?? NO_CASE;
    const name = `source ${source} in generation ${next.generation}`;
    // Dropped rows never come back, whatever is rolled back or merged again.
    for (const batch of then.dropped) {
      const isThere = isInInventory(next, batch);
      if (isThere && !now.dropped.has(batch)) onBroken('dropped rows stay dropped', `${name}: ${batch}`);
    }
    for (const batch of then.isQuarantined && now.isQuarantined ? then.held : []) {
      if (now.pendingRelease.has(batch)) onBroken('held rows are pending once they are released', `${name}: ${batch}`);
    }
    if (restored !== null) {
      // It undoes merges, not judgements: what is held is held still, unless the inventory returned to has it.
      const { held, pendingRelease, dropped } = restored.ledger.cases.get(source) ?? NO_CASE;
      for (const batch of then.isQuarantined ? then.held : []) {
        const wasOut = held.has(batch) || pendingRelease.has(batch) || dropped.has(batch);
        if (!wasOut || !isInInventory(next, batch) || now.held.has(batch) || now.dropped.has(batch)) continue;
        onBroken('what is held is held after a rollback', `${name}: ${batch}`);
      }
      continue;
    }
    for (const batch of merged) {
      const isOfSource = batches.get(batch)?.rows.some((row) => row.feed === source) === true;
      if (!isOfSource || now.dropped.has(batch)) continue;
      if (now.isQuarantined !== now.held.has(batch)) {
        const what = now.isQuarantined ? 'is held back, and its rows are not' : 'is not held back, and its rows are';
        onBroken('the rows of a source in quarantine are held, of others merged', `${name} ${what}: ${batch}`);
      }
      if (now.pendingRelease.has(batch)) onBroken('only what was held is pending', `${name}: ${batch}`);
    }
    for (const batch of then.held) {
      if (!now.held.has(batch) && !now.pendingRelease.has(batch) && !now.dropped.has(batch)) {
        onBroken('held rows are held until they are released or dropped', `${name}: ${batch}`);
      }
    }
    for (const batch of then.pendingRelease) {
      const isKept = now.pendingRelease.has(batch) || now.dropped.has(batch) || now.held.has(batch);
      if (isKept || isMergedNow.has(batch) || !isInInventory(next, batch)) continue;
      onBroken('released rows are pending until they are merged or dropped', `${name}: ${batch}`);
    }
    if (then.held.size > 0 && now.isQuarantined === false && then.isQuarantined) {
      for (const batch of then.held) {
        if (!now.pendingRelease.has(batch)) onBroken('a release makes all that was held pending', `${name}: ${batch}`);
      }
    }
  }
  for (const [batch, ofBatch] of next.ledger.excludedRows) {
    for (const [, numbers] of ofBatch) {
      for (const number of numbers) {
        if (!everCanaries.has(number)) onBroken('only canaries are left out', `of ${batch}`);
      }
    }
  }
}
