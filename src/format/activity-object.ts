/**
 * An activity object: rows of activity in the order of day, number, activity key, link, in blocks behind a directory,
 * so that a range of days is one range of bytes (docs/FORMAT.md). The same rows give the same bytes.
 *
 *   directory  frame "RFFA" (below)
 *   blocks     activity-block.ts, one after the other; the rows of a day in blocks of 16,384 and the rest
 */

import { ByteReader, type Bytes, ByteWriter, FormatError } from '../lib/bytes.ts';
import type { Steps } from '../lib/cooperate.ts';
import { crc32 } from '../lib/crc32.ts';
import { frame, openFrame } from '../lib/frame.ts';
import { LAST_DAY } from '../lib/time.ts';
import { type ActivitySink, GrowingActivity, type KindSpan, type KnownKey, knownKey } from './activity.ts';
import {
  type ActivityBlockPlace,
  BLOCK_ROWS,
  decodeActivityBlock,
  encodeActivityBlock,
  type KindNumbers,
} from './activity-block.ts';
import type { ActivityEntry } from './manifest.ts';

export interface EncodedActivity {
  readonly shape: Omit<ActivityEntry, 'key'>;
  readonly file: Bytes;
}

interface EncodedKind extends KnownKey {
  readonly firstDay: number;
  lastDay: number;
}

/** Takes rows in order, repeated ones too, and writes the object. */
export class ActivityEncoder implements ActivitySink {
  readonly #keys: readonly KnownKey[];
  /** By the caller's activity key: the object's, in the order in which they are met; -1 until then. */
  readonly #ids: Int32Array;
  readonly #kinds: EncodedKind[] = [];
  /** By the object's activity key: 1 if it has a link host. */
  #linked = new Uint8Array(16);
  /** Rows of the block that is being filled, with the caller's kinds. */
  readonly #block = new GrowingActivity();
  readonly #blocks: ActivityBlockPlace[] = [];
  #bytes = new ByteWriter();
  #day = -1;
  #rows = 0;

  /** @param keys all that rows may have, ascending by text */
  constructor(keys: readonly KnownKey[]) {
    this.#keys = keys;
    this.#ids = new Int32Array(keys.length).fill(-1);
  }

  /** Of the blocks that are full. */
  get blockBytes(): number {
    return this.#bytes.length;
  }

