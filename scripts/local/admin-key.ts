/** The admin key of a server on this machine: the environment's, or one made at the first start and kept in a file. */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkAdminKey } from '../../src/keys/registry.ts';
import { checkedKey } from '../command/arguments.ts';
import { CommandError, fileProblem, UsageError } from '../command/errors.ts';

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
