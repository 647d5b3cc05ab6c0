/** Batches in the work folder: read by range, and as sources of the merge's fold. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ByteReader } from '../../src/lib/bytes.ts';
import { dayOf } from '../../src/lib/time.ts';
import type { ActivityRows } from '../../src/merge/activity-fold.ts';
import type { RecordCursor } from '../../src/merge/fold.ts';
import type { MergeDictionary, RecordSink } from '../../src/merge/segment-builder.ts';
import { BuildError } from './journal.ts';
import { COLUMNS_OFFSET, type SpilledBatch } from './parse.ts';

// A batch in the work folder, read by range. The file is opened for each read and closed again, so that hundreds of
// batches can be folded together whatever the limit of open files; what is read is in the page cache of the system.

/** A batch's columns behind the numbers. */
const FIELDS = ['observedAt', 'firstSeenAt', 'sightings', 'attributesIndex'] as const;

interface RowSlice {
  readonly rows: number;
  readonly numbers: Float64Array;
  readonly observedAt: Uint32Array;
  readonly firstSeenAt: Uint32Array;
  readonly sightings: Uint32Array;
  readonly attributesIndex: Uint32Array;
}

export class SpillFile {
  readonly rows: number;
  readonly #path: string;

  constructor(folder: string, batch: SpilledBatch) {
    this.#path = join(folder, batch.name);
    this.rows = batch.rows;
  }

  /** How many rows have smaller numbers. */
  lowerBound(...numbers: number[]): number[] {
    const one = new Float64Array(1);
    return this.#read('', (file) =>
      numbers.map((number) => {
        let low = 0;
        let high = this.rows;
        while (low < high) {
          const middle = (low + high) >>> 1;
          fill(file, one, COLUMNS_OFFSET + middle * 8, this.#path);
          if ((one[0] as number) < number) low = middle + 1;
          else high = middle;
        }
        return low;
      }),
    );
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

  readRows(from: number, to: number): RowSlice {
    const rows = to - from;
    const numbers = new Float64Array(rows);
    return this.#read('', (file) => {
      fill(file, numbers, COLUMNS_OFFSET + from * 8, this.#path);
      const [observedAt, firstSeenAt, sightings, attributesIndex] = FIELDS.map((_, field) => {
        const column = new Uint32Array(rows);
        fill(file, column, COLUMNS_OFFSET + this.rows * (8 + field * 4) + from * 4, this.#path);
        return column;
      }) as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
      return { rows, numbers, observedAt, firstSeenAt, sightings, attributesIndex };
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

// Rows of a batch in the work folder as a source of the merge's fold, a bounded number of them in memory.

/** Texts between two that are wanted are read with them rather than by another call. */
const MAX_TEXT_GAP = 256;
const NO_ROWS: RowSlice = {
  rows: 0,
  numbers: new Float64Array(),
  observedAt: new Uint32Array(),
  firstSeenAt: new Uint32Array(),
  sightings: new Uint32Array(),
  attributesIndex: new Uint32Array(),
};

/** Rows of a batch, `to` exclusive. */
interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Counts the rows that the cursors of a fold have in memory together. */
export class HeldRows {
  most = 0;
  #now = 0;

  add(rows: number): void {
    this.#now += rows;
    this.most = Math.max(this.most, this.#now);
  }
}

export class SpillCursor implements RecordCursor {
  number = Number.POSITIVE_INFINITY;
  readonly #file: SpillFile;
  readonly #to: number;
  readonly #atOnce: number;
  readonly #dictionary: MergeDictionary;
  readonly #held: HeldRows;
  readonly #activity: ActivityRows;
  /** The batch's id of attributes to the merge's. */
  readonly #ids = new Map<number, number>();
  #next: number;
  #slice = NO_ROWS;
  #row = 0;

  /**
   * @param atOnce rows in memory at a time
   * @param shared by the cursors of a fold; `activity` gets each row as it is folded
   */
  constructor(
    file: SpillFile,
    rows: RowRange,
    atOnce: number,
    dictionary: MergeDictionary,
    { held, activity }: { readonly held: HeldRows; readonly activity: ActivityRows },
  ) {
    this.#file = file;
    this.#next = rows.from;
    this.#to = rows.to;
    this.#atOnce = atOnce;
    this.#dictionary = dictionary;
    this.#held = held;
    this.#activity = activity;
  }

  async load(): Promise<void> {
    const from = this.#next;
    const to = Math.min(this.#to, from + this.#atOnce);
    this.#next = to;
    this.#row = 0;
    this.#held.add(-this.#slice.rows);
    this.#slice = NO_ROWS;
    if (from >= to) {
      this.number = Number.POSITIVE_INFINITY;
      return;
    }
    this.#held.add(to - from);
    this.#slice = this.#file.readRows(from, to);
    this.#translate(this.#slice.attributesIndex);
    this.number = this.#slice.numbers[0] as number;
  }

  advance(): boolean {
    this.#row += 1;
    if (this.#row >= this.#slice.rows) return false;
    this.number = this.#slice.numbers[this.#row] as number;
    return true;
  }

  emit(sink: RecordSink): number {
    const row = this.#row;
    const slice = this.#slice;
    const firstSeenAt = slice.firstSeenAt[row] as number;
    const observedAt = slice.observedAt[row] as number;
    const sightings = slice.sightings[row] as number;
    const attributes = slice.attributesIndex[row] as number;
    sink.verdict(dayOf(firstSeenAt), dayOf(observedAt), sightings, this.#dictionary.profileOf(attributes));
    sink.entry(attributes, firstSeenAt, observedAt, sightings);
    this.#activity.add(this.number, firstSeenAt, observedAt, attributes);
    return 1;
  }

  /** Puts the merge's ids in place of the batch's. */
  #translate(attributesIndex: Uint32Array): void {
    const ids = this.#ids;
    const unknown = new Set<number>();
    for (const id of attributesIndex) if (!ids.has(id)) unknown.add(id);
    const wanted = Uint32Array.from(unknown).sort();
    for (let i = 0; i < wanted.length; ) {
      const first = wanted[i] as number;
      let end = i + 1;
      while (end < wanted.length && (wanted[end] as number) - (wanted[end - 1] as number) <= MAX_TEXT_GAP) end += 1;
      const last = wanted[end - 1] as number;
      const reader = new ByteReader(this.#file.readTexts(first, last + 1));
      for (let id = first; id <= last; id++) {
        const text = reader.raw(reader.varint());
        if (unknown.has(id)) ids.set(id, this.#dictionary.attributes.idOfBytes(text));
      }
      i = end;
    }
    for (let row = 0; row < attributesIndex.length; row++) {
      attributesIndex[row] = ids.get(attributesIndex[row] as number) as number;
    }
  }
}
