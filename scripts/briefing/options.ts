import { join } from 'node:path';
import { MAX_PERIOD_DAYS, spanDays } from '../../src/briefing/period.ts';
import { parseDay } from '../../src/format/records.ts';
import { checkedKey, parseArguments, urlOption } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';
import { DEFAULT_STATE } from '../command/paths.ts';
import { givenAdminKey, keptAdminKey } from '../local/admin-key.ts';

const DEFAULT_URL = 'http://127.0.0.1:8787';

/** Media type of each format. */
export const FORMATS = { html: 'text/html', md: 'text/markdown', json: 'application/json' } as const;
export type Format = keyof typeof FORMATS;

export const HELP = `Fetches the briefing of a period and writes it to a file.

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

export interface BriefingRequest {
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
