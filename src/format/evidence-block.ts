/** Reads blocks of the evidence column (layout: evidence.ts). */
import { ByteReader } from './bytes.ts';
import { crc32 } from './crc32.ts';
import {
  type BlockPlace,
  EVIDENCE_BLOCK_NUMBERS,
  EVIDENCE_MAGIC,
  type EvidenceIndex,
  LATEST_SECOND,
} from './evidence.ts';
import { FormatError } from './frame.ts';

/** One line of a number's evidence. */
export interface EvidenceEntry {
  /** Attributes text. */
  readonly circumstances: string;
  /** Seconds since 1970. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly sightings: number;
}

/** A block as columns, to be filled again with the next one: a merge reads thousands. */
export class EvidenceBlock {
  /** The block's own circumstances. */
  readonly texts: string[] = [];
  /** Entries of number i of the block are those from entryEnd[i - 1] (0 for the first) to entryEnd[i]. */
  readonly entryEnd = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
  /** Index into `texts`, or, less their count, among the attributes that blocks share. */
  circumstance = new Uint32Array(EVIDENCE_BLOCK_NUMBERS);
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
    this.texts.length = 0;
    for (let left = reader.varint(); left > 0; left--) this.texts.push(reader.text());
    const known = this.texts.length + shared;
    const base = reader.varint();
    let e = 0;
    for (let i = 0; i < numbers; i++) {
      for (let left = reader.varint(); left > 0; left--) {
        if (e === this.circumstance.length) this.#grow();
        const circumstance = reader.varint();
        if (circumstance >= known) throw new FormatError(`${EVIDENCE_MAGIC}: an entry names unlisted circumstances`);
        const firstSeenAt = base + reader.varint();
        const lastSeenAt = firstSeenAt + reader.varint();
        const sightings = reader.varint();
        if (lastSeenAt > LATEST_SECOND || sightings < 1) {
          throw new FormatError(`${EVIDENCE_MAGIC}: an entry last seen at ${lastSeenAt} with ${sightings} sightings`);
        }
        this.circumstance[e] = circumstance;
        this.firstSeenAt[e] = firstSeenAt;
        this.lastSeenAt[e] = lastSeenAt;
        this.sightings[e] = sightings;
        e += 1;
      }
      this.entryEnd[i] = e;
    }
    if (!reader.atEnd) throw new FormatError(`${EVIDENCE_MAGIC}: bytes follow the last entry of a block`);
  }

  /** The evidence of number i of the block, whose shared attributes are in the index. */
  entries(i: number, index: EvidenceIndex): EvidenceEntry[] {
    const entries: EvidenceEntry[] = [];
    for (let e = i === 0 ? 0 : (this.entryEnd[i - 1] as number); e < (this.entryEnd[i] as number); e++) {
      const circumstance = this.circumstance[e] as number;
      entries.push({
        circumstances: this.texts[circumstance] ?? index.text(circumstance - this.texts.length),
        firstSeenAt: this.firstSeenAt[e] as number,
        lastSeenAt: this.lastSeenAt[e] as number,
        sightings: this.sightings[e] as number,
      });
    }
    return entries;
  }

  #grow(): void {
    const grown = (column: Uint32Array<ArrayBuffer>) => {
      const larger = new Uint32Array(column.length * 2);
      larger.set(column);
      return larger;
    };
    this.circumstance = grown(this.circumstance);
    this.firstSeenAt = grown(this.firstSeenAt);
    this.lastSeenAt = grown(this.lastSeenAt);
    const sightings = new Float64Array(this.sightings.length * 2);
    sightings.set(this.sightings);
    this.sightings = sightings;
  }
}
