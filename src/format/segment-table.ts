/**
 * Segments as the manifest lists them, some 50 bytes each: every isolate reads the manifest first. The rows of a run
 * follow one another; integers are varints (LEB128). A row is
 *
 *   place                      where the segment is: 0 behind that of the row before, in its object; 1 at the beginning
 *                              of the next object, whose key ends in a number that is larger by one; 2 as is written:
 *     shared, text, offset     how much of the key is as in the row before, in characters; the rest; where it begins
 *                              and 4 more for a segment of version 1
 *   first - last of the row before   first itself in the first row of a run
 *   last - first, count
 *   bytes of the numbers slice, of the verdicts, and of the whole segment, in units of eight
 *   32 bytes                   SHA-256 of the numbers slice
 *   bytes of the evidence index, 2 x 32 bytes   of a segment of version 1: SHA-256 of the verdicts and of that index
 *
 * Manifests of versions 1 and 2 have segments of version 1, each an object, in rows of about 125 bytes:
 *
 *   shared, text               of the key
 *   first, last - first, count
 *   bytes of the numbers slice, the verdicts, the evidence index, and the evidence blocks
 *   3 x 32 bytes               SHA-256 of the first three
 */

import { type ByteReader, type Bytes, ByteWriter, FormatError, toHex } from '../lib/bytes.ts';
import {
  SEGMENT_FOOTER_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentEntry,
  type SliceShape,
  wholeObject,
} from './segment.ts';

/** The version of the manifest since which rows are as they are. */
export const TABLE_VERSION = 3;
const HASH_BYTES = 32;
/** Every part of a segment begins at a multiple of it, and so does a segment in its object. */
const UNIT = 8;

/** As a rule: a row with a key of its own has more. */
const MOST_ROW_BYTES = 64;

const FOLLOWS = 0;
const NEXT_OBJECT = 1;
const WRITTEN = 2;
const OF_VERSION_1 = 4;

/** The key of the next object of an attempt; null: the key does not end in six digits. */
function nextKey(key: string): string | null {
  if (!/-\d{6}$/.test(key)) return null;
  return key.slice(0, -6) + String(Number(key.slice(-6)) + 1).padStart(6, '0');
}

/** @param before the last entry of the table before it, in the same manifest */
export function encodeSegmentTable(entries: readonly SegmentEntry[], before?: SegmentEntry): Bytes {
  const writer = new ByteWriter(MOST_ROW_BYTES * entries.length);
  let previous = before;
  let last = 0;
  for (const entry of entries) {
    writePlace(writer, entry, previous);
    writer.varint(entry.first - last);
    writer.varint(entry.last - entry.first);
    writer.varint(entry.count);
    writer.varint(entry.numbers.bytes / UNIT);
    writer.varint(entry.verdictsBytes / UNIT);
    writer.varint(entry.bytes / UNIT);
    writer.hex(entry.numbers.sha256);
    if (entry.parts !== null) {
      writer.varint(entry.parts.evidenceIndex.bytes);
      writer.hex(entry.parts.verdicts.sha256);
      writer.hex(entry.parts.evidenceIndex.sha256);
    }
    previous = entry;
    last = entry.last;
  }
  return writer.view();
}

function writePlace(writer: ByteWriter, { key, offset, parts }: SegmentEntry, before: SegmentEntry | undefined): void {
  const version = parts === null ? 0 : OF_VERSION_1;
  if (before !== undefined && key === before.key && offset === before.offset + before.bytes) {
    writer.varint(version + FOLLOWS);
  } else if (before !== undefined && offset === 0 && key === nextKey(before.key)) {
    writer.varint(version + NEXT_OBJECT);
  } else {
    const previous = before?.key ?? '';
    let shared = 0;
    while (shared < Math.min(previous.length, key.length) && previous[shared] === key[shared]) shared += 1;
    writer.varint(version + WRITTEN);
    writer.varint(shared);
    writer.text(key.slice(shared));
    writer.varint(offset / UNIT);
  }
}

/**
 * Reads `rows` rows. Throws FormatError when they are cut off or no such rows.
 * @param before the last entry of the table before it, in the same manifest
 * @param version of the manifest
 */
