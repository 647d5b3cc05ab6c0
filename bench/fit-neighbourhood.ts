/**
 * `npm run fit-neighbourhood`: see bench/evaluate/options.ts for what it takes. Exit code 1 if --check finds another
 * table than the one that is there, 2 if it cannot be done.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { orHelp } from '../scripts/command/arguments.ts';
import { userPath } from '../scripts/command/paths.ts';
import { runCommand } from '../scripts/command/run-command.ts';
import { fitTable, TABLE_FILE, tableSource } from './evaluate/fit.ts';
import { readHistory } from './evaluate/history.ts';
import { FIT_HELP, parseFitOptions } from './evaluate/options.ts';

async function main(): Promise<number> {
  const options = orHelp(parseFitOptions(process.argv.slice(2)), FIT_HELP);
  if (options === null) return 0;
  const { history } = await readHistory(options.files.map(userPath));
  const { table, cells, sweeps } = fitTable(history, options, options.seed);
  const source = tableSource(table, { ...options, firstTime: cells.firstTime, nulls: cells.nulls });
  const isSame = source === readFileSync(TABLE_FILE, 'utf8');
  process.stdout.write(
    `${cells.firstTime} first-time and ${cells.nulls} random numbers, ${cells.cells.length} different neighbourhoods, ` +
      `settled after ${sweeps} sweeps: ${isSame ? 'the table that is there' : 'another table than the one that is there'}\n`,
  );
  if (isSame) return 0;
  if (options.check) return 1;
  writeFileSync(TABLE_FILE, source);
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
