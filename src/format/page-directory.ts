/**
 * The page directory of a segment: where its other parts are, and what they must hash to. It is the last frame of the
 * numbers slice, whose own hash the manifest has: so the hash of the slice is a proof of the whole segment. Frame
 * "RFPD" version 1, little-endian:
 *
 *   u32 count                  N, records of the segment
 *   u32 pageRanks              ranks of a page of verdicts; the last may have fewer
 *   u32 indexBytes, blocksBytes   of the evidence index, and of the evidence blocks
 *   u32 pageBytes[P]           of each page, P = ceil(N / pageRanks)
 *   32 bytes[P + 2]            SHA-256 of each page, of all pages together, and of the evidence index
 *   zeros                      to a multiple of eight bytes
 */

import type { Held } from '../lib/byte-cache.ts';
import { type Bytes, FormatError, fromHex, toHex } from '../lib/bytes.ts';
import { FRAME_HEADER_BYTES, openFrame, roundUp8, sealFrame } from '../lib/frame.ts';
import { SEGMENT_NUMBERS } from './numbers.ts';
import type { VerdictsReader } from './verdicts.ts';

const MAGIC = 'RFPD';
const VERSION = 1;
const PREFIX_BYTES = 16;
const HASH_BYTES = 32;

/** A contiguous part of the segment file with a content address. */
export interface SliceShape {
  readonly bytes: number;
  readonly sha256: string;
}

/** What stands behind the numbers slice of a segment. */
export interface SegmentParts {
  readonly verdicts: SliceShape;
  readonly evidenceIndex: SliceShape;
  readonly evidenceBlocksBytes: number;
}

/** A part of the verdicts: a page, or all of them in a segment of version 1. */
export interface PagePlace extends SliceShape {
  /** From the beginning of the verdicts. */
  readonly offset: number;
  /** Of its first record. */
  readonly rank: number;
  /** Records. */
  readonly count: number;
  /** Where the page is in memory, for whoever keeps pages there and is asked for them often. */
  held: Held<VerdictsReader> | undefined;
}

/** @param hashes of the pages, of all of them together, and of the evidence index: SHA-256 in hex */
export function encodePageDirectory(
  { count, pageRanks }: { readonly count: number; readonly pageRanks: number },
  pageBytes: readonly number[],
  { indexBytes, blocksBytes }: { readonly indexBytes: number; readonly blocksBytes: number },
  hashes: readonly string[],
): Bytes {
  const out = new Uint8Array(directoryBytes(pageBytes.length));
  const view = new DataView(out.buffer);
  [count, pageRanks, indexBytes, blocksBytes, ...pageBytes].forEach((value, i) => {
    view.setUint32(FRAME_HEADER_BYTES + i * 4, value, true);
  });
  out.set(fromHex(hashes.join('')), FRAME_HEADER_BYTES + PREFIX_BYTES + pageBytes.length * 4);
  return sealFrame(out, MAGIC, VERSION);
}

function directoryBytes(pages: number): number {
  return roundUp8(FRAME_HEADER_BYTES + PREFIX_BYTES + pages * 4 + (pages + 2) * HASH_BYTES);
}

/** A directory as views of its bytes: it is in memory with every numbers slice, and asked for few of its pages. */
export class PageDirectory implements SegmentParts {
  readonly count: number;
  readonly pageRanks: number;
  readonly pages: number;
  readonly evidenceBlocksBytes: number;
  readonly #body: Bytes;
  readonly #pageBytes: Uint32Array;
  readonly #indexBytes: number;
  /** What has been asked for: every lookup of a listed number asks, and hashes as text cost more than finding it. */
  readonly #places: (PagePlace | undefined)[] = [];

  /**
   * Throws FormatError unless the bytes are a directory, undamaged. They begin at a multiple of four bytes, and views
   * stay on them.
   */
  constructor(bytes: Bytes) {
    const body = openFrame(bytes, MAGIC, VERSION);
    if (body.length < PREFIX_BYTES) throw new FormatError(`${MAGIC}: ${body.length} bytes of body`);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const [count, pageRanks, indexBytes, blocksBytes] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as Prefix;
    const pages = Math.ceil(count / pageRanks);
    const isInRange = count >= 1 && count <= SEGMENT_NUMBERS && pageRanks >= 1;
    if (!isInRange || bytes.length !== directoryBytes(pages)) {
      throw new FormatError(`${MAGIC}: pages of ${pageRanks} of ${count} records in ${bytes.length} bytes`);
    }
    this.count = count;
    this.pageRanks = pageRanks;
    this.pages = pages;
    this.evidenceBlocksBytes = blocksBytes;
    this.#indexBytes = indexBytes;
    this.#body = body;
    this.#pageBytes = new Uint32Array(body.buffer, body.byteOffset + PREFIX_BYTES, pages);
    const hasLengths = [...this.#pageBytes, indexBytes, blocksBytes].every((length) => length % 8 === 0);
    const padding = body.subarray(PREFIX_BYTES + pages * 4 + (pages + 2) * HASH_BYTES);
    if (!hasLengths || padding.some((byte) => byte !== 0)) {
      throw new FormatError(`${MAGIC}: expected lengths that are multiples of 8, and zeros after the hashes`);
    }
  }

  /** The page that has the record of this rank. */
  pageOf(rank: number): PagePlace {
    const page = Math.floor(rank / this.pageRanks);
    const known = this.#places[page];
    if (known !== undefined) return known;
    const bytes = this.#pageBytes[page];
    if (bytes === undefined) throw new RangeError(`rank ${rank} of ${this.count}`);
    let offset = 0;
    for (let before = 0; before < page; before++) offset += this.#pageBytes[before] as number;
    const first = page * this.pageRanks;
    const count = Math.min(this.pageRanks, this.count - first);
    const place = { offset, rank: first, count, bytes, sha256: this.#hash(page), held: undefined };
    this.#places[page] = place;
    return place;
  }

  get verdicts(): SliceShape {
    return { bytes: this.#pageBytes.reduce((sum, bytes) => sum + bytes, 0), sha256: this.#hash(this.pages) };
  }

  get evidenceIndex(): SliceShape {
    return { bytes: this.#indexBytes, sha256: this.#hash(this.pages + 1) };
  }

  #hash(i: number): string {
    const at = PREFIX_BYTES + this.pages * 4 + i * HASH_BYTES;
    return toHex(this.#body.subarray(at, at + HASH_BYTES));
  }
}

type Prefix = [number, number, number, number];
