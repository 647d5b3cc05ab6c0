/** Batches in the work folder: read by range, and as sources of the merge's fold. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ByteReader } from '../../src/lib/bytes.ts';
import { lowerBound, sortedOrder } from '../../src/lib/sorted.ts';
import { dayOf } from '../../src/lib/time.ts';
import type { ActivityRows } from '../../src/merge/activity-fold.ts';
import type { RecordCursor } from '../../src/merge/fold.ts';
import type { MergeDictionary, RecordSink } from '../../src/merge/segment-builder.ts';
import { BuildError } from './journal.ts';
import { COLUMNS_OFFSET, type SpilledBatch } from './parse.ts';

// A batch in the work folder, read by range. The file is opened for each read and closed again, so that hundreds of
// batches can be folded together whatever the limit of open files; what is read is in the page cache of the system.

/** Rows that are searched in memory. */
const SEARCHED_ROWS = 512;
/** A batch's columns behind the numbers. */
const FIELDS = ['observedAt', 'firstSeenAt', 'sightings', 'attributesIndex'] as const;

interface Columns {
  readonly numbers: Float64Array;
  readonly observedAt: Uint32Array;
  readonly firstSeenAt: Uint32Array;
  readonly sightings: Uint32Array;
  readonly attributesIndex: Uint32Array;
}

export class SpillFile {
  readonly batch: SpilledBatch;
  readonly rows: number;
  readonly #path: string;

  constructor(folder: string, batch: SpilledBatch) {
    this.#path = join(folder, batch.name);
    this.batch = batch;
    this.rows = batch.rows;
  }

  /** How many rows have smaller numbers. */
  lowerBound(number: number): number {
    const one = new Float64Array(1);
    return this.#read('', (file) => {
      let low = 0;
      let high = this.rows;
      while (high - low > SEARCHED_ROWS) {
        const middle = (low + high) >>> 1;
        fill(file, one, COLUMNS_OFFSET + middle * 8, this.#path);
        if ((one[0] as number) < number) low = middle + 1;
        else high = middle;
      }
      const numbers = new Float64Array(high - low);
      fill(file, numbers, COLUMNS_OFFSET + low * 8, this.#path);
      return low + lowerBound(numbers, number);
    });
  }

  /** The numbers of the rows from `from` on, as many as `into` has room for. */
  readNumbers(from: number, into: Float64Array): void {
    this.#read('', (file) => fill(file, into, COLUMNS_OFFSET + from * 8, this.#path));
  }

  /** Every `step`-th number, the first one included. */
  sample(step: number): number[] {
    const one = new Float64Array(1);
    return this.#read('', (file) => {
      const numbers: number[] = [];
      for (let row = 0; row < this.rows; row += step) {
        fill(file, one, COLUMNS_OFFSET + row * 8, this.#path);
        numbers.push(one[0] as number);
      }
      return numbers;
    });
  }

  /**
   * Reads rows from `from` on, as many as there is room for, but for those with numbers of `to` or more. Returns how
   * many.
   */
  readRows(from: number, to: number, into: Columns): number {
    const { numbers } = into;
    return this.#read('', (file) => {
      fill(file, numbers, COLUMNS_OFFSET + from * 8, this.#path);
      const rows = lowerBound(numbers, to);
      FIELDS.forEach((name, field) => {
        fill(file, into[name].subarray(0, rows), COLUMNS_OFFSET + this.rows * (8 + field * 4) + from * 4, this.#path);
      });
      return rows;
    });
  }

  /** The texts of attributes `from` to `to`, exclusive, as they stand in the file: each with its length first. */
  readTexts(from: number, to: number): Buffer {
    const offsets = new Uint32Array(to - from + 1);
    this.#read('.texts', (file) => fill(file, offsets, from * 4, this.#path));
    const start = offsets[0] as number;
    const bytes = Buffer.allocUnsafe((offsets[to - from] as number) - start);
    this.#read('', (file) => fill(file, bytes, start, this.#path));
    return bytes;
  }

  #read<T>(suffix: string, read: (file: number) => T): T {
    const file = openSync(this.#path + suffix, 'r');
    try {
      return read(file);
    } finally {
      closeSync(file);
    }
  }
}

/** Little-endian is what batches are, and what every machine is that runs Node. */
function fill(file: number, into: Float64Array | Uint32Array | Buffer, position: number, path: string): void {
  const bytes = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(file, bytes, done, bytes.length - done, position + done);
    if (count === 0) {
      throw new BuildError('damaged-work', `${path} is cut short: delete the work folder and start again`);
    }
    done += count;
  }
}

// The rows of all batches together as one source of the merge's fold, a bounded number of them in memory.

/** Texts between two that are wanted are read with them rather than by another call. */
const MAX_TEXT_GAP = 256;
/**
 * Rows that are read of each batch beyond its even part of those that are left, so that one turn nearly always is
 * enough.
 */
