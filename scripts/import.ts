/**
 * `npm run import`: HELP says what it takes. Exit code 1 if not everything could be sent, if
 * nothing of a file was taken, or if the server has taken back what it once took; 2 if nothing was begun.
 */
import { basename, join, resolve } from 'node:path';
import { MAX_DETECTIONS } from '../src/ingest/body.ts';
import { FIELDS } from '../src/ingest/fields.ts';
import { DEFAULT_CHANNEL, DEFAULT_LABEL } from '../src/ingest/validate.ts';
import { parseInstant } from '../src/lib/time.ts';
import { checkedKey, DEFAULT_URL, orHelp, parseArguments, urlOption, wholeNumberOption } from './command/arguments.ts';
import { UsageError } from './command/errors.ts';
import { checkInputFile, checkOutputFile, checkWritableFolder, userFolder, userPath } from './command/paths.ts';
import { formatCount } from './command/progress.ts';
import { runCommand } from './command/run-command.ts';
import { rejectedRows, row } from './command/summary.ts';
import { type FileSource, formatOf } from './import/file-rows.ts';
import { type FileSummary, importFile } from './import/import-file.ts';
import { checkMapping, type FieldTexts, hasColumnNumbers, ImportError, parseFieldTexts } from './import/mapping.ts';
import { type ImportIo, realIo, ServerLabels } from './import/upload.ts';

const DEFAULT_BATCH_SIZE = 20_000;
const DEFAULT_STATE_FOLDER = join('.ringfence', 'import');

const HELP = `Imports detections from files.

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

Exit code 1 if an import stops, if nothing of a file was accepted, or if the server has taken back what it had accepted;
2 if the command line cannot be followed, as when a file of it is not there.

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
    url: urlOption('--url', values.url ?? DEFAULT_URL),
    key: checkedKey('the API key', values.key ?? environment.RINGFENCE_KEY ?? ''),
    map: parseFieldTexts('--map', values.map ?? []),
    set: parseFieldTexts('--set', values.set ?? []),
    ...(values.header !== undefined && { header: values.header }),
    ...(values['observed-at'] !== undefined && { observedAt: values['observed-at'] }),
    ...(values['batch-size'] !== undefined && {
      batchSize: wholeNumberOption('--batch-size', values['batch-size'], 1, MAX_DETECTIONS),
    }),
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

/** What an import did, for a person. */
export function summaryText(summaries: readonly FileSummary[]): string {
  return summaries.map(fileText).join('\n');
}

/** What a batch can be that the server has and does not count, and what can be done about it. */
const UNCOUNTED: Readonly<Record<string, { readonly what: string; readonly way: string }>> = {
  'set-aside': {
    what: 'set aside by a rollback, or since no tick could merge them: stored, but not in the inventory',
    way: 'an admin brings them back with POST /v1/batches/ID/release (docs/OPERATING.md, "Bad data got in")',
  },
  withdrawn: {
    what: 'withdrawn by an admin: stored, but not in the inventory',
    way:
      'a withdrawal cannot be undone, and the same lines are the same upload; to have them counted after all, import the ' +
      'file with something else in every line, as with --set source=NAME',
  },
  held: {
    what: 'held in quarantine',
    way: 'an admin releases or drops their source (docs/QUALITY.md); until then none of it is in the inventory',
  },
};
/** In these states somebody has to do something before the file counts. */
const TAKEN_BACK = ['set-aside', 'withdrawn'];
const MAX_BATCHES_NAMED = 3;

/** Nothing of the file counts, or not all of it does. */
function hasFailed({ accepted, sentBefore, uncounted }: FileSummary): boolean {
  return accepted + sentBefore === 0 || TAKEN_BACK.some((state) => uncounted[state] !== undefined);
}

function fileText(summary: FileSummary): string {
  const lines = [`${summary.file}: ${outcome(summary)}`, row('lines read', summary.lines)];
  if (summary.sentBefore > 0) lines.push(row('sent before', summary.sentBefore));
  lines.push(row('accepted', summary.accepted), ...rejectedRows(summary.rejectedByCode));
  lines.push(row('batches', summary.batches), ...remarks(summary));
  return `${lines.join('\n')}\n`;
}

function outcome({ lines, accepted, sentBefore, alreadyImported, uncounted }: FileSummary): string {
  if (lines === 0) return 'nothing was imported: the file is empty, or has a header and no rows';
  if (accepted + sentBefore === 0) return 'nothing was imported: every line was rejected';
  if (uncounted.withdrawn !== undefined) return 'imported before, and withdrawn since';
  const isTakenBack = TAKEN_BACK.some((state) => uncounted[state] !== undefined);
  if (isTakenBack) return 'imported before, and taken back since';
  return alreadyImported ? 'already imported, nothing sent' : 'imported';
}

function remarks(summary: FileSummary): string[] {
  const { undated, observedAt, unlabelled, channelless, ignoredFields, unasked, uncounted, rejectsPath } = summary;
  const texts: string[] = [];
  const had = (count: number, field: string, got: string) => {
    if (count > 0) texts.push(`${linesText(count)} had no ${field} and got ${got}`);
  };
  had(undated, 'observedAt', `${observedAt} (--observed-at)`);
  had(unlabelled, 'label', `${DEFAULT_LABEL} (--set label=…)`);
  had(channelless, 'channel', `${DEFAULT_CHANNEL} (--set channel=…)`);
  if (ignoredFields.length > 0)
    texts.push(`passed over: ${ignoredFields.join(', ')} (--map FIELD=COLUMN takes them in)`);
  for (const [state, batches] of Object.entries(uncounted)) {
    const { what, way } = UNCOUNTED[state] ?? { what: `"${state}" on the server`, way: 'see docs/OPERATING.md' };
    const more = batches.length > MAX_BATCHES_NAMED ? ', …' : '';
    const names = batches.slice(0, MAX_BATCHES_NAMED).join(', ') + more;
    texts.push(`${formatCount(batches.length)} of its batches are ${what}; ${way}: ${names}`);
  }
  if (summary.alreadyImported && summary.sentBefore > 0) {
    texts.push(
      'the server has what was sent before the file was repaired; whether it was taken back could not be asked',
    );
  }
  if (unasked > 0)
    texts.push(`${formatCount(unasked)} batches were sent by another version and could not be asked about`);
  if (rejectsPath !== null) texts.push(`rejected lines are listed in ${rejectsPath}`);
  return texts.map((text) => `  ${text}`);
}

function linesText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'line' : 'lines'}`;
}

