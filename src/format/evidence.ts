/**
 * The evidence column: under which attributes, from when to when. Read seldom, so it is laid out to be range-read
 * from object storage: an index, then blocks of 64 numbers, each of them complete with the index. Most numbers share a
 * few attributes, so texts of several blocks are in the index, once, and only those of a single block in it.
 *
 * Index: frame "RFEV" version 1, little-endian
 *   u32 count                  N
 *   u32 blocks                 B = ceil(N / 64)
 *   u32 texts                  S
 *   u32 textBytes              T
 *   u32 blockEnd[B]            where each block ends, from the end of the index
 *   u32 blockCrc[B]            CRC-32 of the block
 *   u32 textEnd[S]             where each shared text ends in the bytes that follow
 *   u8 text[T]                 attributes (attributes.ts) in two blocks or more, in code unit order
 *   zeros                      to a multiple of eight bytes
 * Block: varints (LEB128) and texts (varint length, UTF-8)
 *   texts, texts x text        the block's own attributes, which no other block has, in code unit order
 *   base                       earliest first seen, seconds since 1970 (2^32 - 1 if the block has no entries)
 *   for each number: entries, then for each entry: index of its attributes (the block's own, then the shared
 *                    ones), first seen - base, last seen - first seen, sightings
 */

import { ByteReader, type Bytes, ByteWriter, decodeText, FormatError } from '../lib/bytes.ts';
import type { Steps } from '../lib/cooperate.ts';
import { crc32 } from '../lib/crc32.ts';
import { FRAME_HEADER_BYTES, openFrame, roundUp8, sealFrame } from '../lib/frame.ts';
import type { Texts, TextTable } from '../lib/text-table.ts';
import type { RecordColumns } from './records.ts';

const EVIDENCE_MAGIC = 'RFEV';
const EVIDENCE_VERSION = 1;
export const EVIDENCE_BLOCK_NUMBERS = 64;
const EVIDENCE_PREFIX_BYTES = 16;
/**
 * Evidence kept of one number: an entry for each distinct set of attributes, first day and last day, so that what was
 * known on any day can be told (src/lookup/as-of.ts); of these the first 1,024 in canonical order, by CRC-32 of the
 * attributes' text, then by the text, first day and last day. An entry among the first of all is among the first of any
 * part, so nothing kept is ever missing a sighting, whatever the order of merging. The verdict counts every sighting.
 */
export const EVIDENCE_ENTRIES = 1_024;
/** Times are unsigned 32-bit seconds: until 2106. */
const LATEST_SECOND = 0xffff_ffff;

