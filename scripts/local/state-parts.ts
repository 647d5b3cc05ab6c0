/** What `npm start`, `npm run example` and wrangler keep in a state folder by fixed names, so that nothing else may stand in its place. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, fileProblem } from '../command/errors.ts';

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
