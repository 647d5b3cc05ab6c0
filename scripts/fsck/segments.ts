/**
 * Checks segments, their slices, the exact counts of their numbers, and activity: each is there, whole, and as the
 * manifest says.
 */

import { GrowingActivity } from '../../src/format/activity.ts';
import { type FoldedKeys, foldKeys } from '../../src/format/activity-fold.ts';
import {
  type ActivityDirectory,
  type ActivityInput,
  openActivityObject,
  readActivityBlock,
} from '../../src/format/activity-object.ts';

import { EVIDENCE_BLOCK_NUMBERS, EvidenceBlock } from '../../src/format/evidence.ts';
import type { ActivityEntry, Manifest, Run, SegmentEntry } from '../../src/format/manifest.ts';
import { MAX_RECENT_AGE } from '../../src/format/recency.ts';
import {
  checkedSlice,
  numbersSlice,
  type OpenSegment,
  openSegment,
  pageOf,
  type SegmentShape,
  verdictsSlice,
} from '../../src/format/segment.ts';
import { type Bytes, FormatError } from '../../src/lib/bytes.ts';
import { finish, UNPACED } from '../../src/lib/cooperate.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { MANIFEST_KEY } from '../../src/storage/keys.ts';
import { openNumbers } from '../../src/storage/slices.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type Check, type FsckContext, FsckError, REBUILD } from './findings.ts';
import { segmentsInUse, type WithOutput } from './manifest.ts';

// A segment's bytes held against what the manifest says of it, down to each record.

export const SHAPE_FIELDS = [
  'first',
  'last',
  'count',
  'numbers',
  'verdictsBytes',
  'bytes',
  'parts',
] as const satisfies readonly (keyof SegmentShape)[];

/** Throws FormatError, without a number in its message, unless the bytes are the segment of this entry, undamaged. */
async function inspectSegment(bytes: Bytes, entry: SegmentEntry): Promise<void> {
  const segment = await openSegment(bytes, UNPACED);
  const differing = SHAPE_FIELDS.filter(
    (field) => JSON.stringify(segment.shape[field]) !== JSON.stringify(entry[field]),
  );
  if (differing.length > 0) throw new FormatError(`is another segment than the manifest says: ${differing.join(', ')}`);
  await inspectPages(bytes, segment);
  inspectNumbers(segment);
  inspectRecords(segment);
  inspectRecency(segment);
}

/** A merge goes by the hash of all pages together, a lookup by that of the page that it reads. */
async function inspectPages(file: Bytes, { shape, numbers }: OpenSegment): Promise<void> {
  const verdicts = verdictsSlice({ shape, file });
  for (let rank = 0; rank < shape.count; ) {
    const page = pageOf(shape, numbers, rank);
    await checkedSlice(verdicts.subarray(page.offset, page.offset + page.bytes), page);
    rank = page.rank + page.count;
  }
}

function inspectNumbers({ numbers }: OpenSegment): void {
  const all = numbers.all();
  for (let rank = 1; rank < all.length; rank++) {
    if ((all[rank - 1] as number) >= (all[rank] as number))
      throw new FormatError(`rank ${rank} is out of number order`);
  }
}

/** The parts that a segment is opened without: each record's verdict, each block of evidence. */
function inspectRecords(segment: OpenSegment): void {
  const { verdicts } = segment;
  for (let id = 0; id < verdicts.profileCount; id++) verdicts.profile(id);
  for (let rank = 0; rank < verdicts.count; rank++) {
    const sightings = verdicts.sightings(rank);
    if (!Number.isSafeInteger(sightings) || sightings < 1) {
      throw new FormatError(`rank ${rank} has ${sightings} sightings`);
    }
    if (verdicts.profileId(rank) >= verdicts.profileCount) {
      throw new FormatError(`rank ${rank} has a profile beyond the ${verdicts.profileCount} listed`);
    }
  }
  const blocks = Math.ceil(verdicts.count / EVIDENCE_BLOCK_NUMBERS);
  const columns = new EvidenceBlock();
  for (let block = 0; block < blocks; block++) {
    segment.readEvidence(block, columns);
    for (let i = 0; i < columns.own; i++) columns.ownText(i);
  }
}

/** The numbers slice tells the first seen of the newest; the verdicts tell it of all. */
function inspectRecency({ numbers: { recency }, verdicts }: OpenSegment): void {
  const { firstDay } = verdicts.all();
  const newest = firstDay.reduce((latest, day) => Math.max(latest, day), 0);
  firstDay.forEach((day, rank) => {
    const expected = newest - day <= MAX_RECENT_AGE ? day : -1;
    if (recency?.firstDay(rank) !== expected) throw new FormatError(`rank ${rank} is first seen on different days`);
  });
}

// Segments and their slices in KV: there, whole, and as the manifest says; one segment in memory at a time.

const SEGMENT_REMEDY = `Lookups of its numbers fail or will fail. ${REBUILD}`;

