/**
 * The fold of activity: rows of any number of objects in the order of day, number, activity key, link, each distinct
 * row once with its earliest second. It commutes and associates, so neither the order of detections nor their division
 * into batches and objects shows in the result.
 */

import { FormatError } from '../lib/bytes.ts';
import type { Steps } from '../lib/cooperate.ts';
import { SourceHeap } from '../lib/sorted.ts';
import { type ActivityKey, type ActivitySink, GrowingActivity, type KindSpan, type KnownKey } from './activity.ts';
import type { KindNumbers } from './activity-block.ts';
import { type ActivityDirectory, type ActivityInput, readActivityBlock, STEP_KEYS } from './activity-object.ts';

/** The activity keys of several objects, once each in canonical order. */
export interface FoldedKeys {
  readonly keys: readonly KnownKey[];
  readonly spans: readonly KindSpan[];
  /** How the fold numbers the activity keys of each of the objects, as they were given. */
  readonly numbers: readonly KindNumbers[];
}

/** Each has its keys in order already: they are merged, and none is looked for. */
export function* foldKeys(directories: readonly ActivityDirectory[]): Steps<FoldedKeys> {
  const keys: KnownKey[] = [];
  const spans: { kind: ActivityKey; firstDay: number; lastDay: number }[] = [];
  const numbers = directories.map(({ kinds }) => ({
    ids: new Uint32Array(kinds.length),
    linked: new Uint8Array(kinds.length),
  }));
  // What each directory stands on.
  const at = new Uint32Array(directories.length);
  const texts = directories.map(({ kinds, order }) => kinds[order[0] as number]?.text ?? '');
  const heap = new SourceHeap(
    Float64Array.from(directories, ({ order }) => (order.length === 0 ? Number.POSITIVE_INFINITY : 0)),
    // The order of texts is that of UTF-16 code units.
    (a, b) => (texts[a] as string) < (texts[b] as string),
  );
  let last: string | null = null;
  let done = 0;
  for (let index = heap.first; index >= 0; index = heap.first) {
    const { kinds, order } = directories[index] as ActivityDirectory;
    const { ids, linked } = numbers[index] as KindNumbers;
    const place = at[index] as number;
    const id = order[place] as number;
    const { text, kind, firstDay, lastDay } = kinds[id] as ActivityDirectory['kinds'][number];
    if (text !== last) {
      last = text;
      keys.push({ text, kind });
      spans.push({ kind, firstDay, lastDay });
    } else {
      const span = spans[spans.length - 1] as { firstDay: number; lastDay: number };
      span.firstDay = Math.min(span.firstDay, firstDay);
      span.lastDay = Math.max(span.lastDay, lastDay);
    }
    ids[id] = keys.length - 1;
    linked[id] = Number(kind.linkHost !== null);
    at[index] = place + 1;
    texts[index] = kinds[order[place + 1] as number]?.text ?? '';
    heap.advance(place + 1 < order.length ? 0 : Number.POSITIVE_INFINITY);
    // Each takes as long as a record of a merge.
    if (++done % STEP_KEYS === 0) yield STEP_KEYS;
  }
  yield done % STEP_KEYS;
  return { keys, spans, numbers };
}

/** An object as the fold goes through it, day by day. */
export class ActivityCursor {
  number = Number.POSITIVE_INFINITY;
  kind = 0;
  linkHigh = 0;
  linkLow = 0;
  firstSeenAt = 0;
  readonly #input: ActivityInput;
  readonly #kinds: KindNumbers;
  readonly #block = new GrowingActivity();
  #next = 0;
  #row = 0;

  constructor(input: ActivityInput, kinds: KindNumbers) {
    this.#input = input;
    this.#kinds = kinds;
  }

  /** Index of the block that comes next. */
  get nextBlock(): number {
    return this.#next;
  }

  /** The day of the block that comes next; infinity at the end. */
  get nextDay(): number {
    return this.#input.directory.blocks[this.#next]?.day ?? Number.POSITIVE_INFINITY;
  }

  /** Passes over all blocks of earlier days. */
  skipTo(day: number): void {
    while (this.nextDay < day) this.#next += 1;
  }

  /** To the first row of the next day. */
  beginDay(): void {
    this.#readBlock();
    this.#read();
  }

  /** To the next row of the day; `number` is infinity behind the last. Throws FormatError. */
  advance(): void {
    this.#row += 1;
    if (this.#row < this.#block.rows) {
      this.#read();
      return;
    }
    const { blocks } = this.#input.directory;
    if (blocks[this.#next]?.day !== blocks[this.#next - 1]?.day) {
      this.number = Number.POSITIVE_INFINITY;
      return;
    }
    const { number, kind, linkHigh, linkLow } = this;
    this.#readBlock();
    this.#read();
    if (compareRows(this, { number, kind, linkHigh, linkLow }) <= 0) {
      throw new FormatError(`activity: block ${this.#next - 1} is out of order`);
    }
  }

  #readBlock(): void {
    readActivityBlock(this.#input, this.#next++, this.#kinds, this.#block);
    this.#row = 0;
  }

  #read(): void {
    const row = this.#row;
    const block = this.#block;
    this.number = block.numbers[row] as number;
    this.kind = block.kind[row] as number;
    this.linkHigh = block.linkHigh[row] as number;
    this.linkLow = block.linkLow[row] as number;
    this.firstSeenAt = block.firstSeenAt[row] as number;
  }
}

type RowKey = Pick<ActivityCursor, 'number' | 'kind' | 'linkHigh' | 'linkLow'>;

function compareRows(a: RowKey, b: RowKey): number {
  if (a.number !== b.number) return a.number < b.number ? -1 : 1;
  return a.kind - b.kind || a.linkHigh - b.linkHigh || a.linkLow - b.linkLow;
}

/** Rows in a step, with the blocks that are unpacked and written for them; what each is worth in records of a merge. */
const STEP_ROWS = 1_024;
const ROW_WORK = 1 / 4;
const DAY_WORK = 16;

/** Folds the rows of a day; each cursor must have it next. The sink is given repeated rows as well. */
export function* foldDay(day: number, cursors: readonly ActivityCursor[], sink: ActivitySink): Steps<void> {
  for (const cursor of cursors) cursor.beginDay();
  const heap = new SourceHeap(
    Float64Array.from(cursors, ({ number }) => number),
    (a, b) => compareRows(cursors[a] as ActivityCursor, cursors[b] as ActivityCursor) < 0,
  );
  // Small days are many: each begins a block, or a few.
  yield DAY_WORK;
  let rows = 0;
  for (let index = heap.first; index >= 0; index = heap.first) {
    const cursor = cursors[index] as ActivityCursor;
    sink.add(day, cursor.number, cursor.kind, cursor.linkHigh, cursor.linkLow, cursor.firstSeenAt);
    cursor.advance();
    heap.advance(cursor.number);
    if (++rows % STEP_ROWS === 0) yield STEP_ROWS * ROW_WORK;
  }
}
