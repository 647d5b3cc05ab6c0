/**
 * Lets one process at a time work on a state folder. The lock is one of the operating system on a file there, so it is
 * gone when its holder is, however that ended, and cannot become stale. A note beside it names the holder.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { CommandError } from '../command/errors.ts';

const NOTE = v.object({ pid: v.number(), command: v.string(), port: v.nullable(v.number()) });
type Note = v.InferOutput<typeof NOTE>;

/** https://www.sqlite.org/rescode.html: SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: ReadonlySet<unknown> = new Set([11, 26]);

/** A database that nobody refers to any more is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

export interface StateLock {
  release(): void;
}

/**
 * @param folder which is there
 * @param command as the person at the terminal calls it
 * @param port that it will listen on, if any
 * @throws CommandError naming the holder, or a file that is no lock, or that there can be none in this folder
 */
export function lockState(folder: string, command: string, port: number | null): StateLock {
  const path = join(folder, 'lock');
  const notePath = join(folder, 'lock.json');
  let database: DatabaseSync | undefined;
  try {
    // SQLite has the locks of every system, and Node has SQLite. Nothing is ever written into this one.
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('BEGIN IMMEDIATE');
  } catch (error) {
    database?.close();
    throw new CommandError(problemOf(folder, path, notePath, error), { cause: error });
  }
  const locked = database;
  held.add(locked);
  writeFileSync(notePath, `${JSON.stringify({ pid: process.pid, command, port } satisfies Note)}\n`);
  return {
    release() {
      rmSync(notePath, { force: true });
      held.delete(locked);
      locked.close();
    },
  };
}

function problemOf(folder: string, path: string, notePath: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isDamaged(path, error)) {
    return `${path} is damaged, and holds nothing but the lock on this folder: delete it and start again`;
  }
  if (!message.includes('locked')) {
    return `${folder}: cannot be locked (${message}); name a folder on a disk of this machine with --state`;
  }
  const note = readNote(notePath);
  if (note === null) return `${folder} is in use by another Ringfence: stop that one first, or name another --state`;
  const { pid, command, port } = note;
  const where = port === null ? `pid ${pid}` : `pid ${pid}, port ${port}`;
  return `${folder} is in use by ${command} (${where}): stop it (Ctrl-C where it runs, or kill ${pid}), or name another --state`;
}

/** It is there, and is no file, or not one of SQLite's. */
function isDamaged(path: string, error: unknown): boolean {
  if (error instanceof Error && 'errcode' in error && DAMAGED.has(error.errcode)) return true;
  try {
    return !statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Null if the holder has not come to write it, or is just ending. */
function readNote(path: string): Note | null {
  try {
    return v.parse(NOTE, JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
