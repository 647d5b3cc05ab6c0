/** Each kind of stored bytes and its content as JSON, both ways: what golden vectors compare. */

import { type Detection, parseAttributes } from '../../../../src/format/attributes.ts';
import { BatchBuilder, openBatch, type Receipt } from '../../../../src/format/batch.ts';
import {
  EVIDENCE_BLOCK_NUMBERS,
  EvidenceBlock,
  type EvidenceEntry,
  EvidenceIndex,
  encodeEvidence,
  numbersInBlock,
} from '../../../../src/format/evidence.ts';
import {
  decodeManifest,
  encodeManifest,
  NO_OUTPUT,
  type OutputKey,
  type SegmentEntry,
} from '../../../../src/format/manifest.ts';
import { encodeNumbers } from '../../../../src/format/numbers.ts';
import { NumbersReader } from '../../../../src/format/numbers-reader.ts';
import type { SegmentParts } from '../../../../src/format/page-directory.ts';
import { encodeParcel, openParcel } from '../../../../src/format/parcel.ts';
import { encodeRecency, MAX_RECENT_AGE, RecencyReader } from '../../../../src/format/recency.ts';
import { encodeSegment, openSegment, type SegmentShape, wholeObject } from '../../../../src/format/segment.ts';
import { VerdictsReader } from '../../../../src/format/verdicts.ts';
import { type Bytes, fromHex, toHex } from '../../../../src/lib/bytes.ts';
import { finish, UNPACED } from '../../../../src/lib/cooperate.ts';
import { FRAME_HEADER_BYTES } from '../../../../src/lib/frame.ts';
import { decodeOutput, encodeOutput } from '../../../../src/merge/compaction-output.ts';
import { decodeSetAside, encodeSetAside, type SetAside } from '../../../../src/merge/failing-batches.ts';
import { decodeHistory, encodeHistory, type HistoryEntry } from '../../../../src/merge/history.ts';
import {
  decodeMark,
  decodeWithdrawals,
  encodeMark,
  encodeWithdrawals,
  type Withdrawals,
} from '../../../../src/merge/withdraw.ts';
import { decodeFacts, encodeFacts, type PlainFact } from './facts.ts';
import {
  encodeVerdicts,
  evidenceColumns,
  type PlainEntry,
  type PlainRecord,
  type PlainVerdict,
  plainEntry,
  plainVerdict,
  recordColumns,
  verdictColumns,
} from './plain.ts';
import { manifestInMemory, type StoredManifest, storedManifest } from './stored-manifest.ts';

export interface SegmentContent {
  readonly shape: SegmentShape | OldShape;
  readonly records: readonly PlainRecord[];
}

/** Rows in order of arrival, as they were uploaded; a batch has them in number order. */
export interface BatchContent {
  readonly detections: readonly Detection[];
  readonly receipt: Receipt;
}

export type FactsContent = readonly PlainFact[];

/** Newest first; of version 1, one generation. */
export type HistoryContent = readonly HistoryEntry[] | Omit<HistoryEntry, 'writtenAt'>;

export interface Contents {
  numbers: readonly number[];
  /** First seen of each number, UTC days since 1970. */
  fresh: readonly number[];
  verdicts: readonly PlainVerdict[];
  /** The entries of each number. */
  evidence: readonly (readonly PlainEntry[])[];
  segment: SegmentContent;
  batch: BatchContent;
  facts: FactsContent;
  manifest: StoredManifest;
  /** In hex digits: what is in it is of other kinds. */
  parcel: { readonly parts: readonly string[]; readonly manifest: string };
  /** What a compaction under way has written. */
  output: readonly SegmentEntry[];
  history: HistoryContent;
  /** Batches set aside. */
  aside: readonly SetAside[];
  /** A generation's list of withdrawals. */
  withdrawals: Withdrawals;
  /** That a batch was withdrawn. */
  withdrawn: { readonly at: number; readonly by: string };
}

export type Kind = keyof Contents;

