/** An API key as an enterprise has it, in a key file of its own. */
import { join } from 'node:path';
import { KeyRegistry } from '../../src/keys/registry.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';

/** Writes the key file into `folder/objects` and resolves to a key with the scope `lookup`. */
export async function createClientKey(folder: string): Promise<string> {
  const keys = new KeyRegistry({
    objects: new DirectoryObjectStore(join(folder, 'objects')),
    now: () => Date.now(),
    adminKey: null,
    waitUntil: () => undefined,
    report: (error) => console.error(error),
    randomBytes: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const created = await keys.create({ name: 'bench', scopes: ['lookup'] });
  if (created.kind !== 'created') throw new Error(`the key could not be made: ${created.kind}`);
  return created.key;
}
