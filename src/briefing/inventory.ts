/**
 * The inventory of one generation in number order: what every run knows of a number, folded. A walk through all of it
 * reads each segment once; a few are in memory at a time.
 */
import type { SegmentEntry } from '../format/manifest.ts';
import { SEGMENT_NUMBERS } from '../format/numbers.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import { columnWork } from '../format/segment.ts';
import { VerdictsReader } from '../format/verdicts.ts';
import { type Pacer, UNPACED } from '../lib/cooperate.ts';
import { readColumn } from '../store/columns.ts';
import { orUnavailable } from '../store/errors.ts';
import type { ObjectStore } from '../store/store.ts';
import { LabelSets } from './label-sets.ts';
import { type InventoryColumns, SegmentCursor, type Visit, visitInOrder } from './segment-cursor.ts';

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
