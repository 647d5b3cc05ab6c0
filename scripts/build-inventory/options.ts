import { availableParallelism } from 'node:os';
import { parseArguments } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';
import { type Mapping, parseFieldTexts } from '../import/mapping.ts';
import type { RemoteTarget } from './remote-store.ts';

const MAX_THREADS = 64;

export const HELP = `Builds a whole inventory from files and publishes it to a store that has none.

  npm run build-inventory -- FILE... [options]

FILE is CSV, TSV, NDJSON (.ndjson, .jsonl) or JSON, each may be gzip (.gz); columns and properties are called as in the
API: number, country, observedAt, label, channel, industry, project, link, source, firstSeen, sightings. Plain CSV, TSV
and NDJSON files are read on all cores.

  --state DIR          the state folder of npm start     (default .ringfence/state)
  --remote             publish to a deployed bucket and KV namespace instead, with wrangler's login (not yet tried with
                       a real account)
  --bucket NAME        of --remote                       (default ringfence)
  --kv-namespace ID    of --remote
  --work DIR           where unfinished work is kept     (default .ringfence/build); needs about 70 bytes a row
  --map FIELD=COLUMN   where a field is in a foreign file: a header name, a column number from 1, or a property
  --set FIELD=VALUE    the same value for every row; several with commas
  --no-header          the first row of a CSV or TSV file is data; --header says otherwise
  --observed-at DATE   of rows that have no observedAt   (default: the date of their file)
  --rejects FILE       where rejected rows are listed    (default build.rejects.csv)
  --threads N          worker threads                    (default: one a core)
  --help

Stop the server of a state folder first; a deployed one need not be stopped, but if it takes in detections meanwhile
the build is refused at the end. Interrupted, run the same command again: it goes on where it stopped, and
publishes once. Labels are those of RINGFENCE_LABELS, as for the Worker.

Exit status: 0 all rows were accepted, 1 some were rejected (they are listed, with their line and the reason), 2 nothing
was published.
`;

export interface Options {
  readonly files: readonly string[];
  /** State folder of the local store; null: that of `npm start`. */
  readonly state: string | null;
  /** Null: the local store. */
  readonly remote: RemoteTarget | null;
  /** Null: beside that state folder. */
  readonly work: string | null;
  readonly mapping: Mapping;
  readonly header?: boolean;
  readonly observedAt?: string;
  readonly rejects: string;
  readonly threads: number;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values, positionals } = parseArguments(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  if (positionals.length === 0) throw invalid('name at least one file; --help lists the options');
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw invalid(`--threads: expected an integer from 1 to ${MAX_THREADS}, found ${values.threads}`);
  }
  return {
    files: positionals,
    state: values.state ?? null,
    remote: values.remote ? remoteOf(values.bucket, values['kv-namespace']) : null,
    work: values.work ?? null,
    mapping: mappingOf(values.map ?? [], values.set ?? []),
    ...(values.header !== undefined && { header: values.header }),
    ...(values['observed-at'] !== undefined && { observedAt: values['observed-at'] }),
    rejects: values.rejects ?? 'build.rejects.csv',
    threads,
  };
}

function remoteOf(bucket: string, namespaceId: string | undefined): RemoteTarget {
  if (namespaceId === undefined || !/^[0-9a-f]{32}$/.test(namespaceId)) {
    throw invalid(
      '--remote: expected --kv-namespace with 32 hex digits, as `npx wrangler kv namespace list` shows them',
    );
  }
  return { bucket, namespaceId };
}

function mappingOf(map: readonly string[], set: readonly string[]): Mapping {
  try {
    return { map: parseFieldTexts('--map', map), set: parseFieldTexts('--set', set) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw invalid(error.message);
  }
}

function invalid(detail: string): UsageError {
  return new UsageError(`invalid-request: ${detail}`);
}

const OPTIONS = {
  state: { type: 'string' },
  remote: { type: 'boolean', default: false },
  bucket: { type: 'string', default: 'ringfence' },
  'kv-namespace': { type: 'string' },
  work: { type: 'string' },
  map: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  header: { type: 'boolean' },
  'observed-at': { type: 'string' },
  rejects: { type: 'string' },
  threads: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
