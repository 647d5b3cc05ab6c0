/** Reads activity objects: the directory, compared with what the manifest says of it, then blocks. */
import type { Steps } from '../lib/cooperate.ts';
import { crc32 } from './crc32.ts';
import { decodeFactsBlock, type KindNumbers } from './facts-block.ts';
import type { GrowingFacts } from './facts-columns.ts';
import { decodeFactsDirectory, type FactsDirectory } from './facts-directory.ts';
import { type Bytes, FormatError } from './frame.ts';
import type { FactsEntry } from './manifest.ts';

export type FactsShape = Omit<FactsEntry, 'key'>;

/** Where the blocks of an object are, and what they are checked against. */
export interface OpenFacts {
  readonly shape: FactsShape;
  readonly directory: FactsDirectory;
  /** Of each block in the object, and behind the last where that ends: the length of the object. */
  readonly offsets: Float64Array;
}

/** @param bytes the first `directoryBytes` of the object. Throws FormatError unless they are its directory */
export function openFactsDirectory(bytes: Bytes, shape: FactsShape): OpenFacts {
  if (bytes.length !== shape.directoryBytes || crc32(bytes) !== shape.crc32) {
    throw new FormatError('activity: expected the directory that the manifest names, found another');
  }
  const directory = decodeFactsDirectory(bytes);
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
export interface FactsInput {
  readonly directory: FactsDirectory;
  /** The bytes of a block, not checked. Throws if they are not at hand. */
  readonly blockBytes: (index: number) => Bytes;
}

/** A whole object in memory. Throws FormatError unless its directory is the expected one. */
export function openFactsObject(file: Bytes, shape: FactsShape): FactsInput {
  const { directory, offsets } = openFactsDirectory(file.subarray(0, shape.directoryBytes), shape);
  if (file.length !== shape.bytes) {
    throw new FormatError(`activity: expected ${shape.bytes} bytes, found ${file.length}`);
  }
  return { directory, blockBytes: (index) => file.subarray(offsets[index], offsets[index + 1]) };
}

/** Throws FormatError if any block is not what the directory says. */
export function* checkFactsBlocks(input: FactsInput): Steps<void> {
  for (let index = 0; index < input.directory.blocks.length; index++) {
    checkedBlock(input, index);
    yield CHECK_WORK;
  }
}

/** A checksum over a block, as against a record of a merge. */
const CHECK_WORK = 64;

/** Checks and unpacks a block. Throws FormatError. */
export function readFactsBlock(input: FactsInput, index: number, kinds: KindNumbers, into: GrowingFacts): void {
  const { place, bytes } = checkedBlock(input, index);
  decodeFactsBlock(bytes, place, kinds, into);
}

function checkedBlock({ directory, blockBytes }: FactsInput, index: number) {
  const place = directory.blocks[index];
  if (place === undefined) throw new RangeError(`no block ${index}, there are ${directory.blocks.length}`);
  const bytes = blockBytes(index);
  if (bytes.length !== place.bytes || crc32(bytes) !== place.crc32) {
    throw new FormatError(`activity: block ${index} of day ${place.day} is damaged`);
  }
  return { place, bytes };
}
