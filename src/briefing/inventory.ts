import type { SegmentEntry } from '../format/manifest.ts';
import { SEGMENT_NUMBERS } from '../format/numbers.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import { columnWork } from '../format/segment.ts';
import { VerdictsReader } from '../format/verdicts.ts';
import { type Pacer, STEP_ROWS, type Steps, UNPACED } from '../lib/cooperate.ts';
import { parseNumber } from '../phone/parse.ts';
import { callingCodeOf, countriesOf, readInternational } from '../phone/plan.ts';
import { readColumn } from '../storage/slices.ts';
import { type ObjectStore, orUnavailable } from '../storage/store.ts';

/** Sets of labels as small integers: millions of records share a handful of them. */
class LabelSets {
  readonly #ids = new Map<string, number>();
  readonly #sets: (readonly string[])[] = [];
  /** Of two ids, by their sum with the first in the high part. */
  readonly #unions = new Map<number, number>();

  get size(): number {
    return this.#sets.length;
  }

  /** @param labels in code unit order, as profiles have them */
  idOf(labels: readonly string[]): number {
    const text = JSON.stringify(labels);
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#sets.length;
    this.#ids.set(text, id);
    this.#sets.push(labels);
    return id;
  }

  labels(id: number): readonly string[] {
    const labels = this.#sets[id];
    if (labels === undefined) throw new RangeError(`no set of labels ${id}, there are ${this.size}`);
    return labels;
  }

  /** The id of the labels of either. */
  union(a: number, b: number): number {
    if (a === b) return a;
    const pair = a * 2 ** 26 + b;
    const known = this.#unions.get(pair);
    if (known !== undefined) return known;
    const id = this.idOf([...new Set([...this.labels(a), ...this.labels(b)])].sort());
    this.#unions.set(pair, id);
    return id;
  }
}

/**
 * The inventory of one generation in number order: what every run knows of a number, folded. A walk through all of it
 * reads each segment once; a few are in memory at a time.
 */

/** Where segments are read from. Both reject when storage does not answer. */
export interface SegmentReader {
  numbers(entry: SegmentEntry): Promise<NumbersReader>;
  verdicts(entry: SegmentEntry): Promise<VerdictsReader>;
}

/** From the segments themselves. A walk reads every column once, so there is nothing for a cache to gain. */
export function storedSegments(objects: ObjectStore): SegmentReader {
  return {
    numbers: async (entry) => openNumbersSlice(await readColumn(objects, entry, 'numbers')),
    verdicts: async (entry) => new VerdictsReader(await readColumn(objects, entry, 'verdicts')),
  };
}

export interface Inventory {
  readonly generation: number;
  /** What `labels` of the columns stands for. */
  readonly labelSets: LabelSets;
  /**
   * Hands the records of numbers in [from, to) to `visit`, in order, in stretches; a stretch is only good for the
   * call. Rejects with StorageUnavailable.
   */
  walk(from: number, to: number, visit: Visit): Promise<void>;
}

/** Segments read ahead, two columns each: as many connections as a Worker may have open. */
const SEGMENTS_AHEAD = 3;

/** What is read of records: first days alone cost a third less. */
export type Wanted = 'first days' | 'all';

export function inventoryOf(
  {
    generation,
    runs,
  }: { readonly generation: number; readonly runs: readonly { segments: readonly SegmentEntry[] }[] },
  reader: SegmentReader,
  wanted: Wanted,
  pace: Pacer = UNPACED,
): Inventory {
  const labelSets = new LabelSets();
  const all = runs.flatMap(({ segments }) => segments).sort((a, b) => a.first - b.first);
  return {
    generation,
    labelSets,
    async walk(from, to, visit) {
      const entries = all.filter(({ first, last }) => last >= from && first < to);
      const spare = new SpareArrays();
      const next = readAhead(entries, async (entry) => {
        const [numbers, verdicts] = await openSegment(reader, entry);
        const columns =
          wanted === 'all' ? allColumns(numbers, verdicts, labelSets) : dayColumns(numbers, verdicts, spare);
        return new SegmentCursor(columns, numbers.rank(from));
      });
      // Each segment joins where it begins; segments of one run follow one another, so no more are open than runs.
      let open: SegmentCursor[] = [];
      for (const entry of entries) {
        const left = await pace.run(visitInOrder(open, Math.min(entry.first, to), labelSets, visit));
        if (wanted === 'first days') for (const cursor of open) if (!left.includes(cursor)) spare.give(cursor.columns);
        open = [...left, await next()];
        if (pace.count(columnWork(entry.count) * 2)) await pace.giveWay();
      }
      await pace.run(visitInOrder(open, to, labelSets, visit));
    },
  };
}

