/** `npm run briefing`: see scripts/briefing/options.ts for what it takes. Exit code 1 if there is no briefing. */
import { writeFileSync } from 'node:fs';
import { BriefingError } from './briefing/briefing-error.ts';
import { fetchBriefing } from './briefing/fetch-briefing.ts';
import { headlineText } from './briefing/headline.ts';
import { HELP, parseOptions } from './briefing/options.ts';
import { fileProblem } from './command/errors.ts';
import { checkOutputFile, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';

async function main(): Promise<number> {
  const request = parseOptions(process.argv.slice(2), process.env);
  if (request === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const path = userPath(request.path);
  checkOutputFile(path);
  const { text, briefing } = await fetchBriefing(request, fetch);
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new BriefingError(`cannot write ${path}: ${fileProblem(error)}`, { cause: error });
  }
  process.stdout.write(`${headlineText(briefing)}written to ${path}\n`);
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main);
