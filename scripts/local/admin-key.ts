/** The admin key of a server on this machine: the environment's, or one made at the first start and kept in a file. */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkAdminKey } from '../../src/keys/admin-key.ts';
import { checkedKey } from '../command/arguments.ts';
import { CommandError, codeOf, fileProblem, UsageError } from '../command/errors.ts';

const NAME = 'RINGFENCE_ADMIN_KEY';
const pathIn = (stateFolder: string) => join(stateFolder, 'admin-key');

/** @throws UsageError when the environment's key is not one, without quoting it */
export function givenAdminKey(environment: string | undefined): string | null {
  if (environment !== undefined) checkedKey(NAME, environment);
  try {
    return checkAdminKey(environment);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/**
 * The key that an earlier start has made, or null.
 * @throws CommandError if the file is there and holds none; it is left as it is
 */
export function keptAdminKey(stateFolder: string): string | null {
  const path = pathIn(stateFolder);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new CommandError(`${path}: the admin key cannot be read (${fileProblem(error)})`, { cause: error });
  }
  if (text === '') {
    throw new CommandError(`${path} is empty: delete it, and the next start makes a new admin key, or set ${NAME}`);
  }
  return checkedKey(path, text);
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
