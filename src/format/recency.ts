/**
 * Recency: which numbers of a segment were first seen lately, and on which day. Numbers are bought in blocks, so a
 * block in which numbers have just come up is where the next ones will (docs/NEIGHBOURHOOD.md); verdicts know the days
 * of all numbers, but are not in memory for a number that is not listed. Frame "RFFR" version 1, little-endian:
 *
 *   u32 count                  N, numbers of the segment
 *   u32 newestDay              the latest first seen of them, UTC day since 1970
 *   u32 fresh                  F, numbers first seen less than 32 days before newestDay
 *   u32 ageBits                w, 0 to 5: of the largest age
 *   u32 ages[ceil(F * w / 32) + 1]   newestDay less the first seen of each recent number, by rank, w bits each
 *   zeros                      to a multiple of eight bytes
 *
 * Unless all numbers are recent, the ranks of the recent ones follow as a frame of the numbers column (numbers.ts). A
 * run of one day's detections takes a few bytes: all of its numbers are recent, and all ages are 0.
 */

import { bitLength, putWords, readBits, writeBits } from '../lib/bits.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { finish, type Steps } from '../lib/cooperate.ts';
import { FRAME_HEADER_BYTES, frameBytes, openFrame, roundUp8, sealFrame } from '../lib/frame.ts';
import { LAST_DAY } from '../lib/time.ts';
import { encodeNumbersSteps, SEGMENT_NUMBERS } from './numbers.ts';
import { NumbersReader, type Recency } from './numbers-reader.ts';

const MAGIC = 'RFFR';
const VERSION = 1;
const PREFIX_BYTES = 16;
const MAX_AGE_BITS = 5;
/** A first seen that is older than this in days, against the newest of its segment, is not kept. */
export const MAX_RECENT_AGE = 2 ** MAX_AGE_BITS - 1;

/** @param firstDay by rank, UTC days since 1970; at least one */
export function encodeRecency(firstDay: Uint32Array): Bytes {
  return finish(encodeRecencySteps(firstDay));
}

export function* encodeRecencySteps(firstDay: Uint32Array): Steps<Bytes> {
  let newestDay = 0;
  for (let rank = 0; rank < firstDay.length; rank++) newestDay = Math.max(newestDay, firstDay[rank] as number);
  const ranks = new Float64Array(firstDay.length);
  let recent = 0;
  let oldest = 0;
  for (let rank = 0; rank < firstDay.length; rank++) {
    const age = newestDay - (firstDay[rank] as number);
    if (age > MAX_RECENT_AGE) continue;
    ranks[recent++] = rank;
    oldest = Math.max(oldest, age);
  }
  const ageBits = bitLength(oldest);
  const ages = new Uint32Array(ageWords(recent, ageBits));
  for (let i = 0; i < recent; i++) {
    writeBits(ages, i * ageBits, ageBits, newestDay - (firstDay[ranks[i] as number] as number));
  }
  const column = recent < firstDay.length ? yield* encodeNumbersSteps(ranks.subarray(0, recent)) : new Uint8Array();
  const length = daysBytes(recent, ageBits);
  const out = new Uint8Array(length + column.length);
  const view = new DataView(out.buffer);
  [firstDay.length, newestDay, recent, ageBits].forEach((value, i) => {
    view.setUint32(FRAME_HEADER_BYTES + i * 4, value, true);
  });
  putWords(out, FRAME_HEADER_BYTES + PREFIX_BYTES, ages);
  sealFrame(out.subarray(0, length), MAGIC, VERSION);
  out.set(column, length);
  return out;
}

/** One word more than the ages need, so that a read of two words never leaves the array. */
function ageWords(recent: number, ageBits: number): number {
  return Math.ceil((recent * ageBits) / 32) + 1;
}

/** Bytes of the frame of days. */
function daysBytes(recent: number, ageBits: number): number {
  return roundUp8(FRAME_HEADER_BYTES + PREFIX_BYTES + ageWords(recent, ageBits) * 4);
}

/** The recent numbers of a segment as views on its bytes. Nothing is allocated per question. */
export class RecencyReader implements Recency {
  /** Numbers of the segment. */
  readonly count: number;
  /** The latest first seen of any of them. */
  readonly newestDay: number;
  readonly #ageBits: number;
  readonly #ages: Uint32Array;
  /** The ranks of the recent numbers; null: all are. */
  readonly #ranks: NumbersReader | null;

  /** Throws FormatError unless the bytes are all of it, undamaged. They begin at a multiple of eight bytes. */
  constructor(bytes: Bytes) {
    const length = frameBytes(bytes);
    const body = openFrame(bytes.subarray(0, length), MAGIC, VERSION);
    if (body.length < PREFIX_BYTES) throw new FormatError(`${MAGIC}: ${body.length} bytes of body`);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const [count, newestDay, recent, ageBits] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as Prefix;
    const hasCounts = count >= 1 && count <= SEGMENT_NUMBERS && recent >= 1 && recent <= count;
    const isInRange = hasCounts && newestDay <= LAST_DAY && ageBits <= MAX_AGE_BITS;
    if (!isInRange || length !== daysBytes(recent, ageBits)) {
      throw new FormatError(`${MAGIC}: ${recent} recent of ${count} numbers in ${length} bytes`);
    }
    this.count = count;
    this.newestDay = newestDay;
    this.#ageBits = ageBits;
    this.#ages = new Uint32Array(body.buffer, body.byteOffset + PREFIX_BYTES, ageWords(recent, ageBits));
    this.#ranks = readRanks(bytes.subarray(length), recent, count);
  }

  /** First seen of the number of a rank, UTC day since 1970; -1 if it is not recent. */
  firstDay(rank: number): number {
    const at = this.#ranks === null ? rank : this.#ranks.find(rank);
    return at < 0 ? -1 : this.#dayAt(at);
  }

  /** How many recent numbers have a smaller rank: where those from this rank on begin among the recent ones. */
  before(rank: number): number {
    return this.#ranks === null ? rank : this.#ranks.rank(rank);
  }

  /**
   * Of the recent numbers [from, to), counted as `before` does, how many were first seen on `sinceDay` or later, which
   * must be within MAX_RECENT_AGE of newestDay or after it; no more than `cap` are counted.
   */
  countSince(from: number, to: number, sinceDay: number, cap: number): number {
    if (this.newestDay < sinceDay) return 0;
    let count = 0;
    for (let at = from; at < to && count < cap; at++) if (this.#dayAt(at) >= sinceDay) count += 1;
    return count;
  }

  #dayAt(at: number): number {
    return this.newestDay - readBits(this.#ages, at * this.#ageBits, this.#ageBits);
  }
}

type Prefix = [number, number, number, number];

function readRanks(bytes: Bytes, recent: number, count: number): NumbersReader | null {
  if (recent === count) {
    if (bytes.length > 0) throw new FormatError(`${MAGIC}: ${bytes.length} bytes follow`);
    return null;
  }
  const ranks = new NumbersReader(bytes);
  if (ranks.count !== recent || ranks.select(recent - 1) >= count) {
    throw new FormatError(`${MAGIC}: expected ${recent} ranks below ${count}, found ${ranks.count}`);
  }
  return ranks;
}
