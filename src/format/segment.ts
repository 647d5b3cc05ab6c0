/**
 * A segment file: an immutable run of records in number order, in three columns (docs/FORMAT.md).
 *
 *   header     frame "RFSG" version 2, 64 bytes:
 *                u64 first number, u64 last number, u32 count,
 *                u32 length of the numbers slice, of the verdicts, of the evidence index, of the evidence blocks,
 *                12 bytes of zero
 *   numbers    frames "RFNU" (numbers.ts), "RFFR" (recency.ts) and "RFPD" (page-directory.ts): the numbers slice
 *   verdicts   pages, each a frame "RFVE" version 2 (verdicts.ts)
 *   evidence   frame "RFEV": the index, then the blocks (evidence.ts)
 *   footer     frame "RFFT" version 2, 112 bytes: SHA-256 of numbers slice, verdicts and evidence index
 *
 * Every part begins at a multiple of eight bytes. Several segments may follow one another in one object, a pack. The
 * numbers slice is also stored by itself, byte for byte, under its SHA-256. Segments of version 1 have no page
 * directory, and one frame "RFVE" version 1 for all verdicts; the manifest has the hashes of all three parts.
 */

import { type Bytes, type Digest, FormatError, fromHex, sha256Hex, toHex } from '../lib/bytes.ts';
import type { Pacer, Steps } from '../lib/cooperate.ts';
import { frame, frameVersion, openFrame, roundUp8 } from '../lib/frame.ts';
import { type EvidenceBlock, EvidenceIndex, encodeEvidence, numbersInBlock } from './evidence.ts';
import { SEGMENT_NUMBERS } from './numbers.ts';
import type { NumbersReader } from './numbers-reader.ts';
import { encodeNumbersSliceSteps, openNumbersSlice } from './numbers-slice.ts';
import { encodePageDirectory, type PagePlace, type SegmentParts, type SliceShape } from './page-directory.ts';
import type { RecordColumns } from './records.ts';
import { encodeVerdictsSteps, PagedVerdicts, type Verdicts, VerdictsReader } from './verdicts.ts';

export type { SliceShape } from './page-directory.ts';

const MAGIC = 'RFSG';
const FOOTER_MAGIC = 'RFFT';
const VERSION = 2;
export const SEGMENT_HEADER_BYTES = 64;
export const SEGMENT_FOOTER_BYTES = 112;
/** Segments begin at multiples of this, so that no hundred- or thousand-block of numbers is ever split. */
export const SEGMENT_ALIGNMENT = 10_000;
/** Records of a page of verdicts: some 8 KB, which a lookup of a listed number reads (docs/decisions/0034). */
export const PAGE_RANKS = 2_048;

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
  readonly verdictsBytes: number;
  /** Of the whole file. */
  readonly bytes: number;
  /** Of a segment of version 1; null: its page directory has them. */
  readonly parts: SegmentParts | null;
}

/** A segment of a run: where it is, and what it must be. */
export interface SegmentEntry extends SegmentShape {
  /** Of the object that it is in, from `offset` on: a pack, which may have others. */
  readonly key: string;
  readonly offset: number;
}

export interface EncodedSegment {
  readonly shape: SegmentShape;
  readonly file: Bytes;
}

/**
 * What stands behind the numbers slice. Throws FormatError if neither the manifest nor the slice tells, or the two do
 * not agree.
 */
export function partsOf({ parts, verdictsBytes }: SegmentShape, { directory }: NumbersReader): SegmentParts {
  const known = parts ?? directory;
  if (known === null) throw new FormatError('a numbers slice has no page directory');
  if (known.verdicts.bytes !== verdictsBytes) {
    throw new FormatError(`expected ${verdictsBytes} bytes of verdicts, found ${known.verdicts.bytes}`);
  }
  return known;
}

/**
 * Where the verdict of a rank is: in a page, or in the column of a segment of version 1. Throws FormatError likewise.
 */
export function pageOf(shape: SegmentShape, { directory }: NumbersReader, rank: number): PagePlace {
  if (shape.parts !== null) return columnOf(shape, shape.parts);
  if (directory === null) throw new FormatError('a numbers slice has no page directory');
  return directory.pageOf(rank);
}

/** All verdicts of a segment of version 1, which are read like a page. */
export function columnOf({ count }: SegmentShape, { verdicts }: SegmentParts): PagePlace {
  return { ...verdicts, offset: 0, rank: 0, count, held: undefined };
}

