/**
 * The manifest: the runs that make one generation, and what must be known to continue from it. It is the only object
 * that changes; everything it names is written before it and never altered. Frame "RFMF" version 4 around
 *
 *   text                       varint length, UTF-8: the manifest as JSON, but for lists of segments their lengths
 *   segments                   as tables (segment-table.ts): of each run in order
 *
 * Version 3 did not say where the history is: each generation had an object of its own. Versions 1 and 2 had longer
 * rows of segments, those that a compaction has written behind those of the runs, and all slices of a run were in the
 * slice store. Version 1 had the ids of batches set aside in the JSON itself, too, and no `unscreened`.
 */

import * as v from 'valibot';
import { ByteReader, type Bytes, ByteWriter, FormatError, parseJson } from '../lib/bytes.ts';
import { frame, frameVersion, openFrame } from '../lib/frame.ts';
import { count, parseStored } from '../lib/schema.ts';
import { manifestOfCopy } from './parcel.ts';
import { blockStart, type SegmentEntry } from './segment.ts';
import { encodeSegmentTable, readSegmentTable } from './segment-table.ts';

const MAGIC = 'RFMF';
const VERSION = 4;

const storedRun = v.object({
  id: v.string(),
  firstHere: count,
  segments: count,
  noSlices: v.exactOptional(v.literal(true)),
});

const retained = v.object({ generation: count, commit: v.string(), publishedAt: count });

export const activityEntry = v.object({
  key: v.string(),
  /** UTC days since 1970 of its first and last rows. */
  firstDay: count,
  lastDay: count,
  rows: count,
  /** Of the object, and of the directory at its beginning (activity-object.ts). */
  bytes: count,
  directoryBytes: count,
  /** CRC-32 of the directory, which has those of the blocks. */
  crc32: count,
});

const watermark = v.object({ generation: count, day: count });

const withdrawals = v.object({
  /** Of the list, an object of its own (src/merge/withdraw.ts). */
  key: v.string(),
  /** Batches whose rows are still to be taken out of the runs. */
  pending: count,
  /**
   * Whether the present `compaction` takes them out: then no run and no activity object is joined with newer ones.
   */
  replacing: v.boolean(),
});

const tickReport = v.object({
  at: count,
  batches: count,
  detections: count,
  /** Numbers that no earlier generation knew. */
  newNumbers: count,
  /** Batches left waiting because they could not be read; they are tried again. */
  unreadable: count,
});

const setAside = v.object({
  /** Of the objects that list them (src/merge/failing-batches.ts); null: there are none. */
  key: v.nullable(v.string()),
  count,
});

/** A merge of several runs that takes more than one tick. Its output is not yet served. */
const compactionWith = <Output extends v.GenericSchema>(output: Output) =>
  v.nullable(
    v.object({
      inputs: v.array(v.string()),
      output,
      /** Records from this number on are still to be merged. */
      resumeFrom: count,
    }),
  );

const output = v.object({
  /** Of the object that lists it (src/merge/compaction-output.ts); null: nothing is written yet. */
  key: v.nullable(v.string()),
  /** How many segments it has. */
  count,
});

const members = {
  generation: count,
  /** Random. It tells our own generation, if the answer to the swap was lost, from one of another writer. */
  commit: v.string(),
  /** Commit of the generation before, null for the first. */
  parent: v.nullable(v.string()),
  /** Milliseconds since 1970. */
  publishedAt: count,
  /** Newest first. */
  runs: v.array(storedRun),
  compaction: compactionWith(output),
  /** Batches merged by this generation or before, whose waiting object may still be there. */
  consumed: v.array(v.string()),
  /** Kept batches that the next ticks merge again: put back by a rollback. */
  replay: v.array(v.string()),
  unsliced: v.array(v.string()),
  facts: v.array(activityEntry),
  reached: v.array(watermark),
  /** Key of the ledger of sources (src/quality/ledger.ts); null: nothing was ever counted or kept out. */
  ledger: v.nullable(v.string()),
  /** Batches that were taken back of late; null, and not written: none. */
  withdrawals: v.optional(v.nullable(withdrawals), null),
  /** Earlier generations that can be returned to, oldest first. */
  retained: v.array(retained),
  lastTick: tickReport,
};

const schema = v.object({
  ...members,
  /** Kept batches that are not in the inventory. */
  setAside,
  /** Those of `replay` that were set aside before any generation had screened them. */
  unscreened: v.array(v.string()),
  /**
   * Of the part of its copy that is the page of the history which ends with this generation (src/merge/history.ts);
   * null: the page is an object, named like the generation.
   */
  history: v.nullable(v.string()),
  /** How many batches a tick may take, while ticks die of what they take (src/merge/failing-batches.ts). */
  caution: v.exactOptional(count),
});