export interface ImportRequest {
  /** At least one path; the names say the formats (import/file-rows.ts). */
  readonly files: readonly string[];
  /** Of the API, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly key: string;
  /** Field to header name, 1-based column number, property, or `$key` and `$value` of a JSON object. */
  readonly map?: FieldTexts;
  /** Field to the value of every line. */
  readonly set?: FieldTexts;
  /** Whether CSV and TSV files begin with a header. Default: unless a column is mapped by number. */
  readonly header?: boolean;
  /** Of lines without one, as the API takes it. Default: the date of the file when it was first imported. */
  readonly observedAt?: string;
  /** Rows of a file that are sent at a time. */
  readonly batchSize?: number;
  /** One file for the rejects of all files. Default: `<file>.rejects.csv` in the working folder, for each. */
  readonly rejectsPath?: string;
  /** Where progress is kept. Default: `.ringfence/import` in the working folder. */
  readonly stateFolder?: string;
}

/**
 * Imports files one after the other. Lines that are rejected are no failure; they are counted, and written to a file.
 * @returns a summary for each file, in order
 * @throws ImportError at the first file that cannot be imported to its end
 */
export async function importFiles(request: ImportRequest, io: ImportIo): Promise<FileSummary[]> {
  for (const path of request.files) checkInputFile(path);
  const sources = request.files.map((path) => sourceOf(path, request));
  const rejectsPaths = sources.map(({ path }) => request.rejectsPath ?? `${basename(path)}.rejects.csv`);
  checkRequest(request, rejectsPaths);
  const target = { url: request.url.replace(/\/+$/, ''), key: request.key };
  const labels = new ServerLabels(target, io);
  await labels.check(request.set?.label);
  const summaries: FileSummary[] = [];
  for (const [i, source] of sources.entries()) {
    const rejectsPath = rejectsPaths[i] ?? '';
    const job = {
      source,
      target,
      labels,
      observedAt: request.observedAt ?? null,
      batchSize: request.batchSize ?? DEFAULT_BATCH_SIZE,
      rejectsPath,
      sharedRejects: rejectsPaths.indexOf(rejectsPath) < i,
      stateFolder: request.stateFolder ?? DEFAULT_STATE_FOLDER,
    };
    summaries.push(await importFile(job, io));
  }
  return summaries;
}

function sourceOf(path: string, request: ImportRequest): FileSource {
  const mapping = { map: inOrder(request.map ?? {}), set: inOrder(request.set ?? {}) };
  return { path, format: formatOf(path), header: request.header ?? !hasColumnNumbers(mapping), mapping };
}

/** The same options in another order are the same import. */
function inOrder(texts: FieldTexts): FieldTexts {
  return Object.fromEntries(FIELDS.flatMap((field) => (texts[field] === undefined ? [] : [[field, texts[field]]])));
}

function checkRequest(request: ImportRequest, rejectsPaths: readonly string[]): void {
  const { files, key, observedAt } = request;
  if (files.length === 0) throw new ImportError('name at least one file');
  if (key === '') {
    throw new ImportError(
      'no API key: give one with --key or in RINGFENCE_KEY. It needs the scope "ingest"; `npm start` prints the local one',
    );
  }
  if (observedAt !== undefined && parseInstant(observedAt) === null) {
    throw new ImportError('--observed-at: expected YYYY-MM-DD, or a date-time with Z or an offset');
  }
  checkMapping({ map: request.map ?? {}, set: request.set ?? {} });
  const inputs = files.map((path) => resolve(path));
  if (rejectsPaths.some((path) => inputs.includes(resolve(path)))) {
    throw new ImportError('--rejects: this is one of the files to import, and would be overwritten');
  }
}

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    const request = orHelp(parseOptions(process.argv.slice(2), process.env), HELP);
    if (request === null) return 0;
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
