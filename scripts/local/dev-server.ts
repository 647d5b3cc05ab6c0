/** Both Workers in workerd on this machine, at one address, with KV and R2 kept in a folder. */
import { join } from 'node:path';
import { OPERATIONS } from '../../src/generated/operations.ts';
import { PROJECT } from '../command/paths.ts';
import { type WorkerConfigs, workerConfigs, writeWorkerConfigs } from '../command/worker-configs.ts';
import { type Server, startServer } from './supervisor.ts';
import { devArguments, devEnvironment, writeEnvFile } from './wrangler.ts';

/**
 * Of a local server, wrangler's own: fires the cron handler as the trigger of every minute does, and answers `ok` after
 * it.
 */
export const TICK_PATH = `/cdn-cgi/local/scheduled?cron=${encodeURIComponent('* * * * *')}`;
/** By it a service binding fires the cron handler too (edge-with-cron.ts). */
const CRONS_BY_BINDING = 'service_binding_extra_handlers';
const WORKERS_FOLDER = 'workers';
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
  const folder = bundleFolder(stateFolder);
  const { edge, control } = writeWorkerConfigs(folder, localConfigs());
  // Where wrangler looks for the secrets of each Worker: beside its configuration.
  writeEnvFile(join(folder, '.env'), { RINGFENCE_ADMIN_KEY: adminKey });
  const server = await startServer(
    {
      name: 'The Worker',
      args: devArguments(port, stateFolder, ['--config', edge, '--config', control]),
      folder: PROJECT,
      env: devEnvironment(stateFolder),
      port,
      path: OPERATIONS.health.path,
      // With an empty store it is up too. Any other answer is another program's: if the port has been taken in between,
      // wrangler takes another by itself.
      isUp: ({ status }) => OPERATIONS.health.answers.includes(status),
      logPath: join(stateFolder, 'worker.log'),
      onRestart,
    },
    stop,
  );
  return { ...server, tick: () => fireCron(server.url) };
}

/** Where the configurations and the bundles of the Workers are. */
export function bundleFolder(stateFolder: string): string {
  return join(stateFolder, WORKERS_FOLDER);
}

/** As they are deployed, but that the Worker with the address hands crons on to the one that has them. */
function localConfigs(): WorkerConfigs {
  const { edge, control } = workerConfigs();
  const flags = [...(edge.compatibility_flags ?? []), CRONS_BY_BINDING];
  const main = join(import.meta.dirname, 'edge-with-cron.ts');
  return { edge: { ...edge, main, compatibility_flags: flags }, control };
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
