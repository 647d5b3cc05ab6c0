/**
 * A batch in the work folder, read by range. The file is opened for each read and closed again, so that hundreds of
 * batches can be folded together whatever the limit of open files; what is read is in the page cache of the system.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from './build-error.ts';
import { COLUMNS_OFFSET } from './encode-batch.ts';
import type { SpilledBatch } from './parse-range.ts';

/** A batch's columns behind the numbers. */
const FIELDS = ['observedAt', 'firstSeenAt', 'sightings', 'circumstance'] as const;

export interface RowSlice {
  readonly rows: number;
  readonly numbers: Float64Array;
  readonly observedAt: Uint32Array;
  readonly firstSeenAt: Uint32Array;
  readonly sightings: Uint32Array;
  readonly circumstance: Uint32Array;
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
      const [observedAt, firstSeenAt, sightings, circumstance] = FIELDS.map((_, field) => {
        const column = new Uint32Array(rows);
        fill(file, column, COLUMNS_OFFSET + this.rows * (8 + field * 4) + from * 4, this.#path);
        return column;
      }) as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
      return { rows, numbers, observedAt, firstSeenAt, sightings, circumstance };
    });
  }

  /** The texts of circumstances `from` to `to`, exclusive, as they stand in the file: each with its length first. */
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
