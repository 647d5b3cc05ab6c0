/** `npm run generate-world`: writes the map that briefings are drawn on. A test holds the file in step with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takesNothing } from './command/arguments.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { generateWorld, WORLD_FILE } from './generate-world/generate.ts';

const HELP = 'npm run generate-world writes the map that briefings are drawn on. It takes no options.\n';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    if (takesNothing(process.argv.slice(2))) {
      process.stdout.write(HELP);
      return 0;
    }

    const text = generateWorld();
    writeFileSync(join(PROJECT, WORLD_FILE), text);
    console.log(`${WORLD_FILE}: ${Buffer.byteLength(text)} bytes`);
    return 0;
  });