/** How many of `count` numbers have their evidence in a block: 64, but for the last. */
export function numbersInBlock(count: number, block: number): number {
  return Math.min(EVIDENCE_BLOCK_NUMBERS, count - block * EVIDENCE_BLOCK_NUMBERS);
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
  /** How many attributes the blocks share. */
  readonly texts: number;
  readonly #body: Bytes;
  readonly #view: DataView;

  /** Opens a whole index. Throws FormatError unless it is one, undamaged. */
  constructor(bytes: Bytes) {
    this.#body = openFrame(bytes, EVIDENCE_MAGIC, EVIDENCE_VERSION);
    this.#view = new DataView(this.#body.buffer, this.#body.byteOffset, this.#body.byteLength);
    if (this.#body.length < EVIDENCE_PREFIX_BYTES)
      throw new FormatError(`${EVIDENCE_MAGIC}: ${this.#body.length} bytes of body`);
    const [count, blocks, texts, textBytes] = [0, 4, 8, 12].map((at) => this.#view.getUint32(at, true)) as Counts;
    this.count = count;
    this.blocks = blocks;
    this.texts = texts;
    const used = EVIDENCE_PREFIX_BYTES + blocks * 8 + texts * 4 + textBytes;
    if (blocks !== Math.ceil(count / EVIDENCE_BLOCK_NUMBERS) || this.#body.length !== roundUp8(used)) {
      throw new FormatError(
        `${EVIDENCE_MAGIC}: ${blocks} blocks of ${count} numbers and ${texts} texts in ${bytes.length} bytes`,
      );
    }
    const ends = Array.from({ length: texts + 1 }, (_, i) => this.#textEnd(i - 1));
    const padding = this.#body.subarray(used);
    if (ends.some((end, i) => end < (ends[i - 1] ?? 0)) || ends.at(-1) !== textBytes || padding.some((b) => b !== 0)) {
      throw new FormatError(`${EVIDENCE_MAGIC}: ${texts} texts do not divide ${textBytes} bytes, or no zeros follow`);
    }
  }

  place(block: number): BlockPlace {
    if (block < 0 || block >= this.blocks) throw new RangeError(`no block ${block}, there are ${this.blocks}`);
    const offset = block === 0 ? 0 : this.#view.getUint32(EVIDENCE_PREFIX_BYTES + (block - 1) * 4, true);
    const end = this.#view.getUint32(EVIDENCE_PREFIX_BYTES + block * 4, true);
    if (end < offset) {
      throw new FormatError(`${EVIDENCE_MAGIC}: block ${block} ends at ${end}, before it begins at ${offset}`);
    }
    return {
      offset,
      length: end - offset,
      crc: this.#view.getUint32(EVIDENCE_PREFIX_BYTES + (this.blocks + block) * 4, true),
    };
  }

  /** Attributes that blocks share, by their index among these. */
  text(shared: number): string {
    return decodeText(this.textBytes(shared), `${EVIDENCE_MAGIC}: text ${shared}`);
  }

  /** The same as UTF-8, not checked to be it. */
  textBytes(shared: number): Bytes {
    const start = EVIDENCE_PREFIX_BYTES + this.blocks * 8 + this.texts * 4;
    return this.#body.subarray(start + this.#textEnd(shared - 1), start + this.#textEnd(shared));
  }

  #textEnd(text: number): number {
    return text < 0 ? 0 : this.#view.getUint32(EVIDENCE_PREFIX_BYTES + this.blocks * 8 + text * 4, true);
  }
}

type Counts = [number, number, number, number];

// Reads blocks of the evidence column.

/** One line of a number's evidence. */
export interface EvidenceEntry {
  /** Attributes text. */
  readonly attributes: string;
  /** Seconds since 1970. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly sightings: number;
}

/** A block as columns, to be filled again with the next one: a merge reads thousands. */
export class EvidenceBlock {
  /** How many attributes of its own the block has. */
  own = 0;
  /** Where they stand in the bytes of the block. */
  #ownStart = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  #ownEnd = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  #bytes: Uint8Array = new Uint8Array();
  /** Entries of number i of the block are those from entryEnd[i - 1] (0 for the first) to entryEnd[i]. */
  readonly entryEnd = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  /** Index among the block's own, or, less their count, among the attributes that blocks share. */
  attributesIndex = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  firstSeenAt = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  lastSeenAt = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  sightings = new Float64Array(EVIDENCE_BLOCK_NUMBERS);

  /**
   * Unpacks a block whose place is known.
   * @param shared how many attributes the blocks share
   * @throws FormatError on any damage; the columns are then of no use
   */
  read(bytes: Uint8Array, place: BlockPlace, numbers: number, shared: number): void {
    if (bytes.length !== place.length || crc32(bytes) !== place.crc) {
      throw new FormatError(`${EVIDENCE_MAGIC}: a block of ${place.length} bytes is damaged`);
    }
    const reader = new ByteReader(bytes);
    this.#bytes = bytes;
    this.own = reader.varint();
    for (let i = 0; i < this.own; i++) {
      if (i === this.#ownStart.length) {
        this.#ownStart = doubled(this.#ownStart);
        this.#ownEnd = doubled(this.#ownEnd);
      }
      const length = reader.varint();
      this.#ownStart[i] = reader.position;
      reader.skip(length);
      this.#ownEnd[i] = reader.position;
    }
    const known = this.own + shared;
    const base = reader.varint();
    let e = 0;
    for (let i = 0; i < numbers; i++) {
      for (let left = reader.varint(); left > 0; left--) {
        if (e === this.attributesIndex.length) this.#grow();
        const attributesIndex = reader.varint();
        if (attributesIndex >= known) throw new FormatError(`${EVIDENCE_MAGIC}: an entry names unlisted attributes`);
        const firstSeenAt = base + reader.varint();
        const lastSeenAt = firstSeenAt + reader.varint();
        const sightings = reader.varint();
        if (lastSeenAt > LATEST_SECOND || sightings < 1) {
          throw new FormatError(`${EVIDENCE_MAGIC}: an entry last seen at ${lastSeenAt} with ${sightings} sightings`);
        }
        this.attributesIndex[e] = attributesIndex;
        this.firstSeenAt[e] = firstSeenAt;
        this.lastSeenAt[e] = lastSeenAt;
        this.sightings[e] = sightings;
        e += 1;
      }
      this.entryEnd[i] = e;
    }
    if (!reader.atEnd) throw new FormatError(`${EVIDENCE_MAGIC}: bytes follow the last entry of a block`);
  }

  /** One of the block's own attributes. Throws FormatError if it is not UTF-8. */
  ownText(i: number): string {
    return decodeText(this.#bytes.subarray(this.#ownStart[i], this.#ownEnd[i]), `${EVIDENCE_MAGIC}: own text ${i}`);
  }

  /** The id in a table of one of the block's own attributes. Throws FormatError if it is not UTF-8. */
  ownId(i: number, table: TextTable): number {
    return table.idOfBytes(this.#bytes, this.#ownStart[i], this.#ownEnd[i]);
  }

  /** The evidence of number i of the block, whose shared attributes are in the index. */
  entries(i: number, index: EvidenceIndex): EvidenceEntry[] {
    const entries: EvidenceEntry[] = [];
    for (let e = i === 0 ? 0 : (this.entryEnd[i - 1] as number); e < (this.entryEnd[i] as number); e++) {
      const attributesIndex = this.attributesIndex[e] as number;
      entries.push({
        attributes: attributesIndex < this.own ? this.ownText(attributesIndex) : index.text(attributesIndex - this.own),
        firstSeenAt: this.firstSeenAt[e] as number,
        lastSeenAt: this.lastSeenAt[e] as number,
        sightings: this.sightings[e] as number,
      });
    }
    return entries;
  }

  #grow(): void {
    this.attributesIndex = doubled(this.attributesIndex);
    this.firstSeenAt = doubled(this.firstSeenAt);
    this.lastSeenAt = doubled(this.lastSeenAt);
    const sightings = new Float64Array(this.sightings.length * 2);
    sightings.set(this.sightings);
    this.sightings = sightings;
  }
}

// Writes the evidence column.

/** What writing a block is worth in records of a merge, and looking through its entries for what blocks share. */
const BLOCK_WORK = EVIDENCE_BLOCK_NUMBERS / 2;
const LOOK_WORK = 2;
/** A text that blocks share. */
const TEXT_WORK = 0.5;

/** Encodes the evidence of records: the index and the blocks behind it, padded to a multiple of eight bytes. */
export function* encodeEvidence(records: RecordColumns): Steps<{ readonly index: Bytes; readonly blocks: Bytes }> {
  const count = records.numbers.length;
  const blockCount = Math.ceil(count / EVIDENCE_BLOCK_NUMBERS);
  const { shared, ownBytes } = yield* sharedAttributes(records);
  const sharedAt = new Int32Array(records.attributes.size).fill(-1);
  shared.forEach((id, i) => {
    sharedAt[id] = i;
  });
  const blocksBytes = ownBytes + blockCount * BLOCK_BYTES + records.entries.sightings.length * ENTRY_BYTES;
  const encoder = new BlockEncoder(records, sharedAt, roundUp8(blocksBytes));
  const texts = shared.map((id) => records.attributes.bytes(id));
  const textBytes = texts.reduce((sum, text) => sum + text.length, 0);
  yield texts.length * TEXT_WORK;

  const places = blockCount * 8 + texts.length * 4;
  const index = new Uint8Array(roundUp8(FRAME_HEADER_BYTES + EVIDENCE_PREFIX_BYTES + places + textBytes));
  const view = new DataView(index.buffer, FRAME_HEADER_BYTES);
  [count, blockCount, texts.length, textBytes].forEach((value, i) => {
    view.setUint32(i * 4, value, true);
  });
  for (let block = 0; block < blockCount; block++) {
    const start = encoder.writer.length;
    encoder.block(block * EVIDENCE_BLOCK_NUMBERS, numbersInBlock(count, block));
    view.setUint32(EVIDENCE_PREFIX_BYTES + block * 4, encoder.writer.length, true);
    view.setUint32(
      EVIDENCE_PREFIX_BYTES + (blockCount + block) * 4,
      crc32(encoder.writer.view().subarray(start)),
      true,
    );
    yield BLOCK_WORK;
  }
  let end = 0;
  texts.forEach((text, i) => {
    index.set(text, FRAME_HEADER_BYTES + EVIDENCE_PREFIX_BYTES + places + end);
    end += text.length;
    view.setUint32(EVIDENCE_PREFIX_BYTES + blockCount * 8 + i * 4, end, true);
  });
  encoder.writer.raw(new Uint8Array(-encoder.writer.length & 7));
  return { index: sealFrame(index, EVIDENCE_MAGIC, EVIDENCE_VERSION), blocks: encoder.writer.view() };
}

/** The attributes that are in two blocks or more, by text; and how many bytes the others have. */
function* sharedAttributes({
  entryEnd,
  entries,
  attributes,
}: RecordColumns): Steps<{ readonly shared: number[]; readonly ownBytes: number }> {
  const firstBlock = new Int32Array(attributes.size).fill(-1);
  const isShared = new Uint8Array(attributes.size);
  let e = 0;
  for (let i = 0; i < entryEnd.length; i++) {
    const block = Math.floor(i / EVIDENCE_BLOCK_NUMBERS);
    if (i % EVIDENCE_BLOCK_NUMBERS === 0) yield LOOK_WORK;
    for (; e < (entryEnd[i] as number); e++) {
      const id = entries.attributesIndex[e] as number;
      if (firstBlock[id] === -1) firstBlock[id] = block;
      else if (firstBlock[id] !== block) isShared[id] = 1;
    }
  }
  const shared: number[] = [];
  let ownBytes = 0;
  for (let id = 0; id < isShared.length; id++) {
    if (isShared[id] === 1) shared.push(id);
    else if (firstBlock[id] !== -1) ownBytes += attributes.lengthOf(id);
  }
  return { shared: byText(shared, attributes), ownBytes };
}

function byText(ids: number[], attributes: Texts): number[] {
  return ids.sort((a, b) => attributes.compare(a, b));
}

function doubled(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(column.length * 2);
  grown.set(column);
  return grown;
}

/**
 * What a block takes beside its own texts, and an entry with its number and the length of a text of its own: as a rule
 * less. The blocks of a segment are megabytes, and to make room for them again and again takes longer than to write
 * them.
 */
const BLOCK_BYTES = 8;
const ENTRY_BYTES = 10;

class BlockEncoder {
  readonly writer: ByteWriter;
  readonly #records: RecordColumns;
  readonly #sharedAt: Int32Array;
  /** By attributes: their index in the block being written, once they have been met there. */
  readonly #ownAt: Int32Array;

  constructor(records: RecordColumns, sharedAt: Int32Array, capacity: number) {
    this.writer = new ByteWriter(capacity);
    this.#records = records;
    this.#sharedAt = sharedAt;
    this.#ownAt = new Int32Array(sharedAt.length).fill(-1);
  }

  /** Writes the block of `numbers` numbers from rank `from`. */
  block(from: number, numbers: number): void {
    const { writer } = this;
    const { attributes, entries, entryEnd } = this.#records;
    const { attributesIndex, firstSeenAt, lastSeenAt, sightings } = entries;
    const firstEntry = from === 0 ? 0 : (entryEnd[from - 1] as number);
    const lastEntry = entryEnd[from + numbers - 1] as number;
    const own: number[] = [];
    let base = LATEST_SECOND;
    for (let e = firstEntry; e < lastEntry; e++) {
      const id = attributesIndex[e] as number;
      if (this.#sharedAt[id] === -1 && this.#ownAt[id] === -1) {
        this.#ownAt[id] = own.length;
        own.push(id);
      }
      base = Math.min(base, firstSeenAt[e] as number);
    }
    writer.varint(own.length);
    byText(own, attributes).forEach((id, i) => {
      this.#ownAt[id] = i;
      writer.utf8(attributes.bytes(id));
    });
    writer.varint(base);
    let e = firstEntry;
    for (let i = from; i < from + numbers; i++) {
      const end = entryEnd[i] as number;
      writer.varint(end - e);
      for (; e < end; e++) {
        const id = attributesIndex[e] as number;
        const at = this.#sharedAt[id] as number;
        writer.varint(at === -1 ? (this.#ownAt[id] as number) : own.length + at);
        writer.varint((firstSeenAt[e] as number) - base);
        writer.varint((lastSeenAt[e] as number) - (firstSeenAt[e] as number));
        writer.varint(sightings[e] as number);
      }
    }
  }
}