/** Arrays that segments have been done with, for those that follow: a walk would leave hundreds of megabytes behind. */
class SpareArrays {
  readonly #free: ArrayBufferLike[] = [];

  take(length: number): Float64Array {
    const buffer = this.#free.pop() ?? new ArrayBuffer(SEGMENT_NUMBERS * Float64Array.BYTES_PER_ELEMENT);
    return new Float64Array(buffer, 0, length);
  }

  give({ numbers, firstDay }: InventoryColumns): void {
    this.#free.push(numbers.buffer, firstDay.buffer);
  }
}

function openSegment(reader: SegmentReader, entry: SegmentEntry): Promise<[NumbersReader, VerdictsReader]> {
  return orUnavailable(Promise.all([reader.numbers(entry), reader.verdicts(entry)]));
}

const NONE = new Float64Array();

function dayColumns(reader: NumbersReader, verdicts: VerdictsReader, spare: SpareArrays): InventoryColumns {
  const { count } = reader;
  const numbers = spare.take(count);
  reader.copyRange(0, count, numbers);
  return { numbers, firstDay: verdicts.firstDays(spare.take(count)), lastDay: NONE, labels: NONE };
}

function allColumns(reader: NumbersReader, verdicts: VerdictsReader, labelSets: LabelSets): InventoryColumns {
  const { profileId, firstDay, listedDays } = verdicts.all();
  const labelsOf = Float64Array.from({ length: verdicts.profileCount }, (_, id) =>
    labelSets.idOf(verdicts.profile(id).labels),
  );
  // The arrays are ours: the reader has made them for this call.
  for (let i = 0; i < profileId.length; i++) {
    listedDays[i] = (firstDay[i] as number) + (listedDays[i] as number);
    profileId[i] = labelsOf[profileId[i] as number] as number;
  }
  const numbers = new Float64Array(reader.count);
  reader.copyRange(0, reader.count, numbers);
  return { numbers, firstDay, lastDay: listedDays, labels: profileId };
}

/** Calls `load` for the items in order, a few before they are asked for. */
function readAhead<Item, Value>(items: readonly Item[], load: (item: Item) => Promise<Value>): () => Promise<Value> {
  const pending: Promise<Value>[] = [];
  let started = 0;
  const start = () => {
    const item = items[started++];
    if (item === undefined) return;
    const value = load(item);
    // A failure shows when its turn comes; if that never comes, nobody is to be told.
    value.catch(() => undefined);
    pending.push(value);
  };
  for (let i = 0; i < SEGMENTS_AHEAD; i++) start();
  return async () => {
    const value = await pending.shift();
    if (value === undefined) throw new RangeError('expected an item that is still to be loaded');
    start();
    return value;
  };
}

/** Records of several segments side by side, in number order; what several know of one number becomes one record. */

/** By rank. */
export interface InventoryColumns {
  /** Ascending, distinct. */
  readonly numbers: Float64Array;
  /** UTC days since 1970. */
  readonly firstDay: Float64Array;
  /** UTC days since 1970; empty where only first days are asked for. */
  readonly lastDay: Float64Array;
  /** Ids of sets of labels; likewise. */
  readonly labels: Float64Array;
}

/** Takes the records of ranks [from, to). Called for runs of records and not for each: there are tens of millions. */
type Visit = (columns: InventoryColumns, from: number, to: number) => void;

class SegmentCursor {
  readonly columns: InventoryColumns;
  rank: number;

  constructor(columns: InventoryColumns, rank: number) {
    this.columns = columns;
    this.rank = rank;
  }

  /** The number it stands on; infinity at the end. */
  get number(): number {
    const { numbers } = this.columns;
    return this.rank < numbers.length ? (numbers[this.rank] as number) : Number.POSITIVE_INFINITY;
  }
}

/** A record that is visited, most of which are only counted, against one of a merge. */
const RECORD_WORK = 1 / 32;