const schemaOfVersion3 = v.omit(schema, ['history']);
const schemaOfVersion2 = v.object({ ...schemaOfVersion3.entries, compaction: compactionWith(count) });
const schemaOfVersion1 = v.object({
  ...members,
  compaction: compactionWith(count),
  setAside: v.array(v.string()),
});

type Head = v.InferOutput<typeof schema>;

/** What a manifest says of batches set aside. */
export interface SetAsideKey {
  readonly key: string | null;
  readonly count: number;
  /** All of them, where a manifest of version 1 was read: the next to be published names an object instead. */
  readonly ids?: readonly string[];
}

/** What a manifest says of the segments that a compaction has written: lookups have no use for them. */
export interface OutputKey {
  readonly key: string | null;
  readonly count: number;
  /** All of them, where a manifest of version 1 or 2 was read: the next to be published names an object instead. */
  readonly segments?: readonly SegmentEntry[];
}

export const NO_OUTPUT: OutputKey = { key: null, count: 0 };

export interface Run {
  id: string;
  /** Numbers of this run that are in no older run, so that these add up to the distinct numbers of the inventory. */
  newNumbers: number;
  segments: SegmentEntry[];
  /**
   * Its slices are not in the slice store, and must not be asked for there, since that remembers misses: a tick or two
   * later the run is gone. Without, they are, but for `missingSlices`.
   */
  noSlices?: true;
}

/** Members whose name in memory is not the stored one, which stays as it was first written. */
const NAMES_IN_MEMORY = { unsliced: 'missingSlices', facts: 'activity', reached: 'watermarks' } as const;
const STORED_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(NAMES_IN_MEMORY).map(([stored, inMemory]) => [inMemory, stored]),
);

export type Compaction = Omit<NonNullable<Head['compaction']>, 'output'> & { output: OutputKey };

/** What has the same names in memory as stored. */
type Same = Omit<Head, 'runs' | 'compaction' | 'setAside' | 'unsliced' | 'facts' | 'reached'>;

export interface Manifest extends Same {
  runs: Run[];
  compaction: Compaction | null;
  setAside: SetAsideKey;
  /** Keys of objects with a slice that is not known to be in the slice store; read those from the segment. */
  missingSlices: string[];
  /** Objects that together have the activity of all merged batches, in any order; a row may be in several of them. */
  activity: ActivityEntry[];
  /** Backfill watermarks: since which generation activity of how early a day has come in. Oldest first. */
  watermarks: BackfillWatermark[];
}
export type { SegmentEntry } from './segment.ts';
export type RetainedGeneration = v.InferOutput<typeof retained>;
export type ActivityEntry = v.InferOutput<typeof activityEntry>;
export type BackfillWatermark = v.InferOutput<typeof watermark>;

/** Before the first generation: nothing is listed. */
export const EMPTY_MANIFEST: Manifest = {
  generation: 0,
  commit: '',
  parent: null,
  publishedAt: 0,
  runs: [],
  compaction: null,
  consumed: [],
  replay: [],
  setAside: { key: null, count: 0 },
  unscreened: [],
  history: null,
  missingSlices: [],
  activity: [],
  watermarks: [],
  ledger: null,
  withdrawals: null,
  retained: [],
  lastTick: { at: 0, batches: 0, detections: 0, newNumbers: 0, unreadable: 0 },
};

/**
 * Throws RangeError if it lists what belongs into objects of their own, as earlier versions had it: that would be
 * forgotten.
 */
export function encodeManifest(manifest: Manifest): Bytes {
  const { runs, compaction } = manifest;
  const { key, count: batches, ids } = manifest.setAside;
  if (ids !== undefined) throw new RangeError('batches set aside must be in an object before a manifest is written');
  if (compaction?.output.segments !== undefined) {
    throw new RangeError('what a compaction has written must be in an object before a manifest is written');
  }
  const { withdrawals: withdrawn, ...kept } = {
    ...manifest,
    setAside: { key, count: batches },
    runs: runs.map(({ id, newNumbers, segments, noSlices }) => ({
      id,
      firstHere: newNumbers,
      segments: segments.length,
      ...(noSlices && { noSlices }),
    })),
  } satisfies Omit<Head, keyof typeof NAMES_IN_MEMORY> & Pick<Manifest, 'missingSlices' | 'activity' | 'watermarks'>;
  const head = withNames(kept, STORED_NAMES);
  const writer = new ByteWriter();
  writer.text(JSON.stringify(withdrawn === null ? head : { ...head, withdrawals: withdrawn }));
  let last: SegmentEntry | undefined;
  for (const { segments } of runs) {
    writer.raw(encodeSegmentTable(segments, last));
    last = segments.at(-1) ?? last;
  }
  return frame(MAGIC, VERSION, writer.view());
}

/**
 * Throws FormatError unless the bytes are a manifest whose segments are in number order, or a generation's copy that
 * has one.
 */
