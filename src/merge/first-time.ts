/** Which numbers of the batches at hand no run has: these are new. */
import type { Batch } from '../format/batch.ts';
import { type Run, runNumbers, type SegmentEntry } from '../format/manifest.ts';
import { openNumbersOnly } from '../format/numbers-slice.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import { rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import type { Known } from '../quality/screen.ts';
import { readNumbers } from '../storage/slices.ts';
import type { MergeContext } from './context.ts';

/** Distinct numbers of the batches, ascending: their rows are in number order, so lists are merged two by two. */
export function* distinctNumbers(batches: readonly Batch[]): Steps<Float64Array> {
  let lists = batches.map(({ numbers }) => numbers);
  // A single one may have numbers several times, too.
  do {
    const merged: Float64Array[] = [];
    for (let i = 0; i < lists.length; i += 2) {
      merged.push(yield* union(lists[i] ?? NONE, lists[i + 1] ?? NONE));
    }
    lists = merged;
  } while (lists.length > 1);
  return lists[0] ?? NONE;
}

const NONE = new Float64Array();

/** What is in either of two ascending lists, once each. */
function* union(a: Float64Array, b: Float64Array): Steps<Float64Array> {
  const out = new Float64Array(a.length + b.length);
  let count = 0;
  let last = -1;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = i < a.length ? (a[i] as number) : Number.POSITIVE_INFINITY;
    const y = j < b.length ? (b[j] as number) : Number.POSITIVE_INFINITY;
    const number = Math.min(x, y);
    if (number === x) i += 1;
    else j += 1;
    if (number !== last) out[count++] = number;
    last = number;
    if ((i + j) % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
  }
  return out.subarray(0, count);
}

/** A probe of a column in memory, and a column that may have been read and checked, in records of a merge. */
const PROBE_WORK = 1 / 4;
const COLUMN_WORK = 256;

/**
 * Which of the ascending numbers are in one of the runs. Reads the numbers column of each segment that one of them
 * falls into, unless all of those were found elsewhere; a few columns are in memory at a time.
 */
export async function findKnown(context: MergeContext, runs: readonly Run[], numbers: Float64Array): Promise<Known> {
  const { objects, pace } = context;
  // What the runs lost since the last tick would stay in memory until there is no more room: a third of it, of a
  // fortnight.
  context.numbers?.retain(runs.flatMap(({ segments }) => segments));
  const columnOf = async (entry: SegmentEntry) =>
    context.numbers?.load(entry) ?? openNumbersOnly(await readNumbers(objects, entry));
  const isKnown = new Uint8Array(numbers.length);
  // The largest run first, which has most of what is known: what it has is not looked for in the others.
  for (const run of runs.toSorted((a, b) => runNumbers(b) - runNumbers(a))) {
    await mapConcurrent(sharesOf(run, numbers), async ({ entry, start, end }) => {
      const unknown = isKnown.indexOf(0, start);
      if (unknown < 0 || unknown >= end) return;
      const column = await columnOf(entry);
      if (pace.count(COLUMN_WORK)) await pace.giveWay();
      for (let i = start; i < end; i++) {
        if (isKnown[i] === 1) continue;
        if (column.has(numbers[i] as number)) isKnown[i] = 1;
        if (pace.count(PROBE_WORK)) await pace.giveWay();
      }
    });
  }
  return { numbers, isKnown };
}

/** How many of the numbers, ascending and each of them looked for, were not known. */
export function* countNew(numbers: Float64Array, { numbers: looked, isKnown }: Known): Steps<number> {
  let count = 0;
  let at = 0;
  for (let i = 0; i < numbers.length; i++) {
    if (i % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
    const number = numbers[i] as number;
    while (at < looked.length && (looked[at] as number) < number) at += 1;
    if (looked[at] === number) count += 1 - (isKnown[at] as number);
  }
  return count;
}

/** The segments of a run that numbers fall into, each with those numbers' place in the list. */
function* sharesOf({ segments }: Run, numbers: Float64Array) {
  let end = 0;
  for (const entry of segments) {
    while (end < numbers.length && (numbers[end] as number) < entry.first) end += 1;
    const start = end;
    while (end < numbers.length && (numbers[end] as number) <= entry.last) end += 1;
    if (start < end) yield { entry, start, end };
  }
}
