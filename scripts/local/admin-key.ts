import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkAdminKey } from '../../src/keys/admin-key.ts';

/**
 * The admin key of the local server: the environment's, or one made at the first start and kept in the state folder.
 * Throws RangeError when RINGFENCE_ADMIN_KEY is too short.
 */
export function localAdminKey(stateFolder: string, environment: string | undefined): string {
  const given = checkAdminKey(environment);
  if (given !== null) return given;
  const path = join(stateFolder, 'admin-key');
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const key = `rf_local_${randomBytes(16).toString('hex')}`;
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(path, `${key}\n`, { mode: 0o600 });
  return key;
}
