/**
 * Segments as the manifest lists them, about 125 bytes each: their hashes are most of it, and every isolate reads the
 * manifest first. A row is, with integers as varints (LEB128):
 *
 *   shared                     how much of the key is as in the row before, in characters (ASCII)
 *   text                       the rest of the key; varint length, UTF-8
 *   first, last - first, count
 *   bytes of the numbers column, the verdicts column, the evidence index, and the evidence blocks
 *   3 x 32 bytes               SHA-256 of the first three
 */
import { type ByteReader, ByteWriter } from './bytes.ts';
import { type Bytes, FormatError } from './frame.ts';
import { fromHex, toHex } from './hash.ts';
import type { SegmentShape } from './segment.ts';

const HASH_BYTES = 32;

/** A segment of a run: where it is, and what it must be. */
export interface SegmentEntry extends SegmentShape {
  readonly key: string;
}

export function encodeSegmentTable(entries: readonly SegmentEntry[]): Bytes {
  const writer = new ByteWriter();
  let previous = '';
  for (const { key, first, last, count, numbers, verdicts, evidenceIndex, evidenceBlocksBytes } of entries) {
    let shared = 0;
    while (shared < Math.min(previous.length, key.length) && previous[shared] === key[shared]) shared += 1;
    writer.varint(shared);
    writer.text(key.slice(shared));
    const sizes = [numbers.bytes, verdicts.bytes, evidenceIndex.bytes, evidenceBlocksBytes];
    for (const integer of [first, last - first, count, ...sizes]) writer.varint(integer);
    for (const { sha256 } of [numbers, verdicts, evidenceIndex]) writer.raw(fromHex(sha256));
    previous = key;
  }
  return writer.view();
}

/** Reads `rows` rows. Throws FormatError when they are cut off or no such rows. */
export function readSegmentTable(reader: ByteReader, rows: number, before: SegmentEntry | undefined): SegmentEntry[] {
  const entries: SegmentEntry[] = [];
  let previous = before?.key ?? '';
  for (let row = 0; row < rows; row++) {
    const shared = reader.varint();
    if (shared > previous.length)
      throw new FormatError(`segment table: row ${row} shares ${shared} characters of a key`);
    const key = previous.slice(0, shared) + reader.text();
    const first = reader.varint();
    const last = first + reader.varint();
    if (!Number.isSafeInteger(last)) throw new FormatError(`segment table: row ${row} ends beyond 2^53`);
    const count = reader.varint();
    const [numbers, verdicts, evidenceIndex] = [reader.varint(), reader.varint(), reader.varint()];
    const evidenceBlocksBytes = reader.varint();
    const column = (bytes: number) => ({ bytes, sha256: toHex(reader.raw(HASH_BYTES)) });
    entries.push({
      key,
      first,
      last,
      count,
      numbers: column(numbers),
      verdicts: column(verdicts),
      evidenceIndex: column(evidenceIndex),
      evidenceBlocksBytes,
    });
    previous = key;
  }
  return entries;
}
