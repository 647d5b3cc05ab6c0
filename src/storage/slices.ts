/** Reads the columns of segments: from the slice store, or from the segment itself, and only if the hash is right. */

import type { SegmentEntry } from '../format/manifest.ts';
import {
  checkedSlice,
  type EncodedSegment,
  evidenceIndexOffset,
  numbersOffset,
  numbersSlice,
  type OpenSegment,
  openSegment,
  type SliceShape,
  verdictsOffset,
  verdictsSlice,
} from '../format/segment.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { sliceKey } from './keys.ts';
import { type ObjectStore, readImmutable, type SliceStore } from './store.ts';

export type Column = 'numbers' | 'verdicts' | 'evidenceIndex';

/** Where a column is in its segment file, and what it must hash to. */
function columnPlace(entry: SegmentEntry, column: Column): SliceShape & { readonly offset: number } {
  if (column === 'numbers') return { ...entry.numbers, offset: numbersOffset() };
  if (column === 'verdicts') return { ...entry.verdicts, offset: verdictsOffset(entry) };
  return { ...entry.evidenceIndex, offset: evidenceIndexOffset(entry) };
}

/** A column from its segment in the object store. Rejects when it is not there or damaged. */
export async function readColumn(
  objects: ObjectStore,
  entry: SegmentEntry,
  column: Column,
): Promise<Uint8Array<ArrayBuffer>> {
  const place = columnPlace(entry, column);
  const { offset, bytes: length } = place;
  const checked = await readImmutable(objects, entry.key, { offset, length }, (bytes) => checkedSlice(bytes, place));
  if (checked === null) throw missing(entry);
  return checked;
}

/** Bytes of a segment, not checked. Rejects when they are not there. */
export async function readSegmentRange(
  objects: ObjectStore,
  entry: SegmentEntry,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await objects.getRange(entry.key, offset, length);
  if (bytes === null) throw missing(entry);
  return bytes;
}

/** A whole segment, every part checked. Rejects when it is not there or damaged. */
export async function readSegment(objects: ObjectStore, entry: SegmentEntry, pace: Pacer): Promise<OpenSegment> {
  const object = await objects.get(entry.key);
  if (object === null) throw missing(entry);
  return openSegment(object.bytes, pace);
}

function missing({ key }: SegmentEntry): RangeError {
  return new RangeError(`segment ${key} is not in the object store`);
}

/** A column from the slice store, or null when it is missing there, damaged, or the store fails. */
export async function readCachedColumn(
  slices: SliceStore,
  entry: SegmentEntry,
  column: Column,
  report: (problem: string) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const place = columnPlace(entry, column);
  try {
    const bytes = await slices.get(sliceKey(place));
    return bytes === null ? null : await checkedSlice(bytes, place);
  } catch (error) {
    // The segment itself still has the column: the caller reads it there.
    report(`slice ${place.sha256} of ${entry.key}: ${messageOf(error)}`);
    return null;
  }
}

/** Puts the two hot columns of a segment into the slice store under their hashes. */
export async function writeSlices(slices: SliceStore, segment: EncodedSegment, writtenAt: number): Promise<void> {
  const { shape } = segment;
  await slices.put(sliceKey(shape.numbers), numbersSlice(segment), writtenAt);
  await slices.put(sliceKey(shape.verdicts), verdictsSlice(segment), writtenAt);
}