export interface Codec<Content> {
  /** The version that `encode` writes. */
  readonly version: number;
  encode(content: Content): Bytes | Promise<Bytes>;
  /** What of the content the bytes hold. */
  decode(bytes: Bytes): unknown;
  /** The same, taken from the content. */
  expected(content: Content): unknown;
}

const same = (content: unknown) => content;

export const CODECS: { readonly [K in Kind]: Codec<Contents[K]> } = {
  numbers: {
    version: 1,
    encode: (numbers) => encodeNumbers(Float64Array.from(numbers)),
    decode: (bytes) => allNumbers(new NumbersReader(bytes)),
    expected: same,
  },
  fresh: {
    version: 1,
    encode: (firstDays) => encodeRecency(Uint32Array.from(firstDays)),
    decode: (bytes) => {
      const fresh = new RecencyReader(bytes);
      return Array.from({ length: fresh.count }, (_, rank) => fresh.firstDay(rank));
    },
    expected: (firstDays) => firstDays.map((day) => (Math.max(...firstDays) - day <= MAX_RECENT_AGE ? day : -1)),
  },
  verdicts: {
    version: 2,
    encode: (verdicts) => encodeVerdicts(verdictColumns(verdicts)),
    decode: (bytes) => {
      const reader = new VerdictsReader(bytes);
      return Array.from({ length: reader.count }, (_, rank) => plainVerdict(reader, rank));
    },
    expected: same,
  },
  evidence: {
    version: 1,
    encode: (evidence) => {
      const { index, blocks } = finish(encodeEvidence(evidenceColumns(evidence)));
      const bytes = new Uint8Array(index.length + blocks.length);
      bytes.set(index);
      bytes.set(blocks, index.length);
      return bytes;
    },
    decode: decodeEvidence,
    expected: same,
  },
  segment: {
    version: 2,
    encode: async ({ records }) => (await encodeSegment(recordColumns(records), UNPACED)).file,
    decode: async (bytes) => {
      const segment = await openSegment(bytes, UNPACED);
      const { shape, numbers, verdicts } = segment;
      const block = new EvidenceBlock();
      const records = allNumbers(numbers).map((number, rank) => {
        const at = rank % EVIDENCE_BLOCK_NUMBERS;
        if (at === 0) segment.readEvidence(rank / EVIDENCE_BLOCK_NUMBERS, block);
        const evidence = block.entries(at, segment.evidence).map(plainEntry);
        return { number, ...plainVerdict(verdicts, rank), evidence };
      });
      return { shape, records };
    },
    expected: ({ shape, records }) => ({ shape: shapeOf(shape), records }),
  },
  batch: {
    version: 1,
    encode: ({ detections, receipt }) => {
      const builder = new BatchBuilder();
      for (const detection of detections) builder.add(detection);
      return builder.finish(receipt);
    },
    decode: decodeBatch,
    expected: ({ detections, receipt }) => ({ rows: detections.toSorted((a, b) => a.number - b.number), receipt }),
  },
  facts: {
    version: 1,
    encode: (facts) => encodeFacts(facts).file,
    decode: (bytes) => decodeFacts(bytes),
    expected: same,
  },
  manifest: {
    version: 4,
    encode: (content) => encodeManifest(manifestInMemory(content)),
    decode: (bytes) => storedManifest(decodeManifest(bytes)),
    expected: asOfVersion4,
  },
  parcel: {
    version: 1,
    encode: ({ parts, manifest }) => encodeParcel(parts.map(fromHex), fromHex(manifest)),
    decode: (bytes) => {
      const { parts, manifest } = openParcel(bytes);
      return { parts: parts.map((part) => toHex(part.bytes)), manifest: toHex(manifest) };
    },
    expected: same,
  },
  output: { version: 1, encode: encodeOutput, decode: decodeOutput, expected: same },
  aside: { version: 1, encode: encodeSetAside, decode: decodeSetAside, expected: same },
  withdrawals: {
    version: 2,
    encode: encodeWithdrawals,
    decode: decodeWithdrawals,
    expected: ({ job, ...rest }) => ({ ...rest, job: job && { ...job, side: job.side.map(entryOf) } }),
  },
  withdrawn: { version: 1, encode: encodeMark, decode: decodeMark, expected: same },
  history: {
    version: 2,
    encode: (content) => encodeHistory(inMemory(content)),
    decode: (bytes) => decodeHistory(bytes, 0),
    expected: inMemory,
  },
};

