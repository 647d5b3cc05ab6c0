/** Collects accepted rows in typed arrays, 24 bytes each, until a batch is full. */
import { CircumstancesTable } from '../../src/format/circumstances.ts';
import type { BatchColumns } from './encode-batch.ts';

/** 12 MiB of a batch: as much as a tick of a rebuild reads at once (src/merge/context.ts). */
export const MAX_BATCH_ROWS = 2 ** 19;
/** UTF-16 units of distinct circumstances, so that a batch with a link on every row is no larger. */
export const MAX_BATCH_TEXT_CHARS = 8 * 2 ** 20;

export class BatchRows {
  readonly #maxRows: number;
  readonly #numbers: Float64Array;
  readonly #observedAt: Uint32Array;
  readonly #firstSeenAt: Uint32Array;
  readonly #sightings: Uint32Array;
  readonly #circumstance: Uint32Array;
  #table = new CircumstancesTable();
  #textChars = 0;
  #count = 0;
  #serial = 0;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
    this.#numbers = new Float64Array(maxRows);
    this.#observedAt = new Uint32Array(maxRows);
    this.#firstSeenAt = new Uint32Array(maxRows);
    this.#sightings = new Uint32Array(maxRows);
    this.#circumstance = new Uint32Array(maxRows);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#maxRows || this.#textChars >= MAX_BATCH_TEXT_CHARS;
  }

  /** Counts up with each batch: ids of circumstances are good only while it stays. */
  get serial(): number {
    return this.#serial;
  }

  /** The batch's id of circumstances. */
  idOf(text: string): number {
    const known = this.#table.size;
    const id = this.#table.idOf(text);
    if (id === known) this.#textChars += text.length;
    return id;
  }

  /** Times are seconds since 1970. There must be room: see `isFull`. */
  add(number: number, observedAt: number, firstSeenAt: number, sightings: number, circumstance: number): void {
    const at = this.#count++;
    this.#numbers[at] = number;
    this.#observedAt[at] = observedAt;
    this.#firstSeenAt[at] = firstSeenAt;
    this.#sightings[at] = sightings;
    this.#circumstance[at] = circumstance;
  }

  /** The rows, as views that are valid until `clear`. */
  columns(): BatchColumns {
    return {
      count: this.#count,
      numbers: this.#numbers,
      observedAt: this.#observedAt,
      firstSeenAt: this.#firstSeenAt,
      sightings: this.#sightings,
      circumstance: this.#circumstance,
      texts: Array.from({ length: this.#table.size }, (_, id) => this.#table.text(id)),
    };
  }

  clear(): void {
    this.#count = 0;
    this.#textChars = 0;
    this.#serial += 1;
    this.#table = new CircumstancesTable();
  }
}
