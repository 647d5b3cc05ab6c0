/**
 * Fresh numbers: which numbers of a segment were first seen lately, and on which day. Numbers are bought in blocks, so a
 * block in which numbers have just come up is where the next will (docs/NEIGHBOURHOOD.md); verdicts know the days of all
 * numbers, but are not in memory for a number that is not listed. Frame "RFFR" version 1, little-endian:
 *
 *   u32 count                  N, numbers of the segment
 *   u32 newestDay              the latest first seen of them, UTC day since 1970
 *   u32 fresh                  F, numbers first seen less than 64 days before newestDay
 *   u32 zero
 *   u32 bitmap[ceil(N / 32)]   bit r is set if the number of rank r is fresh, least significant bit first
 *   u32 ages[ceil(F * 6 / 32) + 1]   newestDay less the first seen of each fresh number, by rank, 6 bits each
 *   u16 before[ceil(N / 512)]  fresh numbers before ranks 0, 512, 1,024, ...
 *   zeros                      to a multiple of eight bytes
 */
import { popcount, putWords, readBits, setBit, testBit, writeBits } from './bits.ts';
import { type Bytes, FormatError, FRAME_HEADER_BYTES, openFrame, roundUp8, sealFrame } from './frame.ts';
import { SEGMENT_NUMBERS } from './numbers.ts';

const MAGIC = 'RFFR';
const VERSION = 1;
const PREFIX_BYTES = 16;
const AGE_BITS = 6;
/** A first seen that is older than this in days, against the newest of its segment, is not kept. */
export const FRESH_DAYS = 2 ** AGE_BITS - 1;
const STRETCH = 512;
/** The last UTC day of 32-bit seconds, in 2106. */
const LAST_DAY = 49_710;

/** @param firstDay by rank, UTC days since 1970; at least one */
export function encodeFresh(firstDay: Uint32Array): Bytes {
  const count = firstDay.length;
  let newestDay = 0;
  for (let rank = 0; rank < count; rank++) newestDay = Math.max(newestDay, firstDay[rank] as number);
  const bitmap = new Uint32Array(Math.ceil(count / 32));
  const before = new Uint16Array(Math.ceil(count / STRETCH));
  let fresh = 0;
  for (let rank = 0; rank < count; rank++) {
    if (rank % STRETCH === 0) before[rank / STRETCH] = fresh;
    if (newestDay - (firstDay[rank] as number) > FRESH_DAYS) continue;
    setBit(bitmap, rank);
    fresh += 1;
  }
  const ages = new Uint32Array(ageWords(fresh));
  let at = 0;
  for (let rank = 0; rank < count; rank++) {
    if (!testBit(bitmap, rank)) continue;
    writeBits(ages, at * AGE_BITS, AGE_BITS, newestDay - (firstDay[rank] as number));
    at += 1;
  }
  const out = new Uint8Array(frameBytes(count, fresh));
  const view = new DataView(out.buffer);
  [count, newestDay, fresh, 0].forEach((value, i) => {
    view.setUint32(FRAME_HEADER_BYTES + i * 4, value, true);
  });
  const end = putWords(out, putWords(out, FRAME_HEADER_BYTES + PREFIX_BYTES, bitmap), ages);
  out.set(new Uint8Array(before.buffer), end);
  return sealFrame(out, MAGIC, VERSION);
}

/** One word more than the ages need, so that a read of two words never leaves the array. */
function ageWords(fresh: number): number {
  return Math.ceil((fresh * AGE_BITS) / 32) + 1;
}

function frameBytes(count: number, fresh: number): number {
  const words = Math.ceil(count / 32) + ageWords(fresh);
  return roundUp8(FRAME_HEADER_BYTES + PREFIX_BYTES + words * 4 + Math.ceil(count / STRETCH) * 2);
}

