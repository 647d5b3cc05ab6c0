/** Facts folded into objects of a bounded size. */
import { type EncodedFacts, FactsEncoder } from '../format/facts.ts';
import type { FactsSink } from '../format/facts-columns.ts';
import { FactsCursor, FoldedKinds, foldDay } from '../format/facts-fold.ts';
import type { FactsInput } from '../format/facts-open.ts';
import type { Pacer } from '../lib/cooperate.ts';

/**
 * Bytes of blocks at which an object ends: about a million rows. A reader holds a few of its days, and a tick one such
 * object while it is made.
 */
export const OBJECT_BYTES = 8 * 2 ** 20;

export interface FoldLimits {
  readonly objectBytes?: number;
  /** UTC days since 1970, both included. */
  readonly from?: number;
  readonly to?: number;
  /** Numbers whose rows are left out. */
  readonly without?: { has(number: number): boolean };
}

/** Folds objects into new ones (foldSteps), giving way on the way. */
export async function* foldObjectsPaced(
  pace: Pacer,
  inputs: readonly FactsInput[],
  limits: FoldLimits = {},
): AsyncGenerator<EncodedFacts> {
  for (const one of foldSteps(inputs, limits)) {
    if (typeof one !== 'number') yield one;
    else if (pace.count(one)) await pace.giveWay();
  }
}

/** The same at once. */
export function* foldObjects(inputs: readonly FactsInput[], limits: FoldLimits = {}): Generator<EncodedFacts> {
  for (const one of foldSteps(inputs, limits)) if (typeof one !== 'number') yield one;
}

/**
 * Folds objects into new ones, and tells what work is done meanwhile. A new one begins with a day that might not fit whole, and within a day that is larger
 * than an object. Throws FormatError when an input is damaged.
 */
function* foldSteps(inputs: readonly FactsInput[], limits: FoldLimits): Generator<number | EncodedFacts> {
  const { objectBytes = OBJECT_BYTES, from = 0, to = Number.POSITIVE_INFINITY, without } = limits;
  const kinds = new FoldedKinds(inputs.map(({ directory }) => directory));
  const cursors = inputs.map((input) => new FactsCursor(input, kinds.numbersOf(input.directory)));
  const dayBytes = bytesByDay(inputs);
  const writer = new ObjectWriter(kinds.texts, objectBytes);
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
    yield* writer.take();
  }
  writer.end();
  yield* writer.take();
}

function sinkWithout(sink: FactsSink, numbers: { has(number: number): boolean }): FactsSink {
  return {
    add(day, number, kind, linkHigh, linkLow, firstSeenAt) {
      if (!numbers.has(number)) sink.add(day, number, kind, linkHigh, linkLow, firstSeenAt);
    },
  };
}

/** Of all inputs together: about what the fold of the day takes, at most. */
function bytesByDay(inputs: readonly FactsInput[]): Map<number, number> {
  const byDay = new Map<number, number>();
  for (const { directory } of inputs) {
    for (const { day, bytes } of directory.blocks) byDay.set(day, (byDay.get(day) ?? 0) + bytes);
  }
  return byDay;
}

class ObjectWriter implements FactsSink {
  readonly #kinds: readonly string[];
  readonly #objectBytes: number;
  #encoder: FactsEncoder;
  #finished: EncodedFacts[] = [];

  constructor(kinds: readonly string[], objectBytes: number) {
    this.#kinds = kinds;
    this.#objectBytes = objectBytes;
    this.#encoder = new FactsEncoder(kinds);
  }

  beginDay(bytes: number): void {
    if (this.#encoder.blockBytes + bytes > this.#objectBytes) this.end();
  }

  add(day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    if (this.#encoder.blockBytes >= this.#objectBytes) this.end();
    this.#encoder.add(day, number, kind, linkHigh, linkLow, firstSeenAt);
  }

  end(): void {
    const object = this.#encoder.finish();
    if (object === null) return;
    this.#finished.push(object);
    this.#encoder = new FactsEncoder(this.#kinds);
  }

  /** The objects that are finished. */
  take(): EncodedFacts[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }
}
