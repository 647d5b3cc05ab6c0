/**
 * The exact counts: every number of the inventory once, in the oldest run that has it, and what a compaction has
 * merged so far. One column of each run is in memory at a time.
 */
import type { Manifest, Run, SegmentEntry } from '../../src/format/manifest.ts';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { readColumn } from '../../src/store/columns.ts';
import { MANIFEST_KEY } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { type Look, LookError, REBUILD } from './look.ts';

/** Each run takes up to 1 MiB; a store in order has at most five. */
const MAX_RUNS = 256;

/** Checks `firstHere` of every run, and the size of a compaction's output. All segments must be known to be whole. */
export async function checkNumbers(look: Look, manifest: Manifest): Promise<void> {
  const { objects, findings, progress } = look;
  const { runs, compaction, withdrawals } = manifest;
  const check = findings.begin('numbers, each counted once');
  progress.begin('counting numbers');
  const counted = await countNumbers(objects, runs, compaction, (numbers) => progress.advance(numbers));
  check.looked = counted.firstHere.reduce((sum, count) => sum + count, 0);
  runs.forEach(({ id, firstHere }, i) => {
    const found = counted.firstHere[i];
    if (found === firstHere) return;
    const what = `says that ${firstHere} numbers of run ${id} are in no older run; there are ${found}`;
    check.error(MANIFEST_KEY, what, `Lookups are right, totals are not. ${REBUILD}`);
  });
  // One that takes withdrawn batches out has other numbers than its runs.
  if (withdrawals?.replacing === true) return;
  const written = (compaction?.output ?? []).reduce((sum, { count }) => sum + count, 0);
  if (written !== counted.compacted) {
    const what = `has a compaction that wrote ${written} numbers where its runs have ${counted.compacted}`;
    check.error(MANIFEST_KEY, what, `When it ends, numbers are lost. Stop the ticks. ${REBUILD}`);
  }
}

interface Counted {
  /** By run, as in the manifest: its numbers that are in no older run. */
  readonly firstHere: readonly number[];
  /** Distinct numbers of the compaction's inputs in the part that it has merged. */
  readonly compacted: number;
}

async function countNumbers(
  objects: ObjectStore,
  runs: readonly Run[],
  compaction: Manifest['compaction'],
  onSegment: (numbers: number) => void,
): Promise<Counted> {
  if (runs.length > MAX_RUNS) throw new LookError(`the manifest has ${runs.length} runs, expected ${MAX_RUNS} at most`);
  const cursors = runs.map(({ segments }) => new NumbersCursor(objects, segments, onSegment));
  const isInput = runs.map(({ id }) => compaction?.inputs.includes(id) ?? false);
  const firstHere = runs.map(() => 0);
  let compacted = 0;
  for (const cursor of cursors) await cursor.load();
  // Every turn moves at least one cursor on, so it ends with the segments.
  for (;;) {
    let number = Number.POSITIVE_INFINITY;
    for (const cursor of cursors) if (cursor.number < number) number = cursor.number;
    if (number === Number.POSITIVE_INFINITY) return { firstHere, compacted };
    let oldest = 0;
    let isCompacted = false;
    for (let i = 0; i < cursors.length; i++) {
      const cursor = cursors[i] as NumbersCursor;
      if (cursor.number !== number) continue;
      oldest = i;
      if (isInput[i] === true && number < (compaction?.resumeFrom ?? 0)) isCompacted = true;
      if (!cursor.advance()) await cursor.load();
    }
    firstHere[oldest] = (firstHere[oldest] as number) + 1;
    if (isCompacted) compacted += 1;
  }
}

/** The numbers of a run in order. */
class NumbersCursor {
  /** Infinity at the end. */
  number = Number.POSITIVE_INFINITY;
  readonly #objects: ObjectStore;
  readonly #segments: readonly SegmentEntry[];
  readonly #onSegment: (numbers: number) => void;
  #next = 0;
  #numbers = new Float64Array();
  #rank = 0;

  constructor(objects: ObjectStore, segments: readonly SegmentEntry[], onSegment: (numbers: number) => void) {
    this.#objects = objects;
    this.#segments = segments;
    this.#onSegment = onSegment;
  }

  /** To the next segment's first number, or to the end. */
  async load(): Promise<void> {
    this.#onSegment(this.#numbers.length);
    const entry = this.#segments[this.#next++];
    this.#rank = 0;
    if (entry === undefined) {
      this.#numbers = new Float64Array();
    } else {
      const column = openNumbersSlice(await readColumn(this.#objects, entry, 'numbers'));
      this.#numbers = new Float64Array(column.count);
      column.copyRange(0, column.count, this.#numbers);
    }
    this.number = this.#numbers[0] ?? Number.POSITIVE_INFINITY;
  }

  /** To the next number. Returns false when more must be loaded first. */
  advance(): boolean {
    this.#rank += 1;
    this.number = this.#numbers[this.#rank] ?? Number.POSITIVE_INFINITY;
    return this.#rank < this.#numbers.length;
  }
}
