/** Reads the parts of segments: from the slice store, or from the segment itself, and only if the hash is right. */

import type { NumbersReader } from '../format/numbers-reader.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import type { PagePlace, SegmentParts } from '../format/page-directory.ts';
import {
  checkedSlice,
  type EncodedSegment,
  evidenceIndexOffset,
  headBytes,
  numbersOffset,
  numbersSlice,
  type OpenSegment,
  openSegment,
  type SegmentEntry,
  type SliceShape,
  verdictsOffset,
  verdictsSlice,
} from '../format/segment.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { sliceKey } from './keys.ts';
import { type ObjectStore, readImmutable, type SliceStore } from './store.ts';

/** The numbers slice from its segment in the object store. Rejects when it is not there or damaged. */
export async function readNumbers(objects: ObjectStore, entry: SegmentEntry): Promise<Bytes> {
  return readPart(objects, entry, numbersOffset(), entry.numbers);
}

/** Pages of verdicts that follow one another, in one read, likewise. */
export async function readPages(
  objects: ObjectStore,
  entry: SegmentEntry,
  pages: readonly PagePlace[],
): Promise<Bytes[]> {
  const start = pages[0]?.offset ?? 0;
  const end = pages.reduce((last, { offset, bytes }) => Math.max(last, offset + bytes), start);
  return readChecked(objects, entry, verdictsOffset(entry) + start, end - start, (read) => {
    // Copied, so that a page does not keep the others in memory.
    const part = ({ offset, bytes }: PagePlace) => read.slice(offset - start, offset - start + bytes);
    return Promise.all(pages.map((page) => checkedSlice(pages.length === 1 ? read : part(page), page)));
  });
}

/** A segment up to its evidence, not checked. Rejects when it is not there. */
export async function readHead(objects: ObjectStore, entry: SegmentEntry): Promise<Bytes> {
  return readSegmentRange(objects, entry, 0, headBytes(entry));
}

/** The evidence index, likewise. */
export async function readEvidenceIndex(
  objects: ObjectStore,
  entry: SegmentEntry,
  { evidenceIndex }: SegmentParts,
): Promise<Bytes> {
  return readPart(objects, entry, evidenceIndexOffset(entry), evidenceIndex);
}

async function readPart(objects: ObjectStore, entry: SegmentEntry, offset: number, part: SliceShape): Promise<Bytes> {
  return readChecked(objects, entry, offset, part.bytes, (bytes) => checkedSlice(bytes, part));
}

/**
 * Bytes of a segment, from wherever they are nearest, as what `check` makes of them. Rejects when they are not there.
 */
async function readChecked<T>(
  objects: ObjectStore,
  entry: SegmentEntry,
  offset: number,
  length: number,
  check: (bytes: Bytes) => Promise<T>,
): Promise<T> {
  const checked = await readImmutable(objects, entry.key, { offset: entry.offset + offset, length }, check);
  if (checked === null) throw missing(entry);
  return checked;
}

/** Bytes of a segment, not checked. Rejects when they are not there. */
export async function readSegmentRange(
  objects: ObjectStore,
  entry: SegmentEntry,
  offset: number,
  length: number,
): Promise<Bytes> {
  const bytes = await objects.getRange(entry.key, entry.offset + offset, length);
  if (bytes === null) throw missing(entry);
  return bytes;
}

function missing({ key }: SegmentEntry): RangeError {
  return new RangeError(`segment ${key} is not in the object store`);
}

/** A whole segment, every part checked. Rejects when it is not there or damaged. */
export async function readSegment(objects: ObjectStore, entry: SegmentEntry, pace: Pacer): Promise<OpenSegment> {
  const segment = await openSegment(await readSegmentRange(objects, entry, 0, entry.bytes), pace);
  if (segment.shape.numbers.sha256 !== entry.numbers.sha256) {
    throw new FormatError(`${entry.key} has another segment at ${entry.offset} than the manifest says`);
  }
  return segment;
}

/** A slice from the slice store, or null when it is missing there, damaged, or the store fails. */
export async function readSlice(
  slices: SliceStore,
  slice: SliceShape,
  report: (problem: string) => void,
): Promise<Bytes | null> {
  try {
    const bytes = await slices.get(sliceKey(slice));
    return bytes === null ? null : await checkedSlice(bytes, slice);
  } catch (error) {
    // The segment itself still has it: the caller reads it there.
    report(`slice ${slice.sha256}: ${messageOf(error)}`);
    return null;
  }
}

/** The numbers column of a segment in the object store. Rejects when it is not there or damaged. */
export async function openNumbers(objects: ObjectStore, entry: SegmentEntry): Promise<NumbersReader> {
  return openNumbersSlice(await readNumbers(objects, entry));
}

/** Puts what is read of a segment most into the slice store under its hash: the numbers slice. */
export async function writeSlices(slices: SliceStore, segment: EncodedSegment, writtenAt: number): Promise<void> {
  const { numbers, parts } = segment.shape;
  await slices.put(sliceKey(numbers), numbersSlice(segment), writtenAt);
  // Lookups ask for the verdicts of a segment of version 1 there, too.
  if (parts !== null) await slices.put(sliceKey(parts.verdicts), verdictsSlice(segment), writtenAt);
}
