/** A numbers column (layout: numbers.ts) as views on its bytes, with its directory checked. */

import { type Bytes, FormatError } from '../lib/bytes.ts';
import { FRAME_HEADER_BYTES, openFrame } from '../lib/frame.ts';
import {
  CODEC_BITMAP,
  CODEC_RUN,
  NUMBERS_MAGIC,
  NUMBERS_PREFIX_BYTES,
  NUMBERS_VERSION,
  numbersColumnBytes,
  PARTITION_NUMBERS,
  SEGMENT_NUMBERS,
} from './numbers.ts';

export interface NumbersColumn {
  readonly count: number;
  readonly groupBase: Float64Array;
  readonly groupBit: Uint32Array;
  readonly groupRank: Uint16Array;
  readonly groupPartition: Uint16Array;
  readonly partitionBase: Uint32Array;
  readonly partitionInfo: Uint32Array;
  readonly bits: Uint32Array;
}

/** Index just after the last partition of a group. */
export function groupEnd({ groupPartition, partitionInfo }: NumbersColumn, group: number): number {
  return group + 1 < groupPartition.length ? (groupPartition[group + 1] as number) : partitionInfo.length;
}

/** The rank of the first number of a partition of this group. */
export function rankOf({ groupRank, partitionInfo }: NumbersColumn, group: number, partition: number): number {
  return (groupRank[group] as number) + (((partitionInfo[partition] as number) >>> 16) & 0x7ff);
}

/** The rank just after the last number of a partition of this group. */
export function rankAfter(column: NumbersColumn, group: number, partition: number): number {
  if (partition + 1 < groupEnd(column, group)) return rankOf(column, group, partition + 1);
  return group + 1 < column.groupRank.length ? (column.groupRank[group + 1] as number) : column.count;
}

/** Where the codes of a partition of this group begin in the bit string. */
export function bitOf({ groupBit, partitionInfo }: NumbersColumn, group: number, partition: number): number {
  return (groupBit[group] as number) + ((partitionInfo[partition] as number) & 0xffff);
}

/**
 * Opens a whole column. Throws FormatError unless it is one, undamaged.
 * @param open how its frame is opened
 */
export function openNumbersColumn(bytes: Bytes, open = openFrame): NumbersColumn {
  if (bytes.byteOffset % 8 !== 0) throw new RangeError('a numbers column must begin at a multiple of 8 bytes');
  const body = open(bytes, NUMBERS_MAGIC, NUMBERS_VERSION);
  if (body.length < NUMBERS_PREFIX_BYTES) throw new FormatError(`${NUMBERS_MAGIC}: ${body.length} bytes of body`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [count, groups, partitions, words] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as Counts;
  const expected = numbersColumnBytes(groups, partitions, words);
  if (bytes.length !== expected || count < 1 || count > SEGMENT_NUMBERS || groups < 1 || words < 1) {
    throw new FormatError(
      `${NUMBERS_MAGIC}: ${count} numbers in ${groups} groups, ${partitions} partitions and ${words} words ` +
        `take ${expected} bytes, found ${bytes.length}`,
    );
  }
  let at = bytes.byteOffset + FRAME_HEADER_BYTES + NUMBERS_PREFIX_BYTES;
  const advance = (bytesTaken: number): number => {
    at += bytesTaken;
    return at - bytesTaken;
  };
  const column: NumbersColumn = {
    count,
    groupBase: new Float64Array(bytes.buffer, advance(groups * 8), groups),
    groupBit: new Uint32Array(bytes.buffer, advance(groups * 4), groups),
    groupRank: new Uint16Array(bytes.buffer, advance(groups * 2), groups),
    groupPartition: new Uint16Array(bytes.buffer, advance(groups * 2), groups),
    partitionBase: new Uint32Array(bytes.buffer, advance(partitions * 4), partitions),
    partitionInfo: new Uint32Array(bytes.buffer, advance(partitions * 4), partitions),
    bits: new Uint32Array(bytes.buffer, advance(words * 4), words),
  };
  checkDirectory(column);
  return column;
}

type Counts = [number, number, number, number];

/**
 * The checksum shows that the bytes are as they were written. This check shows that the writer was right: every index
 * that a probe follows is within bounds, and so is every rank that it returns.
 */
function checkDirectory(column: NumbersColumn): void {
  const { groupBase, groupPartition, groupRank, partitionBase, partitionInfo, bits } = column;
  if (groupPartition[0] !== 0 || groupRank[0] !== 0) throw new FormatError(`${NUMBERS_MAGIC}: begins inside a group`);
  let last = -1;
  for (let group = 0; group < groupBase.length; group++) {
    const from = groupPartition[group] as number;
    const to = groupEnd(column, group);
    const base = groupBase[group] as number;
    const isWhole = partitionBase[from] === 0 && ((partitionInfo[from] as number) & 0x07ff_ffff) === 0;
    if (from >= to || !Number.isSafeInteger(base) || base <= last || !isWhole) {
      throw new FormatError(`${NUMBERS_MAGIC}: group ${group} of ${groupBase.length} is out of place`);
    }
    last = base - 1;
    for (let partition = from; partition < to; partition++) {
      const first = base + (partitionBase[partition] as number);
      const k = rankAfter(column, group, partition) - rankOf(column, group, partition) - 1;
      const end = bitOf(column, group, partition) + leastBits((partitionInfo[partition] as number) >>> 27, k);
      if (first <= last || k < 0 || k >= PARTITION_NUMBERS || end > bits.length * 32) {
        throw new FormatError(`${NUMBERS_MAGIC}: partition ${partition} of ${partitionInfo.length} is out of place`);
      }
      last = first;
    }
  }
}

/** Bits that the codes of k numbers take at least. */
function leastBits(codec: number, k: number): number {
  if (codec === CODEC_RUN) return 0;
  return codec === CODEC_BITMAP ? k : k * (codec + 1);
}