/** Visits the records below `limit` and returns the cursors that have any left. */
function* visitInOrder(
  cursors: readonly SegmentCursor[],
  limit: number,
  labelSets: LabelSets,
  visit: Visit,
): Steps<SegmentCursor[]> {
  const shared = oneRecord();
  for (;;) {
    let first: SegmentCursor | undefined;
    let number = limit;
    // Up to where no other cursor has a number.
    let end = limit;
    let isShared = false;
    for (const cursor of cursors) {
      const other = cursor.number;
      if (other < number) {
        end = number;
        number = other;
        first = cursor;
        isShared = false;
      } else if (other === number && first !== undefined) isShared = true;
      else if (other < end) end = other;
    }
    if (first === undefined) break;
    if (isShared) {
      visitShared(cursors, number, shared, labelSets, visit);
      yield RECORD_WORK;
    } else yield visitStretch(first, end, visit) * RECORD_WORK;
  }
  return cursors.filter((cursor) => cursor.number !== Number.POSITIVE_INFINITY);
}

/** Returns how many records were visited: one that has more before `end` is gone on with by the next turn. */
function visitStretch(cursor: SegmentCursor, end: number, visit: Visit): number {
  const { columns, rank } = cursor;
  const { numbers } = columns;
  let to = rank + 1;
  const most = Math.min(numbers.length, rank + STEP_ROWS);
  while (to < most && (numbers[to] as number) < end) to += 1;
  cursor.rank = to;
  visit(columns, rank, to);
  return to - rank;
}

/** A record of its own, for a number that several cursors stand on. */
function oneRecord(): InventoryColumns {
  return {
    numbers: new Float64Array(1),
    firstDay: new Float64Array(1),
    lastDay: new Float64Array(1),
    labels: new Float64Array(1),
  };
}

function visitShared(
  cursors: readonly SegmentCursor[],
  number: number,
  shared: InventoryColumns,
  labelSets: LabelSets,
  visit: Visit,
): void {
  let firstDay = Number.POSITIVE_INFINITY;
  let lastDay = 0;
  let labels = -1;
  for (const cursor of cursors) {
    if (cursor.number !== number) continue;
    const { columns, rank } = cursor;
    cursor.rank += 1;
    firstDay = Math.min(firstDay, columns.firstDay[rank] as number);
    if (columns.labels.length === 0) continue;
    lastDay = Math.max(lastDay, columns.lastDay[rank] as number);
    const own = columns.labels[rank] as number;
    labels = labels < 0 ? own : labelSets.union(labels, own);
  }
  shared.numbers[0] = number;
  shared.firstDay[0] = firstDay;
  shared.lastDay[0] = lastDay;
  shared.labels[0] = labels;
  visit(shared, 0, 1);
}

/** The country of a stored number, which is a valid one: a whole calling code at a time where that decides. */

/** A calling code has at most three digits. */
const CODE_DIGITS = 1000;
/** More than the digits of any E.164 number. */
const MAX_DIGITS = 16;

/** Of a calling code that several countries share. */
const SHARED = '?';

export class CountryReader {
  /** By count of digits and the first three: a country, null for a plan of no one country, or SHARED. */
  readonly #byCode = new Map<number, string | null>();
  /** Numbers from here to below #to have #digits digits. */
  #from = 0;
  #to = 0;
  #digits = 0;

  /** ISO 3166-1 alpha-2; null for plans of no one country. */
  countryOf(number: number): string | null {
    if (number < this.#from || number >= this.#to) this.#setDigits(number);
    const key = this.#digits * CODE_DIGITS + Math.floor(number / 10 ** (this.#digits - 3));
    let country = this.#byCode.get(key);
    if (country === undefined) {
      country = countryOfCode(String(number));
      this.#byCode.set(key, country);
    }
    return country === SHARED ? countryByPlan(String(number)) : country;
  }

  #setDigits(number: number): void {
    this.#digits = Math.min(String(number).length, MAX_DIGITS);
    this.#from = 10 ** (this.#digits - 1);
    this.#to = 10 ** this.#digits;
  }
}

function countryOfCode(digits: string): string | null {
  const code = callingCodeOf(digits);
  const [country = null, ...others] = code === null ? [] : countriesOf(code);
  return others.length > 0 ? SHARED : country;
}

function countryByPlan(digits: string): string | null {
  const read = readInternational(digits);
  if (read !== null) return read.country;
  const parsed = parseNumber(`+${digits}`);
  return parsed.ok ? parsed.value.country : null;
}
