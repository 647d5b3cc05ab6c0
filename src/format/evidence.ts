/**
 * The evidence column: under which circumstances, from when to when. Read seldom, so it is laid out to be range-read
 * from object storage: an index, then blocks of 64 numbers, each of them complete in itself.
 *
 * Index: frame "RFEV" version 1, little-endian
 *   u32 count                  N
 *   u32 blocks                 B = ceil(N / 64)
 *   u32 blockEnd[B]            where each block ends, from the end of the index
 *   u32 blockCrc[B]            CRC-32 of the block
 *   zeros                      to a multiple of eight bytes
 * Block: varints (LEB128) and texts (varint length, UTF-8)
 *   texts, texts x text        the circumstances in the block (circumstances.ts), in code unit order
 *   base                       earliest first seen, seconds since 1970 (2^32 - 1 if the block has no entries)
 *   for each number: entries, then for each entry: index of its circumstances, first seen - base,
 *                    last seen - first seen, sightings
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import { crc32 } from './crc32.ts';
import { type Bytes, FormatError, FRAME_HEADER_BYTES, openFrame, roundUp8, sealFrame } from './frame.ts';
import type { RecordColumns } from './records.ts';

const MAGIC = 'RFEV';
const VERSION = 1;
export const EVIDENCE_BLOCK_NUMBERS = 64;
const PREFIX_BYTES = 8;
/** Times are unsigned 32-bit seconds: until 2106. */
const LATEST_SECOND = 0xffff_ffff;

/** Bytes of the index of a column of `count` numbers. */
export function evidenceIndexBytes(count: number): number {
  const blocks = Math.ceil(count / EVIDENCE_BLOCK_NUMBERS);
  return roundUp8(FRAME_HEADER_BYTES + PREFIX_BYTES + blocks * 8);
}

/** How many of `count` numbers have their evidence in a block: 64, but for the last. */
export function numbersInBlock(count: number, block: number): number {
  return Math.min(EVIDENCE_BLOCK_NUMBERS, count - block * EVIDENCE_BLOCK_NUMBERS);
}

/** Encodes the evidence of records: the index and the blocks behind it, padded to a multiple of eight bytes. */
export function encodeEvidence(records: RecordColumns): { readonly index: Bytes; readonly blocks: Bytes } {
  const count = records.numbers.length;
  const blockCount = Math.ceil(count / EVIDENCE_BLOCK_NUMBERS);
  const index = new Uint8Array(evidenceIndexBytes(count));
  const view = new DataView(index.buffer);
  view.setUint32(FRAME_HEADER_BYTES, count, true);
  view.setUint32(FRAME_HEADER_BYTES + 4, blockCount, true);
  const writer = new ByteWriter();
  for (let block = 0; block < blockCount; block++) {
    const start = writer.length;
    const from = block * EVIDENCE_BLOCK_NUMBERS;
    writeBlock(writer, records, from, Math.min(count, from + EVIDENCE_BLOCK_NUMBERS));
    const at = FRAME_HEADER_BYTES + PREFIX_BYTES + block * 4;
    view.setUint32(at, writer.length, true);
    view.setUint32(at + blockCount * 4, crc32(writer.view().subarray(start)), true);
  }
  writer.raw(new Uint8Array(-writer.length & 7));
  return { index: sealFrame(index, MAGIC, VERSION), blocks: writer.view().slice() };
}

