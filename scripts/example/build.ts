/** The package, which the examples import by name, as its users do. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkEntries, DIST, ENTRIES } from '../build-package/entries.ts';
import { bundleEntries, writeDeclarations } from '../build-package.ts';
import { PROJECT } from '../command/paths.ts';

/** Folders too: a file that comes or goes changes its folder. */
const MADE_FROM = ['package.json', 'src', 'scripts/build-package', 'scripts/build-package.ts'].map((path) =>
  join(PROJECT, path),
);

/**
 * Writes nothing if nothing has changed, so that one example does not make another restart, whose bundle is watched. The
 * types, which are for editors, only if there are none.
 * @throws BuildError
 */
export async function buildIfChanged(): Promise<void> {
  checkEntries();
  const built = Math.min(...ENTRIES.map(({ name }) => modifiedMs(join(DIST, `${name}.js`))));
  if (Math.max(...MADE_FROM.flatMap(allBelow).map(modifiedMs)) >= built) await bundleEntries();
  if (!existsSync(join(DIST, 'types'))) writeDeclarations();
}

function allBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))];
}

/** 0 if there is no such file. */
function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
