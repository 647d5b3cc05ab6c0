/**
 * `npm run import`: see scripts/import/options.ts for what it takes. Exit code 1 if not everything could be sent, if
 * nothing of a file was taken, or if the server has taken back what it once took.
 */
import { resolve } from 'node:path';
import { checkedKey, urlOption } from './command/arguments.ts';
import { checkOutputFile, checkWritableFolder, userFolder, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { DEFAULT_STATE_FOLDER, importFiles } from './import/import-files.ts';
import { realIo } from './import/io.ts';
import { HELP, parseOptions } from './import/options.ts';
import { hasFailed, summaryText } from './import/summary.ts';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    const request = parseOptions(process.argv.slice(2), process.env);
    if (request === null) {
      process.stdout.write(HELP);
      return 0;
    }
    urlOption('--url', request.url);
    checkedKey('the API key', request.key);
    if (request.rejectsPath !== undefined) checkOutputFile(userPath(request.rejectsPath));
    const stateFolder =
      request.stateFolder === undefined ? resolve(DEFAULT_STATE_FOLDER) : userPath(request.stateFolder);
    checkWritableFolder(stateFolder, '--state');
    // All other paths, lists of rejects among them, are relative to where the person stands.
    process.chdir(userFolder(process.env, process.cwd()));
    const summaries = await importFiles({ ...request, stateFolder }, realIo(process.stderr));
    process.stdout.write(summaryText(summaries));
    return summaries.some(hasFailed) ? 1 : 0;
  });
