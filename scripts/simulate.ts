/**
 * `npm run simulate [-- --seed N --cron SECONDS --lookups A,B,C --json FILE --write-docs]`: what Ringfence costs, how fresh it is and how
 * far it scales, on paper and by simulation. Prints tables, writes them to bench/results/simulate.json, and with
 * --write-docs into docs/SCALE.md. The same seed gives the same figures. The exit status is 1 when a bar is not met.
 *
 * `npm run simulate -- faults` runs the Worker's parts in faulty weather, by seed (simulate/faults/command.ts).
 * `npm run simulate -- mutants` puts faults into the code and sees them found (simulate/faults/mutate.ts).
 * `npm run simulate -- load` runs the server itself under load (simulate/load/load.ts).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { textTable } from '../bench/report.ts';
import { checkOutputFile, checkWritableFolder, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { SCALE_DOCUMENT, withTables } from './simulate/document.ts';
import { faults } from './simulate/faults/command.ts';
import { mutants } from './simulate/faults/mutate.ts';
import { load } from './simulate/load/load.ts';
import { HELP, parseOptions } from './simulate/options.ts';
import { simulate } from './simulate/simulate.ts';
import { flatten } from './simulate/table.ts';

const RESULTS_FILE = join(import.meta.dirname, '..', 'bench', 'results', 'simulate.json');

async function main(): Promise<number> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'faults') return faults(rest);
  if (command === 'mutants') return mutants(rest);
  if (command === 'load') return load(rest);
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const file = options.json === null ? RESULTS_FILE : userPath(options.json);
  checkWritableFolder(dirname(file), '--json');
  checkOutputFile(file);
  const { tables, bars } = await simulate(options);
  for (const { title, rows } of tables) console.log(`\n${title}\n${textTable(rows)}`);
  const result = { name: 'simulate', rows: tables.flatMap(flatten), bars };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (options.writeDocs) {
    writeFileSync(SCALE_DOCUMENT, withTables(readFileSync(SCALE_DOCUMENT, 'utf8'), tables));
  }
  return bars.every(({ met }) => met) ? 0 : 1;
}

if (import.meta.filename === process.argv[1]) await runCommand(main);
