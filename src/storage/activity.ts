/**
 * Reads the activity of a generation: the directories of all its objects, then ranges of days of those that have them.
 */
import { type ActivitySink, type ActivitySource, type DayActivity, GrowingActivity } from '../format/activity.ts';
import type { KindNumbers } from '../format/activity-block.ts';
import { ActivityCursor, foldDay, foldKeys } from '../format/activity-fold.ts';
import { type OpenActivity, openActivityDirectory } from '../format/activity-object.ts';
import type { ActivityEntry, Manifest } from '../format/manifest.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { ObjectStore } from './store.ts';

/**
 * Bytes read ahead, of all objects together, unless a single day has more. Two of these are held at a time: a quarter
 * of the memory that a Worker has beside its caches.
 */
const READ_AHEAD_BYTES = 8 * 2 ** 20;
/** The least bytes of one read, however many objects there are, so that it is worth its call. */
const MIN_READ_BYTES = 2 ** 16;

/** Rejects when storage fails, or a directory is damaged. */
export async function openActivity(
  objects: ObjectStore,
  { activity: facts }: Pick<Manifest, 'activity'>,
  pace: Pacer,
): Promise<ActivitySource> {
  const opened: OpenActivity[] = [];
  await mapConcurrent(facts.entries(), async ([i, entry]) => {
    const directory = await readRange(objects, entry, 0, entry.directoryBytes);
    opened[i] = await pace.run(openActivityDirectory(directory, entry));
  });
  const kinds = await pace.run(foldKeys(opened.map(({ directory }) => directory)));
  return {
    kinds: kinds.spans,
    days: async function* (from, to) {
      const inRange = facts.flatMap((entry, i) => {
        const object = opened[i];
        const numbers = kinds.numbers[i];
        if (object === undefined || numbers === undefined) return [];
        return entry.lastDay < from || entry.firstDay > to ? [] : [{ entry, object, numbers }];
      });
      const atOnce = Math.max(MIN_READ_BYTES, Math.floor(READ_AHEAD_BYTES / Math.max(1, inRange.length)));
      const readers = inRange.map(
        ({ entry, object, numbers }) => new DayReader(objects, entry, object, numbers, { from, to, atOnce }),
      );
      yield* daysOf(readers, to, pace);
    },
  };
}

async function readRange(objects: ObjectStore, { key }: ActivityEntry, offset: number, length: number): Promise<Bytes> {
  const bytes = await objects.getRange(key, offset, length);
  if (bytes === null) throw new RangeError(`${key} is not in the object store`);
  return bytes;
}

/** Days that any of the readers has, the next one read while the caller looks at the one before. */
async function* daysOf(readers: readonly DayReader[], to: number, pace: Pacer): AsyncGenerator<DayActivity> {
  const load = async (): Promise<{ day: number; present: DayReader[] }> => {
    const day = readers.reduce((least, { nextDay }) => Math.min(least, nextDay), Number.POSITIVE_INFINITY);
    const present = day > to ? [] : readers.filter(({ nextDay }) => nextDay === day);
    await mapConcurrent(present, (reader) => reader.load());
    return { day, present };
  };
  let next = load();
  // Every turn takes a day of at least one reader, so it ends with them.
  for (;;) {
    const { day, present } = await next;
    if (present.length === 0) return;
    const rows = new DayRows();
    rows.reserve(present.reduce((sum, reader) => sum + reader.dayRows, 0));
    const cursors = present.map(({ cursor }) => cursor);
    await pace.run(foldDay(day, cursors, rows));
    next = load();
    // Nobody may ask for the next day.
    next.catch(() => {});
    yield { day, ...rows.columns() };
  }
}

/** The rows of a day, each distinct one once. */
class DayRows extends GrowingActivity implements ActivitySink {
  add(_day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    const order = this.compareLast(number, kind, linkHigh, linkLow);
    if (order > 0) throw new FormatError('activity: rows are out of order');
    if (order === 0) this.seenAt(firstSeenAt);
    else this.push(number, kind, linkHigh, linkLow, firstSeenAt);
  }
}

/** An object, some days of it in memory. */
class DayReader {
  readonly cursor: ActivityCursor;
  readonly #objects: ObjectStore;
  readonly #entry: ActivityEntry;
  readonly #object: OpenActivity;
  readonly #range: { readonly to: number; readonly atOnce: number };
  /** Blocks from `#from` to `#end`, exclusive, are in `#bytes`. */
  #from = 0;
  #end = 0;
  #bytes: Bytes = new Uint8Array();

  constructor(
    objects: ObjectStore,
    entry: ActivityEntry,
    object: OpenActivity,
    kinds: KindNumbers,
    range: { readonly from: number; readonly to: number; readonly atOnce: number },
  ) {
    this.#objects = objects;
    this.#entry = entry;
    this.#object = object;
    this.#range = range;
    const { directory } = object;
    const input = { directory, blockBytes: (index: number) => this.#blockBytes(index) };
    this.cursor = new ActivityCursor(input, kinds);
    this.cursor.skipTo(range.from);
  }

  get nextDay(): number {
    return this.cursor.nextDay;
  }

  /** Rows of the next day. */
  get dayRows(): number {
    const { blocks } = this.#object.directory;
    let rows = 0;
    for (let i = this.cursor.nextBlock; blocks[i]?.day === this.nextDay; i++) rows += blocks[i]?.rows ?? 0;
    return rows;
  }

  /** Reads the next day, and what follows as far as it is wanted and fits, unless it is there. */
  async load(): Promise<void> {
    const { blocks } = this.#object.directory;
    const { offsets } = this.#object;
    const first = this.cursor.nextBlock;
    if (first < this.#end) return;
    const { to, atOnce } = this.#range;
    const start = offsets[first] as number;
    let end = first;
    for (let i = first; i < blocks.length; ) {
      const day = blocks[i]?.day ?? 0;
      while (blocks[i]?.day === day) i += 1;
      // Whole days, and the next one in any case.
      if (end > first && (day > to || (offsets[i] as number) - start > atOnce)) break;
      end = i;
    }
    this.#bytes = await readRange(this.#objects, this.#entry, start, (offsets[end] as number) - start);
    this.#from = first;
    this.#end = end;
  }

  #blockBytes(index: number): Bytes {
    if (index < this.#from || index >= this.#end) throw new RangeError(`block ${index} has not been read`);
    const { offsets } = this.#object;
    const base = offsets[this.#from] as number;
    return this.#bytes.subarray((offsets[index] as number) - base, (offsets[index + 1] as number) - base);
  }
}