/** Where the parts of a segment file are. */
export function numbersOffset(): number {
  return SEGMENT_HEADER_BYTES;
}
export function verdictsOffset({ numbers }: SegmentShape): number {
  return numbersOffset() + numbers.bytes;
}
export function evidenceIndexOffset(shape: SegmentShape): number {
  return verdictsOffset(shape) + shape.verdictsBytes;
}
export function evidenceBlocksOffset(shape: SegmentShape, { evidenceIndex }: SegmentParts): number {
  return evidenceIndexOffset(shape) + evidenceIndex.bytes;
}

/** A segment of version 1, which is an object of its own. */
export function wholeObject(
  shape: Pick<SegmentEntry, 'key' | 'first' | 'last' | 'count' | 'numbers'>,
  parts: SegmentParts,
): SegmentEntry {
  const entry = { ...shape, offset: 0, verdictsBytes: parts.verdicts.bytes, bytes: 0, parts };
  return { ...entry, bytes: evidenceBlocksOffset(entry, parts) + parts.evidenceBlocksBytes + SEGMENT_FOOTER_BYTES };
}

/** The numbers slice of a whole segment file, as a view. */
export function numbersSlice({ file, shape }: EncodedSegment): Bytes {
  return slice(file, numbersOffset(), shape.numbers.bytes);
}
/** The verdicts of a whole segment file, as a view: one column, or pages. */
export function verdictsSlice({ file, shape }: EncodedSegment): Bytes {
  return slice(file, verdictsOffset(shape), shape.verdictsBytes);
}

function slice(file: Bytes, offset: number, bytes: number): Bytes {
  return file.subarray(offset, offset + bytes);
}

/** What a column of a whole segment, written or unpacked in one go, is worth in records of a merge. */
const COLUMN_WORK = 1_200;

/** Encodes records; the same records give the same bytes. They must not change until it is done. */
export async function encodeSegment(
  records: RecordColumns,
  pace: Pacer,
  digest: Digest = sha256Hex,
): Promise<EncodedSegment> {
  const count = records.numbers.length;
  const pages = await pace.run(encodePages(records, count));
  const evidence = await pace.run(encodeEvidence(records));
  const verdicts = joined(pages);
  const hashes = await Promise.all([...pages, verdicts, evidence.index].map(digest));
  const lengths = { indexBytes: evidence.index.length, blocksBytes: evidence.blocks.length };
  const pageBytes = pages.map((page) => page.length);
  const directory = encodePageDirectory({ count, pageRanks: PAGE_RANKS }, pageBytes, lengths, hashes);
  const numbers = await pace.run(encodeNumbersSliceSteps(records.numbers, records.firstDay, directory));
  const numbersHash = await digest(numbers);
  const parts = [numbers, verdicts, evidence.index, evidence.blocks];
  const range = { first: records.numbers[0] as number, last: records.numbers.at(-1) as number, count };
  const header = encodeHeader(
    range,
    parts.map((part) => part.length),
  );
  const file = joined([header, ...parts, encodeFooter([numbersHash, ...hashes.slice(-2)])]);
  return {
    shape: {
      ...range,
      numbers: { bytes: numbers.length, sha256: numbersHash },
      verdictsBytes: verdicts.length,
      bytes: file.length,
      parts: null,
    },
    file,
  };
}

function* encodePages(records: RecordColumns, count: number): Steps<Bytes[]> {
  const pages: Bytes[] = [];
  for (let from = 0; from < count; from += PAGE_RANKS) {
    pages.push(yield* encodeVerdictsSteps(records, from, Math.min(count, from + PAGE_RANKS)));
  }
  return pages;
}