/** Every segment of the runs and of a compaction under way. Returns whether all are whole. */
export async function checkSegmentsInUse(context: FsckContext, { manifest, output }: WithOutput): Promise<boolean> {
  const { objects, findings, progress } = context;
  const check = findings.begin('segments in use');
  const slices = findings.begin('slices in KV');
  const missingSlices = new Set(manifest.missingSlices);
  const young = manifest.runs.filter((run) => run.noSlices).flatMap(({ segments }) => segments);
  const unsliced = new Set(young.map(({ key }) => key));
  const entries = segmentsInUse(manifest, output);
  const damaged = new Set<string>();
  progress.begin('segments in use', entries.length);
  for (const entry of entries) {
    const file = await checkSegment(objects, entry, check, SEGMENT_REMEDY);
    if (file === null) damaged.add(entry.key);
    if (missingSlices.has(entry.key)) findings.count('segments whose slices a later tick will put into KV', 1);
    else if (file !== null && !unsliced.has(entry.key)) await checkSlices(context, entry, file, slices);
    progress.advance();
  }
  const whole = entries.filter(({ key }) => !damaged.has(key));
  await checkPacks(objects, whole, check);
  if (check.errors > 0) slices.skip('not for the segments with errors');
  return check.errors === 0;
}

/** The bytes of a segment, or null, with a problem told, if it is missing, damaged or another. */
export async function checkSegment(
  objects: ObjectStore,
  entry: SegmentEntry,
  check: Check,
  remedy: string,
): Promise<Bytes | null> {
  check.looked += 1;
  try {
    const bytes = await objects.getRange(entry.key, entry.offset, entry.bytes);
    if (bytes === null) throw new RangeError('is missing');
    await inspectSegment(bytes, entry);
    return bytes;
  } catch (error) {
    check.error(entry.key, messageOf(error), remedy);
    return null;
  }
}

