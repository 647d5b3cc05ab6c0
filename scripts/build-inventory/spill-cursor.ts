/** Rows of a batch in the work folder as a source of the merge's fold, a bounded number of them in memory. */
import { ByteReader } from '../../src/format/bytes.ts';
import { dayOf } from '../../src/format/records.ts';
import type { RecordCursor } from '../../src/merge/cursor.ts';
import type { MergeDictionary } from '../../src/merge/dictionary.ts';
import type { FactsRows } from '../../src/merge/facts-rows.ts';
import type { RecordSink } from '../../src/merge/segment-builder.ts';
import type { RowSlice, SpillFile } from './spill-batch.ts';

/** Texts between two that are wanted are read with them rather than by another call. */
const MAX_TEXT_GAP = 256;
const NO_ROWS: RowSlice = {
  rows: 0,
  numbers: new Float64Array(),
  observedAt: new Uint32Array(),
  firstSeenAt: new Uint32Array(),
  sightings: new Uint32Array(),
  circumstance: new Uint32Array(),
};

/** Rows of a batch, `to` exclusive. */
export interface RowRange {
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
  readonly #facts: FactsRows;
  /** The batch's id of circumstances to the merge's. */
  readonly #ids = new Map<number, number>();
  #next: number;
  #slice = NO_ROWS;
  #row = 0;

  /**
   * @param atOnce rows in memory at a time
   * @param shared by the cursors of a fold; the facts are given each row as it is folded
   */
  constructor(
    file: SpillFile,
    rows: RowRange,
    atOnce: number,
    dictionary: MergeDictionary,
    { held, facts }: { readonly held: HeldRows; readonly facts: FactsRows },
  ) {
    this.#file = file;
    this.#next = rows.from;
    this.#to = rows.to;
    this.#atOnce = atOnce;
    this.#dictionary = dictionary;
    this.#held = held;
    this.#facts = facts;
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
    this.#translate(this.#slice.circumstance);
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
    const circumstances = slice.circumstance[row] as number;
    sink.verdict(dayOf(firstSeenAt), dayOf(observedAt), sightings, this.#dictionary.profileOf(circumstances));
    sink.entry(circumstances, firstSeenAt, observedAt, sightings);
    this.#facts.add(this.number, firstSeenAt, observedAt, circumstances);
    return 1;
  }

  /** Puts the merge's ids in place of the batch's. */
  #translate(circumstance: Uint32Array): void {
    const ids = this.#ids;
    const unknown = new Set<number>();
    for (const id of circumstance) if (!ids.has(id)) unknown.add(id);
    const wanted = Uint32Array.from(unknown).sort();
    for (let i = 0; i < wanted.length; ) {
      const first = wanted[i] as number;
      let end = i + 1;
      while (end < wanted.length && (wanted[end] as number) - (wanted[end - 1] as number) <= MAX_TEXT_GAP) end += 1;
      const last = wanted[end - 1] as number;
      const reader = new ByteReader(this.#file.readTexts(first, last + 1));
      for (let id = first; id <= last; id++) {
        const text = reader.text();
        if (unknown.has(id)) ids.set(id, this.#dictionary.circumstancesId(text));
      }
      i = end;
    }
    for (let row = 0; row < circumstance.length; row++) {
      circumstance[row] = ids.get(circumstance[row] as number) as number;
    }
  }
}
