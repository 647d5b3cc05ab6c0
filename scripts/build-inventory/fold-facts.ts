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
import { finish } from '../../src/lib/cooperate.ts';
import { foldObjects, OBJECT_BYTES } from '../../src/merge/facts-objects.ts';
import { damagedWork } from './build-error.ts';
import { inParallel } from './in-parallel.ts';
import type { Journal } from './journal.ts';
import { writeWhole } from './parse-range.ts';
import type { BuildProgress } from './progress.ts';
import type { TaskRunner } from './tasks.ts';

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

interface Job {
  readonly folder: string;
  readonly runner: TaskRunner;
  readonly progress: BuildProgress;
}

/** Stopped anywhere, a part is in the journal, or is made again to the same bytes. */
export async function foldFacts({ folder, runner, progress }: Job, journal: Journal): Promise<SpilledFacts[]> {
  const pieces = journal.all('folded').flatMap(({ facts }) => facts);
  const parts = planParts(folder, pieces);
  const done = new Map(journal.all('facts').map(({ part, objects }) => [part, objects]));
  progress.begin(
    'sorting by day',
    pieces.reduce((sum, { shape }) => sum + shape.rows, 0),
    'facts',
  );
  await inParallel(parts, runner.threads, async (part, index) => {
    if (done.has(index)) return;
    const objects = await runner.run<'facts'>({ kind: 'facts', folder, index, part }, () => {});
    journal.add({ event: 'facts', part: index, objects: [...objects] });
    done.set(index, [...objects]);
    const rows = objects.reduce((sum, { shape }) => sum + shape.rows, 0);
    progress.advance(rows, rows);
  });
  return parts.flatMap((_, index) => done.get(index) ?? []);
}

/** Parts of about an object each, so that a thread holds little more. */
function planParts(folder: string, pieces: readonly SpilledFacts[], partBytes = OBJECT_BYTES): FactsPart[] {
  const byDay = new Map<number, Map<SpilledFacts, number>>();
  for (const piece of pieces) {
    for (const { day, bytes } of openPiece(folder, piece).directory.blocks) {
      const ofDay = byDay.get(day) ?? new Map<SpilledFacts, number>();
      byDay.set(day, ofDay.set(piece, (ofDay.get(piece) ?? 0) + bytes));
    }
  }
  const parts: FactsPart[] = [];
  let open: { from: number; to: number; pieces: Set<SpilledFacts>; bytes: number } | null = null;
  const close = () => {
    if (open !== null) parts.push({ from: open.from, to: open.to, pieces: [...open.pieces] });
    open = null;
  };
  for (const [day, ofDay] of [...byDay].sort(([a], [b]) => a - b)) {
    const dayBytes = [...ofDay.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (open !== null && open.bytes + dayBytes > partBytes) close();
    for (const [piece, bytes] of ofDay) {
      // Only a day that is alone in its part is ever too large for it.
      if (open !== null && dayBytes > partBytes && open.bytes + bytes > partBytes) close();
      open ??= { from: day, to: day, pieces: new Set(), bytes: 0 };
      open.to = day;
      open.pieces.add(piece);
      open.bytes += bytes;
    }
    if (dayBytes > partBytes) close();
  }
  close();
  return parts;
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

function openPiece(folder: string, piece: SpilledFacts): OpenFacts {
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
    finish(checkFactsBlocks(openFactsObject(file, shape)));
  } catch (error) {
    throw damagedWork(name, error);
  }
  return file;
}
