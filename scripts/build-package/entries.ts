/** The entries of the package. `exports` in package.json names the same, and a test compares the two. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command/errors.ts';
import { PROJECT } from '../command/paths.ts';

export const DIST = join(PROJECT, 'dist');

export interface Entry {
  /** Of the file in dist: `dist/NAME.js`. */
  readonly name: string;
  /** Its module, from src. */
  readonly source: string;
  /** Optional peers of the package that it imports, types included. */
  readonly peers: readonly string[];
}

export const ENTRIES: readonly Entry[] = [
  { name: 'client', source: 'sdk/client/index.ts', peers: [] },
  { name: 'fetch', source: 'sdk/middleware/fetch.ts', peers: [] },
  { name: 'hono', source: 'sdk/middleware/hono.ts', peers: ['hono'] },
  { name: 'itty-router', source: 'sdk/middleware/itty-router.ts', peers: ['itty-router'] },
  { name: 'replica', source: 'replica/index.ts', peers: [] },
];

/** Nothing, or not all, of the package was built. */
export class BuildError extends CommandError {}

/** @throws BuildError */
export function checkEntries(): void {
  for (const { name, source } of ENTRIES) {
    if (!existsSync(join(PROJECT, 'src', source))) throw new BuildError(`${name}: expected src/${source}`);
  }
}
