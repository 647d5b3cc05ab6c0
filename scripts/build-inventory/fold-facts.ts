/**
 * Phase 2, its end: the facts that the shares have left, which are disjoint in numbers, to objects disjoint in days, so
 * that a briefing reads few of them. A part is a range of days, or a range of shares where a single day is too large.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkFactsBlocks,
  type FactsInput,
  type FactsShape,
  type OpenFacts,
  openFactsDirectory,
  openFactsObject,
} from '../../src/format/facts-open.ts';
import type { Bytes } from '../../src/format/frame.ts';
import { foldObjects } from '../../src/merge/facts-objects.ts';
import { damagedWork } from './build-error.ts';
import { writeWhole } from './parse-range.ts';

/** A facts object in the work folder. */
export interface SpilledFacts {
  readonly name: string;
  readonly shape: FactsShape;
}

export interface FactsTask {
  readonly kind: 'facts';
  readonly folder: string;
  readonly index: number;
  readonly part: FactsPart;
}

export interface FactsPart {
  /** UTC days since 1970, both included. */
  readonly from: number;
  readonly to: number;
  readonly pieces: readonly SpilledFacts[];
}

/** The task of a part. Stopped anywhere, its files are written again by the next try, to the same bytes. */
export function foldFactsPart({ folder, index, part }: FactsTask): SpilledFacts[] {
  const { from, to, pieces } = part;
  const inputs = pieces.map((piece) => readDays(folder, piece, from, to));
  const objects: SpilledFacts[] = [];
  for (const { shape, file } of foldObjects(inputs, { from, to })) {
    const name = `${String(index).padStart(6, '0')}-${objects.length}.facts`;
    writeWhole(join(folder, name), file);
    objects.push({ name, shape });
  }
  return objects;
}

/** The blocks of these days, which are one range of the file. */
function readDays(folder: string, piece: SpilledFacts, from: number, to: number): FactsInput {
  const { directory, offsets } = openPiece(folder, piece);
  const first = directory.blocks.findIndex(({ day }) => day >= from);
  const end = directory.blocks.findLastIndex(({ day }) => day <= to) + 1;
  const start = offsets[first] as number;
  const bytes = readRange(folder, piece, start, (offsets[end] as number) - start);
  return {
    directory,
    blockBytes: (index) => bytes.subarray((offsets[index] as number) - start, (offsets[index + 1] as number) - start),
  };
}

export function openPiece(folder: string, piece: SpilledFacts): OpenFacts {
  try {
    return openFactsDirectory(readRange(folder, piece, 0, piece.shape.directoryBytes), piece.shape);
  } catch (error) {
    throw damagedWork(piece.name, error);
  }
}

function readRange(folder: string, { name }: SpilledFacts, offset: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  const file = openSync(join(folder, name), 'r');
  try {
    let done = 0;
    while (done < length) {
      const count = readSync(file, bytes, done, length - done, offset + done);
      if (count === 0) throw damagedWork(name);
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

/** A whole object, which may have waited for its upload over a crash of the machine. @throws BuildError */
export function readFactsFile(folder: string, { name, shape }: SpilledFacts): Bytes {
  const file = new Uint8Array(readFileSync(join(folder, name)));
  try {
    checkFactsBlocks(openFactsObject(file, shape));
  } catch (error) {
    throw damagedWork(name, error);
  }
  return file;
}
