/** `npm run build`: what `npm pack` puts into the package, in dist/: a module for each entry, and its types. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleEntries } from './build-package/bundle.ts';
import { writeDeclarations } from './build-package/declarations.ts';
import { BuildError, checkEntries, DIST } from './build-package/entries.ts';

try {
  checkEntries();
  rmSync(DIST, { recursive: true, force: true });
  await bundleEntries();
  writeDeclarations();
  for (const name of readdirSync(DIST).filter((file) => file.endsWith('.js'))) {
    console.log(`dist/${name}: ${(statSync(join(DIST, name)).size / 1024).toFixed(1)} KiB`);
  }
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`not built: ${error.message}`);
  process.exitCode = 1;
}
