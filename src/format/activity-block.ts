/**
 * A block of activity: up to 16,384 rows of one day, in the order of number, activity key, link, as columns.
 * Little-endian:
 *
 *   u8                bits of a second, S
 *   u8                bits of an activity key, K
 *   rows x varint     number - number before (the first: the number)
 *   rows x S bits     second of the day, from the lowest bit of u32 words, the last one filled up with zeros
 *   rows x K bits     activity key as the directory numbers them, likewise
 *   u32, u32          for each row whose activity key has a link host: the first and second four bytes of the link's
 *                     SHA-256, each read as a big-endian integer
 */
import { bitLength, readBits, writeBits } from '../lib/bits.ts';
import { type Bytes, type ByteWriter, FormatError } from '../lib/bytes.ts';
import { SECONDS_PER_DAY } from '../lib/time.ts';
import type { ActivityColumns, GrowingActivity } from './activity.ts';

const WHAT = 'activity block';
/** Unpacked 400 kB: a fold holds one block of each of its sources. */
export const BLOCK_ROWS = 16_384;
const MAX_SECOND_BITS = bitLength(SECONDS_PER_DAY - 1);
const MAX_KIND_BITS = 32;
const LINK_BYTES = 8;
/** Groups of seven bits that a 32-bit integer has room for without its sign. */
const SMALL_GROUPS = 4;
const MAX_GROUPS = 8;

/** @param linked by activity key, as the rows number them: 1 if it has a link host */
export function encodeActivityBlock(day: number, columns: ActivityColumns, linked: Uint8Array, out: ByteWriter): void {
  const { rows, numbers, firstSeenAt, kind, linkHigh, linkLow } = columns;
  const midnight = day * SECONDS_PER_DAY;
  let lastSecond = 0;
  let lastKind = 0;
  let links = 0;
  for (let row = 0; row < rows; row++) {
    lastSecond = Math.max(lastSecond, (firstSeenAt[row] as number) - midnight);
    lastKind = Math.max(lastKind, kind[row] as number);
    links += linked[kind[row] as number] as number;
  }
  const secondBits = bitLength(lastSecond);
  const kindBits = bitLength(lastKind);
  out.varint(secondBits);
  out.varint(kindBits);
  let previous = 0;
  for (let row = 0; row < rows; row++) {
    const number = numbers[row] as number;
    out.varint(number - previous);
    previous = number;
  }
  const words = new Uint32Array(wordsOf(rows, secondBits) + wordsOf(rows, kindBits) + links * 2);
  const kindsAt = wordsOf(rows, secondBits) * 32;
  let at = words.length - links * 2;
  for (let row = 0; row < rows; row++) {
    const id = kind[row] as number;
    writeBits(words, row * secondBits, secondBits, (firstSeenAt[row] as number) - midnight);
    writeBits(words, kindsAt + row * kindBits, kindBits, id);
    if (linked[id] === 0) continue;
    words[at++] = linkHigh[row] as number;
    words[at++] = linkLow[row] as number;
  }
  out.raw(new Uint8Array(words.buffer));
}

/** What is known of a block before it is read. */
export interface ActivityBlockPlace {
  /** UTC day since 1970. */
  readonly day: number;
  readonly rows: number;
  readonly bytes: number;
  readonly crc32: number;
}

/** How a reader numbers the activity keys of a directory. */
export interface KindNumbers {
  /** By the directory's activity key: the reader's, ascending in canonical order. */
  readonly ids: Uint32Array;
  /** By the directory's activity key: 1 if it has a link host. */
  readonly linked: Uint8Array;
}

/**
 * Unpacks a block in place of what `into` held, with activity keys as the reader numbers them. The checksum must have
 * been looked at. Throws FormatError unless it is a block that `encodeActivityBlock` writes of distinct rows in order.
 */
