/** The declarations of the entries, by tsc; what no entry leads to is left out (reachable.ts). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PROJECT } from '../command/paths.ts';
import { BuildError, DIST, ENTRIES, type Entry } from './entries.ts';
import { type Files, printFiles, Reachable, readFiles } from './reachable.ts';

/** @throws BuildError if an entry's types need a package that its user may not have */
export function writeDeclarations(): void {
  const files = readFiles(emitted());
  for (const entry of ENTRIES) checkPackages(files, entry);
  for (const [path, text] of printFiles(files, new Reachable(files, ENTRIES.map(declarationsOf)))) {
    const target = join(DIST, 'types', path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

function checkPackages(files: Files, entry: Entry): void {
  for (const [name, path] of new Reachable(files, [declarationsOf(entry)]).packages) {
    if (!entry.peers.includes(name)) throw new BuildError(`${entry.name}: its types need ${name}, through ${path}`);
  }
}

function declarationsOf({ source }: Entry): string {
  return source.replace(/\.ts$/, '.d.ts');
}

/** All that tsc writes, by path from src. */
function emitted(): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-types-'));
  try {
    const tsc = join(PROJECT, 'node_modules', '.bin', 'tsc');
    const args = ['-p', 'tsconfig.package.json', '--outDir', folder];
    const { status, stdout } = spawnSync(tsc, args, { cwd: PROJECT, encoding: 'utf8' });
    if (status !== 0) throw new BuildError(`expected sources that type-check\n${stdout}`);
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.d.ts'));
    return new Map(paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