const SPARE_PART = 1 / 4;
const SPARE_ROWS = 256;

/** Rows with numbers from `from` to `to`, exclusive. */
interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

/** What rows are folded with. `rows` are those in memory; `activity` gets each of them as it is folded. */
interface FoldMemory {
  readonly dictionary: MergeDictionary;
  readonly translation: Translation;
  readonly rows: HeldRows;
  readonly activity: ActivityRows;
}

/** A batch as far as it is read. */
interface Reading {
  readonly file: SpillFile;
  /** Its first row that has not been folded. */
  next: number;
  /** How many rows of it are in memory. */
  held: number;
}

/**
 * All batches are read a stretch of numbers at a time, and its rows are sorted, which takes less than to choose among
 * as many cursors for each row.
 */
export class SpilledRows implements RecordCursor {
  number = Number.POSITIVE_INFINITY;
  /** The most rows that were in memory at once. */
  mostHeld = 0;
  readonly #batches: readonly Reading[];
  readonly #to: number;
  readonly #maxHeldRows: number;
  readonly #dictionary: MergeDictionary;
  readonly #activity: ActivityRows;
  /** Of the range, those that have not been folded. */
  #left: number;
  readonly #rows: HeldRows;
  readonly #translation: Translation;
  /** The rows in memory in number order, and how many of them are those of the stretch. */
  #order: Uint32Array = new Uint32Array();
  #end = 0;
  #at = 0;
  #isAllRead = false;

  constructor(files: readonly SpillFile[], range: NumberRange, maxHeldRows: number, into: FoldMemory) {
    this.#batches = files.map((file) => ({ file, next: file.lowerBound(range.from), held: 0 }));
    this.#to = range.to;
    this.#left = range.rows;
    this.#maxHeldRows = maxHeldRows;
    this.#dictionary = into.dictionary;
    this.#translation = into.translation;
    this.#rows = into.rows;
    this.#activity = into.activity;
  }