/** Segments follow one another in their objects, and nothing else is there. */
async function checkPacks(objects: ObjectStore, entries: readonly SegmentEntry[], check: Check): Promise<void> {
  for (const [key, segments] of Map.groupBy(entries, (entry) => entry.key)) {
    const ordered = segments.toSorted((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { offset, bytes } of ordered) {
      if (offset !== end)
        check.error(key, `has a segment at ${offset} where the one before ends at ${end}`, SEGMENT_REMEDY);
      end = offset + bytes;
    }
    const head = await objects.head(key).catch(() => null);
    if (head !== null && head.sizeBytes !== end) {
      check.error(key, `has ${head.sizeBytes} bytes where its segments end at ${end}`, SEGMENT_REMEDY);
    }
  }
}

async function checkSlices({ slices }: FsckContext, entry: SegmentEntry, file: Bytes, check: Check): Promise<void> {
  const columns = [{ name: 'numbers', key: entry.numbers.sha256, expected: numbersSlice({ shape: entry, file }) }];
  if (entry.parts !== null) {
    const { sha256 } = entry.parts.verdicts;
    columns.push({ name: 'verdicts', key: sha256, expected: verdictsSlice({ shape: entry, file }) });
  }
  for (const { name, key, expected } of columns) {
    check.looked += 1;
    const what = `of the ${name} of ${entry.key}`;
    try {
      const found = await slices.get(key);
      if (found === null) {
        check.warning(
          key,
          `is missing: the slice ${what}`,
          'Nothing needs to be done: it is read from R2, more slowly.',
        );
      } else if (!isSame(found, expected)) {
        const remedy = 'Delete this key from KV: it is read from R2 until the segment is next rewritten.';
        check.error(key, `is not the slice ${what}: expected its ${expected.length} bytes, found others`, remedy);
      }
    } catch (error) {
      check.error(key, `could not be read: the slice ${what}: ${messageOf(error)}`, 'FsckContext at KV; check again.');
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

// The exact counts: every number of the inventory once, in the oldest run that has it, and what a compaction has
// merged so far. One column of each run is in memory at a time.

/** Each run takes up to 1 MiB; a store in order has at most five. */
const MAX_RUNS = 256;

/** Checks `newNumbers` of every run, and the size of a compaction's output. All segments must be known to be whole. */
export async function checkNumbers(context: FsckContext, { manifest, output }: WithOutput): Promise<void> {
  const { objects, findings, progress } = context;
  const { runs, compaction, withdrawals } = manifest;
  const check = findings.begin('numbers, each counted once');
  progress.begin('counting numbers');
  const counted = await countNumbers(objects, runs, compaction, (numbers) => progress.advance(numbers));
  check.looked = counted.newNumbers.reduce((sum, count) => sum + count, 0);
  runs.forEach(({ id, newNumbers }, i) => {
    const found = counted.newNumbers[i];
    if (found === newNumbers) return;
    const what = `says that ${newNumbers} numbers of run ${id} are in no older run; there are ${found}`;
    check.error(MANIFEST_KEY, what, `Lookups are right, totals are not. ${REBUILD}`);
  });
  // One that takes withdrawn batches out has other numbers than its runs.
  if (withdrawals?.replacing === true || output === null) return;
  const written = output.reduce((sum, { count }) => sum + count, 0);
  if (written !== counted.compacted) {
    const what = `has a compaction that wrote ${written} numbers where its runs have ${counted.compacted}`;
    check.error(MANIFEST_KEY, what, `When it ends, numbers are lost. Stop the ticks. ${REBUILD}`);
  }
}

interface Counted {
  /** By run, as in the manifest: its numbers that are in no older run. */
  readonly newNumbers: readonly number[];
  /** Distinct numbers of the compaction's inputs in the part that it has merged. */
  readonly compacted: number;
}

async function countNumbers(
  objects: ObjectStore,
  runs: readonly Run[],
  compaction: Manifest['compaction'],
  onSegment: (numbers: number) => void,
): Promise<Counted> {
  if (runs.length > MAX_RUNS) throw new FsckError(`the manifest has ${runs.length} runs, expected ${MAX_RUNS} at most`);
  const cursors = runs.map(({ segments }) => new NumbersCursor(objects, segments, onSegment));
  const isInput = runs.map(({ id }) => compaction?.inputs.includes(id) ?? false);
  const newNumbers = runs.map(() => 0);
  let compacted = 0;
  for (const cursor of cursors) await cursor.load();
  // Every turn moves at least one cursor on, so it ends with the segments.
  for (;;) {
    let number = Number.POSITIVE_INFINITY;
    for (const cursor of cursors) if (cursor.number < number) number = cursor.number;
    if (number === Number.POSITIVE_INFINITY) return { newNumbers, compacted };
    let oldest = 0;
    let isCompacted = false;
    for (let i = 0; i < cursors.length; i++) {
      const cursor = cursors[i] as NumbersCursor;
      if (cursor.number !== number) continue;
      oldest = i;
      if (isInput[i] === true && number < (compaction?.resumeFrom ?? 0)) isCompacted = true;
      if (!cursor.advance()) await cursor.load();
    }
    newNumbers[oldest] = (newNumbers[oldest] as number) + 1;
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
    this.#numbers = entry === undefined ? new Float64Array() : (await openNumbers(this.#objects, entry)).all();
    this.number = this.#numbers[0] ?? Number.POSITIVE_INFINITY;
  }

  /** To the next number. Returns false when more must be loaded first. */
  advance(): boolean {
    this.#rank += 1;
    this.number = this.#numbers[this.#rank] ?? Number.POSITIVE_INFINITY;
    return this.#rank < this.#numbers.length;
  }
}

// Activity objects: there, whole, as the manifest says, and their rows in order; one object in memory at a time.

const REMEDY = `Lookups are right; briefings of its days cannot be made. ${REBUILD}`;

/** Every activity object of the current generation. */
export async function checkActivity(
  { objects, findings, progress }: FsckContext,
  { activity }: Manifest,
): Promise<void> {
  const check = findings.begin('activity');
  progress.begin('activity', activity.length);
  for (const entry of activity) {
    await checkActivityObject(objects, entry, check, REMEDY);
    progress.advance();
  }
}

export async function checkActivityObject(
  objects: ObjectStore,
  entry: ActivityEntry,
  check: Check,
  remedy: string,
): Promise<void> {
  check.looked += 1;
  try {
    const object = await objects.get(entry.key);
    if (object === null) throw new RangeError('is missing');
    inspectActivity(finish(openActivityObject(object.bytes, entry)));
  } catch (error) {
    check.error(entry.key, messageOf(error), remedy);
  }
}

/** Throws FormatError, without a number in its message, unless all blocks can be read and agree with the directory. */
function inspectActivity(input: ActivityInput): void {
  const { blocks, kinds } = input.directory;
  const folded = finish(foldKeys([input.directory]));
  const columns = new GrowingActivity();
  const firstDay = new Float64Array(kinds.length).fill(Number.POSITIVE_INFINITY);
  const lastDay = new Float64Array(kinds.length).fill(-1);
  let previousDay = -1;
  let previousRow: readonly number[] = [];
  const [numbering] = folded.numbers;
  for (let index = 0; numbering !== undefined && index < blocks.length; index++) {
    readActivityBlock(input, index, numbering, columns);
    const day = blocks[index]?.day ?? 0;
    if (day === previousDay && compare(previousRow, rowOf(columns, 0)) >= 0) {
      throw new FormatError(`block ${index} is out of order`);
    }
    previousDay = day;
    previousRow = rowOf(columns, columns.rows - 1);
    for (let row = 0; row < columns.rows; row++) {
      const kind = columns.kind[row] as number;
      firstDay[kind] = Math.min(firstDay[kind] as number, day);
      lastDay[kind] = day;
    }
  }
  checkSpans(folded, input.directory, firstDay, lastDay);
}

function rowOf({ numbers, kind, linkHigh, linkLow }: GrowingActivity, row: number): number[] {
  return [numbers[row], kind[row], linkHigh[row], linkLow[row]].map((value) => value ?? 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, i) => value - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function checkSpans(folded: FoldedKeys, directory: ActivityDirectory, firstDay: Float64Array, lastDay: Float64Array) {
  const wrong = folded.spans.findIndex((span, id) => span.firstDay !== firstDay[id] || span.lastDay !== lastDay[id]);
  if (wrong >= 0) {
    throw new FormatError(
      `expected the days of each of its ${directory.kinds.length} kinds, found others of kind ${wrong}`,
    );
  }
}
