/**
 * `npm run fit-ageing -- [FILES]`: how long after it was last seen a number is still seen again, from a real history, and
 * curves through it. docs/AGEING.md says what the default levels take from it. Prints the same for the same files.
 */
import { resolve } from 'node:path';
import { HistoryError, readHistory } from './fit-ageing/history.ts';
import { report } from './fit-ageing/report.ts';

const DATA = resolve(import.meta.dirname, '../../shared/data');
const DEFAULT_FILES = ['inventory-2025-02-28.tsv.gz', 'detections-2025-03-01_2025-08-31.tsv.gz'];

const HELP = `npm run fit-ageing -- [FILES]

FILES are an inventory (digits, first seen, last seen, sightings) and the detections after it (time, digits),
tab-separated, with or without gzip. Without FILES those of ../shared/data are read.
`;

const args = process.argv.slice(2);
if (args.includes('--help')) process.stdout.write(HELP);
else {
  try {
    const files = args.length > 0 ? args : DEFAULT_FILES.map((name) => resolve(DATA, name));
    process.stdout.write(report(await readHistory(files)));
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing && !(error instanceof HistoryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
