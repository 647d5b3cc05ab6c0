/** Makes activity objects: from detections in any order, and by folding objects into new ones. */

import {
  type ActivityKey,
  type ActivityParts,
  type ActivitySink,
  activityKeyText,
  type KnownKey,
} from '../format/activity.ts';
import type { KindNumbers } from '../format/activity-block.ts';
import { ActivityCursor, type FoldedKeys, foldDay, foldKeys } from '../format/activity-fold.ts';
import { ActivityEncoder, type ActivityInput, type EncodedActivity } from '../format/activity-object.ts';
import { finish, type Pacer, rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { sortedOrderSteps, toSortedSteps } from '../lib/sorted.ts';
import { dayOf, LAST_DAY } from '../lib/time.ts';

/** Rows sorted at once: 16 bytes each, and as much again while they are. */
export const PIECE_ROWS = 2 ** 18;

/**
 * What sorting and encoding a row, and looking at attributes that were not met before, is worth in records of a merge.
 */
const ROW_WORK = 1 / 4;
const TEXT_WORK = 2;
const STEP_TEXTS = 128;

/** As many as times cover: a day fits into 16 bits. */
const DAYS = LAST_DAY + 1;

export class ActivityRows {
  readonly #numbers: Float64Array;
  readonly #seconds: Uint32Array;
  readonly #attributes: Uint32Array;
  readonly #facts: Facts;
  readonly #onPiece: (piece: EncodedActivity) => void;
  #count = 0;
  #isSorted = true;

  /**
   * @param partsOf attributes by the id that rows are added with; asked for once of each
   * @param onPiece takes what a full piece makes: the rows that were added since the one before
   */
  constructor(
    partsOf: (id: number) => ActivityParts,
    onPiece: (piece: EncodedActivity) => void,
    pieceRows = PIECE_ROWS,
  ) {
    this.#numbers = new Float64Array(pieceRows);
    this.#seconds = new Uint32Array(pieceRows);
    this.#attributes = new Uint32Array(pieceRows);
    this.#facts = new Facts(partsOf);
    this.#onPiece = onPiece;
  }

  /** A detection: it counts on its last day and, as an aggregate of several days, on its first. Seconds since 1970. */
  add(number: number, firstSeenAt: number, observedAt: number, attributes: number): void {
    this.#push(number, firstSeenAt, attributes);
    if (dayOf(firstSeenAt) !== dayOf(observedAt)) this.#push(number, observedAt, attributes);
  }

  #push(number: number, second: number, attributes: number): void {
    if (this.#count === this.#numbers.length) this.finish();
    const at = this.#count++;
    if (at > 0 && number < (this.#numbers[at - 1] as number)) this.#isSorted = false;
    this.#numbers[at] = number;
    this.#seconds[at] = second;
    this.#attributes[at] = attributes;
  }

  /** Whether another detection might not fit into the present piece, and would finish it at once. */
  get isFull(): boolean {
    return this.#count + 2 > this.#numbers.length;
  }

  /** Makes a piece of the rows that are left. */
  finish(): void {
    finish(this.finishSteps());
  }

  /** The same; no row is to be added until it is done. */
  *finishSteps(): Steps<void> {
    const piece = yield* this.#encode();
    this.#count = 0;
    this.#isSorted = true;
    if (piece !== null) this.#onPiece(piece);
  }

  *#encode(): Steps<EncodedActivity | null> {
    const count = this.#count;
    const facts = this.#facts;
    yield* facts.meet(this.#attributes.subarray(0, count));
    const { kinds, kindOf, linkHigh, linkLow } = facts;
    const { numbers, seconds, attributes } = yield* this.#sortedByDay();
    const compare = (a: number, b: number) => {
      const [x, y] = [attributes[a] as number, attributes[b] as number];
      return (
        (kindOf[x] as number) - (kindOf[y] as number) ||
        (linkHigh[x] as number) - (linkHigh[y] as number) ||
        (linkLow[x] as number) - (linkLow[y] as number)
      );
    };
    const encoder = new ActivityEncoder(kinds);
    const add = (day: number, row: number) => {
      const id = attributes[row] as number;
      encoder.add(
        day,
        numbers[row] as number,
        kindOf[id] as number,
        linkHigh[id] as number,
        linkLow[id] as number,
        seconds[row] as number,
      );
    };
    let stepEnd = 0;
    for (let from = 0; from < count; ) {
      if (from >= stepEnd) {
        yield STEP_ROWS * ROW_WORK;
        stepEnd = from + STEP_ROWS;
      }
      const number = numbers[from] as number;
      const day = dayOf(seconds[from] as number);
      let to = from + 1;
      while (to < count && numbers[to] === number && dayOf(seconds[to] as number) === day) to += 1;
      if (to - from === 1) add(day, from);
      else for (const row of Uint32Array.from({ length: to - from }, (_, i) => from + i).sort(compare)) add(day, row);
      from = to;
    }
    return yield* encoder.finishSteps();
  }

  /**
   * The rows by day, then number: a counting sort, stable, of the order by number. Each is written to its place at
   * once: to fetch them from all over the columns later would take longer.
   */
  *#sortedByDay(): Steps<DayRows> {
    const count = this.#count;
    const seconds = this.#seconds;
    const byNumber = this.#isSorted ? null : yield* sortedOrderSteps(this.#numbers, count);
    const next = new Uint32Array(DAYS + 1);
    for (let row = 0; row < count; row++) {
      const bucket = dayOf(seconds[row] as number) + 1;
      next[bucket] = (next[bucket] as number) + 1;
    }
    for (let bucket = 1; bucket < next.length; bucket++) {
      next[bucket] = (next[bucket] as number) + (next[bucket - 1] as number);
    }
    yield rowWork(count);
    const sorted = {
      numbers: new Float64Array(count),
      seconds: new Uint32Array(count),
      attributes: new Uint32Array(count),
    };
    for (let i = 0; i < count; i++) {
      const row = byNumber === null ? i : (byNumber[i] as number);
      const second = seconds[row] as number;
      const bucket = dayOf(second);
      const at = next[bucket] as number;
      next[bucket] = at + 1;
      sorted.numbers[at] = this.#numbers[row] as number;
      sorted.seconds[at] = second;
      sorted.attributes[at] = this.#attributes[row] as number;
    }
    yield rowWork(count);
    return sorted;
  }
}

interface DayRows {
  readonly numbers: Float64Array;
  readonly seconds: Uint32Array;
  readonly attributes: Uint32Array;
}

/** What rows keep of the attributes that they were added with, by the id of these. */
class Facts {
  /** All that were met, ascending by text. */
  kinds: readonly KnownKey[] = [];
  /** Index into them. */
  kindOf = new Uint32Array();
  linkHigh = new Uint32Array();
  linkLow = new Uint32Array();
  readonly #partsOf: (id: number) => ActivityParts;
  /** By id: index into `#met`, from 1; 0 until it is met. */
  #metAs = new Uint32Array();
  readonly #met: KnownKey[] = [];
  readonly #byText = new Map<string, number>();
  /** One object for many, as a rule: then its text is made once. */
  readonly #byKey = new Map<ActivityKey, number>();

  constructor(partsOf: (id: number) => ActivityParts) {
    this.#partsOf = partsOf;
  }

  /** Learns of the attributes of some rows. */
  *meet(used: Uint32Array): Steps<void> {
    let ids = 0;
    for (let row = 0; row < used.length; row++) ids = Math.max(ids, (used[row] as number) + 1);
    this.#reserve(ids);
    let met = 0;
    for (let row = 0; row < used.length; row++) {
      const id = used[row] as number;
      if (this.#metAs[id] !== 0) continue;
      const { key, linkHigh, linkLow } = this.#partsOf(id);
      this.linkHigh[id] = linkHigh;
      this.linkLow[id] = linkLow;
      this.#metAs[id] = this.#numberOf(key) + 1;
      if (++met % STEP_TEXTS === 0) yield STEP_TEXTS * TEXT_WORK;
    }
    if (met > 0) yield* this.#number();
  }

  #numberOf(key: ActivityKey): number {
    const before = this.#byKey.get(key);
    if (before !== undefined) return before;
    const text = activityKeyText(key);
    const number = this.#byText.get(text) ?? this.#met.push({ text, kind: key }) - 1;
    this.#byText.set(text, number);
    this.#byKey.set(key, number);
    return number;
  }

  /** The kinds in order, and of all attributes which of them they have. */
  *#number(): Steps<void> {
    if (this.kinds.length < this.#met.length) {
      this.kinds = yield* toSortedSteps(this.#met, (a, b) => (a.text < b.text ? -1 : 1));
    }
    const ranks = new Uint32Array(this.kinds.length);
    let ranked = 0;
    for (const { text } of this.kinds) {
      ranks[this.#byText.get(text) ?? 0] = ranked;
      if (++ranked % STEP_TEXTS === 0) yield STEP_TEXTS * ROW_WORK;
    }
    for (let id = 0; id < this.#metAs.length; id++) {
      const met = this.#metAs[id] as number;
      if (met > 0) this.kindOf[id] = ranks[met - 1] as number;
    }
    yield rowWork(this.#metAs.length);
  }

  #reserve(ids: number): void {
    if (ids <= this.#metAs.length) return;
    const size = Math.max(ids, this.#metAs.length * 2);
    this.kindOf = grown(this.kindOf, size);
    this.linkHigh = grown(this.linkHigh, size);
    this.linkLow = grown(this.linkLow, size);
    this.#metAs = grown(this.#metAs, size);
  }
}

function grown(column: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(size);
  copy.set(column);
  return copy;
}

// Activity folded into objects of a bounded size.

/**
 * Bytes of blocks at which an object ends: about half a million rows. A reader holds a few of its days; a tick holds
 * one such object while it is made, and beside it as much that it is made of (docs/decisions/0039).
 */
export const OBJECT_BYTES = 4 * 2 ** 20;

interface FoldLimits {
  readonly objectBytes?: number;
  /** UTC days since 1970, both included. */
  readonly from?: number;
  readonly to?: number;
  /** Numbers whose rows are left out. */
  readonly without?: { has(number: number): boolean };
  /** The activity keys of the inputs, and of others too, for who folds parts of the same objects again and again. */
  readonly kinds?: Pick<FoldedKeys, 'keys' | 'numbers'>;
}

/** Folds objects into new ones (foldSteps), giving way on the way. */
export async function* foldActivityPaced(
  pace: Pacer,
  inputs: ActivityInput[],
  limits: FoldLimits = {},
): AsyncGenerator<EncodedActivity> {
  for (const one of foldSteps(inputs, limits)) {
    if (typeof one !== 'number') yield one;
    else if (pace.count(one)) await pace.giveWay();
  }
}

/** Folds objects without giving way. */
export function* foldActivity(inputs: ActivityInput[], limits: FoldLimits = {}): Generator<EncodedActivity> {
  for (const one of foldSteps(inputs, limits)) if (typeof one !== 'number') yield one;
}

/**
 * Folds objects into new ones, and tells what work is done meanwhile. A new one begins with a day that might not fit
 * whole, and within a day that is larger than an object. Throws FormatError when an input is damaged.
 * @param inputs are taken out of the list, so that nothing keeps them while the last object is written
 */
function* foldSteps(inputs: ActivityInput[], limits: FoldLimits): Generator<number | EncodedActivity> {
  const { objectBytes = OBJECT_BYTES, from = 0, to = Number.POSITIVE_INFINITY, without } = limits;
  const kinds = limits.kinds ?? (yield* foldKeys(inputs.map(({ directory }) => directory)));
  const dayBytes = bytesByDay(inputs);
  const cursors = inputs.splice(0).map((input, i) => new ActivityCursor(input, kinds.numbers[i] as KindNumbers));
  const writer = new ObjectWriter(kinds.keys, objectBytes);
  const sink = without === undefined ? writer : sinkWithout(writer, without);
  for (const cursor of cursors) cursor.skipTo(from);
  // Every turn takes a day's blocks of at least one input, so it ends with them.
  for (;;) {
    const day = cursors.reduce((least, { nextDay }) => Math.min(least, nextDay), Number.POSITIVE_INFINITY);
    if (day === Number.POSITIVE_INFINITY || day > to) break;
    writer.beginDay(dayBytes.get(day) ?? 0);
    yield* foldDay(
      day,
      cursors.filter(({ nextDay }) => nextDay === day),
      sink,
    );
    yield* writer.takeEnded();
  }
  cursors.length = 0;
  writer.end();
  yield* writer.takeEnded();
}

function sinkWithout(sink: ActivitySink, numbers: { has(number: number): boolean }): ActivitySink {
  return {
    add(day, number, kind, linkHigh, linkLow, firstSeenAt) {
      if (!numbers.has(number)) sink.add(day, number, kind, linkHigh, linkLow, firstSeenAt);
    },
  };
}

/** Of all inputs together: about what the fold of the day takes, at most. */
function bytesByDay(inputs: readonly ActivityInput[]): Map<number, number> {
  const byDay = new Map<number, number>();
  for (const { directory } of inputs) {
    for (const { day, bytes } of directory.blocks) byDay.set(day, (byDay.get(day) ?? 0) + bytes);
  }
  return byDay;
}

class ObjectWriter implements ActivitySink {
  readonly #kinds: readonly KnownKey[];
  readonly #objectBytes: number;
  #encoder: ActivityEncoder;
  #ended: ActivityEncoder[] = [];

  constructor(kinds: readonly KnownKey[], objectBytes: number) {
    this.#kinds = kinds;
    this.#objectBytes = objectBytes;
    this.#encoder = new ActivityEncoder(kinds);
  }

  beginDay(bytes: number): void {
    if (this.#encoder.blockBytes + bytes > this.#objectBytes) this.end();
  }

  add(day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    if (this.#encoder.blockBytes >= this.#objectBytes) this.end();
    this.#encoder.add(day, number, kind, linkHigh, linkLow, firstSeenAt);
  }

  end(): void {
    this.#ended.push(this.#encoder);
    this.#encoder = new ActivityEncoder(this.#kinds);
  }

  /** The objects that are ended; those that got no row are none. */
  *takeEnded(): Generator<number | EncodedActivity, void> {
    const ended = this.#ended;
    this.#ended = [];
    for (const encoder of ended) {
      const object = yield* encoder.finishSteps();
      if (object !== null) yield object;
    }
  }
}