/** The parts one after the other, in bytes of their own. */
export function joined(parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Of a column with this many records. */
export function columnWork(records: number): number {
  return (COLUMN_WORK * records) / SEGMENT_NUMBERS;
}

/** @param lengths of numbers slice, verdicts, evidence index and evidence blocks */
function encodeHeader(
  { first, last, count }: Pick<SegmentShape, 'first' | 'last' | 'count'>,
  lengths: readonly number[],
): Bytes {
  const body = new Uint8Array(48);
  const view = new DataView(body.buffer);
  view.setBigUint64(0, BigInt(first), true);
  view.setBigUint64(8, BigInt(last), true);
  [count, ...lengths].forEach((value, i) => {
    view.setUint32(16 + i * 4, value, true);
  });
  return frame(MAGIC, VERSION, body);
}

function encodeFooter(hashes: readonly string[]): Bytes {
  return frame(FOOTER_MAGIC, VERSION, fromHex(hashes.join('')));
}

/** What the header of a segment says. */
interface Header extends Pick<SegmentShape, 'first' | 'last' | 'count' | 'bytes'> {
  readonly version: number;
  /** Of numbers slice, verdicts, evidence index and evidence blocks. */
  readonly lengths: readonly [number, number, number, number];
}

/** Throws FormatError unless the bytes begin with a header. */
function openHeader(file: Bytes): Header {
  const bytes = file.subarray(0, SEGMENT_HEADER_BYTES);
  const version = frameVersion(bytes) === 1 ? 1 : VERSION;
  const header = openFrame(bytes, MAGIC, version);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const lengths = [20, 24, 28, 32].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  if (view.getBigUint64(36, true) !== 0n || view.getUint32(44, true) !== 0) {
    throw new FormatError(`${MAGIC}: expected reserved bytes of zero`);
  }
  return {
    version,
    first: Number(view.getBigUint64(0, true)),
    last: Number(view.getBigUint64(8, true)),
    count: view.getUint32(16, true),
    bytes: lengths.reduce((sum, length) => sum + length, SEGMENT_HEADER_BYTES + SEGMENT_FOOTER_BYTES),
    lengths,
  };
}

/**
 * The segments of a whole object with where each begins, as views. Throws FormatError unless they end where it does.
 */
export function segmentsIn(object: Bytes): { readonly offset: number; readonly file: Bytes }[] {
  const segments: { readonly offset: number; readonly file: Bytes }[] = [];
  for (let offset = 0; offset < object.length; ) {
    const { bytes } = openHeader(object.subarray(offset));
    if (bytes % 8 !== 0 || offset + bytes > object.length) {
      throw new FormatError(`${MAGIC}: expected ${bytes} bytes from ${offset} on, found ${object.length - offset}`);
    }
    segments.push({ offset, file: object.subarray(offset, offset + bytes) });
    offset += bytes;
  }
  return segments;
}

/** Bytes of a segment up to its evidence: what lookups need of it, and the feed hands on. */
export function headBytes(shape: SegmentShape): number {
  return evidenceIndexOffset(shape);
}

export interface OpenHead {
  readonly numbers: NumbersReader;
  readonly verdicts: Verdicts;
}

/**
 * Opens these bytes of a segment. Throws FormatError unless they are those of this shape, undamaged.
 * @param pace without, whoever asks counts the work
 */
export async function openHead(bytes: Bytes, shape: SegmentShape, pace?: Pacer): Promise<OpenHead> {
  if (bytes.byteOffset % 8 !== 0) throw new RangeError('a segment must begin at a multiple of 8 bytes');
  if (bytes.length !== headBytes(shape)) {
    throw new FormatError(`expected ${headBytes(shape)} bytes of a segment, found ${bytes.length}`);
  }
  const { count, version, lengths } = openHeader(bytes);
  if (version === 1 ? shape.parts === null : shape.parts !== null) {
    throw new FormatError(`${MAGIC}: version ${version} is not that of the segment looked for`);
  }
  if (lengths[0] !== shape.numbers.bytes || lengths[1] !== shape.verdictsBytes || count !== shape.count) {
    throw new FormatError(`${MAGIC}: the header is of another segment than was looked for`);
  }
  const numbersBytes = await checkedSlice(numbersSlice({ file: bytes, shape }), shape.numbers);
  if (pace?.count(columnWork(shape.count))) await pace.giveWay();
  const numbers = openNumbersSlice(numbersBytes);
  const verdictsBytes = await checkedSlice(verdictsSlice({ file: bytes, shape }), partsOf(shape, numbers).verdicts);
  if (pace?.count(columnWork(shape.count))) await pace.giveWay();
  const verdicts = openVerdicts(verdictsBytes, shape, numbers);
  if (numbers.count !== shape.count || verdicts.count !== shape.count) {
    const found = `${numbers.count} and ${verdicts.count}`;
    throw new FormatError(`${MAGIC}: expected ${shape.count} numbers and as many verdicts, found ${found}`);
  }
  if (numbers.select(0) !== shape.first || numbers.select(shape.count - 1) !== shape.last) {
    throw new FormatError(`${MAGIC}: the first or last number is another than was looked for`);
  }
  return { numbers, verdicts };
}

/** All verdicts of a segment, whose hash has been checked: one column in version 1, else pages. */
function openVerdicts(bytes: Bytes, { parts }: SegmentShape, { directory }: NumbersReader): Verdicts {
  if (parts !== null || directory === null) return new VerdictsReader(bytes);
  const pages: VerdictsReader[] = [];
  for (let rank = 0; rank < directory.count; rank += directory.pageRanks) {
    const place = directory.pageOf(rank);
    pages.push(openPage(bytes.subarray(place.offset, place.offset + place.bytes), place));
  }
  return new PagedVerdicts(pages, directory.pageRanks);
}

/** Opens a page, whose hash has been checked. Throws FormatError unless it has as many records as it must have. */
export function openPage(bytes: Bytes, { count }: PagePlace): VerdictsReader {
  const reader = new VerdictsReader(bytes);
  if (reader.count !== count) throw new FormatError(`expected a page of ${count} records, found ${reader.count}`);
  return reader;
}

/** A whole segment in memory, every part checked: what the merge reads. */
export interface OpenSegment extends OpenHead {
  readonly shape: SegmentShape;
  readonly parts: SegmentParts;
  readonly evidence: EvidenceIndex;
  /** Unpacks the evidence of 64 consecutive numbers from rank 64 * block. Throws FormatError. */
  readEvidence(block: number, into: EvidenceBlock): void;
}

/** Opens a whole segment file from its bytes alone. Throws FormatError on any damage. */
export async function openSegment(file: Bytes, pace: Pacer): Promise<OpenSegment> {
  if (file.byteOffset % 8 !== 0) throw new RangeError('a segment must begin at a multiple of 8 bytes');
  const { version, lengths, ...range } = openHeader(file);
  if (range.bytes !== file.length) {
    throw new FormatError(`${MAGIC}: expected ${range.bytes} bytes, found ${file.length}`);
  }
  const footer = openFrame(file.subarray(-SEGMENT_FOOTER_BYTES), FOOTER_MAGIC, version);
  const [numbersShape, verdictsShape, evidenceIndex] = lengths.slice(0, 3).map((bytes, i) => ({
    bytes,
    sha256: toHex(footer.subarray(i * 32, i * 32 + 32)),
  })) as [SliceShape, SliceShape, SliceShape];
  const parts = { verdicts: verdictsShape, evidenceIndex, evidenceBlocksBytes: lengths[3] };
  const shape: SegmentShape = {
    ...range,
    numbers: numbersShape,
    verdictsBytes: verdictsShape.bytes,
    parts: version === 1 ? parts : null,
  };
  const head = await openHead(file.subarray(0, headBytes(shape)), shape, pace);
  checkParts(parts, partsOf(shape, head.numbers));
  const blocksAt = evidenceBlocksOffset(shape, parts);
  const indexBytes = await checkedSlice(file.subarray(headBytes(shape), blocksAt), evidenceIndex);
  if (pace.count(columnWork(shape.count))) await pace.giveWay();
  const evidence = new EvidenceIndex(indexBytes);
  if (evidence.count !== shape.count) {
    throw new FormatError(`${MAGIC}: expected evidence of ${shape.count} records, found ${evidence.count}`);
  }
  const blocks = file.subarray(blocksAt, file.length - SEGMENT_FOOTER_BYTES);
  const lastBlock = evidence.place(evidence.blocks - 1);
  const blocksEnd = lastBlock.offset + lastBlock.length;
  if (blocks.length !== roundUp8(blocksEnd) || blocks.subarray(blocksEnd).some((byte) => byte !== 0)) {
    throw new FormatError(`${MAGIC}: expected ${blocksEnd} bytes of evidence and padding, found ${blocks.length}`);
  }
  return {
    shape,
    parts,
    ...head,
    evidence,
    readEvidence(block, into) {
      const place = evidence.place(block);
      const bytes = blocks.subarray(place.offset, place.offset + place.length);
      into.read(bytes, place, numbersInBlock(shape.count, block), evidence.texts);
    },
  };
}

/** What the directory says against what the footer says. */
function checkParts(found: SegmentParts, expected: SegmentParts): void {
  const text = ({ verdicts, evidenceIndex, evidenceBlocksBytes }: SegmentParts) =>
    [verdicts.bytes, verdicts.sha256, evidenceIndex.bytes, evidenceIndex.sha256, evidenceBlocksBytes].join(' ');
  if (text(found) !== text(expected)) throw new FormatError(`${MAGIC}: the page directory is of other parts`);
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
