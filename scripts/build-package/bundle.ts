/** Each entry as one module without imports but of its peers, and the licences of what went into them. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { PROJECT } from '../command/paths.ts';
import { BuildError, DIST, ENTRIES } from './entries.ts';

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
    external: ENTRIES.flatMap(({ peers, runtime }) => [...peers, ...runtime]),
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  for (const { name, peers, runtime } of ENTRIES) {
    const output = metafile.outputs[`dist/${name}.js`];
    if (output === undefined) throw new BuildError(`${name}: expected dist/${name}.js`);
    for (const { path } of output.imports) {
      if (![...peers, ...runtime].includes(path)) throw new BuildError(`${name}: expected no import of ${path}`);
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
