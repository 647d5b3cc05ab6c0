/** `npm run briefing`: see scripts/briefing/options.ts for what it takes. Exit code 1 if there is no briefing. */
import { writeFileSync } from 'node:fs';
import { BriefingError } from './briefing/briefing-error.ts';
import { fetchBriefing } from './briefing/fetch-briefing.ts';
import { headlineText } from './briefing/headline.ts';
import { HELP, parseOptions } from './briefing/options.ts';

try {
  const request = parseOptions(process.argv.slice(2), process.env);
  if (request === null) process.stdout.write(HELP);
  else {
    const { text, briefing } = await fetchBriefing(request, fetch);
    try {
      writeFileSync(request.path, text);
    } catch (error) {
      throw new BriefingError(`cannot write ${request.path}: ${error instanceof Error ? error.message : 'failed'}`);
    }
    process.stdout.write(`${headlineText(briefing)}written to ${request.path}\n`);
  }
} catch (error) {
  if (!(error instanceof BriefingError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
