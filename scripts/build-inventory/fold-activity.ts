/**
 * Phase 2, its end, as a task: the activity that the shares have left, whose objects are disjoint in numbers, to
 * objects disjoint in days, so that a briefing reads few of them. A part is a range of days, or a range of shares where
 * a single day is too large.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { KnownKey } from '../../src/format/activity.ts';
import type { FoldedKeys } from '../../src/format/activity-fold.ts';
import {
  type ActivityInput,
  checkActivityBlocks,
  type OpenActivity,
  openActivityDirectory,
  openActivityObject,
} from '../../src/format/activity-object.ts';
import type { Bytes } from '../../src/lib/bytes.ts';
import { finish } from '../../src/lib/cooperate.ts';
import { foldActivity } from '../../src/merge/activity-fold.ts';
import type { SpilledActivity } from './fold.ts';
import { damagedWork } from './journal.ts';
import { writeWhole } from './parse.ts';

export interface ActivityTask {
  readonly kind: 'activity';
  readonly folder: string;
  /** All there are. */
  readonly pieces: readonly SpilledActivity[];
  readonly index: number;
  readonly part: ActivityPart;
}

export interface ActivityPart {
  /** UTC days since 1970, both included. */
  readonly from: number;
  readonly to: number;
  /** Indexes of pieces. */
  readonly pieces: readonly number[];
}

/** The task of a part. Stopped anywhere, its files are written again by the next try, to the same bytes. */
export function foldActivityPart(
  { folder, pieces, index, part }: ActivityTask,
  memory = new PiecesMemory(),
): SpilledActivity[] {
  const { from, to } = part;
  const { opened, kinds } = memory.open(folder, pieces);
  const at = <T>(list: readonly T[]) => part.pieces.map((piece) => list[piece] as T);
  const inputs = at(opened).map((piece) => readDays(folder, piece, from, to));
  const objects: SpilledActivity[] = [];
  for (const { shape, file } of foldActivity(inputs, { from, to, kinds: { ...kinds, numbers: at(kinds.numbers) } })) {
    const name = `${String(index).padStart(6, '0')}-${objects.length}.facts`;
    writeWhole(join(folder, name), file);
    objects.push({ name, shape });
  }
  return objects;
}

/** The blocks of these days, which are one range of the file. */
function readDays(folder: string, { piece, directory, offsets }: OpenPiece, from: number, to: number): ActivityInput {
  const first = directory.blocks.findIndex(({ day }) => day >= from);
  const end = directory.blocks.findLastIndex(({ day }) => day <= to) + 1;
  const start = offsets[first] as number;
  const bytes = readRange(folder, piece, start, (offsets[end] as number) - start);
  return {
    directory,
    blockBytes: (index) => bytes.subarray((offsets[index] as number) - start, (offsets[index + 1] as number) - start),
  };
}

interface OpenPiece extends OpenActivity {
  readonly piece: SpilledActivity;
}

/** All pieces, opened, and their activity keys. */
interface OpenPieces {
  /** Of the task that they were opened for. */
  readonly of: string;
  readonly opened: readonly OpenPiece[];
  readonly kinds: Pick<FoldedKeys, 'keys' | 'numbers'>;
}

/** Keeps the pieces open from one part to the next: each of them asks for their directories. */
export class PiecesMemory {
  #kept: OpenPieces | null = null;

  open(folder: string, pieces: readonly SpilledActivity[]): OpenPieces {
    const of = JSON.stringify([folder, pieces]);
    if (this.#kept?.of === of) return this.#kept;
    const opened = pieces.map((piece) => ({ ...openPiece(folder, piece), piece }));
    this.#kept = { of, opened, kinds: keysOf(opened) };
    return this.#kept;
  }
}

/**
 * What `foldKeys` makes of the directories. Here are hundreds of them with the same keys: looking these up takes less.
 */
function keysOf(opened: readonly OpenPiece[]): OpenPieces['kinds'] {
  const byText = new Map<string, KnownKey>();
  for (const { directory } of opened) for (const key of directory.kinds) byText.set(key.text, key);
  const keys = [...byText.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
  const ranks = new Map(keys.map(({ text }, rank) => [text, rank]));
  const numbers = opened.map(({ directory: { kinds } }) => ({
    ids: Uint32Array.from(kinds, ({ text }) => ranks.get(text) as number),
    linked: Uint8Array.from(kinds, ({ kind }) => Number(kind.linkHost !== null)),
  }));
  return { keys, numbers };
}

export function openPiece(folder: string, piece: SpilledActivity): OpenActivity {
  try {
    return finish(openActivityDirectory(readRange(folder, piece, 0, piece.shape.directoryBytes), piece.shape));
  } catch (error) {
    throw damagedWork(piece.name, error);
  }
}

function readRange(folder: string, { name }: SpilledActivity, offset: number, length: number): Bytes {
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
export function readActivityFile(folder: string, { name, shape }: SpilledActivity): Bytes {
  const file = new Uint8Array(readFileSync(join(folder, name)));
  try {
    const opened = finish(openActivityObject(file, shape));
    finish(checkActivityBlocks(opened));
  } catch (error) {
    throw damagedWork(name, error);
  }
  return file;
}
