/**
 * The numbers column: a sorted set of up to 32,768 integers below 2^53, exact, in partitions (partition.ts).
 * Frame "RFNU" version 1 around, little-endian; groups of up to 16 partitions keep the partition entries at 64 bits.
 *
 *   u32 count                  N, at least 1
 *   u32 groups                 G
 *   u32 partitions             P
 *   u32 words                  W
 *   f64 groupBase[G]           first number of the group
 *   u32 groupBit[G]            where the group's codes begin in the bit string
 *   u16 groupRank[G]           rank of the group's first number
 *   u16 groupPartition[G]      index of the group's first partition
 *   u32 partitionBase[P]       first number of the partition, less its group's base
 *   u32 partitionInfo[P]       bits 0-15 start in the bit string, less its group's; 16-26 rank, less its group's;
 *                              27-31 codec (partition.ts)
 *   u32 bits[W]                the bit string, least significant bit first, then one word of zero
 *   zero to seven bytes of zero, so that the frame is a multiple of eight bytes
 */
import { finish, type Steps } from '../lib/cooperate.ts';
import { putWords, setBit, writeBits } from './bits.ts';
import { type Bytes, FormatError, FRAME_HEADER_BYTES, roundUp8, sealFrame } from './frame.ts';
import { CODEC_BITMAP, CODEC_RUN, chooseCodec, choosePartitionsSteps, codedBits } from './partition.ts';

export const NUMBERS_MAGIC = 'RFNU';
export const NUMBERS_VERSION = 1;
export const SEGMENT_NUMBERS = 32_768;
export const NUMBERS_PREFIX_BYTES = 16;
/** Their codes take less than 2^16 bits together: 16 partitions of at most 127 * 25 + 128. */
const GROUP_PARTITIONS = 16;
const GROUP_SPAN = 2 ** 32;
const GROUP_BYTES = 16;
const PARTITION_BYTES = 8;

/** Bytes of a frame with these counts, padding included. */
export function numbersColumnBytes(groups: number, partitions: number, words: number): number {
  return roundUp8(
    FRAME_HEADER_BYTES + NUMBERS_PREFIX_BYTES + groups * GROUP_BYTES + partitions * PARTITION_BYTES + words * 4,
  );
}

/** Partitions written in a step, and what each is worth in records of a merge. */
const STEP_PARTITIONS = 128;
const PARTITION_WORK = 1;

interface Group {
  readonly base: number;
  readonly bit: number;
  readonly rank: number;
  readonly partition: number;
}

/** Encodes ascending distinct integers. Throws FormatError when they are not. */
export function encodeNumbers(numbers: Float64Array): Bytes {
  return finish(encodeNumbersSteps(numbers));
}

export function* encodeNumbersSteps(numbers: Float64Array): Steps<Bytes> {
  checkSorted(numbers);
  const ends = yield* choosePartitionsSteps(numbers);
  const groups: Group[] = [];
  const partitionGroup = new Uint32Array(ends.length);
  const partitionBit = new Float64Array(ends.length);
  let bit = 0;
  let start = 0;
  let group: Group | undefined;
  for (let p = 0; p < ends.length; p++) {
    const end = ends[p] as number;
    const base = numbers[start] as number;
    if (group === undefined || p - group.partition === GROUP_PARTITIONS || base - group.base >= GROUP_SPAN) {
      group = { base, bit, rank: start, partition: p };
      groups.push(group);
    }
    partitionGroup[p] = groups.length - 1;
    partitionBit[p] = bit;
    const k = end - 1 - start;
    if (k > 0) bit += codedBits(k, (numbers[end - 1] as number) - base);
    start = end;
  }
  // One word more than the bits need, so that a read of two words never leaves the array.
  const words = new Uint32Array(Math.ceil(bit / 32) + 1);
  const infos = new Uint32Array(ends.length);
  const bases = new Uint32Array(ends.length);
  start = 0;
  for (let p = 0; p < ends.length; p++) {
    const end = ends[p] as number;
    const at = groups[partitionGroup[p] as number] as Group;
    const position = partitionBit[p] as number;
    const codec = encodePartition(words, position, numbers, start, end);
    infos[p] = (codec << 27) | ((start - at.rank) << 16) | (position - at.bit);
    bases[p] = (numbers[start] as number) - at.base;
    start = end;
    if (p % STEP_PARTITIONS === 0) yield STEP_PARTITIONS * PARTITION_WORK;
  }
  return assemble(numbers.length, groups, bases, infos, words);
}

/** Writes numbers start..end-1 and returns the codec it chose. */
function encodePartition(
  words: Uint32Array,
  position: number,
  numbers: Float64Array,
  start: number,
  end: number,
): number {
  const k = end - 1 - start;
  if (k === 0) return CODEC_RUN;
  const offset = (numbers[start] as number) + 1;
  const codec = chooseCodec(k, (numbers[end - 1] as number) + 1 - offset);
  if (codec === CODEC_RUN) return codec;
  if (codec === CODEC_BITMAP) {
    for (let i = start + 1; i < end; i++) setBit(words, position + (numbers[i] as number) - offset);
    return codec;
  }
  const high = position + k * codec;
  for (let i = 0; i < k; i++) {
    const value = (numbers[start + 1 + i] as number) - offset;
    writeBits(words, position + i * codec, codec, value & ((1 << codec) - 1));
    setBit(words, high + (value >>> codec) + i);
  }
  return codec;
}

function assemble(
  count: number,
  groups: readonly Group[],
  bases: Uint32Array,
  infos: Uint32Array,
  words: Uint32Array,
): Bytes {
  const out = new Uint8Array(numbersColumnBytes(groups.length, bases.length, words.length));
  const view = new DataView(out.buffer);
  let at = FRAME_HEADER_BYTES;
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  for (const value of [count, groups.length, bases.length, words.length]) u32(value);
  for (const group of groups) {
    view.setFloat64(at, group.base, true);
    at += 8;
  }
  for (const group of groups) u32(group.bit);
  for (const field of ['rank', 'partition'] as const) {
    for (const group of groups) {
      view.setUint16(at, group[field], true);
      at += 2;
    }
  }
  for (const array of [bases, infos, words]) at = putWords(out, at, array);
  return sealFrame(out, NUMBERS_MAGIC, NUMBERS_VERSION);
}

function checkSorted(numbers: Float64Array): void {
  if (numbers.length === 0 || numbers.length > SEGMENT_NUMBERS) {
    throw new FormatError(`${NUMBERS_MAGIC}: expected 1 to ${SEGMENT_NUMBERS} numbers, found ${numbers.length}`);
  }
  let previous = -1;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (!Number.isSafeInteger(number) || number <= previous) {
      throw new FormatError(`${NUMBERS_MAGIC}: expected ascending distinct integers, entry ${i} is not`);
    }
    previous = number;
  }
}
