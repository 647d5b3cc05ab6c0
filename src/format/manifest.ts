/**
 * The manifest: the runs that make one generation, and what must be known to continue from it. Frame "RFMF" version 1
 * around JSON. It is the only object that changes; everything it names is written before it and never altered.
 */
import * as v from 'valibot';
import { type Bytes, FormatError, frame, openFrame } from './frame.ts';
import { blockStart } from './segment.ts';
import { decodeText, encodeText, parseJson } from './text.ts';

const MAGIC = 'RFMF';
const VERSION = 1;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const slice = v.object({ bytes: count, sha256: hash });

const segment = v.object({
  key: v.string(),
  first: count,
  last: count,
  count,
  numbers: slice,
  verdicts: slice,
  evidenceIndex: slice,
  evidenceBlocksBytes: count,
});

const run = v.object({
  id: v.string(),
  /** Numbers of this run that are in no older run, so that these add up to the distinct numbers of the inventory. */
  firstHere: count,
  segments: v.array(segment),
});

const retained = v.object({ generation: count, commit: v.string(), publishedAt: count });

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
      output: v.array(segment),
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
  /** Earlier generations that can be returned to, oldest first. */
  retained: v.array(retained),
  lastTick: tickReport,
});

export type Manifest = v.InferOutput<typeof schema>;
export type SegmentEntry = v.InferOutput<typeof segment>;
export type Run = v.InferOutput<typeof run>;
export type RetainedGeneration = v.InferOutput<typeof retained>;
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
  retained: [],
  lastTick: { at: 0, batches: 0, detections: 0, newNumbers: 0, unreadable: 0 },
};

export function encodeManifest(manifest: Manifest): Bytes {
  return frame(MAGIC, VERSION, encodeText(JSON.stringify(manifest)));
}

/** Throws FormatError unless the bytes are a manifest whose segments are in number order. */
export function decodeManifest(bytes: Bytes): Manifest {
  const text = decodeText(openFrame(bytes, MAGIC, VERSION), MAGIC);
  const parsed = v.safeParse(schema, parseJson(text, MAGIC));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new FormatError(`${MAGIC}: ${v.getDotPath(issue) ?? 'manifest'}: ${issue.message}`);
  }
  const { runs, compaction } = parsed.output;
  for (const { id, segments } of runs) checkOrder(segments, `run ${id}`);
  checkOrder(compaction?.output ?? [], 'the compaction');
  return parsed.output;
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