  /** @throws RangeError when the row is not in order */
  add(day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    const block = this.#block;
    if (day !== this.#day) {
      if (day < this.#day) throw new RangeError('the days of activity must ascend');
      this.#flush();
      this.#day = day;
    }
    const order = block.compareLast(number, kind, linkHigh, linkLow);
    if (order > 0) throw new RangeError('the rows of activity must ascend');
    if (order === 0) {
      block.seenAt(firstSeenAt);
      return;
    }
    if (block.rows === BLOCK_ROWS) this.#flush();
    block.push(number, kind, linkHigh, linkLow, firstSeenAt);
  }

  #flush(): void {
    const block = this.#block;
    if (block.rows === 0) return;
    const day = this.#day;
    const { kind, rows } = block;
    for (let row = 0; row < rows; row++) kind[row] = this.#idOf(kind[row] as number, day);
    const start = this.#bytes.length;
    encodeActivityBlock(day, block, this.#linked, this.#bytes);
    const bytes = this.#bytes.view().subarray(start);
    this.#blocks.push({ day, rows, bytes: bytes.length, crc32: crc32(bytes) });
    this.#rows += rows;
    block.rows = 0;
  }

  /** The object's number of an activity key that is met on this day. */
  #idOf(kind: number, day: number): number {
    const known = this.#ids[kind] as number;
    if (known >= 0) {
      (this.#kinds[known] as EncodedKind).lastDay = day;
      return known;
    }
    const key = this.#keys[kind];
    if (key === undefined) throw new RangeError(`no activity key ${kind}, there are ${this.#keys.length}`);
    const id = this.#kinds.length;
    this.#ids[kind] = id;
    this.#kinds.push({ ...key, firstDay: day, lastDay: day });
    if (id === this.#linked.length) {
      const grown = new Uint8Array(id * 2);
      grown.set(this.#linked);
      this.#linked = grown;
    }
    this.#linked[id] = Number(key.kind.linkHost !== null);
    return id;
  }

  /** The object's activity keys by text, as the caller has them. */
  #inOrder(): Uint32Array {
    const order = new Uint32Array(this.#kinds.length);
    let count = 0;
    for (const id of this.#ids) if (id >= 0) order[count++] = id;
    return order;
  }

  /** The object, or null if there was no row. The encoder has nothing of it any more. */
  *finishSteps(): Steps<EncodedActivity | null> {
    this.#flush();
    const [first] = this.#blocks;
    if (first === undefined) return null;
    const kinds: readonly WrittenKey[] = this.#kinds;
    const directory = yield* encodeActivityDirectory(kinds, this.#inOrder(), this.#blocks);
    const file = new Uint8Array(directory.length + this.#bytes.length);
    file.set(directory);
    file.set(this.#bytes.view(), directory.length);
    this.#bytes = new ByteWriter(0);
    return {
      shape: {
        firstDay: first.day,
        lastDay: this.#day,
        rows: this.#rows,
        bytes: file.length,
        directoryBytes: directory.length,
        crc32: crc32(directory),
      },
      file,
    };
  }
}

// The directory at the beginning of an activity object: frame "RFFA" version 1 around
//
//   varint                count of activity keys, then of each, ascending by text (activity.ts): varint characters
//                         of the text that are as in the one before, ASCII all of them; text, its rest; varint by
//                         which blocks name it; varint first day; varint last day - first day
//   varint                blocks, each: varint day - day of the block before (the first: the day), varint rows,
//                         varint bytes, u32 CRC-32
//
// The blocks follow in this order, without a gap. Their days do not descend, and neither do the rows of the blocks of
// one day.

const MAGIC = 'RFFA';
const VERSION = 1;

interface DirectoryKey extends KindSpan {
  readonly text: string;
}

export interface ActivityDirectory {
  readonly kinds: readonly DirectoryKey[];
  /** Their numbers, ascending by text. */
  readonly order: Uint32Array;
  readonly blocks: readonly ActivityBlockPlace[];
}

/** An activity key as it is written: the rest follows from its text. */
type WrittenKey = Omit<DirectoryKey, 'kind'>;

/** An activity key that is written, and one that is read and checked, in records of a merge. */
const WRITE_WORK = 1;
const READ_WORK = 6;
/** Activity keys in a step: to stop after each costs more than to go over it. */
export const STEP_KEYS = 64;

/** @param order of the kinds by text */
export function* encodeActivityDirectory(
  kinds: readonly WrittenKey[],
  order: Uint32Array,
  blocks: readonly ActivityBlockPlace[],
): Steps<Bytes> {
  const writer = new ByteWriter();
  writer.varint(kinds.length);
  let before = '';
  let written = 0;
  for (const id of order) {
    const { text, firstDay, lastDay } = kinds[id] as WrittenKey;
    const shared = sharedAscii(before, text);
    writer.varint(shared);
    writer.text(text.slice(shared));
    writer.varint(id);
    writer.varint(firstDay);
    writer.varint(lastDay - firstDay);
    before = text;
    if (++written % STEP_KEYS === 0) yield STEP_KEYS * WRITE_WORK;
  }
  yield (written % STEP_KEYS) * WRITE_WORK;
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
export function* decodeActivityDirectory(bytes: Bytes): Steps<ActivityDirectory> {
  const body = openFrame(bytes, MAGIC, VERSION);
  const reader = new ByteReader(body);
  const { kinds, order } = yield* readKinds(reader);
  // Each takes bytes of the body, so that a false count ends with it.
  const blocks: ActivityBlockPlace[] = [];
  let day = 0;
  for (let left = reader.varint(); left > 0; left--) {
    day += reader.varint();
    const rows = reader.varint();
    const block = { day, rows, bytes: reader.varint(), crc32: readU32(reader) };
    if (day > LAST_DAY || rows === 0 || rows > BLOCK_ROWS) {
      throw new FormatError(`${MAGIC}: block ${blocks.length} has ${rows} rows of day ${day}`);
    }
    blocks.push(block);
  }
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: ${body.length - reader.position} bytes follow the last block`);
  if (blocks.length === 0) throw new FormatError(`${MAGIC}: expected at least one block`);
  return { kinds, order, blocks };
}

/** Kinds by the number that blocks have for them, and those numbers as they stand here, by text. */
function* readKinds(reader: ByteReader): Steps<Pick<ActivityDirectory, 'kinds' | 'order'>> {
  const count = reader.varint();
  const kinds: DirectoryKey[] = [];
  const order: number[] = [];
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
    if (lastDay > LAST_DAY) throw new FormatError(`${MAGIC}: expected days up to ${LAST_DAY}, found ${lastDay}`);
    if (id >= count || kinds[id] !== undefined) throw new FormatError(`${MAGIC}: expected ${count} kinds, one each`);
    const known = knownKey(text);
    kinds[id] = { text: known.text, kind: known.kind, firstDay, lastDay };
    order.push(id);
    before = text;
    if ((read + 1) % STEP_KEYS === 0) yield STEP_KEYS * READ_WORK;
  }
  yield (count % STEP_KEYS) * READ_WORK;
  return { kinds, order: Uint32Array.from(order) };
}

function readU32(reader: ByteReader): number {
  const bytes = reader.raw(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

// Reads activity objects: the directory, compared with what the manifest says of it, then blocks.

export type ActivityShape = Omit<ActivityEntry, 'key'>;

/** Where the blocks of an object are, and what they are checked against. */
export interface OpenActivity {
  readonly shape: ActivityShape;
  readonly directory: ActivityDirectory;
  /** Of each block in the object, and behind the last where that ends: the length of the object. */
  readonly offsets: Float64Array;
}

/** @param bytes the first `directoryBytes` of the object. Throws FormatError unless they are its directory */
export function* openActivityDirectory(bytes: Bytes, shape: ActivityShape): Steps<OpenActivity> {
  if (bytes.length !== shape.directoryBytes || crc32(bytes) !== shape.crc32) {
    throw new FormatError('activity: expected the directory that the manifest names, found another');
  }
  const directory = yield* decodeActivityDirectory(bytes);
  const { blocks } = directory;
  const offsets = new Float64Array(blocks.length + 1);
  let end = bytes.length;
  blocks.forEach((block, i) => {
    offsets[i] = end;
    end += block.bytes;
  });
  offsets[blocks.length] = end;
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const found = [blocks[0]?.day, blocks.at(-1)?.day, rows, end];
  const expected = [shape.firstDay, shape.lastDay, shape.rows, shape.bytes];
  if (found.some((value, i) => value !== expected[i])) {
    throw new FormatError(`activity: expected days, rows and bytes ${expected.join(', ')}, found ${found.join(', ')}`);
  }
  return { shape, directory, offsets };
}

/** Blocks of an object as they are folded. */
export interface ActivityInput {
  readonly directory: ActivityDirectory;
  /** The bytes of a block, not checked. Throws if they are not at hand. */
  readonly blockBytes: (index: number) => Bytes;
}

/** A whole object in memory. Throws FormatError unless its directory is the expected one. */
export function* openActivityObject(file: Bytes, shape: ActivityShape): Steps<ActivityInput> {
  const { directory, offsets } = yield* openActivityDirectory(file.subarray(0, shape.directoryBytes), shape);
  if (file.length !== shape.bytes) {
    throw new FormatError(`activity: expected ${shape.bytes} bytes, found ${file.length}`);
  }
  return { directory, blockBytes: (index) => file.subarray(offsets[index], offsets[index + 1]) };
}

/** Throws FormatError if any block is not what the directory says. */
export function* checkActivityBlocks(input: ActivityInput): Steps<void> {
  for (let index = 0; index < input.directory.blocks.length; index++) {
    checkedBlock(input, index);
    yield CHECK_WORK;
  }
}

/** A checksum over a block, as against a record of a merge. */
const CHECK_WORK = 64;

/** Checks and unpacks a block. Throws FormatError. */
export function readActivityBlock(
  input: ActivityInput,
  index: number,
  kinds: KindNumbers,
  into: GrowingActivity,
): void {
  const { place, bytes } = checkedBlock(input, index);
  decodeActivityBlock(bytes, place, kinds, into);
}

function checkedBlock({ directory, blockBytes }: ActivityInput, index: number) {
  const place = directory.blocks[index];
  if (place === undefined) throw new RangeError(`no block ${index}, there are ${directory.blocks.length}`);
  const bytes = blockBytes(index);
  if (bytes.length !== place.bytes || crc32(bytes) !== place.crc32) {
    throw new FormatError(`activity: block ${index} of day ${place.day} is damaged`);
  }
  return { place, bytes };
}
