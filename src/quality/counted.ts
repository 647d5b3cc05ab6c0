/** What the uploads in hand say of their sources, before anything of them is merged. */
import type { Batch } from '../format/batch.ts';
import { lowerBound } from '../format/lower-bound.ts';
import { rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { type Figures, NO_FIGURES } from './figures.ts';
import type { Owner, SourceName } from './source-id.ts';

/** Numbers that are on record already: ascending, with a 1 for each that is known. */
export interface Known {
  readonly numbers: Float64Array;
  readonly isKnown: Uint8Array;
}

/** Of one batch, by source. */
export interface CountedBatch {
  readonly owner: Owner;
  readonly figures: ReadonlyMap<SourceName, Figures>;
  /** Detections of canaries: number to detections. */
  readonly hits: ReadonlyMap<SourceName, ReadonlyMap<number, number>>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * @param canaries ascending
 * @param known has every number of the batch
 */
export function* countBatch(batch: Batch, canaries: Float64Array, known: Known): Steps<CountedBatch> {
  const figures = new Map<SourceName, Writable<Figures>>();
  const of = (source: SourceName) => {
    const found = figures.get(source) ?? { ...NO_FIGURES };
    figures.set(source, found);
    return found;
  };
  for (const { source, lines, unassigned, invalid, fixedLine } of batch.receipt.sources ?? []) {
    // Those beyond the named ones are too small to be judged by what their lines were like.
    if (source === undefined) continue;
    Object.assign(of(source), { lines, unassigned, invalid, fixedLine });
  }
  yield* countRows(batch, known, of);
  return { owner: batch.receipt.owner ?? {}, figures, hits: findHits(batch, canaries) };
}

/** Adds the rows to the figures: half a million in a tick, so by index and in typed arrays. Numbers ascend together. */
function* countRows(
  { rows, numbers, circumstance, sources: names }: Batch,
  { numbers: looked, isKnown }: Known,
  of: (source: SourceName) => Writable<Figures>,
): Steps<void> {
  const sources = [...new Set(names)];
  const indexOf = new Map(sources.map((source, index) => [source, index]));
  const sourceOf = Uint32Array.from(names, (name) => indexOf.get(name) ?? 0);
  const accepted = new Uint32Array(sources.length);
  const distinct = new Uint32Array(sources.length);
  const known = new Uint32Array(sources.length);
  /** By source: its number is to count once, whatever its circumstances. */
  const lastNumber = new Float64Array(sources.length);
  // Batches of a tick are looked up together: where this one begins is searched for, not walked to.
  let at = rows === 0 ? 0 : lowerBound(looked, numbers[0] as number);
  for (let row = 0; row < rows; row++) {
    if (row % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
    const number = numbers[row] as number;
    const source = sourceOf[circumstance[row] as number] as number;
    while (at < looked.length && (looked[at] as number) < number) at += 1;
    accepted[source] = (accepted[source] as number) + 1;
    if (lastNumber[source] === number) continue;
    lastNumber[source] = number;
    distinct[source] = (distinct[source] as number) + 1;
    if (looked[at] === number) known[source] = (known[source] as number) + (isKnown[at] as number);
  }
  sources.forEach((source, index) => {
    const figures = of(source);
    figures.accepted += accepted[index] as number;
    figures.numbers += distinct[index] as number;
    figures.known += known[index] as number;
  });
}

/** There are few canaries, and rows are in number order: each is looked for. */
function findHits(
  { rows, numbers, circumstance, sources: names }: Batch,
  canaries: Float64Array,
): CountedBatch['hits'] {
  const hits = new Map<SourceName, Map<number, number>>();
  for (const canary of canaries) {
    for (let row = lowerBound(numbers, canary); row < rows && numbers[row] === canary; row++) {
      const source = names[circumstance[row] as number] ?? null;
      const ofSource = hits.get(source) ?? new Map<number, number>();
      hits.set(source, ofSource.set(canary, (ofSource.get(canary) ?? 0) + 1));
    }
  }
  return hits;
}
