/**
 * A segment file: an immutable run of records in number order, in three columns (docs/FORMAT.md).
 *
 *   header     frame "RFSG" version 1, 64 bytes:
 *                u64 first number, u64 last number, u32 count,
 *                u32 length of the numbers column, of the verdicts column, of the evidence index, of the evidence
 *                blocks, 12 bytes of zero
 *   numbers    frame "RFNU" (numbers.ts), then frame "RFFR" (recency.ts)
 *   verdicts   frame "RFVE" (verdicts.ts)
 *   evidence   frame "RFEV": the index, then the blocks (evidence.ts)
 *   footer     frame "RFFT" version 1, 112 bytes: SHA-256 of numbers slice, verdicts column and evidence index
 *
 * Every part begins at a multiple of eight bytes. The numbers and verdicts columns are also stored by themselves,
 * byte for byte, under their SHA-256.
 */

import { type ByteReader, type Bytes, ByteWriter, FormatError, fromHex, sha256Hex, toHex } from '../lib/bytes.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { frame, openFrame, roundUp8 } from '../lib/frame.ts';
import { type EvidenceBlock, EvidenceIndex, encodeEvidence, numbersInBlock } from './evidence.ts';
import { SEGMENT_NUMBERS } from './numbers.ts';
import type { NumbersReader } from './numbers-reader.ts';
import { encodeNumbersSliceSteps, openNumbersSlice } from './numbers-slice.ts';
import type { RecordColumns } from './records.ts';
import { encodeVerdictsSteps, VerdictsReader } from './verdicts.ts';

const MAGIC = 'RFSG';
const FOOTER_MAGIC = 'RFFT';
const VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;
export const SEGMENT_FOOTER_BYTES = 112;
/** Segments begin at multiples of this, so that no hundred- or thousand-block of numbers is ever split. */
export const SEGMENT_ALIGNMENT = 10_000;

/** Where the ten-thousand-block of a number begins. */
export function blockStart(number: number): number {
  return number - (number % SEGMENT_ALIGNMENT);
}

/** What a reader must know of a segment before it reads any of it. */
export interface SegmentShape {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly numbers: SliceShape;
  readonly verdicts: SliceShape;
  readonly evidenceIndex: SliceShape;
  readonly evidenceBlocksBytes: number;
}

/** A contiguous part of the segment file with a content address. */
export interface SliceShape {
  readonly bytes: number;
  readonly sha256: string;
}

export interface EncodedSegment {
  readonly shape: SegmentShape;
  readonly file: Bytes;
}

/** Where the parts of a segment file are. */
export function numbersOffset(): number {
  return SEGMENT_HEADER_BYTES;
}
export function verdictsOffset(shape: SegmentShape): number {
  return numbersOffset() + shape.numbers.bytes;
}
export function evidenceIndexOffset(shape: SegmentShape): number {
  return verdictsOffset(shape) + shape.verdicts.bytes;
}
export function evidenceBlocksOffset(shape: SegmentShape): number {
  return evidenceIndexOffset(shape) + shape.evidenceIndex.bytes;
}
export function segmentBytes(shape: SegmentShape): number {
  return evidenceBlocksOffset(shape) + shape.evidenceBlocksBytes + SEGMENT_FOOTER_BYTES;
}

/** The numbers column of a whole segment file, as a view. */
export function numbersSlice(segment: EncodedSegment): Bytes {
  return slice(segment.file, numbersOffset(), segment.shape.numbers);
}
export function verdictsSlice(segment: EncodedSegment): Bytes {
  return slice(segment.file, verdictsOffset(segment.shape), segment.shape.verdicts);
}

function slice(file: Bytes, offset: number, part: SliceShape): Bytes {
  return file.subarray(offset, offset + part.bytes);
}

/** What a column of a whole segment, written or unpacked in one go, is worth in records of a merge. */
const COLUMN_WORK = 1_200;

