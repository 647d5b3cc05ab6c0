/** `npm run build`: builds what `npm pack` puts into the package, in dist/: a module for each entry, and its types. */

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { type Files, printFiles, Reachable, readFiles } from './build-package/declarations.ts';
import { BuildError, checkEntries, DIST, ENTRIES, type Entry } from './build-package/entries.ts';
import { takesNothing } from './command/arguments.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';

// Each entry as one module without imports but of its peers, and the licences of what went into them.

/**
 * Not minified: what a reader finds in a stack trace or in node_modules should be readable, and who counts bytes has a
 * bundler that minifies. No maps either: the code is the source without its types.
 */
export async function bundleEntries(): Promise<void> {
  const { metafile, outputFiles } = await build({
    entryPoints: ENTRIES.map(({ name, source }) => ({ in: join(PROJECT, 'src', source), out: name })),
    outdir: DIST,
    absWorkingDir: PROJECT,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    // Of packages that have no `exports`.
    mainFields: ['module', 'main'],
    external: ENTRIES.flatMap(({ peers }) => peers),
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  for (const { name, peers } of ENTRIES) {
    const output = metafile.outputs[`dist/${name}.js`];
    if (output === undefined) throw new BuildError(`${name}: expected dist/${name}.js`);
    for (const { path } of output.imports) {
      if (!peers.includes(path)) throw new BuildError(`${name}: expected no import of ${path}`);
    }
  }
  mkdirSync(DIST, { recursive: true });
  // By renaming: whoever reads one meanwhile, a bundler in watch mode for one, finds it whole.
  for (const { path, contents } of outputFiles) {
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
  }
  const folders = Object.keys(metafile.inputs).flatMap((path) => PACKAGE_OF.exec(path)?.[0] ?? []);
  writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES.txt'), licences([...new Set(folders)].sort()));
}

/** The folder of the package that a file is of, wherever it is installed. */
const PACKAGE_OF = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

function licences(folders: readonly string[]): string {
  return folders
    .map((folder) => {
      const name = folder.replace(/^.*node_modules\//, '');
      const path = join(PROJECT, folder);
      const file = readdirSync(path).find((candidate) => /^licen[cs]e(\.\w+)?$/i.test(candidate));
      if (file === undefined) throw new BuildError(`${name}: expected a licence`);
      return `${name}\n\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

// The declarations of the entries, by tsc; what no entry leads to is left out (build-package/declarations.ts).

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

/** From dist/types. */
export function declarationsOf({ source }: Entry): string {
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

const HELP = 'npm run build makes the package in dist/. It takes no options.\n';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    if (takesNothing(process.argv.slice(2), HELP)) return 0;
    checkEntries();
    rmSync(DIST, { recursive: true, force: true });
    await bundleEntries();
    writeDeclarations();
    for (const name of readdirSync(DIST).filter((file) => file.endsWith('.js'))) {
      console.log(`dist/${name}: ${(statSync(join(DIST, name)).size / 1024).toFixed(1)} KiB`);
    }
    return 0;
  });