function writeBlock(writer: ByteWriter, records: RecordColumns, from: number, to: number): void {
  const { circumstance, firstSeenAt, lastSeenAt, sightings } = records.entries;
  const firstEntry = from === 0 ? 0 : (records.entryEnd[from - 1] as number);
  const lastEntry = records.entryEnd[to - 1] as number;
  const texts = new Map<string, number>();
  let base = LATEST_SECOND;
  for (let e = firstEntry; e < lastEntry; e++) {
    texts.set(records.circumstances[circumstance[e] as number] as string, 0);
    base = Math.min(base, firstSeenAt[e] as number);
  }
  const sorted = [...texts.keys()].sort();
  writer.varint(sorted.length);
  sorted.forEach((text, i) => {
    writer.text(text);
    texts.set(text, i);
  });
  writer.varint(base);
  let e = firstEntry;
  for (let i = from; i < to; i++) {
    const end = records.entryEnd[i] as number;
    writer.varint(end - e);
    for (; e < end; e++) {
      writer.varint(texts.get(records.circumstances[circumstance[e] as number] as string) as number);
      writer.varint((firstSeenAt[e] as number) - base);
      writer.varint((lastSeenAt[e] as number) - (firstSeenAt[e] as number));
      writer.varint(sightings[e] as number);
    }
  }
}

/** One line of a number's evidence. */
export interface EvidenceEntry {
  /** Circumstances text. */
  readonly circumstances: string;
  /** Seconds since 1970. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly sightings: number;
}

/** Where a block is, from the end of the index, and what its checksum must be. */
export interface BlockPlace {
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

export class EvidenceIndex {
  readonly count: number;
  readonly blocks: number;
  readonly #view: DataView;

  /** Opens a whole index. Throws FormatError unless it is one, undamaged. */
  constructor(bytes: Bytes) {
    const body = openFrame(bytes, MAGIC, VERSION);
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.count = body.length >= PREFIX_BYTES ? this.#view.getUint32(0, true) : 0;
    this.blocks = body.length >= PREFIX_BYTES ? this.#view.getUint32(4, true) : 0;
    if (
      this.blocks !== Math.ceil(this.count / EVIDENCE_BLOCK_NUMBERS) ||
      bytes.length !== evidenceIndexBytes(this.count)
    ) {
      throw new FormatError(`${MAGIC}: ${this.blocks} blocks of ${this.count} numbers in ${bytes.length} bytes`);
    }
  }

  place(block: number): BlockPlace {
    if (block < 0 || block >= this.blocks) throw new RangeError(`no block ${block}, there are ${this.blocks}`);
    const offset = block === 0 ? 0 : this.#view.getUint32(PREFIX_BYTES + (block - 1) * 4, true);
    const end = this.#view.getUint32(PREFIX_BYTES + block * 4, true);
    if (end < offset) throw new FormatError(`${MAGIC}: block ${block} ends at ${end}, before it begins at ${offset}`);
    return { offset, length: end - offset, crc: this.#view.getUint32(PREFIX_BYTES + (this.blocks + block) * 4, true) };
  }
}

/** Unpacks a block whose place is known: an array of entries for each of its numbers. Throws FormatError. */
export function readEvidenceBlock(bytes: Uint8Array, place: BlockPlace, numbers: number): EvidenceEntry[][] {
  if (bytes.length !== place.length || crc32(bytes) !== place.crc) {
    throw new FormatError(`${MAGIC}: a block of ${place.length} bytes is damaged`);
  }
  const reader = new ByteReader(bytes);
  const texts: string[] = [];
  for (let left = reader.varint(); left > 0; left--) texts.push(reader.text());
  const base = reader.varint();
  const result: EvidenceEntry[][] = [];
  for (let i = 0; i < numbers; i++) {
    const entries: EvidenceEntry[] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const circumstances = texts[reader.varint()];
      if (circumstances === undefined) throw new FormatError(`${MAGIC}: an entry names unlisted circumstances`);
      const firstSeenAt = base + reader.varint();
      const lastSeenAt = firstSeenAt + reader.varint();
      const sightings = reader.varint();
      if (lastSeenAt > LATEST_SECOND || sightings < 1) {
        throw new FormatError(`${MAGIC}: an entry last seen at ${lastSeenAt} with ${sightings} sightings`);
      }
      entries.push({ circumstances, firstSeenAt, lastSeenAt, sightings });
    }
    result.push(entries);
  }
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: bytes follow the last entry of a block`);
  return result;
}
