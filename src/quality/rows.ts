/** Batches by source: whose rows are which, and the same batch with some of them left out. */
import type { Batch } from '../format/batch.ts';
import type { SourceId, SourceName } from './source-id.ts';

/** What of a batch is not in the inventory. */
export interface Omission {
  /** All of it. */
  readonly every: boolean;
  readonly sources: ReadonlySet<SourceName>;
  /** Numbers left out of what a source reported. */
  readonly numbers: ReadonlyMap<SourceName, ReadonlySet<number>>;
}

export const NOTHING_OMITTED: Omission = { every: false, sources: new Set(), numbers: new Map() };

/** The batch without the rows of an omission; the batch itself if it has none of them. */
export function without(batch: Batch, { every, sources, numbers }: Omission): Batch {
  if (every) return selectRows(batch, () => false);
  if (sources.size === 0 && numbers.size === 0) return batch;
  const ofCircumstance = batch.sources;
  const isOut = ofCircumstance.map((source) => sources.has(source));
  const numbersOut = ofCircumstance.map((source) => numbers.get(source));
  return selectRows(batch, (id, number) => isOut[id] !== true && numbersOut[id]?.has(number) !== true);
}

/** Only the rows of one source, without some numbers. */
export function only(
  batch: Batch,
  { source, every }: Pick<SourceId, 'source' | 'every'>,
  numbersOut: ReadonlySet<number>,
): Batch {
  const isOwn = batch.sources.map((name) => every === true || name === source);
  return selectRows(batch, (id, number) => isOwn[id] === true && !numbersOut.has(number));
}

/** Only the rows of some numbers, ascending. */
export function ofNumbers(batch: Batch, numbers: Float64Array): Batch {
  let at = 0;
  return selectRows(batch, (_, number) => {
    // Rows are in number order.
    while (at < numbers.length && (numbers[at] as number) < number) at += 1;
    return numbers[at] === number;
  });
}

/** In the same order, with only the circumstances that are left: the merge must not meet those of rows left out. */
function selectRows(batch: Batch, isKept: (circumstance: number, number: number) => boolean): Batch {
  const { rows, numbers, circumstance, circumstances } = batch;
  const kept = new Uint32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (isKept(circumstance[row] as number, numbers[row] as number)) kept[count++] = row;
  }
  if (count === rows) return batch;
  const order = kept.subarray(0, count);
  const texts: string[] = [];
  const sources: SourceName[] = [];
  const newIds = new Int32Array(circumstances.length).fill(-1);
  const renumbered = picked(circumstance, order).map((id) => {
    if (newIds[id] === -1) {
      newIds[id] = texts.push(circumstances[id] as string) - 1;
      sources.push(batch.sources[id] ?? null);
    }
    return newIds[id] as number;
  });
  const keptNumbers = new Float64Array(count);
  for (let i = 0; i < count; i++) keptNumbers[i] = numbers[order[i] as number] as number;
  return {
    ...batch,
    rows: count,
    numbers: keptNumbers,
    observedAt: picked(batch.observedAt, order),
    firstSeenAt: picked(batch.firstSeenAt, order),
    sightings: picked(batch.sightings, order),
    circumstance: renumbered,
    circumstances: texts,
    sources,
  };
}

function picked(column: Uint32Array, rows: Uint32Array): Uint32Array {
  const values = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i] as number] as number;
  return values;
}
