/** `npm run briefing`: HELP says what it takes. Exit code 1 if there is no briefing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Briefing, briefingSchema } from '../src/briefing/briefing.ts';
import { MAX_PERIOD_DAYS, spanDays } from '../src/briefing/period.ts';
import { messageOf } from '../src/lib/errors.ts';
import { parseDay } from '../src/lib/time.ts';
import { checkedKey, DEFAULT_URL, orHelp, parseArguments, urlOption } from './command/arguments.ts';
import { CommandError, fileProblem, keyAdvice, refusalText, UsageError } from './command/errors.ts';
import { checkOutputFile, DEFAULT_STATE, userPath } from './command/paths.ts';
import { formatCount } from './command/progress.ts';
import { runCommand } from './command/run-command.ts';
import { givenAdminKey, keptAdminKey } from './local/state.ts';

/** Ends the command with a message for the person at the terminal. */
class BriefingError extends CommandError {
  override readonly name = 'BriefingError';
}

/** Media type of each format. */
const FORMATS = { html: 'text/html', md: 'text/markdown', json: 'application/json' } as const;
type Format = keyof typeof FORMATS;

const HELP = `Fetches the briefing of a period and writes it to a file.

  npm run briefing -- FROM TO [options]

FROM and TO are dates as YYYY-MM-DD, both included, at most ${MAX_PERIOD_DAYS} days.

  --url URL      of the server                 (default ${DEFAULT_URL})
  --key KEY      API key with the scope lookup (default: RINGFENCE_KEY; for a server on this machine the admin
                 key of npm start, kept in ${DEFAULT_STATE})
  --format html|md|json                        (default html)
  --out FILE     where it goes                 (default briefing-FROM-TO.html)
  --help

Example
  npm run briefing -- 2025-05-16 2025-05-30
`;

interface BriefingRequest {
  readonly from: string;
  readonly to: string;
  readonly url: string;
  readonly key: string;
  readonly format: Format;
  /** Of the file to write. */
  readonly path: string;
}

/**
 * @param args as after the name of the script
 * @param folder of the project, where `npm start` keeps its state
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  folder = process.cwd(),
): BriefingRequest | null {
  const { values, positionals } = parseArguments(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  const [from, to, ...more] = positionals;
  if (from === undefined || to === undefined || more.length > 0) {
    throw new UsageError('expected two dates, FROM and TO; --help lists the options');
  }
  checkPeriod(from, to);
  const url = urlOption('--url', values.url ?? DEFAULT_URL);
  const format = formatOf(values.format ?? 'html');
  const key = keyOf(values.key, environment, url, folder);
  if (key === null) throw new UsageError('expected an API key with the scope lookup: --key, or RINGFENCE_KEY');
  return { from, to, url, key, format, path: values.out ?? `briefing-${from}-${to}.${format}` };
}

function checkPeriod(from: string, to: string): void {
  const [first, last] = [parseDay(from), parseDay(to)];
  if (first === null) throw new UsageError('FROM: expected a date as YYYY-MM-DD');
  if (last === null) throw new UsageError('TO: expected a date as YYYY-MM-DD');
  if (last < first) throw new UsageError('TO: expected a date that is not before FROM');
  if (spanDays({ from: first, to: last }) > MAX_PERIOD_DAYS) {
    throw new UsageError(`expected at most ${MAX_PERIOD_DAYS} days from FROM to TO`);
  }
}

function formatOf(text: string): Format {
  const format = (['html', 'md', 'json'] as const).find((each) => each === text);
  if (format === undefined) throw new UsageError('--format: expected html, md or json');
  return format;
}

function keyOf(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  url: string,
  folder: string,
): string | null {
  if (option !== undefined) return checkedKey('--key', option) || null;
  if (environment.RINGFENCE_KEY) return checkedKey('RINGFENCE_KEY', environment.RINGFENCE_KEY);
  const { hostname } = new URL(url);
  // What `npm start` has made, for a server of this machine: no other is to be sent it.
  if (hostname !== '127.0.0.1' && hostname !== 'localhost' && hostname !== '[::1]') return null;
  return givenAdminKey(environment.RINGFENCE_ADMIN_KEY) ?? keptAdminKey(join(folder, DEFAULT_STATE));
}

const OPTIONS = {
  url: { type: 'string' },
  key: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Computing a long period of a large inventory takes tens of seconds. */
const TIMEOUT_MS = 120_000;

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** @throws BriefingError if the server has none to give */
export async function fetchBriefing(
  request: BriefingRequest,
  send: Fetch,
): Promise<{ readonly text: string; readonly briefing: Briefing }> {
  // As text first: it is computed then if it has to be, and the figures are those of the same one, which is kept.
  const text = await fetchAs(request, FORMATS[request.format], send);
  const figures = request.format === 'json' ? text : await fetchAs(request, FORMATS.json, send);
  return { text, briefing: parseBriefing(figures) };
}

async function fetchAs({ url, key, from, to }: BriefingRequest, accept: string, send: Fetch): Promise<string> {
  const address = `${url.replace(/\/+$/, '')}/v1/briefings/${from}/${to}`;
  const headers = { authorization: `Bearer ${key}`, accept };
  const response = await send(address, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
    throw new BriefingError(`no answer from ${url}: ${messageOf(error)}. Is the server running? npm start`);
  });
  if (!response.ok) {
    const advice = keyAdvice(response.status, 'lookup');
    const refusal = advice === null ? await refusalText(response) : `the server answers ${response.status}. ${advice}`;
    throw new BriefingError(refusal);
  }
  const text = await response.text().catch(() => '');
  const type = response.headers.get('content-type') ?? 'nothing';
  if (!type.startsWith(accept)) throw new BriefingError(`expected ${accept} from ${url}, found ${type}`);
  return text;
}

function parseBriefing(text: string): Briefing {
  const parsed = v.safeParse(briefingSchema, parseJson(text));
  if (parsed.success) return parsed.output;
  throw new BriefingError('the answer is no briefing that this version knows');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Figures for the terminal, a line each. */
export function headlineText({ period, captured, firstTime, firstTimeShare, inventory, origins }: Briefing): string {
  const leading = origins.slice(0, 5).map(({ group }) => group);
  const rows = [
    [
      'period',
      `${period.from} to ${period.to}, ${period.days} days${period.complete ? '' : `; so far: to ${period.until}, which is not over`}`,
    ],
    ['captured', formatCount(captured)],
    ['first-time', `${formatCount(firstTime)} (${(firstTimeShare * 100).toFixed(2)} %)`],
    ['inventory', formatCount(inventory)],
    ['origins', leading.length === 0 ? 'none' : leading.join(', ')],
  ];
  return rows.map(([name = '', value]) => `${name.padEnd(12)}${value}\n`).join('');
}

async function main(): Promise<number> {
  const request = orHelp(parseOptions(process.argv.slice(2), process.env), HELP);
  if (request === null) return 0;
  const path = userPath(request.path);
  checkOutputFile(path);
  const { text, briefing } = await fetchBriefing(request, fetch);
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new BriefingError(`cannot write ${path}: ${fileProblem(error)}`, { cause: error });
  }
  process.stdout.write(`${headlineText(briefing)}written to ${request.path}\n`);
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main);