/** The fresh numbers of a segment as views on its bytes. Nothing is allocated per question. */
export class FreshDays {
  readonly count: number;
  /** The latest first seen of any number of the segment. */
  readonly newestDay: number;
  readonly #bitmap: Uint32Array;
  readonly #ages: Uint32Array;
  readonly #before: Uint16Array;

  /** Throws FormatError unless the bytes are a whole frame, undamaged. They begin at a multiple of four bytes. */
  constructor(bytes: Bytes) {
    const body = openFrame(bytes, MAGIC, VERSION);
    if (body.length < PREFIX_BYTES) throw new FormatError(`${MAGIC}: ${body.length} bytes of body`);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const [count, newestDay, fresh, zero] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as Prefix;
    const isInRange = count >= 1 && count <= SEGMENT_NUMBERS && fresh <= count && newestDay <= LAST_DAY && zero === 0;
    if (!isInRange || bytes.length !== frameBytes(count, fresh)) {
      throw new FormatError(`${MAGIC}: ${fresh} fresh of ${count} numbers in ${bytes.length} bytes`);
    }
    let at = body.byteOffset + PREFIX_BYTES;
    const words = (length: number) => {
      at += length * 4;
      return new Uint32Array(body.buffer, at - length * 4, length);
    };
    this.count = count;
    this.newestDay = newestDay;
    this.#bitmap = words(Math.ceil(count / 32));
    this.#ages = words(ageWords(fresh));
    this.#before = new Uint16Array(body.buffer, at, Math.ceil(count / STRETCH));
    this.#check(fresh);
  }

  /** The checksum vouches for the bytes; this vouches for the writer: no question leaves the ages. */
  #check(fresh: number): void {
    let found = 0;
    for (let word = 0; word < this.#bitmap.length; word++) {
      const isStretch = (word * 32) % STRETCH === 0;
      if (isStretch && this.#before[(word * 32) / STRETCH] !== found) {
        throw new FormatError(`${MAGIC}: expected ${found} fresh numbers before rank ${word * 32}`);
      }
      found += popcount(this.#bitmap[word] as number);
    }
    const beyond = this.count % 32 === 0 ? 0 : (this.#bitmap[this.#bitmap.length - 1] as number) >>> (this.count % 32);
    if (found !== fresh || beyond !== 0) {
      throw new FormatError(`${MAGIC}: expected ${fresh} fresh numbers, found ${found}`);
    }
  }

  /** First seen of the number of a rank, UTC day since 1970; -1 if it is not fresh. */
  firstDay(rank: number): number {
    return testBit(this.#bitmap, rank) ? this.#dayAt(this.#freshBefore(rank)) : -1;
  }

  /**
   * How many numbers of ranks [from, to) were first seen on `sinceDay` or later, which must be within FRESH_DAYS of
   * newestDay or after it; no more than `enough` are counted.
   */
  countSince(from: number, to: number, sinceDay: number, enough: number): number {
    if (this.newestDay < sinceDay) return 0;
    let count = 0;
    let at = -1;
    for (let rank = from; rank < to && count < enough; ) {
      const word = (this.#bitmap[rank >>> 5] as number) >>> (rank & 31);
      if (word === 0) {
        rank = (rank | 31) + 1;
        continue;
      }
      rank += 31 - Math.clz32(word & -word);
      if (rank >= to) break;
      if (at < 0) at = this.#freshBefore(rank);
      if (this.#dayAt(at) >= sinceDay) count += 1;
      at += 1;
      rank += 1;
    }
    return count;
  }

  #dayAt(at: number): number {
    return this.newestDay - readBits(this.#ages, at * AGE_BITS, AGE_BITS);
  }

  #freshBefore(rank: number): number {
    const last = rank >>> 5;
    let word = (rank >>> 9) << 4;
    let before = this.#before[rank >>> 9] as number;
    for (; word < last; word++) before += popcount(this.#bitmap[word] as number);
    return before + popcount((this.#bitmap[last] as number) & ~(-1 << (rank & 31)));
  }
}

type Prefix = [number, number, number, number];
