/**
 * Screening: what the uploads at hand say of their sources before they are merged, and what is left without those held
 * back.
 */

import type { Batch } from '../format/batch.ts';
import { everySource, idText, type Owner, type SourceId, type SourceName, sourceId } from '../format/source.ts';
import { rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { lowerBound, toSortedSteps } from '../lib/sorted.ts';
import { dayOf } from '../lib/time.ts';
import { batchSetOf, joinBatchSets, type SetBatch } from './batch-set.ts';
import { type ExcludedOfBatch, without } from './excluded-rows.ts';
import {
  type Case,
  isQuarantined,
  LEDGER_DAYS,
  type Ledger,
  MAX_CASES,
  MAX_SOURCES,
  MAX_TENANT_CASES,
  newCase,
  takesPlace,
  withCases,
} from './ledger.ts';
import {
  type Bounds,
  brokenBounds,
  type DayFigures,
  type Figures,
  minus,
  NO_FIGURES,
  type Reason,
  sum,
  WINDOW_DAYS,
} from './quarantine.ts';

/** Numbers that are on record already: ascending, with a 1 for each that is known. */
export interface Known {
  readonly numbers: Float64Array;
  readonly isKnown: Uint8Array;
}

/** Of one batch, by source. */
export interface CountedBatch {
  readonly owner: Owner;
  readonly figures: ReadonlyMap<SourceName, Figures>;
  /** Detections of canaries: number to detections. */
  readonly hits: ReadonlyMap<SourceName, ReadonlyMap<number, number>>;
}

/**
 * What a batch, a source, its figures in a batch, a row of a canary and the ledger cost the screen, in records of a
 * merge.
 */
const BATCH_WORK = 16;
const SOURCE_WORK = 4;
const FIGURES_WORK = 2;
const HIT_WORK = 1 / 8;
const STEP_HITS = 1_024;
const LEDGER_WORK = 512;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * @param canaries ascending
 * @param known has every number of the batch
 */
export function* countBatch(batch: Batch, canaries: Float64Array, known: Known): Steps<CountedBatch> {
  const figures = new Map<SourceName, Writable<Figures>>();
  const of = (source: SourceName) => {
    const found = figures.get(source) ?? { ...NO_FIGURES };
    figures.set(source, found);
    return found;
  };
  for (const { source, lines, unassigned, invalid, fixedLine } of batch.receipt.sources ?? []) {
    // Those beyond the named ones are too small to be judged by what their lines were like.
    if (source === undefined) continue;
    Object.assign(of(source), { lines, unassigned, invalid, fixedLine });
  }
  yield* countRows(batch, known, of);
  return { owner: batch.receipt.owner ?? {}, figures, hits: yield* findHits(batch, canaries) };
}

/** Adds the rows to the figures: half a million in a tick, so by index and in typed arrays. Numbers ascend together. */
function* countRows(
  { rows, numbers, attributesIndex, keys }: Batch,
  { numbers: looked, isKnown }: Known,
  of: (source: SourceName) => Writable<Figures>,
): Steps<void> {
  const sources = [...new Set(keys.map(({ source }) => source))];
  const indexOf = new Map(sources.map((source, index) => [source, index]));
  const sourceOf = Uint32Array.from(keys, ({ source }) => indexOf.get(source) ?? 0);
  const accepted = new Uint32Array(sources.length);
  const distinct = new Uint32Array(sources.length);
  const known = new Uint32Array(sources.length);
  /** By source: its number is to count once, whatever its attributes. */
  const lastNumber = new Float64Array(sources.length);
  // Batches of a tick are looked up together: where this one begins is searched for, not walked to.
  let at = rows === 0 ? 0 : lowerBound(looked, numbers[0] as number);
  for (let row = 0; row < rows; row++) {
    if (row % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
    const number = numbers[row] as number;
    const source = sourceOf[attributesIndex[row] as number] as number;
    while (at < looked.length && (looked[at] as number) < number) at += 1;
    accepted[source] = (accepted[source] as number) + 1;
    if (lastNumber[source] === number) continue;
    lastNumber[source] = number;
    distinct[source] = (distinct[source] as number) + 1;
    if (looked[at] === number) known[source] = (known[source] as number) + (isKnown[at] as number);
  }
  sources.forEach((source, index) => {
    const figures = of(source);
    figures.accepted += accepted[index] as number;
    figures.numbers += distinct[index] as number;
    figures.known += known[index] as number;
  });
}

/**
 * The detections of canaries. There are few canaries, and rows are in number order: each is looked for.
 * @param canaries ascending
 */
export function* findHits(
  { rows, numbers, attributesIndex, keys }: Pick<Batch, 'rows' | 'numbers' | 'attributesIndex' | 'keys'>,
  canaries: Float64Array,
): Steps<CountedBatch['hits']> {
  const hits = new Map<SourceName, Map<number, number>>();
  for (const canary of canaries) {
    const first = lowerBound(numbers, canary);
    let row = first;
    for (; row < rows && numbers[row] === canary; row++) {
      const source = keys[attributesIndex[row] as number]?.source ?? null;
      const ofSource = hits.get(source) ?? new Map<number, number>();
      hits.set(source, ofSource.set(canary, (ofSource.get(canary) ?? 0) + 1));
      if ((row - first) % STEP_HITS === STEP_HITS - 1) yield STEP_HITS * HIT_WORK;
    }
    yield HIT_WORK * (1 + ((row - first) % STEP_HITS));
  }
  return hits;
}

// The ledger's daily figures, with those of new uploads.

/** @param today UTC days since 1970: when they arrived, whatever days they tell of */
export function* withFigures(ledger: Ledger, arrived: readonly CountedBatch[], today: number): Steps<Ledger> {
  const sources = new Map<string, Ledger['sources'][number]>();
  for (const one of ledger.sources) {
    const days = one.days.filter(({ day }) => day > today - LEDGER_DAYS);
    if (days.length > 0) sources.set(idText(one), { ...one, days });
  }
  yield LEDGER_WORK;
  for (const { owner, figures } of arrived) {
    for (const [name, added] of figures) {
      const id = sourceId(owner, name);
      const text = idText(id);
      sources.set(text, { ...id, days: withDay(sources.get(text)?.days ?? [], today, added) });
      yield FIGURES_WORK;
    }
  }
  const all = [...sources.values()];
  if (all.length <= MAX_SOURCES) return { ...ledger, sources: all };
  return { ...ledger, sources: yield* withMostLines(all) };
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
function* withMostLines(all: readonly Ledger['sources'][number][]): Steps<Ledger['sources']> {
  const size = new Map<Ledger['sources'][number], number>();
  for (const one of all) {
    size.set(
      one,
      one.days.reduce((n, { lines, accepted }) => n + lines + accepted, 0),
    );
    yield FIGURES_WORK;
  }
  const bySize = yield* toSortedSteps(all, (a, b) => (size.get(b) ?? 0) - (size.get(a) ?? 0));
  const turns = [...Map.groupBy(bySize, ({ tenant }) => tenant).values()];
  const kept: Ledger['sources'][number][] = [];
  for (let turn = 0; kept.length < MAX_SOURCES; turn++) {
    const next = turns.flatMap((own) => own[turn] ?? []);
    kept.push(...next.slice(0, MAX_SOURCES - kept.length));
  }
  return kept;
}

// What the ledger tells of the canaries that were seen.

/** Named with a canary; a hit quarantines its source, so more than a few names are one uploader under many. */
const MAX_HIT_SOURCES = 20;

/** Those of numbers that are canaries no longer go at this occasion. */
function* withHits(
  ledger: Ledger,
  counted: readonly CountedBatch[],
  { canaries, now }: { readonly canaries: ReadonlySet<number>; readonly now: number },
): Steps<Ledger> {
  const hits = new Map<number, Ledger['hits'][number]>();
  for (const hit of ledger.hits) if (canaries.has(hit.number)) hits.set(hit.number, hit);
  const add = (number: number, source: SourceName, more: number) => {
    const { detections, sources } = hits.get(number) ?? { detections: 0, sources: [] };
    const named = [...new Set([...sources, source])].slice(0, MAX_HIT_SOURCES);
    hits.set(number, { number, detections: detections + more, lastAt: now, sources: named });
  };
  for (const { hits: ofBatch } of counted) {
    for (const [source, numbers] of ofBatch) {
      for (const [number, more] of numbers) {
        add(number, source, more);
        yield FIGURES_WORK;
      }
    }
  }
  return { ...ledger, hits: [...hits.values()] };
}

// The screen every upload passes between being opened and being merged: which of its sources are beyond their bounds,
// and what is left of it without them. Pure: the same uploads on the same ledger give the same answer, so that a tick
// that lost its race, or stopped, is done again by the next one as if it had never been.

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

export function* screen(uploads: readonly ScreenedUpload[], before: Ledger, how: Screen): Steps<Screened> {
  const canaries = Float64Array.from(how.canaries).sort();
  const counted: CountedBatch[] = [];
  for (const { batch } of uploads) {
    counted.push(yield* countBatch(batch, canaries, how.known));
    yield BATCH_WORK;
  }
  const arrived = counted.filter((_, i) => uploads[i]?.isReplayed === false);
  const today = dayOf(how.now / 1000);
  let ledger = yield* withFigures(before, arrived, today);
  ledger = yield* withHits(ledger, counted, how);
  const quarantined = yield* judgeAll(ledger, counted, arrived, today, how);
  ledger = withCases(ledger, quarantined, how.now);
  const out = new Map(ledger.cases.filter(isQuarantined).map((one) => [idText(one), one]));
  const leftOut = [...ledger.leftOut];
  const held = new Map<Case, SetBatch[]>();
  const hold = (one: Case, batch: SetBatch) => {
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
      yield FIGURES_WORK;
      const own = out.get(idText(sourceId(owner, source)));
      if (own === undefined) continue;
      sources.add(source);
      hold(own, { id, rows });
    }
    const omission = omissionOf(hits, sources);
    for (const [source, numbers] of omission.numbers) leftOut.push({ batch: id, source, numbers: [...numbers] });
    batches.push(without(batch, omission));
  }
  const changed = [...held].map(([one, more]) => ({ ...one, held: joinBatchSets(one.held, batchSetOf(more)) }));
  return { batches, ledger: { ...withCases(ledger, changed, how.now), leftOut }, quarantined };
}

const EVERYTHING: ExcludedOfBatch = { every: true, sources: new Set(), numbers: new Map() };

/** What the uploads in hand have of one source. */
interface Reported {
  readonly id: SourceId;
  /** Of the keys that uploaded it: a tenant may have several. */
  readonly owners: Map<string, Owner>;
  /** Of what arrived now; undefined: all of it was counted before. */
  tick: Figures | undefined;
  isHit: boolean;
}

function* reportedBy(counted: readonly CountedBatch[], arrived: readonly CountedBatch[]): Steps<readonly Reported[]> {
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
      yield FIGURES_WORK;
    }
  }
  for (const { owner, hits } of counted) {
    for (const name of hits.keys()) {
      of(owner, name).isHit = true;
      yield FIGURES_WORK;
    }
  }
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
  for (const { id, owners, tick, isHit } of yield* reportedBy(counted, arrived)) {
    yield SOURCE_WORK;
    const known = places.caseOf(id);
    if (known?.state === 'quarantined' || [...owners.keys()].every((owner) => places.isHeldWhole(owner))) continue;
    // What was decided of a name before tenants had sources of their own goes for each of them until it is decided
    // anew.
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

function omissionOf(hits: CountedBatch['hits'], sources: ReadonlySet<SourceName>): ExcludedOfBatch {
  const numbers = new Map<SourceName, ReadonlySet<number>>();
  for (const [source, own] of hits) if (!sources.has(source)) numbers.set(source, new Set(own.keys()));
  return { every: false, sources, numbers };
}
