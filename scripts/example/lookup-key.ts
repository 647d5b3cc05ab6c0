/** The API key that an example asks with: made once, and kept in the state folder. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command/errors.ts';

/** What an example without Ringfence is given when there is no key yet: nothing will look at it. */
export const NO_KEY = 'rf_none';

export function keptLookupKey(state: string): string | null {
  const path = join(state, 'lookup-key');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}

/** @throws CommandError when Ringfence makes none */
export async function lookupKey(url: string, adminKey: string, state: string): Promise<string> {
  const kept = keptLookupKey(state);
  if (kept !== null && (await isValid(url, kept))) return kept;
  const response = await fetch(`${url}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'example', scopes: ['lookup'] }),
  });
  if (!response.ok) throw new CommandError(`Ringfence answers ${response.status} when asked for a key`);
  const { key } = (await response.json()) as { readonly key: string };
  writeFileSync(join(state, 'lookup-key'), `${key}\n`, { mode: 0o600 });
  return key;
}

async function isValid(url: string, key: string): Promise<boolean> {
  const response = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${key}` } });
  await response.body?.cancel();
  return response.ok;
}
