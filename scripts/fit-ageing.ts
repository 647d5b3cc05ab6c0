/**
 * `npm run fit-ageing -- [FILES]`: how long after it was last seen a number is still seen again, from a real history, and
 * curves through it. docs/AGEING.md says what the default levels take from it. Prints the same for the same files.
 */
import { resolve } from 'node:path';
import { parseArguments } from './command/arguments.ts';
import { userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { readHistory } from './fit-ageing/history.ts';
import { report } from './fit-ageing/report.ts';

const DATA = resolve(import.meta.dirname, '../../shared/data');
const DEFAULT_FILES = ['inventory-2025-02-28.tsv.gz', 'detections-2025-03-01_2025-08-31.tsv.gz'];

const HELP = `npm run fit-ageing -- [FILES]

FILES are an inventory (digits, first seen, last seen, sightings) and the detections after it (time, digits),
tab-separated, with or without gzip. Without FILES those of ../shared/data are read.
`;

const OPTIONS = { help: { type: 'boolean', short: 'h', default: false } } as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArguments(process.argv.slice(2), OPTIONS, { positionals: true });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const files = positionals.length > 0 ? positionals.map(userPath) : DEFAULT_FILES.map((name) => resolve(DATA, name));
  process.stdout.write(report(await readHistory(files)));
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
