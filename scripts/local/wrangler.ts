/** Runs wrangler on this machine, without an account, a network or a terminal. */

import { accessSync, constants, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../command/errors.ts';
import { checkWritableFolder } from '../command/paths.ts';
import { HOST } from './port.ts';

/** Its program itself; its command would only start that as a process of its own. */
export const WRANGLER = createRequire(import.meta.url).resolve('wrangler');

/** It looks nothing up, counts nothing and greets nobody. */
export const QUIET = {
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  X_LOCAL_OBSERVABILITY: 'false',
};

/** A server on this machine is not reached through any. */
const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy', 'node_use_env_proxy'];

/**
 * The arguments of Node for `wrangler dev`.
 * @param state where KV and R2 are kept
 * @param what arguments that say which Workers, and where their secrets are
 */
export function devArguments(port: number, state: string, what: readonly string[]): string[] {
  const where = ['--port', String(port), '--ip', HOST, '--persist-to', state, ...what];
  // Any port for the debugger: wranglers that start at the same time take the default one from each other, and fail.
  const quiet = ['--inspector-port', '0', '--show-interactive-dev-session=false'];
  return ['--no-warnings', WRANGLER, 'dev', ...where, ...quiet];
}

/**
 * The environment for `wrangler dev`.
 * @param state where it writes its own log, and what it keeps in the home folder if it cannot write there
 */
export function devEnvironment(state: string): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !PROXIES.includes(name.toLowerCase()));
  return {
    ...Object.fromEntries(own),
    ...(!hasHome() && { XDG_CONFIG_HOME: join(state, 'config') }),
    WRANGLER_LOG_PATH: join(state, 'wrangler'),
    ...QUIET,
  };
}

function hasHome(): boolean {
  try {
    accessSync(process.env.XDG_CONFIG_HOME ?? homedir(), constants.W_OK);
    return homedir() !== '/';
  } catch {
    return false;
  }
}

/**
 * It bundles a Worker in a folder beside its configuration, and waits for ever if it cannot.
 * @param folder of the configuration
 * @throws CommandError
 */
export function checkBundleFolder(folder: string): void {
  checkWritableFolder(join(folder, '.wrangler', 'tmp'), null);
}

/** Variables and secrets of a Worker in a file for wrangler, which reads it with dotenv and dotenv-expand. */

/**
 * In a file, not on the command line, where every process of the machine could read them.
 * @throws UsageError for a value that the file's syntax has no way to write; it is not quoted
 */
export function writeEnvFile(path: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(name, value)}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600 });
}

/**
 * Quotes are not escaped in this syntax, so one is taken that the value does not have; `$` begins the name of another
 * variable unless a backslash stands before it, and within double quotes `\n` and `\r` are line breaks.
 */
function quoted(name: string, value: string): string {
  const text = value.replaceAll('$', '\\$');
  const mayEnd = !text.endsWith('\\');
  for (const quote of ["'", '`', '"']) {
    if (!mayEnd || text.includes(quote) || (quote === '"' && /\\[nr]/.test(text))) continue;
    return quote + text + quote;
  }
  // Without quotes it ends at `#` or a line break, and spaces and quotes around it are taken off.
  if (/^[^\s'"`#](?:[^#\r\n]*[^\s'"`#])?$/.test(text)) return text;
  throw new UsageError(
    `${name}: this mixture of quotes, # and backslashes cannot be handed to a local Worker; choose a value without them`,
  );
}
