import { parseArguments } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';
import { DEFAULT_BATCH_SIZE, type ImportRequest } from './import-files.ts';
import { parseFieldTexts } from './mapping.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8787';

export const HELP = `Imports detections from files.

  npm run import -- FILE... [options]

FILE is CSV, TSV, NDJSON (.ndjson, .jsonl) or JSON: an array of objects, or one object of keys and values.
Each may be gzip (.gz). Columns and properties are called as in the API: number, country, observedAt, label,
channel, industry, project, link, source, firstSeen, sightings. Others are passed over, and named at the end.

  --url URL            of the server                    (default ${DEFAULT_URL})
  --key KEY            API key with the scope ingest    (default: RINGFENCE_KEY)
  --map FIELD=COLUMN   where a field is in a foreign file: a header name, a column number from 1, a property,
                       or $key and $value of a JSON object; several with commas
  --set FIELD=VALUE    the same value for every line; several with commas
  --no-header          the first row of a CSV or TSV file is data. So it is taken to be when columns are mapped by
                       number; --header says otherwise
  --observed-at DATE   of lines that have no observedAt (default: the date of the file when it was first imported)
  --rejects FILE       where rejected lines are listed  (default: <file>.rejects.csv here)
  --batch-size N       rows sent at a time              (default ${DEFAULT_BATCH_SIZE})
  --state DIR          where progress is kept           (default .ringfence/import)
  --help

Lines that are rejected are listed with file, line, code and reason, never with their number. Interrupted, run the
same command again: it goes on where it stopped, and counts nothing twice. A file that cannot be read to its end can be
repaired, renamed too: lines that were sent are not sent again, and the others get the same date. Imported again to its
end, a file counts nothing, and the server says what became of it; so does a copy of it. Two different files are two
reports: a line that is in both counts twice. So put lines that were rejected, or that are new, into a file of their own.

Exit code 1 if an import stops, if nothing of a file was accepted, or if the server has taken back what it had accepted.

Examples
  npm run import -- numbers.csv
  npm run import -- list.tsv.gz --map observedAt=1,number=2 --set label=public_sms_receiver,channel=public_receiver
  npm run import -- map.json --map 'number=$key,observedAt=$value' --observed-at 2025-03-01
`;

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ImportRequest | null {
  const { values, positionals } = parseArguments(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  if (positionals.length === 0) throw new UsageError('name at least one file; --help lists the options');
  return {
    files: positionals,
    url: values.url ?? DEFAULT_URL,
    key: values.key ?? environment.RINGFENCE_KEY ?? '',
    map: parseFieldTexts('--map', values.map ?? []),
    set: parseFieldTexts('--set', values.set ?? []),
    ...(values.header !== undefined && { header: values.header }),
    ...(values['observed-at'] !== undefined && { observedAt: values['observed-at'] }),
    ...(values['batch-size'] !== undefined && { batchSize: Number(values['batch-size']) }),
    ...(values.rejects !== undefined && { rejectsPath: values.rejects }),
    ...(values.state !== undefined && { stateFolder: values.state }),
  };
}

const OPTIONS = {
  url: { type: 'string' },
  key: { type: 'string' },
  map: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  header: { type: 'boolean' },
  'observed-at': { type: 'string' },
  rejects: { type: 'string' },
  'batch-size': { type: 'string' },
  state: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
