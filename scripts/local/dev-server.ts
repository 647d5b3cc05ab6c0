/** The Worker in workerd on this machine, with KV and R2 kept in a folder. */
import { join } from 'node:path';
import { PROJECT } from '../command/paths.ts';
import { writeEnvFile } from './env-file.ts';
import { type Server, startServer } from './supervisor.ts';
import { devArguments, devEnvironment } from './wrangler.ts';

/** Of a local server, wrangler's own: fires the cron handler as the trigger of every minute does, and answers `ok` after it. */
export const TICK_PATH = `/cdn-cgi/local/scheduled?cron=${encodeURIComponent('* * * * *')}`;
const MINUTE_MS = 60_000;

export interface DevServer extends Server {
  /** Fires the cron handler and waits until it is done. Rejects when it failed. */
  tick(): Promise<void>;
}

/**
 * @param port that was found to be free
 * @param stateFolder which is there, and locked by this process
 * @param stop ends the server, whenever it comes
 * @throws CommandError when the Worker does not come up, and Stopped
 */
export async function startDevServer(
  options: {
    readonly port: number;
    readonly stateFolder: string;
    readonly adminKey: string;
    readonly onRestart: (message: string) => void;
  },
  stop: AbortSignal,
): Promise<DevServer> {
  const { port, stateFolder, adminKey, onRestart } = options;
  const secrets = join(stateFolder, 'dev.vars');
  writeEnvFile(secrets, { RINGFENCE_ADMIN_KEY: adminKey });
  const server = await startServer(
    {
      name: 'The Worker',
      args: devArguments(port, stateFolder, secrets),
      folder: PROJECT,
      env: devEnvironment(stateFolder),
      port,
      path: '/healthz',
      logPath: join(stateFolder, 'worker.log'),
      onRestart,
    },
    stop,
  );
  return { ...server, tick: () => fireCron(server.url) };
}

async function fireCron(url: string): Promise<void> {
  const response = await fetch(url + TICK_PATH);
  const text = await response.text();
  if (!response.ok || text !== 'ok') throw new Error(`the cron handler failed with ${response.status}`);
}

/** The cron trigger, which nothing fires on this machine: one tick a minute, none while another goes on. */
export function keepTicking(server: DevServer, onFailure: (error: unknown) => void): NodeJS.Timeout {
  let running = false;
  return setInterval(async () => {
    if (running) return;
    running = true;
    await server.tick().catch(onFailure);
    running = false;
  }, MINUTE_MS).unref();
}
