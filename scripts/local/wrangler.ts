/** Runs wrangler on this machine, without an account, a network or a terminal. */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
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
