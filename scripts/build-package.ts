/** `npm run build`: what `npm pack` puts into the package, in dist/: a module for each entry, and its types. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleEntries } from './build-package/bundle.ts';
import { writeDeclarations } from './build-package/declarations.ts';
import { checkEntries, DIST } from './build-package/entries.ts';
import { takesNothing } from './command/arguments.ts';
import { runCommand } from './command/run-command.ts';

const HELP = 'npm run build makes the package in dist/. It takes no options.\n';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    if (takesNothing(process.argv.slice(2))) {
      process.stdout.write(HELP);
      return 0;
    }
    checkEntries();
    rmSync(DIST, { recursive: true, force: true });
    await bundleEntries();
    writeDeclarations();
    for (const name of readdirSync(DIST).filter((file) => file.endsWith('.js'))) {
      console.log(`dist/${name}: ${(statSync(join(DIST, name)).size / 1024).toFixed(1)} KiB`);
    }
    return 0;
  });
