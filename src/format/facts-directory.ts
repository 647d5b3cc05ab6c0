/**
 * The directory at the beginning of an activity object: frame "RFFA" version 1 around
 *
 *   varint                count of activity keys, then of each, ascending by text (facts-kind.ts): varint characters
 *                         of the text that are as in the one before, ASCII all of them; text, its rest; varint by
 *                         which blocks name it; varint first day; varint last day - first day
 *   varint                blocks, each: varint day - day of the block before (the first: the day), varint rows,
 *                         varint bytes, u32 CRC-32
 *
 * The blocks follow in this order, without a gap. Their days do not descend, and neither do the rows of the blocks of
 * one day.
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import type { KindSpan } from './day-facts.ts';
import { BLOCK_ROWS, type FactsBlockPlace } from './facts-block.ts';
import { knownKind } from './facts-kind.ts';
import { type Bytes, FormatError, frame, openFrame } from './frame.ts';

const MAGIC = 'RFFA';
const VERSION = 1;
/** Seconds are of 32 bits. */
const MAX_DAY = Math.floor(2 ** 32 / 86_400);

export interface FactsKind extends KindSpan {
  readonly text: string;
}

export interface FactsDirectory {
  readonly kinds: readonly FactsKind[];
  readonly blocks: readonly FactsBlockPlace[];
}

/** An activity key as it is written: the rest follows from its text. */
export type WrittenKind = Omit<FactsKind, 'kind'>;

export function encodeFactsDirectory(kinds: readonly WrittenKind[], blocks: readonly FactsBlockPlace[]): Bytes {
  const writer = new ByteWriter();
  writer.varint(kinds.length);
  const order = kinds.map((kind, id) => ({ ...kind, id })).sort((a, b) => (a.text < b.text ? -1 : 1));
  let before = '';
  for (const { text, id, firstDay, lastDay } of order) {
    const shared = sharedAscii(before, text);
    writer.varint(shared);
    writer.text(text.slice(shared));
    writer.varint(id);
    writer.varint(firstDay);
    writer.varint(lastDay - firstDay);
    before = text;
  }
  writer.varint(blocks.length);
  let previous = 0;
  for (const { day, rows, bytes, crc32 } of blocks) {
    writer.varint(day - previous);
    writer.varint(rows);
    writer.varint(bytes);
    writer.raw(new Uint8Array(Uint32Array.of(crc32).buffer));
    previous = day;
  }
  return frame(MAGIC, VERSION, writer.view());
}

/** How many characters two texts begin with in common, up to the first that is not ASCII: none is ever split. */
function sharedAscii(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at) && b.charCodeAt(at) < 0x80) at += 1;
  return at;
}

/** Throws FormatError unless the bytes are a directory. */
export function decodeFactsDirectory(bytes: Bytes): FactsDirectory {
  const body = openFrame(bytes, MAGIC, VERSION);
  const reader = new ByteReader(body);
  const kinds = readKinds(reader);
  // Each takes bytes of the body, so that a false count ends with it.
  const blocks: FactsBlockPlace[] = [];
  let day = 0;
  for (let left = reader.varint(); left > 0; left--) {
    day += reader.varint();
    const rows = reader.varint();
    const block = { day, rows, bytes: reader.varint(), crc32: readU32(reader) };
    if (day > MAX_DAY || rows === 0 || rows > BLOCK_ROWS) {
      throw new FormatError(`${MAGIC}: block ${blocks.length} has ${rows} rows of day ${day}`);
    }
    blocks.push(block);
  }
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: ${body.length - reader.position} bytes follow the last block`);
  if (blocks.length === 0) throw new FormatError(`${MAGIC}: expected at least one block`);
  return { kinds, blocks };
}

/** Kinds by the number that blocks have for them. */
function readKinds(reader: ByteReader): FactsKind[] {
  const count = reader.varint();
  const byId = new Map<number, FactsKind>();
  let before = '';
  // Each takes bytes of the body, so that a false count ends with it.
  for (let read = 0; read < count; read++) {
    const shared = reader.varint();
    if (shared > before.length) throw new FormatError(`${MAGIC}: kind ${read} shares ${shared} characters`);
    const text = before.slice(0, shared) + reader.text();
    if (text <= before) throw new FormatError(`${MAGIC}: kind ${read} is out of order`);
    const id = reader.varint();
    const firstDay = reader.varint();
    const lastDay = firstDay + reader.varint();
    if (lastDay > MAX_DAY) throw new FormatError(`${MAGIC}: expected days up to ${MAX_DAY}, found ${lastDay}`);
    byId.set(id, { ...knownKind(text), firstDay, lastDay });
    before = text;
  }
  return Array.from({ length: byId.size }, (_, id) => {
    const kind = byId.get(id);
    if (kind === undefined || byId.size < count) throw new FormatError(`${MAGIC}: expected ${count} kinds, one each`);
    return kind;
  });
}

function readU32(reader: ByteReader): number {
  const bytes = reader.raw(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
