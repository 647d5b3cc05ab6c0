/**
 * The screen every upload passes between being opened and being merged: which of its sources are beyond their bounds,
 * and what is left of it without them. Pure: the same uploads on the same ledger give the same answer, so that a tick
 * that lost its race, or stopped, is done again by the next one as if it had never been.
 */
import type { Batch } from '../format/batch.ts';
import { dayOf } from '../format/records.ts';
import { rowWork, type Steps } from '../lib/cooperate.ts';
import type { Bounds, Reason } from './bounds.ts';
import { type CountedBatch, countBatch, type Known } from './counted.ts';
import { type DayFigures, type Figures, minus, NO_FIGURES, sum } from './figures.ts';
import { brokenBounds, WINDOW_DAYS } from './judge.ts';
import {
  type Case,
  isQuarantined,
  type Ledger,
  MAX_CASES,
  MAX_TENANT_CASES,
  newCase,
  takesPlace,
  withCases,
} from './ledger.ts';
import { joinPiles, type PileBatch, pileOf } from './pile.ts';
import { withFigures } from './record-figures.ts';
import { withHits } from './record-hits.ts';
import { type Omission, without } from './rows.ts';
import { everySource, idText, type Owner, type SourceId, type SourceName, sourceId } from './source-id.ts';

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

/** What a batch, a source and the whole ledger cost the screen, beside rows, in records of a merge. */
const BATCH_WORK = 16;
const SOURCE_WORK = 4;
const LEDGER_WORK = 512;

export function* screen(uploads: readonly ScreenedUpload[], before: Ledger, how: Screen): Steps<Screened> {
  const canaries = Float64Array.from(how.canaries).sort();
  const counted: CountedBatch[] = [];
  for (const { batch } of uploads) {
    counted.push(yield* countBatch(batch, canaries, how.known));
    yield BATCH_WORK;
  }
  const arrived = counted.filter((_, i) => uploads[i]?.isReplayed === false);
  const today = dayOf(how.now / 1000);
  let ledger = withFigures(before, arrived, today);
  yield LEDGER_WORK;
  ledger = withHits(ledger, counted, how);
  const quarantined = yield* judgeAll(ledger, counted, arrived, today, how);
  ledger = withCases(ledger, quarantined, how.now);
  const out = new Map(ledger.cases.filter(isQuarantined).map((one) => [idText(one), one]));
  const leftOut = [...ledger.leftOut];
  const held = new Map<Case, PileBatch[]>();
  const hold = (one: Case, batch: PileBatch) => {
    const batches = held.get(one) ?? [];
    held.set(one, batches);
    if (batch.rows > 0) batches.push(batch);
  };
  const batches: Batch[] = [];
  for (const [i, { id, batch }] of uploads.entries()) {
    yield BATCH_WORK + rowWork(batch.rows);
    const { owner = {}, figures = new Map<SourceName, Figures>(), hits = new Map() } = counted[i] ?? {};
    const whole = out.get(idText(everySource(owner)));
    if (whole !== undefined) {
      hold(whole, { id, rows: batch.rows });
      batches.push(without(batch, EVERYTHING));
      continue;
    }
    const sources = new Set<SourceName>();
    for (const [source, { accepted: rows }] of figures) {
      const own = out.get(idText(sourceId(owner, source)));
      if (own === undefined) continue;
      sources.add(source);
      hold(own, { id, rows });
    }
    const omission = omissionOf(hits, sources);
    for (const [source, numbers] of omission.numbers) leftOut.push({ batch: id, source, numbers: [...numbers] });
    batches.push(without(batch, omission));
  }
  const changed = [...held].map(([one, more]) => ({ ...one, held: joinPiles(one.held, pileOf(more)) }));
  return { batches, ledger: { ...withCases(ledger, changed, how.now), leftOut }, quarantined };
}

const EVERYTHING: Omission = { every: true, sources: new Set(), numbers: new Map() };

/** What the uploads in hand have of one source. */
interface Reported {
  readonly id: SourceId;
  /** Of the keys that uploaded it: a tenant may have several. */
  readonly owners: Map<string, Owner>;
  /** Of what arrived now; undefined: all of it was counted before. */
  tick: Figures | undefined;
  isHit: boolean;
}

function reportedBy(counted: readonly CountedBatch[], arrived: readonly CountedBatch[]): readonly Reported[] {
  const all = new Map<string, Reported>();
  const of = (owner: Owner, name: SourceName) => {
    const id = sourceId(owner, name);
    const text = idText(id);
    const found = all.get(text) ?? { id, owners: new Map<string, Owner>(), tick: undefined, isHit: false };
    all.set(text, found);
    found.owners.set(idText(everySource(owner)), owner);
    return found;
  };
  for (const { owner, figures } of arrived) {
    for (const [name, own] of figures) {
      const one = of(owner, name);
      one.tick = sum([one.tick ?? NO_FIGURES, own]);
    }
  }
  for (const { owner, hits } of counted) for (const name of hits.keys()) of(owner, name).isHit = true;
  return [...all.values()];
}

