/** Detections in any order to facts objects: rows are collected in typed arrays, and sorted and encoded when full. */
import { type EncodedFacts, FactsEncoder } from '../format/facts.ts';
import { type FactParts, factPartsOf } from '../format/facts-kind.ts';
import { dayOf } from '../format/records.ts';
import { finish, rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { sortedOrderSteps } from '../lib/radix-sort.ts';

/** Rows sorted at once: 16 bytes each, and as much again while they are. */
export const PIECE_ROWS = 2 ** 18;

/** What sorting and encoding a row, and parsing circumstances that were not met before, is worth in records of a merge. */
const ROW_WORK = 1 / 4;
const TEXT_WORK = 2;
const STEP_TEXTS = 128;

/** Days that seconds of 32 bits have: 49,711, so that each fits into 16 bits. */
const DAYS = dayOf(2 ** 32 - 1) + 1;

export class FactsRows {
  readonly #numbers: Float64Array;
  readonly #seconds: Uint32Array;
  readonly #circumstances: Uint32Array;
  readonly #parts: (id: number) => FactParts;
  readonly #onPiece: (piece: EncodedFacts) => void;
  #count = 0;
  #isSorted = true;

  /**
   * @param textOf circumstances (src/format/circumstances.ts) by the id that rows are added with
   * @param onPiece takes what a full piece makes: the rows that were added since the one before
   */
  constructor(textOf: (id: number) => string, onPiece: (piece: EncodedFacts) => void, pieceRows = PIECE_ROWS) {
    this.#numbers = new Float64Array(pieceRows);
    this.#seconds = new Uint32Array(pieceRows);
    this.#circumstances = new Uint32Array(pieceRows);
    this.#parts = (id) => factPartsOf(textOf(id));
    this.#onPiece = onPiece;
  }

  /** A detection: it counts on its last day and, as an aggregate of several days, on its first. Seconds since 1970. */
  add(number: number, firstSeenAt: number, observedAt: number, circumstances: number): void {
    this.#push(number, firstSeenAt, circumstances);
    if (dayOf(firstSeenAt) !== dayOf(observedAt)) this.#push(number, observedAt, circumstances);
  }

  #push(number: number, second: number, circumstances: number): void {
    if (this.#count === this.#numbers.length) this.finish();
    const at = this.#count++;
    if (at > 0 && number < (this.#numbers[at - 1] as number)) this.#isSorted = false;
    this.#numbers[at] = number;
    this.#seconds[at] = second;
    this.#circumstances[at] = circumstances;
  }

  /** Whether another detection might not fit into the present piece, and would finish it at once. */
  get isFull(): boolean {
    return this.#count + 2 > this.#numbers.length;
  }

  /** Makes a piece of what is left. */
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

  *#encode(): Steps<EncodedFacts | null> {
    const count = this.#count;
    const { kinds, kindOf, linkHigh, linkLow } = yield* this.#facts();
    const numbers = this.#numbers;
    const seconds = this.#seconds;
    const circumstances = this.#circumstances;
    const compare = (a: number, b: number) => {
      const [x, y] = [circumstances[a] as number, circumstances[b] as number];
      return (
        (kindOf[x] as number) - (kindOf[y] as number) ||
        (linkHigh[x] as number) - (linkHigh[y] as number) ||
        (linkLow[x] as number) - (linkLow[y] as number)
      );
    };
    const days = new Uint16Array(count);
    for (let row = 0; row < count; row++) days[row] = dayOf(seconds[row] as number);
    yield rowWork(count);
    const order = yield* this.#orderByDay(days);
    const encoder = new FactsEncoder(kinds);
    let stepEnd = 0;
    for (let from = 0; from < count; ) {
      if (from >= stepEnd) {
        yield STEP_ROWS * ROW_WORK;
        stepEnd = from + STEP_ROWS;
      }
      const first = order[from] as number;
      const number = numbers[first] as number;
      const day = days[first] as number;
      let to = from + 1;
      for (; to < count; to++) {
        const row = order[to] as number;
        if (numbers[row] !== number || days[row] !== day) break;
      }
      if (to - from > 1) order.subarray(from, to).sort(compare);
      for (; from < to; from++) {
        const row = order[from] as number;
        const id = circumstances[row] as number;
        encoder.add(
          day,
          number,
          kindOf[id] as number,
          linkHigh[id] as number,
          linkLow[id] as number,
          seconds[row] as number,
        );
      }
    }
    return encoder.finish();
  }

  /** The kinds in use, ascending, and by circumstances what their rows keep. */
  *#facts() {
    const used = this.#circumstances.subarray(0, this.#count);
    let ids = 0;
    for (let row = 0; row < used.length; row++) ids = Math.max(ids, (used[row] as number) + 1);
    const linkHigh = new Uint32Array(ids);
    const linkLow = new Uint32Array(ids);
    const isKnown = new Uint8Array(ids);
    const metAs = new Uint32Array(ids);
    const met = new Map<string, number>();
    let parsed = 0;
    for (let row = 0; row < used.length; row++) {
      const id = used[row] as number;
      if (isKnown[id] === 1) continue;
      isKnown[id] = 1;
      const parts = this.#parts(id);
      linkHigh[id] = parts.linkHigh;
      linkLow[id] = parts.linkLow;
      const known = met.get(parts.kindText) ?? met.size;
      met.set(parts.kindText, known);
      metAs[id] = known;
      if (++parsed % STEP_TEXTS === 0) yield STEP_TEXTS * TEXT_WORK;
    }
    const kinds = [...met.keys()].sort();
    const ranks = new Uint32Array(kinds.length);
    kinds.forEach((text, rank) => {
      ranks[met.get(text) ?? 0] = rank;
    });
    return { kinds, kindOf: metAs.map((id) => ranks[id] as number), linkHigh, linkLow };
  }

  /** The order of the rows by day, then number: a counting sort, stable, of the order by number. */
  *#orderByDay(days: Uint16Array): Steps<Uint32Array> {
    const count = days.length;
    const byNumber = this.#isSorted ? null : yield* sortedOrderSteps(this.#numbers, count);
    const next = new Uint32Array(DAYS + 1);
    for (let row = 0; row < count; row++) {
      const bucket = (days[row] as number) + 1;
      next[bucket] = (next[bucket] as number) + 1;
    }
    for (let bucket = 1; bucket < next.length; bucket++) {
      next[bucket] = (next[bucket] as number) + (next[bucket - 1] as number);
    }
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const row = byNumber === null ? i : (byNumber[i] as number);
      const bucket = days[row] as number;
      const at = next[bucket] as number;
      order[at] = row;
      next[bucket] = at + 1;
    }
    yield rowWork(count);
    return order;
  }
}
