/**
 * The state folder of a local server: what is in it by fixed names, its admin key, and the lock on it.
 *
 * The lock lets one process at a time work on the folder. The lock is one of the operating system on a file there, so
 * it is gone when its holder is, however that ended, and cannot become stale. A note beside it names the holder.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { checkAdminKey } from '../../src/keys/registry.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { checkedKey } from '../command/arguments.ts';
import { CommandError, fileProblem, UsageError } from '../command/errors.ts';

const NOTE = v.object({ pid: v.number(), command: v.string(), port: v.nullable(v.number()) });
type Note = v.InferOutput<typeof NOTE>;

/** https://www.sqlite.org/rescode.html: SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: ReadonlySet<unknown> = new Set([11, 26]);

/** A database that nobody refers to any more is closed by the garbage collector, and its lock is gone. */
const held = new Set<DatabaseSync>();

interface StateLock {
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
  const message = messageOf(error);
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

// What `npm start`, `npm run example` and wrangler keep in a state folder by fixed names, so that nothing else may
// stand in its place.

/** Parents first. */
const FOLDERS = ['v3', 'v3/r2', 'v3/kv', 'v3/cache', 'wrangler', 'workers', 'import'];
const OF_WORKERS = ['edge.json', 'control.json', '.env'].map((name) => `workers/${name}`);
const FILES = ['worker.log', 'example.log', 'lock.json', 'sample', 'sample.rejects.csv', ...OF_WORKERS];

/**
 * Nothing is changed; what is not there will be made.
 * @throws CommandError naming what stands in the place of a folder or a file, or cannot be looked at
 */
export function checkStateParts(stateFolder: string): void {
  for (const name of FOLDERS) check(join(stateFolder, name), 'folder');
  for (const name of FILES) check(join(stateFolder, name), 'file');
}

function check(path: string, expected: 'file' | 'folder'): void {
  const remedy = 'move it away, or name another state folder with --state';
  let isFolder: boolean;
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    isFolder = stats.isDirectory();
    if (expected === 'folder' ? isFolder : stats.isFile()) return;
  } catch (error) {
    throw new CommandError(`${path}: cannot be looked at (${fileProblem(error)}); ${remedy}`, { cause: error });
  }
  const found = isFolder ? 'a folder' : expected === 'folder' ? 'a file' : 'neither file nor folder';
  throw new CommandError(`${path}: expected a ${expected}, found ${found}; ${remedy}`);
}

// The admin key of a server on this machine: the environment's, or one made at the first start and kept in a file.

const NAME = 'RINGFENCE_ADMIN_KEY';
const pathIn = (stateFolder: string) => join(stateFolder, 'admin-key');

/** @throws UsageError when the environment's key is not one, without quoting it */
export function givenAdminKey(environment: string | undefined): string | null {
  return environment === undefined ? null : checkedAdminKey(NAME, environment);
}

/** @param name of what holds the key @throws UsageError as the Worker would refuse it, without quoting it */
function checkedAdminKey(name: string, text: string): string | null {
  checkedKey(name, text);
  try {
    return checkAdminKey(text);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message.replace(NAME, name), { cause: error });
    throw error;
  }
}

/**
 * The key that an earlier start has made, or null.
 * @throws CommandError if the file is there and holds none; it is left as it is
 */
export function keptAdminKey(stateFolder: string): string | null {
  const path = pathIn(stateFolder);
  const remedy = `delete it, and the next start makes a new admin key, or set ${NAME}`;
  let text: string;
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return null;
    // Reading a named pipe would wait for somebody to write into it.
    if (!stats.isFile()) throw new CommandError(`${path} is no file, so it holds no admin key: ${remedy}`);
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path}: the admin key cannot be read (${fileProblem(error)})`, { cause: error });
  }
  if (text === '') throw new CommandError(`${path} is empty: ${remedy}`);
  return checkedAdminKey(path, text);
}

/**
 * @param stateFolder which is there
 * @throws CommandError if a key that was given or kept cannot be used
 */
export function localAdminKey(stateFolder: string, environment: string | undefined): string {
  const known = givenAdminKey(environment) ?? keptAdminKey(stateFolder);
  if (known !== null) return known;
  const key = `rf_local_${randomBytes(16).toString('hex')}`;
  // All or nothing: a start that is killed here leaves no empty file.
  const temporary = `${pathIn(stateFolder)}.${process.pid}.tmp`;
  writeFileSync(temporary, `${key}\n`, { mode: 0o600 });
  renameSync(temporary, pathIn(stateFolder));
  return key;
}