export function decodeActivityBlock(
  bytes: Bytes,
  place: ActivityBlockPlace,
  kinds: KindNumbers,
  into: GrowingActivity,
): void {
  const { rows } = place;
  const [secondBits = 255, kindBits = 255] = bytes;
  if (secondBits > MAX_SECOND_BITS || kindBits > MAX_KIND_BITS) {
    throw new FormatError(`${WHAT}: expected at most ${MAX_SECOND_BITS} and ${MAX_KIND_BITS} bits of a row`);
  }
  into.rows = 0;
  into.reserve(rows);
  const wordsAt = readNumbers(bytes, rows, into.numbers);
  const fixed = wordsOf(rows, secondBits) + wordsOf(rows, kindBits);
  const rest = bytes.length - wordsAt;
  if (rest % 4 !== 0 || rest < fixed * 4) {
    throw new FormatError(`${WHAT}: expected at least ${fixed} words behind the numbers, found ${rest} bytes`);
  }
  const words = new Uint32Array(bytes.slice(wordsAt).buffer);
  checkPadding(words, rows * secondBits, 0);
  checkPadding(words, rows * kindBits, wordsOf(rows, secondBits));
  const linksEnd = readRows(words, place, { secondBits, kindBits }, kinds, into);
  if (linksEnd !== words.length) {
    throw new FormatError(`${WHAT}: expected ${linksEnd * 4} bytes behind the numbers, found ${rest}`);
  }
  into.rows = rows;
  checkOrder(into);
}

/** Returns where the numbers end. */
function readNumbers(bytes: Bytes, rows: number, numbers: Float64Array): number {
  let at = 2;
  let number = 0;
  for (let row = 0; row < rows; row++) {
    let byte = bytes[at++] as number;
    let delta = byte & 0x7f;
    let groups = 1;
    for (; byte >= 0x80 && groups < SMALL_GROUPS; groups++) {
      byte = bytes[at++] as number;
      delta |= (byte & 0x7f) << (groups * 7);
    }
    for (; byte >= 0x80 && groups < MAX_GROUPS; groups++) {
      byte = bytes[at++] as number;
      delta += (byte & 0x7f) * 2 ** (groups * 7);
    }
    // Beyond the end a byte is undefined, which is neither.
    if (!(byte < 0x80) || (byte === 0 && groups > 1)) {
      throw new FormatError(`${WHAT}: number ${row} of ${rows} is cut off, or not in its shortest form`);
    }
    number += delta;
    numbers[row] = number;
  }
  if (!Number.isSafeInteger(number)) throw new FormatError(`${WHAT}: expected numbers below 2^53`);
  return at;
}

/** Returns where the links end, in words. */
function readRows(
  words: Uint32Array,
  { day, rows }: ActivityBlockPlace,
  { secondBits, kindBits }: { readonly secondBits: number; readonly kindBits: number },
  { ids, linked }: KindNumbers,
  into: GrowingActivity,
): number {
  const { firstSeenAt, kind, linkHigh, linkLow } = into;
  const midnight = day * SECONDS_PER_DAY;
  const kindsAt = wordsOf(rows, secondBits) * 32;
  let at = wordsOf(rows, secondBits) + wordsOf(rows, kindBits);
  for (let row = 0; row < rows; row++) {
    const second = readBits(words, row * secondBits, secondBits);
    const id = readBits(words, kindsAt + row * kindBits, kindBits);
    if (second >= SECONDS_PER_DAY || id >= ids.length) {
      throw new FormatError(
        `${WHAT}: row ${row} has a second beyond the day, or a kind beyond the ${ids.length} listed`,
      );
    }
    firstSeenAt[row] = midnight + second;
    kind[row] = ids[id] as number;
    const hasLink = linked[id] === 1;
    if (hasLink && at + 2 > words.length) {
      throw new FormatError(`${WHAT}: the link of row ${row} is cut off, expected ${LINK_BYTES} bytes`);
    }
    linkHigh[row] = hasLink ? (words[at++] as number) : 0;
    linkLow[row] = hasLink ? (words[at++] as number) : 0;
  }
  return at;
}

function checkOrder({ rows, numbers, kind, linkHigh, linkLow }: ActivityColumns): void {
  for (let row = 1; row < rows; row++) {
    const order =
      (numbers[row] as number) - (numbers[row - 1] as number) ||
      (kind[row] as number) - (kind[row - 1] as number) ||
      (linkHigh[row] as number) - (linkHigh[row - 1] as number) ||
      (linkLow[row] as number) - (linkLow[row - 1] as number);
    if (order <= 0) throw new FormatError(`${WHAT}: row ${row} is out of order`);
  }
}

function wordsOf(rows: number, width: number): number {
  return Math.ceil((rows * width) / 32);
}

/** The bits behind the last value of a column that begins at word `from`. */
function checkPadding(words: Uint32Array, bits: number, from: number): void {
  if (bits % 32 !== 0 && (words[from + (bits >>> 5)] as number) >>> (bits % 32) !== 0) {
    throw new FormatError(`${WHAT}: expected zeros behind the last row`);
  }
}