/** Encodes records; the same records give the same bytes. They must not change until it is done. */
export async function encodeSegment(records: RecordColumns, pace: Pacer): Promise<EncodedSegment> {
  const numbers = await pace.run(encodeNumbersSliceSteps(records.numbers, records.firstDay));
  const verdicts = await pace.run(encodeVerdictsSteps(records));
  const evidence = await pace.run(encodeEvidence(records));
  const parts = [numbers, verdicts, evidence.index];
  const hashes = await Promise.all(parts.map(sha256Hex));
  const [numbersShape, verdictsShape, evidenceIndex] = parts.map((part, i) => ({
    bytes: part.length,
    sha256: hashes[i] as string,
  })) as [SliceShape, SliceShape, SliceShape];
  const shape: SegmentShape = {
    first: records.numbers[0] as number,
    last: records.numbers.at(-1) as number,
    count: records.numbers.length,
    numbers: numbersShape,
    verdicts: verdictsShape,
    evidenceIndex,
    evidenceBlocksBytes: evidence.blocks.length,
  };
  const file = new Uint8Array(segmentBytes(shape));
  let at = 0;
  for (const part of [encodeHeader(shape), ...parts, evidence.blocks, encodeFooter(hashes)]) {
    file.set(part, at);
    at += part.length;
  }
  return { shape, file };
}

/** Of a column with this many records. */
export function columnWork(records: number): number {
  return (COLUMN_WORK * records) / SEGMENT_NUMBERS;
}

function encodeHeader(shape: SegmentShape): Bytes {
  const body = new Uint8Array(48);
  const view = new DataView(body.buffer);
  view.setBigUint64(0, BigInt(shape.first), true);
  view.setBigUint64(8, BigInt(shape.last), true);
  const lengths = [shape.numbers.bytes, shape.verdicts.bytes, shape.evidenceIndex.bytes, shape.evidenceBlocksBytes];
  [shape.count, ...lengths].forEach((value, i) => {
    view.setUint32(16 + i * 4, value, true);
  });
  return frame(MAGIC, VERSION, body);
}

function encodeFooter(hashes: readonly string[]): Bytes {
  return frame(FOOTER_MAGIC, VERSION, fromHex(hashes.join('')));
}

/** A whole segment in memory, every part checked: what the merge reads. */
export interface OpenSegment {
  readonly shape: SegmentShape;
  readonly numbers: NumbersReader;
  readonly verdicts: VerdictsReader;
  readonly evidence: EvidenceIndex;
  /** Unpacks the evidence of 64 consecutive numbers from rank 64 * block. Throws FormatError. */
  readEvidence(block: number, into: EvidenceBlock): void;
}

/** Opens a whole segment file from its bytes alone. Throws FormatError on any damage. */
export async function openSegment(file: Bytes, pace: Pacer): Promise<OpenSegment> {
  if (file.byteOffset % 8 !== 0) throw new RangeError('a segment must begin at a multiple of 8 bytes');
  const header = openFrame(file.subarray(0, SEGMENT_HEADER_BYTES), MAGIC, VERSION);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const footer = openFrame(file.subarray(-SEGMENT_FOOTER_BYTES), FOOTER_MAGIC, VERSION);
  const part = (i: number) => ({
    bytes: view.getUint32(20 + i * 4, true),
    sha256: toHex(footer.subarray(i * 32, i * 32 + 32)),
  });
  const shape: SegmentShape = {
    first: Number(view.getBigUint64(0, true)),
    last: Number(view.getBigUint64(8, true)),
    count: view.getUint32(16, true),
    numbers: part(0),
    verdicts: part(1),
    evidenceIndex: part(2),
    evidenceBlocksBytes: view.getUint32(32, true),
  };
  if (segmentBytes(shape) !== file.length || view.getBigUint64(36, true) !== 0n || view.getUint32(44, true) !== 0) {
    throw new FormatError(`${MAGIC}: expected ${segmentBytes(shape)} bytes, found ${file.length}`);
  }
  const offsets = [numbersOffset(), verdictsOffset(shape), evidenceIndexOffset(shape)];
  const [numbersBytes, verdictsBytes, indexBytes] = await Promise.all(
    [shape.numbers, shape.verdicts, shape.evidenceIndex].map((expected, i) =>
      checkedSlice(slice(file, offsets[i] as number, expected), expected),
    ),
  );
  if (numbersBytes === undefined || verdictsBytes === undefined || indexBytes === undefined) {
    throw new FormatError(`${MAGIC}: a column is missing`);
  }
  if (pace.count(columnWork(shape.count))) await pace.giveWay();
  const numbers = openNumbersSlice(numbersBytes);
  if (pace.count(columnWork(shape.count))) await pace.giveWay();
  const verdicts = new VerdictsReader(verdictsBytes);
  if (pace.count(columnWork(shape.count))) await pace.giveWay();
  const evidence = new EvidenceIndex(indexBytes);
  const counts = [numbers.count, verdicts.count, evidence.count];
  if (counts.some((count) => count !== shape.count)) {
    throw new FormatError(`${MAGIC}: expected ${shape.count} records in each column, found ${counts.join(', ')}`);
  }
  if (numbers.select(0) !== shape.first || numbers.select(shape.count - 1) !== shape.last) {
    throw new FormatError(`${MAGIC}: the first or last number differs from the header's`);
  }
  const blocks = file.subarray(evidenceBlocksOffset(shape), file.length - SEGMENT_FOOTER_BYTES);
  const lastBlock = evidence.place(evidence.blocks - 1);
  const blocksEnd = lastBlock.offset + lastBlock.length;
  if (blocks.length !== roundUp8(blocksEnd) || blocks.subarray(blocksEnd).some((byte) => byte !== 0)) {
    throw new FormatError(`${MAGIC}: expected ${blocksEnd} bytes of evidence and padding, found ${blocks.length}`);
  }
  return {
    shape,
    numbers,
    verdicts,
    evidence,
    readEvidence(block, into) {
      const place = evidence.place(block);
      const bytes = blocks.subarray(place.offset, place.offset + place.length);
      into.read(bytes, place, numbersInBlock(shape.count, block), evidence.texts);
    },
  };
}