/** Cases of the sources that are to be held back from now on. An upload may name as many as it has lines. */
function* judgeAll(
  ledger: Ledger,
  counted: readonly CountedBatch[],
  arrived: readonly CountedBatch[],
  today: number,
  { bounds, now }: Screen,
): Steps<Case[]> {
  const places = new Places(ledger, now);
  const daysOf = new Map<string, readonly DayFigures[]>(ledger.sources.map((one) => [idText(one), one.days]));
  const weekOf = (days: readonly DayFigures[]) => sum(days.filter(({ day }) => day > today - WINDOW_DAYS));
  const week = sum([...daysOf.values()].map(weekOf));
  for (const { id, owners, tick, isHit } of reportedBy(counted, arrived)) {
    yield SOURCE_WORK;
    const known = places.caseOf(id);
    if (known?.state === 'quarantined' || [...owners.keys()].every((owner) => places.isHeldWhole(owner))) continue;
    // What was decided of a name before tenants had sources of their own goes for each of them until it is decided anew.
    const before = known ?? (id.tenant === undefined ? undefined : places.caseOf({ source: id.source }));
    const days = daysOf.get(idText(id)) ?? [];
    const broken: Reason[] = isHit ? ['canary'] : [];
    if (before?.state === 'quarantined') broken.push(...before.reasons);
    // What was not uploaded now says nothing new of its source.
    if (tick !== undefined) {
      broken.push(...brokenBounds({ today, tick, days, others: minus(week, weekOf(days)) }, bounds));
    }
    const reasons = untrusted(broken, before, now);
    if (reasons.length > 0) places.quarantine(known ?? newCase(id, now), reasons, [...owners.values()]);
  }
  return places.quarantined;
}

function untrusted(broken: readonly Reason[], known: Case | undefined, now: number): Reason[] {
  const trusted = known?.trust && now < known.trust.until ? known.trust.reasons : [];
  return [...new Set(broken)].filter((reason) => !trusted.includes(reason));
}

/** Who is held back by name, and who as a whole since there are too many names. */
class Places {
  readonly #cases: Map<string, Case>;
  readonly #changed = new Map<string, Case>();
  /** Taken, by tenant. */
  readonly #taken = new Map<string | undefined, number>();
  readonly #now: number;
  #total = 0;

  constructor({ cases }: Ledger, now: number) {
    this.#cases = new Map(cases.map((one) => [idText(one), one]));
    this.#now = now;
    for (const one of cases) if (takesPlace(one)) this.#take(one);
  }

  get quarantined(): Case[] {
    return [...this.#changed.values()];
  }

  caseOf(id: SourceId): Case | undefined {
    return this.#cases.get(idText(id));
  }

  /** @param owner text of its everySource */
  isHeldWhole(owner: string): boolean {
    return this.#cases.get(owner)?.state === 'quarantined';
  }

  /** @param owners whose uploads have it: held back as a whole if there is no place for another name */
  quarantine(found: Case, reasons: readonly Reason[], owners: readonly Owner[]): void {
    const isPlaced = takesPlace(found) && this.#cases.has(idText(found));
    if (isPlaced || this.#hasRoom(found)) {
      if (!isPlaced) this.#take(found);
      this.#set({ ...found, state: 'quarantined', since: this.#now, reasons });
      return;
    }
    for (const owner of owners) {
      const id = everySource(owner);
      const known = this.caseOf(id);
      const more = untrusted(reasons, known, this.#now);
      if (more.length === 0) continue;
      const before = known?.state === 'quarantined' ? known.reasons : [];
      const since = known?.state === 'quarantined' ? known.since : this.#now;
      const all = [...new Set([...before, ...more])];
      this.#set({ ...(known ?? newCase(id, since)), state: 'quarantined', since, reasons: all });
    }
  }

  #hasRoom({ tenant }: Case): boolean {
    return (this.#taken.get(tenant) ?? 0) < MAX_TENANT_CASES && this.#total < MAX_CASES;
  }

  #take({ tenant }: Case): void {
    this.#taken.set(tenant, (this.#taken.get(tenant) ?? 0) + 1);
    this.#total += 1;
  }

  #set(one: Case): void {
    this.#cases.set(idText(one), one);
    this.#changed.set(idText(one), one);
  }
}

function omissionOf(hits: CountedBatch['hits'], sources: ReadonlySet<SourceName>): Omission {
  const numbers = new Map<SourceName, ReadonlySet<number>>();
  for (const [source, own] of hits) if (!sources.has(source)) numbers.set(source, new Set(own.keys()));
  return { every: false, sources, numbers };
}
