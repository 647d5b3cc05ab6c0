/** `npm run build-inventory`: HELP says what it takes. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseLabelLevels } from '../src/policy/labels.ts';
import { BUILD_PROGRESS, type BuildSummary, buildInventory, summaryText } from './build-inventory/build.ts';
import { WorkerPool } from './build-inventory/tasks.ts';
import { orHelp, parseArguments, wholeNumberOption } from './command/arguments.ts';
import { UsageError } from './command/errors.ts';
import { type LocalStore, openLocalStore, openStores } from './command/local-store.ts';
import { mergeContextOf } from './command/merge-context.ts';
import {
  checkInputFile,
  checkOutputFile,
  checkWritableFolder,
  compatibilityDate,
  statePath,
  userPath,
} from './command/paths.ts';
import { outputOf, Progress } from './command/progress.ts';
import { runCommand } from './command/run-command.ts';
import { type Mapping, parseFieldTexts } from './import/mapping.ts';
import { stopSignal } from './local/stop-signal.ts';

const MAX_THREADS = 64;

const HELP = `Builds a whole inventory from files and publishes it to a store that has none.

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

interface Options {
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
  if (positionals.length === 0) throw new UsageError('name at least one file; --help lists the options');
  return {
    files: positionals,
    state: values.state ?? null,
    remote: values.remote ? remoteOf(values.bucket, values['kv-namespace']) : null,
    work: values.work ?? null,
    mapping: { map: parseFieldTexts('--map', values.map ?? []), set: parseFieldTexts('--set', values.set ?? []) },
    ...(values.header !== undefined && { header: values.header }),
    ...(values['observed-at'] !== undefined && { observedAt: values['observed-at'] }),
    rejects: values.rejects ?? 'build.rejects.csv',
    threads:
      values.threads === undefined
        ? availableParallelism()
        : wholeNumberOption('--threads', values.threads, 1, MAX_THREADS),
  };
}

function remoteOf(bucket: string, namespaceId: string | undefined): RemoteTarget {
  if (namespaceId === undefined || !/^[0-9a-f]{32}$/.test(namespaceId)) {
    throw new UsageError(
      '--remote: expected --kv-namespace with 32 hex digits, as `npx wrangler kv namespace list` shows them',
    );
  }
  return { bucket, namespaceId };
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

// The bucket and the KV namespace of a deployed Ringfence, through wrangler's remote bindings: the very bindings that
// the Worker has, with the login of `npx wrangler login` or CLOUDFLARE_API_TOKEN.

interface RemoteTarget {
  readonly bucket: string;
  /** 32 hex digits, as `npx wrangler kv namespace list` shows it. */
  readonly namespaceId: string;
}

/** The configuration that binds the two, under the names that the Worker has for them. */
export function remoteConfig({ bucket, namespaceId }: RemoteTarget, compatibilityDate: string): object {
  return {
    name: 'ringfence-build-inventory',
    compatibility_date: compatibilityDate,
    r2_buckets: [{ binding: 'STORE', bucket_name: bucket, remote: true }],
    kv_namespaces: [{ binding: 'SLICES', id: namespaceId, remote: true }],
  };
}

/**
 * @param folder where the configuration is written
 * @throws StoreError if wrangler cannot reach the account
 */
function openRemoteStore(target: RemoteTarget, folder: string): Promise<LocalStore> {
  mkdirSync(folder, { recursive: true });
  const configPath = join(folder, 'wrangler.json');
  writeFileSync(configPath, JSON.stringify(remoteConfig(target, compatibilityDate())));
  const options = { configPath, envFiles: [], persist: false, remoteBindings: true };
  return openStores(options, '--remote: the account could not be reached');
}

const DEFAULT_WORK = '.ringfence/build';
const EXIT_REJECTS = 1;
const EXIT_NOT_PUBLISHED = 2;

async function build(options: Options): Promise<BuildSummary> {
  const files = options.files.map(userPath);
  for (const file of files) checkInputFile(file);
  const rejects = userPath(options.rejects);
  checkOutputFile(rejects);
  const state = statePath(options.state ?? undefined);
  const work = options.work === null ? resolve(DEFAULT_WORK) : userPath(options.work);
  checkWritableFolder(dirname(work), '--work');
  const labels = [...parseLabelLevels(process.env.RINGFENCE_LABELS)];
  const progress = new Progress(outputOf(process.stderr), () => Date.now(), BUILD_PROGRESS);
  // At once: what goes on meanwhile would only tell of a store that is gone. The work folder has all that is done.
  stopSignal().addEventListener('abort', () => {
    progress.end();
    process.stderr.write('stopped: the same command goes on from here\n');
    process.exit(EXIT_NOT_PUBLISHED);
  });
  const store =
    options.remote === null
      ? await openLocalStore(state, { command: 'npm run build-inventory', create: true })
      : await openRemoteStore(options.remote, join(dirname(work), 'build-remote'));
  const runner = new WorkerPool(options.threads);
  try {
    const log = (event: string, details: object) => progress.note(JSON.stringify({ event, ...details }));
    const context = { ...mergeContextOf(store), log };
    const { mapping, header, observedAt } = options;
    const request = {
      files,
      mapping,
      ...(header !== undefined && { header }),
      ...(observedAt !== undefined && { observedAt }),
      labels,
      workFolder: work,
      rejectsPath: rejects,
    };
    return await buildInventory(request, { context, runner, progress });
  } finally {
    progress.end();
    await runner.close();
    await store.close();
  }
}

if (import.meta.filename === process.argv[1])
  await runCommand(
    async () => {
      const options = orHelp(parseOptions(process.argv.slice(2)), HELP);
      if (options === null) return 0;
      const summary = await build(options);
      process.stdout.write(summaryText(summary));
      return summary.accepted < summary.rows ? EXIT_REJECTS : 0;
    },
    { failureStatus: EXIT_NOT_PUBLISHED },
  );
