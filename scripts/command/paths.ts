/** Files and folders named on a command line: where they are, and whether they can be used. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommandError, codeOf, fileProblem, UsageError } from './errors.ts';

export const PROJECT = join(import.meta.dirname, '..', '..');

/** Each is a folder with a bench.ts. */
export function benchmarkNames(): string[] {
  const folder = join(PROJECT, 'bench');
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'bench.ts')));
}

/** Of the project's Workers, from wrangler.toml. */
export function compatibilityDate(): string {
  const path = join(PROJECT, 'wrangler.toml');
  const found = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/m.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) throw new CommandError(`expected a compatibility_date in ${path}`);
  return found;
}

/** Where `npm start` keeps its state, in the folder of the project. */
export const DEFAULT_STATE = '.ringfence/state';

/**
 * Where the person stands who typed the command. npm runs a script in the folder of the project, wherever it was called
 * (`npm --prefix`, or from a folder below), and hands that on in INIT_CWD.
 */
export function userFolder(environment: Readonly<Record<string, string | undefined>>, cwd: string): string {
  const { INIT_CWD, npm_package_json } = environment;
  const isByNpm = npm_package_json === join(PROJECT, 'package.json') && resolve(cwd) === PROJECT;
  return isByNpm && INIT_CWD ? INIT_CWD : cwd;
}

/** The absolute path of what was named on the command line. */
export function userPath(path: string): string {
  return resolve(userFolder(process.env, process.cwd()), path);
}

/** Absolute: the folder that was named, or the one of `npm start`. */
export function statePath(named: string | undefined): string {
  return named === undefined ? resolve(DEFAULT_STATE) : userPath(named);
}

/**
 * Checks that a file of the command line can be read to its end: a named pipe or a device may never have one.
 * @throws UsageError
 */
export function checkInputFile(path: string): void {
  const stats = statsOf(path, UsageError);
  if (stats === null) throw new UsageError(`${path}: there is no such file`);
  if (stats.isDirectory()) throw new UsageError(`${path}: this is a folder; name a file`);
  if (!stats.isFile()) {
    throw new UsageError(`${path}: expected a file, found ${kindOf(stats)}; write what it gives into a file first`);
  }
}

/**
 * Checks, before the work begins, that its outcome can be written to a file.
 * @throws CommandError
 */
export function checkOutputFile(path: string): void {
  const stats = statsOf(path);
  if (stats?.isDirectory()) throw new CommandError(`${path}: this is a folder; name a file in it`);
  if (stats?.isFIFO() || stats?.isSocket()) throw new CommandError(`${path}: expected a file, found ${kindOf(stats)}`);
  if (stats !== null) return;
  const folder = statsOf(dirname(path));
  if (folder === null) throw new CommandError(`${path}: there is no folder ${dirname(path)}; make it first`);
  if (!folder.isDirectory()) throw new CommandError(`${path}: a part of this path is a file, not a folder`);
}

/**
 * Makes a folder, if it is not there, and checks that files can be written in it.
 * @param option that names another; null: there is no other
 * @throws CommandError
 */
export function checkWritableFolder(path: string, option: string | null): void {
  const other = option === null ? 'make it one that this user can write to' : `name another with ${option}`;
  const stats = statsOf(path);
  if (stats !== null && !stats.isDirectory()) {
    throw new CommandError(`${path}: expected a folder, found ${kindOf(stats)}; ${other}`);
  }
  const probe = join(path, `.writable-${process.pid}`);
  try {
    makeFolder(path);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new CommandError(`${path}: cannot write to this folder (${fileProblem(error)}); ${other}`, { cause: error });
  }
}

/**
 * As `mkdirSync` with `recursive`, which never returns where a parent is there and takes no folders, as /proc does.
 * @throws what mkdirSync throws
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Null if nothing is there. @throws Refusal if that cannot be told */
function statsOf(path: string, Refusal = CommandError): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new Refusal(`${path}: ${fileProblem(error)}`, { cause: error });
  }
}

function kindOf(stats: Stats): string {
  if (stats.isFile()) return 'a file';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