export function readSegmentTable(
  reader: ByteReader,
  rows: number,
  before: SegmentEntry | undefined,
  version: number,
): SegmentEntry[] {
  const entries: SegmentEntry[] = [];
  let previous = before;
  let last = 0;
  for (let row = 0; row < rows; row++) {
    const entry = version < TABLE_VERSION ? readOldRow(reader, previous) : readRow(reader, previous, last);
    if (!Number.isSafeInteger(entry.last)) throw new FormatError(`segment table: row ${row} ends beyond 2^53`);
    if (!Number.isSafeInteger(entry.offset + entry.bytes)) {
      throw new FormatError(`segment table: row ${row} has a segment that ends beyond 2^53`);
    }
    entries.push(entry);
    previous = entry;
    last = entry.last;
  }
  return entries;
}

function readRow(reader: ByteReader, before: SegmentEntry | undefined, last: number): SegmentEntry {
  const kind = reader.varint();
  const { key, offset } = readPlace(reader, kind % OF_VERSION_1, before);
  const first = last + reader.varint();
  const end = first + reader.varint();
  const count = reader.varint();
  const numbersBytes = reader.varint() * UNIT;
  const verdictsBytes = reader.varint() * UNIT;
  const bytes = reader.varint() * UNIT;
  const numbers = { bytes: numbersBytes, sha256: readHash(reader) };
  const entry = { key, offset, first, last: end, count, numbers, verdictsBytes, bytes, parts: null };
  if (kind < OF_VERSION_1) return entry;
  if (kind > OF_VERSION_1 + WRITTEN) throw new FormatError(`segment table: a row of kind ${kind}`);
  const indexBytes = reader.varint();
  const verdicts = { bytes: verdictsBytes, sha256: readHash(reader) };
  const evidenceIndex = { bytes: indexBytes, sha256: readHash(reader) };
  const rest = SEGMENT_HEADER_BYTES + numbersBytes + verdictsBytes + indexBytes + SEGMENT_FOOTER_BYTES;
  if (rest > bytes) throw new FormatError(`segment table: parts of ${rest} bytes in a segment of ${bytes}`);
  return { ...entry, parts: { verdicts, evidenceIndex, evidenceBlocksBytes: bytes - rest } };
}

type Lengths = [number, number, number];

function readPlace(
  reader: ByteReader,
  place: number,
  before: SegmentEntry | undefined,
): Pick<SegmentEntry, 'key' | 'offset'> {
  if (place === WRITTEN) return { key: readKey(reader, before), offset: reader.varint() * UNIT };
  if (before === undefined) throw new FormatError('segment table: the first row has no place');
  if (place === FOLLOWS) return { key: before.key, offset: before.offset + before.bytes };
  const key = place === NEXT_OBJECT ? nextKey(before.key) : null;
  if (key === null) throw new FormatError(`segment table: a row at place ${place}`);
  return { key, offset: 0 };
}

function readKey(reader: ByteReader, before: SegmentEntry | undefined): string {
  const previous = before?.key ?? '';
  const shared = reader.varint();
  if (shared > previous.length) throw new FormatError(`segment table: a row shares ${shared} characters of a key`);
  return previous.slice(0, shared) + reader.text();
}

function readHash(reader: ByteReader): string {
  return toHex(reader.raw(HASH_BYTES));
}

function readOldRow(reader: ByteReader, before: SegmentEntry | undefined): SegmentEntry {
  const key = readKey(reader, before);
  const first = reader.varint();
  const last = first + reader.varint();
  const count = reader.varint();
  const lengths = [reader.varint(), reader.varint(), reader.varint()] as Lengths;
  const evidenceBlocksBytes = reader.varint();
  const [numbers, verdicts, evidenceIndex] = lengths.map(
    (bytes): SliceShape => ({ bytes, sha256: readHash(reader) }),
  ) as [SliceShape, SliceShape, SliceShape];
  return wholeObject({ key, first, last, count, numbers }, { verdicts, evidenceIndex, evidenceBlocksBytes });
}
