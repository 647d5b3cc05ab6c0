/**
 * The numbers slice of a segment, all that a lookup of an unlisted number asks for: the numbers column (numbers.ts),
 * then the recent numbers (recency.ts), in frames of their own.
 */

import { type Bytes, FormatError } from '../lib/bytes.ts';
import { finish, type Steps } from '../lib/cooperate.ts';
import { frameBytes } from '../lib/frame.ts';
import { encodeNumbersSteps } from './numbers.ts';
import { NumbersReader } from './numbers-reader.ts';
import { encodeRecencySteps, RecencyReader } from './recency.ts';

/** @param firstDay by rank, UTC days since 1970 */
export function encodeNumbersSlice(numbers: Float64Array, firstDay: Uint32Array): Bytes {
  return finish(encodeNumbersSliceSteps(numbers, firstDay));
}

export function* encodeNumbersSliceSteps(numbers: Float64Array, firstDay: Uint32Array): Steps<Bytes> {
  const column = yield* encodeNumbersSteps(numbers);
  const recency = yield* encodeRecencySteps(firstDay);
  const out = new Uint8Array(column.length + recency.length);
  out.set(column);
  out.set(recency, column.length);
  return out;
}

/** Opens a whole slice; views stay on `bytes`. Throws FormatError unless it is one, undamaged. */
export function openNumbersSlice(bytes: Bytes): NumbersReader {
  const end = frameBytes(bytes);
  const recency = new RecencyReader(bytes.subarray(end));
  const numbers = new NumbersReader(bytes.subarray(0, end), recency);
  if (numbers.count !== recency.count) {
    throw new FormatError(`expected the days of ${numbers.count} numbers, found ${recency.count}`);
  }
  return numbers;
}

/** The numbers of a slice alone, for who asks for nothing else of it. Throws FormatError unless they are undamaged. */
export function openNumbersOnly(bytes: Bytes): NumbersReader {
  return new NumbersReader(bytes.subarray(0, frameBytes(bytes)));
}
