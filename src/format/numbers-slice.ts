/**
 * The numbers slice of a segment, all that a lookup of an unlisted number asks for: the numbers column (numbers.ts),
 * the recent numbers (recency.ts), and the page directory (page-directory.ts), in frames of their own. Slices of
 * segments of version 1 have no directory.
 */

import { type Bytes, FormatError } from '../lib/bytes.ts';
import { finish, type Steps } from '../lib/cooperate.ts';
import { frameBytes, frameMagic, openHashedFrame } from '../lib/frame.ts';
import { encodeNumbersSteps, NUMBERS_MAGIC } from './numbers.ts';
import { openNumbersColumn } from './numbers-column.ts';
import { NumbersReader } from './numbers-reader.ts';
import { PageDirectory } from './page-directory.ts';
import { encodeRecencySteps, RecencyReader } from './recency.ts';

/** @param firstDay by rank, UTC days since 1970; @param directory none for a slice of version 1 */
export function encodeNumbersSlice(numbers: Float64Array, firstDay: Uint32Array, directory = new Uint8Array()): Bytes {
  return finish(encodeNumbersSliceSteps(numbers, firstDay, directory));
}

export function* encodeNumbersSliceSteps(
  numbers: Float64Array,
  firstDay: Uint32Array,
  directory: Uint8Array,
): Steps<Bytes> {
  const column = yield* encodeNumbersSteps(numbers);
  const recency = yield* encodeRecencySteps(firstDay);
  const out = new Uint8Array(column.length + recency.length + directory.length);
  out.set(column);
  out.set(recency, column.length);
  out.set(directory, column.length + recency.length);
  return out;
}

/** Opens a whole slice; views stay on `bytes`. Throws FormatError unless it is one, undamaged. */
export function openNumbersSlice(bytes: Bytes): NumbersReader {
  const recencyAt = frameBytes(bytes);
  let end = recencyAt + frameBytes(bytes.subarray(recencyAt));
  // The ranks of the recent numbers, unless all are.
  if (frameMagic(bytes.subarray(end)) === NUMBERS_MAGIC) end += frameBytes(bytes.subarray(end));
  const recency = new RecencyReader(bytes.subarray(recencyAt, end));
  const directory = end === bytes.length ? null : new PageDirectory(bytes.subarray(end));
  const numbers = new NumbersReader(bytes.subarray(0, recencyAt), recency, directory);
  for (const { count } of [recency, directory ?? recency]) {
    if (numbers.count !== count)
      throw new FormatError(`expected ${numbers.count} numbers in each part, found ${count}`);
  }
  return numbers;
}

/**
 * The numbers of a slice alone, for who asks for nothing else of it. Throws FormatError unless they are numbers.
 * @param hashed a slice whose hash has been checked: a merge opens most of an inventory's, and checksums take as long as
 * everything else of that
 */
export function openNumbersOnly(hashed: Bytes): NumbersReader {
  const bytes = hashed.subarray(0, frameBytes(hashed));
  return new NumbersReader(bytes, null, null, openNumbersColumn(bytes, openHashedFrame));
}
