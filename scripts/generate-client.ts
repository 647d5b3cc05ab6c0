/** `npm run generate`: writes what the client takes from the OpenAPI document. A test holds the files in step with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takesNothing } from './command/arguments.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { generateClient } from './generate-client/generate.ts';

const HELP = 'npm run generate writes what the client takes from the OpenAPI document. It takes no options.\n';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    if (takesNothing(process.argv.slice(2))) {
      process.stdout.write(HELP);
      return 0;
    }

    for (const [path, text] of await generateClient()) {
      writeFileSync(join(PROJECT, path), text);
      console.log(`${path}: ${text.split('\n').length - 1} lines`);
    }
    return 0;
  });
