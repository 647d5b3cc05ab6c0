/** Excluded rows: which rows of a batch belong to which source, and the same batch without some of them. */

import type { ActivityKey } from '../format/activity.ts';
import type { Batch } from '../format/batch.ts';
import type { SourceId, SourceName } from '../format/source.ts';
import { jsonWork, type Pacer } from '../lib/cooperate.ts';
import type { ObjectStore } from '../storage/store.ts';
import { batchesOfSet, EMPTY_BATCH_SET, excludedRowsOf } from './batch-set.ts';
import type { Ledger } from './ledger.ts';

/** What of a batch is not in the inventory. */
export interface ExcludedOfBatch {
  /** All of it. */
  readonly every: boolean;
  readonly sources: ReadonlySet<SourceName>;
  /** Numbers left out of what a source reported. */
  readonly numbers: ReadonlyMap<SourceName, ReadonlySet<number>>;
}

export const NOTHING_EXCLUDED: ExcludedOfBatch = { every: false, sources: new Set(), numbers: new Map() };

/** The batch without the rows of an omission; the batch itself if it has none of them. */
export function without(batch: Batch, { every, sources, numbers }: ExcludedOfBatch): Batch {
  if (every) return selectRows(batch, () => false);
  if (sources.size === 0 && numbers.size === 0) return batch;
  const isOut = batch.keys.map(({ source }) => sources.has(source));
  const numbersOut = batch.keys.map(({ source }) => numbers.get(source));
  return selectRows(batch, (id, number) => isOut[id] !== true && numbersOut[id]?.has(number) !== true);
}

/** Only the rows of one source, without some numbers. */
export function only(
  batch: Batch,
  { source, every }: Pick<SourceId, 'source' | 'every'>,
  numbersOut: ReadonlySet<number>,
): Batch {
  const isOwn = batch.keys.map((key) => every === true || key.source === source);
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

/** In the same order, with only the attributes that are left: the merge must not meet those of excluded rows. */
function selectRows(batch: Batch, isKept: (attributesIndex: number, number: number) => boolean): Batch {
  const { rows, numbers, attributesIndex, attributes } = batch;
  const kept = new Uint32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (isKept(attributesIndex[row] as number, numbers[row] as number)) kept[count++] = row;
  }
  if (count === rows) return batch;
  const order = kept.subarray(0, count);
  const left: number[] = [];
  const newIds = new Int32Array(attributes.length).fill(-1);
  const renumbered = picked(attributesIndex, order).map((id) => {
    if (newIds[id] === -1) newIds[id] = left.push(id) - 1;
    return newIds[id] as number;
  });
  const leftIds = Uint32Array.from(left);
  const keptNumbers = new Float64Array(count);
  for (let i = 0; i < count; i++) keptNumbers[i] = numbers[order[i] as number] as number;
  return {
    ...batch,
    rows: count,
    numbers: keptNumbers,
    observedAt: picked(batch.observedAt, order),
    firstSeenAt: picked(batch.firstSeenAt, order),
    sightings: picked(batch.sightings, order),
    attributesIndex: renumbered,
    attributes: left.map((id) => attributes[id] as string),
    keys: left.map((id) => batch.keys[id] as ActivityKey),
    linkHigh: picked(batch.linkHigh, leftIds),
    linkLow: picked(batch.linkLow, leftIds),
  };
}

function picked(column: Uint32Array, rows: Uint32Array): Uint32Array {
  const values = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i] as number] as number;
  return values;
}

// What a generation's inventory does not have of its batches, batch by batch, as its ledger says.

/** A batch of a batch set that is looked at, in records of a merge. */
const BATCH_WORK = 1 / 4;

/** Whoever uploads one line at a time makes a hundred thousand batches that lack the same: they share what says so. */
class Omissions {
  readonly all = new Map<string, ExcludedOfBatch>();
  readonly #owned = new Map<string, Collected>();

  add(id: string, added: ExcludedOfBatch): void {
    const found = this.all.get(id);
    if (found === added) return;
    if (found === undefined) {
      this.all.set(id, added);
      return;
    }
    const own = this.#owned.get(id) ?? {
      every: found.every,
      sources: new Set(found.sources),
      numbers: new Map(found.numbers),
    };
    this.#owned.set(id, own);
    this.all.set(id, own);
    own.every ||= added.every;
    for (const source of added.sources) own.sources.add(source);
    for (const [source, numbers] of added.numbers) {
      own.numbers.set(source, new Set([...(own.numbers.get(source) ?? []), ...numbers]));
    }
  }
}

interface Collected {
  every: boolean;
  readonly sources: Set<SourceName>;
  readonly numbers: Map<SourceName, ReadonlySet<number>>;
}

/**
 * By id of batch. Rejects when a page cannot be read.
 * @param isWanted batches that are asked for
 */
export async function readExcludedRows(
  objects: ObjectStore,
  ledger: Ledger,
  pace: Pacer,
  isWanted: (id: string) => boolean = () => true,
): Promise<ReadonlyMap<string, ExcludedOfBatch>> {
  const omissions = new Omissions();
  // A batch has one owner, so that the name alone tells whose rows are meant.
  for (const { source, every, held, due, dropped } of ledger.cases) {
    const own = { every: every === true, sources: new Set(every === true ? [] : [source]), numbers: new Map() };
    for (const set of [held, due, dropped]) {
      for (const { id } of await batchesOfSet(objects, set, pace)) {
        if (isWanted(id)) omissions.add(id, own);
        if (pace.count(BATCH_WORK)) await pace.giveWay();
      }
    }
  }
  const shared = new Map<string, ExcludedOfBatch>();
  for await (const { batch, source, numbers } of excludedRowsOf(objects, ledger, pace)) {
    if (pace.count(BATCH_WORK)) await pace.giveWay();
    if (!isWanted(batch)) continue;
    const text = JSON.stringify([source, numbers]);
    const own = shared.get(text) ?? {
      every: false,
      sources: new Set<SourceName>(),
      numbers: new Map([[source, new Set(numbers)]]),
    };
    shared.set(text, own);
    omissions.add(batch, own);
    if (pace.count(jsonWork(text.length))) await pace.giveWay();
  }
  return omissions.all;
}

/** How many pages of held batches are read to tell which they are: some 100,000 batches. */
const MAX_HELD_PAGES = 100;

/** Rows that are held back, by batch; of more batches than fit, the latest. Rejects when a page cannot be read. */
export async function readHeld(
  objects: ObjectStore,
  ledger: Ledger,
  pace: Pacer,
): Promise<ReadonlyMap<string, number>> {
  const rows = new Map<string, number>();
  let left = MAX_HELD_PAGES;
  for (const { held } of ledger.cases) {
    const pages = held.pages.slice(Math.max(0, held.pages.length - left));
    left -= pages.length;
    for (const one of await batchesOfSet(objects, { ...held, pages }, pace)) {
      rows.set(one.id, (rows.get(one.id) ?? 0) + one.rows);
      if (pace.count(BATCH_WORK)) await pace.giveWay();
    }
  }
  return rows;
}

/** What was dropped, batch by batch. Rejects when a page cannot be read. */
export async function readDropped(
  objects: ObjectStore,
  ledger: Ledger,
  pace: Pacer,
): Promise<ReadonlyMap<string, ExcludedOfBatch>> {
  const cases = ledger.cases.map((one) => ({ ...one, held: EMPTY_BATCH_SET, due: EMPTY_BATCH_SET }));
  return readExcludedRows(objects, { ...ledger, cases, leftOut: [], leftOutPage: null }, pace);
}