function inMemory(content: HistoryContent): readonly HistoryEntry[] {
  return 'generation' in content ? [{ ...content, writtenAt: 0 }] : content;
}

/** What was known of a segment of version 1. */
type OldShape = Pick<SegmentShape, 'first' | 'last' | 'count' | 'numbers'> & SegmentParts;

function isOld(shape: SegmentShape | OldShape): shape is OldShape {
  return 'verdicts' in shape;
}

function shapeOf(shape: SegmentShape | OldShape): SegmentShape {
  if (!isOld(shape)) return shape;
  const { key: _, offset: __, ...rest } = entryOf({ key: '', ...shape });
  return rest;
}

function entryOf(entry: SegmentEntry | (OldShape & { readonly key: string })): SegmentEntry {
  if (!isOld(entry)) return entry;
  const { verdicts, evidenceIndex, evidenceBlocksBytes, ...rest } = entry;
  return wholeObject(rest, { verdicts, evidenceIndex, evidenceBlocksBytes });
}

/**
 * A manifest of version 1 or 2 has segments of version 1, and lists itself what a compaction has written. One of
 * version 1 lists what is set aside itself, too, and knows of nothing that is still to be screened. One that was
 * written before batches could be withdrawn says nothing of that, and neither does one of a store where none was.
 * Before version 4 none says where its history is.
 */
function asOfVersion4(content: StoredManifest): StoredManifest {
  const { setAside } = content;
  const { output = NO_OUTPUT, ...compaction } = (content.compaction ?? {}) as { readonly output?: OutputKey | [] };
  const whole: StoredManifest = {
    ...content,
    runs: content.runs.map((run) => ({ ...run, segments: (run.segments as SegmentEntry[]).map(entryOf) })),
    compaction: { ...compaction, output: Array.isArray(output) ? NO_OUTPUT : output },
    withdrawals: content.withdrawals ?? null,
    history: content.history ?? null,
  };
  if (!Array.isArray(setAside)) return whole;
  return { ...whole, setAside: { key: null, count: setAside.length, ids: setAside }, unscreened: [] };
}

export function allNumbers(reader: NumbersReader): number[] {
  return Array.from(reader.all());
}

function decodeEvidence(bytes: Bytes): PlainEntry[][] {
  const bodyLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  const indexBytes = FRAME_HEADER_BYTES + bodyLength;
  const index = new EvidenceIndex(bytes.subarray(0, indexBytes));
  return Array.from({ length: index.blocks }, (_, block) => {
    const place = index.place(block);
    const from = indexBytes + place.offset;
    const numbers = numbersInBlock(index.count, block);
    const columns = new EvidenceBlock();
    columns.read(bytes.subarray(from, from + place.length), place, numbers, index.texts);
    return Array.from({ length: numbers }, (_, i): EvidenceEntry[] => columns.entries(i, index));
  })
    .flat()
    .map((entries) => entries.map(plainEntry));
}

function decodeBatch(bytes: Bytes): { rows: Detection[]; receipt: Receipt } {
  const batch = openBatch(bytes);
  const rows = Array.from(batch.numbers, (number, row) => ({
    number,
    observedAt: batch.observedAt[row] as number,
    firstSeenAt: batch.firstSeenAt[row] as number,
    sightings: batch.sightings[row] as number,
    ...parseAttributes(batch.attributes[batch.attributesIndex[row] as number] as string),
  }));
  return { rows, receipt: batch.receipt };
}
