/**
 * The inventory of one generation in number order, for counting: a walk reads each segment once, with a few in memory
 * at a time, and folds what several runs know of a number.
 */
import type { SegmentEntry } from '../format/manifest.ts';
import { SEGMENT_NUMBERS } from '../format/numbers.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { columnWork, type OpenHead, openHead } from '../format/segment.ts';
import type { Verdicts } from '../format/verdicts.ts';
import { type Pacer, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { parseNumber } from '../phone/parse.ts';
import { callingCodeOf, countriesOf, readInternational } from '../phone/plan.ts';
import { readHead } from '../storage/slices.ts';
import { type ObjectStore, orUnavailable } from '../storage/store.ts';

/** Sets of labels as small integers, since millions of records share a handful of sets. */
class LabelSets {
  readonly #ids = new Map<string, number>();
  readonly #sets: (readonly string[])[] = [];
  /** Unions of two ids; the key has the first id in its high part. */
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

/** Reads numbers and verdicts of a segment. Rejects when storage does not answer. */
export type SegmentReader = (entry: SegmentEntry) => Promise<OpenHead>;

/** Reads from the segments themselves. A walk reads every one once, so a cache would gain nothing. */
export function storedSegments(objects: ObjectStore): SegmentReader {
  // A walk counts the work of opening what it reads.
  return async (entry) => openHead(await readHead(objects, entry), entry);
}

export interface Inventory {
  readonly generation: number;
  /** What the ids in `labels` of the columns stand for. */
  readonly labelSets: LabelSets;
  /**
   * Hands the records of numbers in [from, to) to `visit`, in order and several at a time. The columns are valid only
   * during the call. Rejects with StorageUnavailable.
   */
  walk(from: number, to: number, visit: Visit): Promise<void>;
}

/** Segments read ahead, some 100 KB each. */
const SEGMENTS_AHEAD = 4;

/** What is read of records. First days alone take a third less. */
export type Wanted = 'first days' | 'all';

export function inventoryOf(
  {
    generation,
    runs,
  }: { readonly generation: number; readonly runs: readonly { segments: readonly SegmentEntry[] }[] },
  reader: SegmentReader,
  wanted: Wanted,
  pace: Pacer,
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
        const { numbers, verdicts } = await orUnavailable(reader(entry));
        const columns =
          wanted === 'all' ? allColumns(numbers, verdicts, labelSets) : dayColumns(numbers, verdicts, spare);
        return new SegmentCursor(columns, numbers.rank(from));
      });
      // Each segment joins where it begins. Segments of a run follow one another, so no more are open than there are
      // runs.
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

/**
 * Reuses the arrays of segments that are done: a walk would otherwise leave hundreds of megabytes to the garbage
 * collector.
 */
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

const NONE = new Float64Array();

function dayColumns(reader: NumbersReader, verdicts: Verdicts, spare: SpareArrays): InventoryColumns {
  const { count } = reader;
  const numbers = spare.take(count);
  reader.copyRange(0, count, numbers);
  return { numbers, firstDay: verdicts.firstDays(spare.take(count)), lastDay: NONE, labels: NONE };
}

function allColumns(reader: NumbersReader, verdicts: Verdicts, labelSets: LabelSets): InventoryColumns {
  const { profileId, firstDay, listedDays } = verdicts.all();
  const labelsOf = Float64Array.from({ length: verdicts.profileCount }, (_, id) =>
    labelSets.idOf(verdicts.profile(id).labels),
  );
  // The reader made these arrays for this call, so they can be changed.
  for (let i = 0; i < profileId.length; i++) {
    listedDays[i] = (firstDay[i] as number) + (listedDays[i] as number);
    profileId[i] = labelsOf[profileId[i] as number] as number;
  }
  return { numbers: reader.all(), firstDay, lastDay: listedDays, labels: profileId };
}

/** Loads the items in order, a few of them ahead. */
function readAhead<Item, Value>(items: readonly Item[], load: (item: Item) => Promise<Value>): () => Promise<Value> {
  const pending: Promise<Value>[] = [];
  let started = 0;
  const start = () => {
    const item = items[started++];
    if (item === undefined) return;
    const value = load(item);
    // A failure shows when the item is asked for. If it never is, nobody has to know.
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

/** Columns of records, by rank. */
export interface InventoryColumns {
  /** Ascending, distinct. */
  readonly numbers: Float64Array;
  /** UTC days since 1970. */
  readonly firstDay: Float64Array;
  /** UTC days since 1970; empty where only first days are read. */
  readonly lastDay: Float64Array;
  /** Ids of sets of labels; empty where only first days are read. */
  readonly labels: Float64Array;
}

/**
 * Takes the records of ranks [from, to). It is called for several records at once, since there are tens of millions.
 */
type Visit = (columns: InventoryColumns, from: number, to: number) => void;

class SegmentCursor {
  readonly columns: InventoryColumns;
  rank: number;

  constructor(columns: InventoryColumns, rank: number) {
    this.columns = columns;
    this.rank = rank;
  }

  /** The number on which the cursor stands; infinity at the end. */
  get number(): number {
    const { numbers } = this.columns;
    return this.rank < numbers.length ? (numbers[this.rank] as number) : Number.POSITIVE_INFINITY;
  }
}

/** The work of visiting a record, most of which are only counted, in records of a merge (src/lib/cooperate.ts). */
const RECORD_WORK = 1 / 32;

/** Visits the records below `limit` in number order, and returns the cursors that have any left. */
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
    // The first cursor alone has records up to the number of the next one.
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
    } else yield visitUpTo(first, end, visit) * RECORD_WORK;
  }
  return cursors.filter((cursor) => cursor.number !== Number.POSITIVE_INFINITY);
}

/** Returns how many records were visited. A cursor that has more before `end` goes on at its next turn. */
function visitUpTo(cursor: SegmentCursor, end: number, visit: Visit): number {
  const { columns, rank } = cursor;
  const { numbers } = columns;
  let to = rank + 1;
  const most = Math.min(numbers.length, rank + STEP_ROWS);
  while (to < most && (numbers[to] as number) < end) to += 1;
  cursor.rank = to;
  visit(columns, rank, to);
  return to - rank;
}

/** Columns for one record: a number that several cursors have. */
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

// The country of stored numbers, which are all valid. A calling code of one country decides without parsing the number.

/** A calling code has at most three digits. */
const CODE_DIGITS = 1000;
/** Any E.164 number has fewer digits. */
const MAX_DIGITS = 16;

/** Marks a calling code that several countries share. */
const SHARED = '?';

export class CountryReader {
  /**
   * By the count of digits and the first three: a country, null for a plan that belongs to no single country, or
   * SHARED.
   */
  readonly #byCode = new Map<number, string | null>();
  /** Numbers from here to below #to have #digits digits. */
  #from = 0;
  #to = 0;
  #digits = 0;

  /** ISO 3166-1 alpha-2; null for plans that belong to no single country. */
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
