import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MAX_PERIOD_DAYS, spanDays } from '../../src/briefing/period.ts';
import { parseDay } from '../../src/format/records.ts';
import { BriefingError } from './briefing-error.ts';

const DEFAULT_URL = 'http://127.0.0.1:8787';
/** Where `npm start` keeps its state. */
const DEFAULT_STATE = '.ringfence/state';

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
 * @throws BriefingError naming the option
 */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  folder = process.cwd(),
): BriefingRequest | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [from, to, ...more] = positionals;
  if (from === undefined || to === undefined || more.length > 0) {
    throw new BriefingError('expected two dates, FROM and TO; --help lists the options');
  }
  checkPeriod(from, to);
  const url = values.url ?? DEFAULT_URL;
  if (!URL.canParse(url)) throw new BriefingError('--url: expected an address such as https://ringfence.example');
  const format = formatOf(values.format ?? 'html');
  const key = values.key ?? environment.RINGFENCE_KEY ?? localKey(url, environment.RINGFENCE_ADMIN_KEY, folder);
  if (key === null) throw new BriefingError('expected an API key with the scope lookup: --key, or RINGFENCE_KEY');
  return { from, to, url, key, format, path: values.out ?? `briefing-${from}-${to}.${format}` };
}

function checkPeriod(from: string, to: string): void {
  const [first, last] = [parseDay(from), parseDay(to)];
  if (first === null) throw new BriefingError('FROM: expected a date as YYYY-MM-DD');
  if (last === null) throw new BriefingError('TO: expected a date as YYYY-MM-DD');
  if (last < first) throw new BriefingError('TO: expected a date that is not before FROM');
  if (spanDays({ from: first, to: last }) > MAX_PERIOD_DAYS) {
    throw new BriefingError(`expected at most ${MAX_PERIOD_DAYS} days from FROM to TO`);
  }
}

function formatOf(text: string): Format {
  const format = (['html', 'md', 'json'] as const).find((each) => each === text);
  if (format === undefined) throw new BriefingError('--format: expected html, md or json');
  return format;
}

/** What `npm start` has made, for a server of this machine: no other is to be sent it. */
function localKey(url: string, given: string | undefined, folder: string): string | null {
  const { hostname } = new URL(url);
  const path = join(folder, DEFAULT_STATE, 'admin-key');
  const isLocal = hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]';
  if (!isLocal) return null;
  return given ?? (existsSync(path) ? readFileSync(path, 'utf8').trim() : null);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        format: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new BriefingError(`${error instanceof Error ? error.message : 'bad option'}; --help lists the options`);
  }
}
