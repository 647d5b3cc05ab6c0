/**
 * The manifest: the runs that make one generation, and what must be known to continue from it. It is the only object
 * that changes; everything it names is written before it and never altered. Frame "RFMF" version 1 around
 *
 *   text                       varint length, UTF-8: the manifest as JSON, but for lists of segments their lengths
 *   segments                   as a table (segment-table.ts): of each run in order, then of the compaction
 */
import * as v from 'valibot';
import { ByteReader, ByteWriter } from './bytes.ts';
import { type Bytes, FormatError, frame, openFrame } from './frame.ts';
import { blockStart } from './segment.ts';
import { encodeSegmentTable, readSegmentTable, type SegmentEntry } from './segment-table.ts';
import { parseJson } from './text.ts';

const MAGIC = 'RFMF';
const VERSION = 1;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const run = v.object({
  id: v.string(),
  /** Numbers of this run that are in no older run, so that these add up to the distinct numbers of the inventory. */
  firstHere: count,
  segments: count,
});

const retained = v.object({ generation: count, commit: v.string(), publishedAt: count });

const factsEntry = v.object({
  key: v.string(),
  /** UTC days since 1970 of its first and last rows. */
  firstDay: count,
  lastDay: count,
  rows: count,
  /** Of the object, and of the directory at its beginning (facts-directory.ts). */
  bytes: count,
  directoryBytes: count,
  /** CRC-32 of the directory, which has those of the blocks. */
  crc32: count,
});

const reached = v.object({ generation: count, day: count });

const tickReport = v.object({
  at: count,
  batches: count,
  detections: count,
  /** Numbers that no earlier generation knew. */
  newNumbers: count,
  /** Batches left waiting because they could not be read; they are tried again. */
  unreadable: count,
});

const schema = v.object({
  generation: count,
  /** Random: tells a lost answer to our own swap from somebody else's generation. */
  commit: v.string(),
  /** Commit of the generation before, null for the first. */
  parent: v.nullable(v.string()),
  /** Milliseconds since 1970. */
  publishedAt: count,
  /** Newest first. */
  runs: v.array(run),
  /** A merge of several runs that takes more than one tick. Its output is not yet served. */
  compaction: v.nullable(
    v.object({
      inputs: v.array(v.string()),
      output: count,
      /** Records from this number on are still to be merged. */
      resumeFrom: count,
    }),
  ),
  /** Batches merged by this generation or before, whose waiting object may still be there. */
  consumed: v.array(v.string()),
  /** Kept batches that the next ticks merge again: put back by a rollback. */
  replay: v.array(v.string()),
  /** Kept batches that a rollback took out of the inventory. */
  setAside: v.array(v.string()),
  /** Keys of segments with a slice that is not known to be in the slice store; read those from the segment. */
  unsliced: v.array(v.string()),
  /** Objects that together have the facts of all merged batches, in any order; a row may be in several of them. */
  facts: v.array(factsEntry),
  /** Since which generation facts of how early a day have come in (facts-reached.ts). Oldest first. */
  reached: v.array(reached),
  /** Key of the ledger of sources (src/quality/ledger.ts); null: nothing was ever counted or kept out. */
  ledger: v.nullable(v.string()),
  /** Earlier generations that can be returned to, oldest first. */
  retained: v.array(retained),
  lastTick: tickReport,
});

type Head = v.InferOutput<typeof schema>;

export type Run = Omit<v.InferOutput<typeof run>, 'segments'> & { segments: SegmentEntry[] };
export type Compaction = Omit<NonNullable<Head['compaction']>, 'output'> & { output: SegmentEntry[] };
export type Manifest = Omit<Head, 'runs' | 'compaction'> & { runs: Run[]; compaction: Compaction | null };
export type { SegmentEntry } from './segment-table.ts';
export type RetainedGeneration = v.InferOutput<typeof retained>;
export type FactsEntry = v.InferOutput<typeof factsEntry>;
export type Reached = v.InferOutput<typeof reached>;
export type TickReport = v.InferOutput<typeof tickReport>;

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
  setAside: [],
  unsliced: [],
  facts: [],
  reached: [],
  ledger: null,
  retained: [],
  lastTick: { at: 0, batches: 0, detections: 0, newNumbers: 0, unreadable: 0 },
};

export function encodeManifest(manifest: Manifest): Bytes {
  const { runs, compaction } = manifest;
  const head: Head = {
    ...manifest,
    runs: runs.map((value) => ({ ...value, segments: value.segments.length })),
    compaction: compaction === null ? null : { ...compaction, output: compaction.output.length },
  };
  const writer = new ByteWriter();
  writer.text(JSON.stringify(head));
  writer.raw(encodeSegmentTable([...runs.flatMap(({ segments }) => segments), ...(compaction?.output ?? [])]));
  return frame(MAGIC, VERSION, writer.view());
}

/** Throws FormatError unless the bytes are a manifest whose segments are in number order. */
export function decodeManifest(bytes: Bytes): Manifest {
  const reader = new ByteReader(openFrame(bytes, MAGIC, VERSION));
  const parsed = v.safeParse(schema, parseJson(reader.text(), MAGIC));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new FormatError(`${MAGIC}: ${v.getDotPath(issue) ?? 'manifest'}: ${issue.message}`);
  }
  let last: SegmentEntry | undefined;
  const segmentsOf = (rows: number, name: string) => {
    const segments = readSegmentTable(reader, rows, last);
    checkOrder(segments, name);
    last = segments.at(-1) ?? last;
    return segments;
  };
  const head = parsed.output;
  const runs = head.runs.map((value) => ({ ...value, segments: segmentsOf(value.segments, `run ${value.id}`) }));
  const compaction = head.compaction && {
    ...head.compaction,
    output: segmentsOf(head.compaction.output, 'the compaction'),
  };
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: bytes follow the last segment`);
  return { ...head, runs, compaction };
}

/** Lookups rely on it that segments do not overlap, and that none shares a ten-thousand-block with the next. */
function checkOrder(segments: readonly SegmentEntry[], name: string): void {
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
  return manifest.runs.reduce((sum, { firstHere }) => sum + firstHere, 0);
}
