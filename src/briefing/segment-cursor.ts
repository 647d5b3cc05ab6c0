/** Records of several segments side by side, in number order; what several know of one number becomes one record. */
import { STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import type { LabelSets } from './label-sets.ts';

/** By rank. */
export interface InventoryColumns {
  /** Ascending, distinct. */
  readonly numbers: Float64Array;
  /** UTC days since 1970. */
  readonly firstDay: Float64Array;
  /** UTC days since 1970; empty where only first days are asked for. */
  readonly lastDay: Float64Array;
  /** Ids of sets of labels; likewise. */
  readonly labels: Float64Array;
}

/** Takes the records of ranks [from, to). Called for runs of records and not for each: there are tens of millions. */
export type Visit = (columns: InventoryColumns, from: number, to: number) => void;

export class SegmentCursor {
  readonly columns: InventoryColumns;
  rank: number;

  constructor(columns: InventoryColumns, rank: number) {
    this.columns = columns;
    this.rank = rank;
  }

  /** The number it stands on; infinity at the end. */
  get number(): number {
    const { numbers } = this.columns;
    return this.rank < numbers.length ? (numbers[this.rank] as number) : Number.POSITIVE_INFINITY;
  }
}

/** A record that is visited, most of which are only counted, against one of a merge. */
const RECORD_WORK = 1 / 32;

/** Visits the records below `limit` and returns the cursors that have any left. */
export function* visitInOrder(
  cursors: readonly SegmentCursor[],
  limit: number,
  labelSets: LabelSets,
  visit: Visit,
): Steps<SegmentCursor[]> {
  const shared = oneRecord();
  for (;;) {
    let first: SegmentCursor | undefined;
    let number = limit;
    // Up to where no other cursor has a number.
    let end = limit;
    let isShared = false;
    for (const cursor of cursors) {
      const other = cursor.number;
      if (other < number) {
        end = number;
        number = other;
        first = cursor;
        isShared = false;
      } else if (other === number && first !== undefined) isShared = true;
      else if (other < end) end = other;
    }
    if (first === undefined) break;
    if (isShared) {
      visitShared(cursors, number, shared, labelSets, visit);
      yield RECORD_WORK;
    } else yield visitStretch(first, end, visit) * RECORD_WORK;
  }
  return cursors.filter((cursor) => cursor.number !== Number.POSITIVE_INFINITY);
}

/** Returns how many records were visited: one that has more before `end` is gone on with by the next turn. */
function visitStretch(cursor: SegmentCursor, end: number, visit: Visit): number {
  const { columns, rank } = cursor;
  const { numbers } = columns;
  let to = rank + 1;
  const most = Math.min(numbers.length, rank + STEP_ROWS);
  while (to < most && (numbers[to] as number) < end) to += 1;
  cursor.rank = to;
  visit(columns, rank, to);
  return to - rank;
}

/** A record of its own, for a number that several cursors stand on. */
function oneRecord(): InventoryColumns {
  return {
    numbers: new Float64Array(1),
    firstDay: new Float64Array(1),
    lastDay: new Float64Array(1),
    labels: new Float64Array(1),
  };
}

function visitShared(
  cursors: readonly SegmentCursor[],
  number: number,
  shared: InventoryColumns,
  labelSets: LabelSets,
  visit: Visit,
): void {
  let firstDay = Number.POSITIVE_INFINITY;
  let lastDay = 0;
  let labels = -1;
  for (const cursor of cursors) {
    if (cursor.number !== number) continue;
    const { columns, rank } = cursor;
    cursor.rank += 1;
    firstDay = Math.min(firstDay, columns.firstDay[rank] as number);
    if (columns.labels.length === 0) continue;
    lastDay = Math.max(lastDay, columns.lastDay[rank] as number);
    const own = columns.labels[rank] as number;
    labels = labels < 0 ? own : labelSets.union(labels, own);
  }
  shared.numbers[0] = number;
  shared.firstDay[0] = firstDay;
  shared.lastDay[0] = lastDay;
  shared.labels[0] = labels;
  visit(shared, 0, 1);
}
