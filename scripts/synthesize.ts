/** `npm run synthesize`: see scripts/synthesize/options.ts for what it takes. Exit code 2 if that cannot be done. */
import { resolve } from 'node:path';
import { checkWritableFolder, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { DEFAULT_FOLDER, HELP, parseOptions } from './synthesize/options.ts';
import { Progress } from './synthesize/progress.ts';
import { reportText } from './synthesize/report.ts';
import { writeSynthetic } from './synthesize/write.ts';

async function main(): Promise<number> {
  const request = parseOptions(process.argv.slice(2));
  if (request === null) process.stdout.write(HELP);
  else if (request.report) process.stdout.write(reportText(request.options));
  else {
    const { options, files } = request;
    const folder = request.folder === DEFAULT_FOLDER ? resolve(DEFAULT_FOLDER) : userPath(request.folder);
    checkWritableFolder(folder, '--out');
    const progress = new Progress(process.stderr);
    try {
      const written = await writeSynthetic(options, folder, (...done) => progress.update(...done), files);
      progress.stop();
      for (const { path, rows, bytes } of written) process.stdout.write(`${path}: ${rows} rows, ${bytes} bytes\n`);
    } finally {
      progress.stop();
    }
  }
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
