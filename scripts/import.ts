/** `npm run import`: see scripts/import/options.ts for what it takes. Exit code 1 if not everything could be sent. */
import { ImportError } from './import/import-error.ts';
import { importFiles } from './import/import-files.ts';
import { realIo } from './import/io.ts';
import { HELP, parseOptions } from './import/options.ts';
import { summaryText } from './import/summary.ts';

try {
  const request = parseOptions(process.argv.slice(2), process.env);
  process.stdout.write(request === null ? HELP : summaryText(await importFiles(request, realIo(process.stderr))));
} catch (error) {
  if (!(error instanceof ImportError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