  async load(): Promise<void> {
    if (this.#isAllRead) {
      this.number = Number.POSITIVE_INFINITY;
      return;
    }
    const limit = this.#read();
    this.#isAllRead = limit === this.#to;
    const { numbers, count } = this.#rows;
    this.mostHeld = Math.max(this.mostHeld, count);
    this.#order = sortedOrder(numbers, count);
    // Where a single number has more rows than fit, they are folded as they are read.
    const isOneNumber = count > 0 && numbers[this.#order[0] as number] === limit;
    this.#end = count;
    if (limit < this.#to) {
      const isBeyond = (row: number) =>
        isOneNumber ? (numbers[row] as number) > limit : (numbers[row] as number) >= limit;
      while (this.#end > 0 && isBeyond(this.#order[this.#end - 1] as number)) this.#end -= 1;
    }
    this.#left -= this.#end;
    this.#pass(isOneNumber ? limit : limit - 1);
    this.#at = 0;
    this.number = this.#end === 0 ? Number.POSITIVE_INFINITY : (numbers[this.#order[0] as number] as number);
  }

  /** Reads on in each batch. Returns the number from which on not all rows may be in memory. */
  #read(): number {
    const batches = this.#batches;
    const part = Math.ceil((this.#left / batches.length) * (1 + SPARE_PART)) + SPARE_ROWS;
    const atOnce = Math.max(1, Math.min(part, Math.floor(this.#maxHeldRows / batches.length)));
    this.#rows.clear();
    let limit = this.#to;
    for (const batch of batches) {
      const { file, next } = batch;
      batch.held = 0;
      const read = Math.min(atOnce, file.rows - next);
      if (read === 0) continue;
      const from = this.#rows.count;
      const { numbers, held } = this.#rows.append(file, next, read, this.#to);
      batch.held = held;
      if (held === read && next + read < file.rows) limit = Math.min(limit, numbers[from + held - 1] as number);
      if (held > 0) this.#translation.translate(file, this.#rows.attributesIndex.subarray(from, from + held));
    }
    return limit;
  }

  /** Passes over the rows in memory up to a number. */
  #pass(last: number): void {
    let from = 0;
    for (const batch of this.#batches) {
      const numbers = this.#rows.numbers.subarray(from, from + batch.held);
      batch.next += lowerBound(numbers, last + 1);
      from += batch.held;
    }
  }

  advance(): boolean {
    this.#at += 1;
    if (this.#at >= this.#end) return false;
    this.number = this.#rows.numbers[this.#order[this.#at] as number] as number;
    return true;
  }

  emit(sink: RecordSink): number {
    const row = this.#order[this.#at] as number;
    const rows = this.#rows;
    const firstSeenAt = rows.firstSeenAt[row] as number;
    const observedAt = rows.observedAt[row] as number;
    const sightings = rows.sightings[row] as number;
    const attributes = rows.attributesIndex[row] as number;
    sink.verdict(dayOf(firstSeenAt), dayOf(observedAt), sightings, this.#dictionary.profileOf(attributes));
    sink.entry(attributes, firstSeenAt, observedAt, sightings);
    this.#activity.add(this.number, firstSeenAt, observedAt, attributes);
    return 1;
  }
}

/** Rows of several batches, one after the other, in columns that are used again. */
export class HeldRows {
  count = 0;
  numbers = new Float64Array();
  observedAt = new Uint32Array();
  firstSeenAt = new Uint32Array();
  sightings = new Uint32Array();
  attributesIndex = new Uint32Array();

  clear(): void {
    this.count = 0;
  }

  /** Reads rows of a batch whose numbers are below `to`. Returns how many these are. */
  append(
    file: SpillFile,
    from: number,
    rows: number,
    to: number,
  ): { readonly numbers: Float64Array; readonly held: number } {
    this.#reserve(this.count + rows);
    const end = this.count + rows;
    const held = file.readRows(from, to, {
      numbers: this.numbers.subarray(this.count, end),
      observedAt: this.observedAt.subarray(this.count, end),
      firstSeenAt: this.firstSeenAt.subarray(this.count, end),
      sightings: this.sightings.subarray(this.count, end),
      attributesIndex: this.attributesIndex.subarray(this.count, end),
    });
    this.count += held;
    return { numbers: this.numbers, held };
  }

  #reserve(rows: number): void {
    if (rows <= this.numbers.length) return;
    const size = Math.max(rows, this.numbers.length * 2);
    const numbers = new Float64Array(size);
    numbers.set(this.numbers);
    this.numbers = numbers;
    this.observedAt = grown(this.observedAt, size);
    this.firstSeenAt = grown(this.firstSeenAt, size);
    this.sightings = grown(this.sightings, size);
    this.attributesIndex = grown(this.attributesIndex, size);
  }
}

function grown(column: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(size);
  copy.set(column);
  return copy;
}

const UNKNOWN = -1;
const WANTED = -2;
/** A batch with as many texts is translated by what was asked of it before; of one with more, texts are read again. */
export const KEPT_IDS = 2 ** 12;

/** From the ids that batches have for attributes to those of a merge. */
export class Translation {
  readonly #dictionary: MergeDictionary;
  /** By the SHA-256 of a batch: by its id, the merge's, or whether it is wanted. */
  readonly #kept = new Map<string, Int32Array>();
  /** The same of a batch that has more, by its id less the least one. */
  #ids = new Int32Array();
  readonly #wanted: number[] = [];

  constructor(dictionary: MergeDictionary) {
    this.#dictionary = dictionary;
  }

  /** Puts the merge's ids in place of the batch's. */
  translate(file: SpillFile, attributesIndex: Uint32Array): void {
    const { ids, least } = this.#idsOf(file, attributesIndex);
    const wanted = this.#wanted;
    wanted.length = 0;
    for (let row = 0; row < attributesIndex.length; row++) {
      const at = (attributesIndex[row] as number) - least;
      if (ids[at] !== UNKNOWN) continue;
      ids[at] = WANTED;
      wanted.push(at);
    }
    this.#learn(file, ids, least, Uint32Array.from(wanted).sort());
    for (let row = 0; row < attributesIndex.length; row++) {
      attributesIndex[row] = ids[(attributesIndex[row] as number) - least] as number;
    }
  }

  #idsOf({ batch }: SpillFile, attributesIndex: Uint32Array): { readonly ids: Int32Array; readonly least: number } {
    if (batch.circumstances <= KEPT_IDS) {
      const kept = this.#kept.get(batch.sha256) ?? new Int32Array(batch.circumstances).fill(UNKNOWN);
      this.#kept.set(batch.sha256, kept);
      return { ids: kept, least: 0 };
    }
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (let row = 0; row < attributesIndex.length; row++) {
      const id = attributesIndex[row] as number;
      if (id < least) least = id;
      if (id > most) most = id;
    }
    const span = most - least + 1;
    if (span > this.#ids.length) this.#ids = new Int32Array(span * 2);
    return { ids: this.#ids.fill(UNKNOWN, 0, span), least };
  }

  /** @param wanted ids less the least one, ascending */
  #learn(file: SpillFile, ids: Int32Array, least: number, wanted: Uint32Array): void {
    const { attributes } = this.#dictionary;
    for (let i = 0; i < wanted.length; ) {
      const first = wanted[i] as number;
      let end = i + 1;
      while (end < wanted.length && (wanted[end] as number) - (wanted[end - 1] as number) <= MAX_TEXT_GAP) end += 1;
      const last = wanted[end - 1] as number;
      const bytes = file.readTexts(least + first, least + last + 1);
      const reader = new ByteReader(bytes);
      for (let at = first; at <= last; at++) {
        const length = reader.varint();
        const start = reader.position;
        reader.skip(length);
        if (ids[at] === WANTED) ids[at] = attributes.idOfBytes(bytes, start, start + length);
      }
      i = end;
    }
  }
}