/** The bytes, if they have the length and hash expected of them. Throws FormatError. */
export async function checkedSlice(bytes: Bytes, expected: SliceShape): Promise<Bytes> {
  if (bytes.length !== expected.bytes) {
    throw new FormatError(`expected a slice of ${expected.bytes} bytes, found ${bytes.length}`);
  }
  const found = await sha256Hex(bytes);
  if (found !== expected.sha256) throw new FormatError(`expected a slice with hash ${expected.sha256}, found ${found}`);
  return bytes;
}

// Segments as the manifest lists them, about 125 bytes each: their hashes are most of it, and every isolate reads the
// manifest first. A row is, with integers as varints (LEB128):
//
//   shared                     how much of the key is as in the row before, in characters (ASCII)
//   text                       the rest of the key; varint length, UTF-8
//   first, last - first, count
//   bytes of the numbers column, the verdicts column, the evidence index, and the evidence blocks
//   3 x 32 bytes               SHA-256 of the first three

const HASH_BYTES = 32;

/** A segment of a run: where it is, and what it must be. */
export interface SegmentEntry extends SegmentShape {
  readonly key: string;
}

export function encodeSegmentTable(entries: readonly SegmentEntry[]): Bytes {
  const writer = new ByteWriter();
  let previous = '';
  for (const { key, first, last, count, numbers, verdicts, evidenceIndex, evidenceBlocksBytes } of entries) {
    let shared = 0;
    while (shared < Math.min(previous.length, key.length) && previous[shared] === key[shared]) shared += 1;
    writer.varint(shared);
    writer.text(key.slice(shared));
    const sizes = [numbers.bytes, verdicts.bytes, evidenceIndex.bytes, evidenceBlocksBytes];
    for (const integer of [first, last - first, count, ...sizes]) writer.varint(integer);
    for (const { sha256 } of [numbers, verdicts, evidenceIndex]) writer.raw(fromHex(sha256));
    previous = key;
  }
  return writer.view();
}

/** Reads `rows` rows. Throws FormatError when they are cut off or no such rows. */
export function readSegmentTable(reader: ByteReader, rows: number, before: SegmentEntry | undefined): SegmentEntry[] {
  const entries: SegmentEntry[] = [];
  let previous = before?.key ?? '';
  for (let row = 0; row < rows; row++) {
    const shared = reader.varint();
    if (shared > previous.length)
      throw new FormatError(`segment table: row ${row} shares ${shared} characters of a key`);
    const key = previous.slice(0, shared) + reader.text();
    const first = reader.varint();
    const last = first + reader.varint();
    if (!Number.isSafeInteger(last)) throw new FormatError(`segment table: row ${row} ends beyond 2^53`);
    const count = reader.varint();
    const [numbers, verdicts, evidenceIndex] = [reader.varint(), reader.varint(), reader.varint()];
    const evidenceBlocksBytes = reader.varint();
    const column = (bytes: number) => ({ bytes, sha256: toHex(reader.raw(HASH_BYTES)) });
    entries.push({
      key,
      first,
      last,
      count,
      numbers: column(numbers),
      verdicts: column(verdicts),
      evidenceIndex: column(evidenceIndex),
      evidenceBlocksBytes,
    });
    previous = key;
  }
  return entries;
}
