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
 *   u8 text[T]                 attributes (circumstances.ts) in two blocks or more, in code unit order
 *   zeros                      to a multiple of eight bytes
 * Block: varints (LEB128) and texts (varint length, UTF-8)
 *   texts, texts x text        the block's own attributes, which no other block has, in code unit order
 *   base                       earliest first seen, seconds since 1970 (2^32 - 1 if the block has no entries)
 *   for each number: entries, then for each entry: index of its attributes (the block's own, then the shared
 *                    ones), first seen - base, last seen - first seen, sightings
 */
import { type Bytes, FormatError, openFrame, roundUp8 } from './frame.ts';
import { decodeText } from './text.ts';

export const EVIDENCE_MAGIC = 'RFEV';
export const EVIDENCE_VERSION = 1;
export const EVIDENCE_BLOCK_NUMBERS = 64;
export const EVIDENCE_PREFIX_BYTES = 16;
/**
 * Evidence kept of one number: an entry for each distinct set of attributes, first day and last day, so that what was
 * known on any day can be told (src/serve/as-of.ts); of these the first 1,024 in canonical order, by CRC-32 of the
 * attributes' text, then by the text, first day and last day. An entry among the first of all is among the first of any
 * part, so nothing kept is ever missing a sighting, whatever the order of merging. The verdict counts every sighting.
 */
export const EVIDENCE_ENTRIES = 1_024;
/** Times are unsigned 32-bit seconds: until 2106. */
export const LATEST_SECOND = 0xffff_ffff;

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
    const start = EVIDENCE_PREFIX_BYTES + this.blocks * 8 + this.texts * 4;
    const bytes = this.#body.subarray(start + this.#textEnd(shared - 1), start + this.#textEnd(shared));
    return decodeText(bytes, `${EVIDENCE_MAGIC}: text ${shared}`);
  }

  #textEnd(text: number): number {
    return text < 0 ? 0 : this.#view.getUint32(EVIDENCE_PREFIX_BYTES + this.blocks * 8 + text * 4, true);
  }
}

type Counts = [number, number, number, number];