export function decodeManifest(object: Bytes): Manifest {
  const bytes = manifestOfCopy(object);
  const written = frameVersion(bytes);
  const version = written === 1 || written === 2 || written === 3 ? written : VERSION;
  const reader = new ByteReader(openFrame(bytes, MAGIC, version));
  const head = readHead(reader, version);
  let last: SegmentEntry | undefined;
  const segmentsOf = (rows: number, name: string) => {
    const segments = readSegmentTable(reader, rows, last, version);
    checkOrder(segments, name);
    last = segments.at(-1) ?? last;
    return segments;
  };
  const runs = head.runs.map(({ id, firstHere, segments, ...rest }) => ({
    id,
    newNumbers: firstHere,
    segments: segmentsOf(segments, `run ${id}`),
    ...rest,
  }));
  const compaction = head.compaction && {
    ...head.compaction,
    output: outputOf(head.compaction.output, (rows) => segmentsOf(rows, 'the compaction')),
  };
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: bytes follow the last segment`);
  const { unsliced, facts, reached } = head;
  const named = withNames({ ...head, runs, compaction }, NAMES_IN_MEMORY);
  return { ...named, runs, compaction, missingSlices: unsliced, activity: facts, watermarks: reached };
}

/** The members in their order under other names, since the order is part of the bytes. */
function withNames<T extends object>(
  members: T,
  names: Readonly<Record<string, string>>,
): Omit<T, keyof typeof NAMES_IN_MEMORY> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [names[name] ?? name, value])) as T;
}

/** As the present version has it, but for what the table is needed to know. */
type ReadHead = Omit<Head, 'setAside' | 'compaction'> &
  Pick<Manifest, 'setAside'> & {
    compaction: (Omit<Compaction, 'output'> & { output: OutputKey | number }) | null;
  };

function readHead(reader: ByteReader, version: 1 | 2 | 3 | typeof VERSION): ReadHead {
  const json = parseJson(reader.text(), MAGIC);
  if (version === VERSION) return parseStored(schema, json, MAGIC);
  const history = null;
  if (version !== 1)
    return { ...parseStored(version === 2 ? schemaOfVersion2 : schemaOfVersion3, json, MAGIC), history };
  const { setAside: ids, ...head } = parseStored(schemaOfVersion1, json, MAGIC);
  return {
    ...head,
    history,
    unscreened: [],
    setAside: ids.length === 0 ? EMPTY_MANIFEST.setAside : { key: null, count: ids.length, ids },
  };
}

/** @param segmentsOf reads so many rows of the table, which those of version 1 and 2 are in */
function outputOf(output: OutputKey | number, segmentsOf: (rows: number) => SegmentEntry[]): OutputKey {
  if (typeof output !== 'number') return output;
  return output === 0 ? NO_OUTPUT : { key: null, count: output, segments: segmentsOf(output) };
}

/**
 * Lookups rely on it that segments do not overlap, and that none shares a ten-thousand-block with the next.
 * Throws FormatError.
 */
export function checkOrder(segments: readonly SegmentEntry[], name: string): void {
  segments.forEach(({ first, last }, i) => {
    const previous = segments[i - 1];
    if (last < first || (previous !== undefined && blockStart(first) <= previous.last)) {
      throw new FormatError(`${MAGIC}: segment ${i} of ${name} is out of number order`);
    }
  });
}

export function runNumbers(value: Run): number {
  return value.segments.reduce((sum, entry) => sum + entry.count, 0);
}

/** Distinct numbers in the inventory. */
export function inventoryNumbers(manifest: Manifest): number {
  return manifest.runs.reduce((sum, { newNumbers }) => sum + newNumbers, 0);
}

// The backfill watermark: how early a day each generation has changed activity of. It tells whether something that was
// computed from the activity of an earlier generation still holds.
//
// A monotone stack: a later generation's entry has a later day, since an entry whose day is no earlier than that of a
// later generation says nothing that the later one does not say as well.

/** Activity nearly always comes in the order of days, so a handful of entries is usual; this is 2 KiB of them. */
export const MAX_WATERMARKS = 64;

/**
 * The stack once a generation is published that brings activity of `day` and later; null: it brings none.
 *
 * @param day UTC day since 1970; 0 for a generation that takes activity away
 */
export function watermarkAt(
  watermarks: readonly BackfillWatermark[],
  generation: number,
  day: number | null,
): BackfillWatermark[] {
  if (day === null) return [...watermarks];
  const next = [...watermarks.filter((entry) => entry.day < day), { generation, day }];
  const [oldest, second] = next;
  if (next.length <= MAX_WATERMARKS || oldest === undefined || second === undefined) return next;
  // One for both: the later generation with the earlier day covers every change that either of them told.
  return [{ generation: second.generation, day: oldest.day }, ...next.slice(2)];
}

/** Whether activity of this day or an earlier one may have changed after the generation was published. */
export function changedSince({ watermarks }: Pick<Manifest, 'watermarks'>, generation: number, day: number): boolean {
  return watermarks.some((entry) => entry.generation > generation && entry.day <= day);
}
