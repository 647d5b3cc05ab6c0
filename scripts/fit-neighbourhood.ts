/**
 * `npm run fit-neighbourhood`: see scripts/evaluate/options.ts for what it takes. Exit code 1 if --check finds another
 * table than the one that is there, 2 if it cannot be done.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EvaluateError } from './evaluate/evaluate-error.ts';
import { FIT_HELP, parseFitOptions } from './evaluate/options.ts';
import { readHistory } from './evaluate/read-history.ts';
import { fitTable, tableSource } from './evaluate/table.ts';

const TABLE_FILE = join(import.meta.dirname, '..', 'src', 'policy', 'neighbourhood-table.ts');

try {
  const options = parseFitOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(FIT_HELP);
  else {
    const { history } = await readHistory(options.files);
    const { table, cells, sweeps } = fitTable(history, options, options.seed);
    const source = tableSource(table, { ...options, firstTime: cells.firstTime, nulls: cells.nulls });
    const isSame = source === readFileSync(TABLE_FILE, 'utf8');
    process.stdout.write(
      `${cells.firstTime} first-time and ${cells.nulls} random numbers, ${cells.cells.length} different neighbourhoods, ` +
        `settled after ${sweeps} sweeps: ${isSame ? 'the table that is there' : 'another table than the one that is there'}\n`,
    );
    if (!isSame && options.check) process.exitCode = 1;
    if (!isSame && !options.check) writeFileSync(TABLE_FILE, source);
  }
} catch (error) {
  if (!(error instanceof EvaluateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
