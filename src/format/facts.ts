/**
 * An activity object: rows of activity in the order of day, number, activity key, link, in blocks behind a directory,
 * so that a range of days is one range of bytes (docs/FORMAT.md). The same rows give the same bytes.
 *
 *   directory  frame "RFFA" (facts-directory.ts)
 *   blocks     facts-block.ts, one after the other; the rows of a day in blocks of 16,384 and the rest
 */
import { ByteWriter } from './bytes.ts';
import { crc32 } from './crc32.ts';
import { BLOCK_ROWS, encodeFactsBlock, type FactsBlockPlace } from './facts-block.ts';
import { type FactsSink, GrowingFacts } from './facts-columns.ts';
import { encodeFactsDirectory, type WrittenKind } from './facts-directory.ts';
import { parseFactKind } from './facts-kind.ts';
import type { Bytes } from './frame.ts';
import type { FactsEntry } from './manifest.ts';

export interface EncodedFacts {
  readonly shape: Omit<FactsEntry, 'key'>;
  readonly file: Bytes;
}

interface EncodedKind {
  readonly text: string;
  readonly firstDay: number;
  lastDay: number;
}

/** Takes rows in order, repeated ones too, and writes the object. */
export class FactsEncoder implements FactsSink {
  readonly #texts: readonly string[];
  /** By the caller's activity key: the object's, in the order in which they are met; -1 until then. */
  readonly #ids: Int32Array;
  readonly #kinds: EncodedKind[] = [];
  /** By the object's activity key: 1 if it has a link host. */
  #linked = new Uint8Array(16);
  /** Rows of the block that is being filled, with the caller's kinds. */
  readonly #block = new GrowingFacts();
  readonly #blocks: FactsBlockPlace[] = [];
  readonly #bytes = new ByteWriter();
  #day = -1;
  #rows = 0;

  /** @param kinds texts of all activity keys that rows may have, ascending */
  constructor(kinds: readonly string[]) {
    this.#texts = kinds;
    this.#ids = new Int32Array(kinds.length).fill(-1);
  }

  get isEmpty(): boolean {
    return this.#rows + this.#block.rows === 0;
  }

  /** Of the blocks that are full. */
  get blockBytes(): number {
    return this.#bytes.length;
  }

  /** @throws RangeError when the row is not in order */
  add(day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    const block = this.#block;
    if (day !== this.#day) {
      if (day < this.#day) throw new RangeError('the days of activity must ascend');
      this.#flush();
      this.#day = day;
    }
    const order = block.compareLast(number, kind, linkHigh, linkLow);
    if (order > 0) throw new RangeError('the rows of activity must ascend');
    if (order === 0) {
      block.seenAt(firstSeenAt);
      return;
    }
    if (block.rows === BLOCK_ROWS) this.#flush();
    block.push(number, kind, linkHigh, linkLow, firstSeenAt);
  }

  #flush(): void {
    const block = this.#block;
    if (block.rows === 0) return;
    const day = this.#day;
    const { kind, rows } = block;
    for (let row = 0; row < rows; row++) kind[row] = this.#idOf(kind[row] as number, day);
    const start = this.#bytes.length;
    encodeFactsBlock(day, block, this.#linked, this.#bytes);
    const bytes = this.#bytes.view().subarray(start);
    this.#blocks.push({ day, rows, bytes: bytes.length, crc32: crc32(bytes) });
    this.#rows += rows;
    block.rows = 0;
  }

  /** The object's number of an activity key that is met on this day. */
  #idOf(kind: number, day: number): number {
    const known = this.#ids[kind] as number;
    if (known >= 0) {
      (this.#kinds[known] as EncodedKind).lastDay = day;
      return known;
    }
    const text = this.#texts[kind];
    if (text === undefined) throw new RangeError(`no activity key ${kind}, there are ${this.#texts.length}`);
    const id = this.#kinds.length;
    this.#ids[kind] = id;
    this.#kinds.push({ text, firstDay: day, lastDay: day });
    if (id === this.#linked.length) {
      const grown = new Uint8Array(id * 2);
      grown.set(this.#linked);
      this.#linked = grown;
    }
    this.#linked[id] = Number(parseFactKind(text).linkHost !== null);
    return id;
  }

  /** The object, or null if there was no row. */
  finish(): EncodedFacts | null {
    this.#flush();
    const [first] = this.#blocks;
    if (first === undefined) return null;
    const kinds: readonly WrittenKind[] = this.#kinds;
    const directory = encodeFactsDirectory(kinds, this.#blocks);
    const file = new Uint8Array(directory.length + this.#bytes.length);
    file.set(directory);
    file.set(this.#bytes.view(), directory.length);
    return {
      shape: {
        firstDay: first.day,
        lastDay: this.#day,
        rows: this.#rows,
        bytes: file.length,
        directoryBytes: directory.length,
        crc32: crc32(directory),
      },
      file,
    };
  }
}
