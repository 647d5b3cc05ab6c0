/** The Worker in workerd on this machine, with KV and R2 kept in a folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPort, HOST, hasEnded, StartError, stopChild } from './child-process.ts';

const START_LIMIT_MS = 60_000;
const POLL_MS = 100;
const STOP_LIMIT_MS = 5_000;
const PROJECT = join(import.meta.dirname, '..', '..');

export interface DevServer {
  readonly url: string;
  /** Where the Worker's own output goes. */
  readonly logPath: string;
  /** Fires the cron handler and waits until it is done. Rejects when it failed. */
  tick(): Promise<void>;
  /** Resolves when the server has ended by itself. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** @throws StartError when the port is taken or the Worker does not come up */
export async function startDevServer(options: {
  readonly port: number;
  readonly stateFolder: string;
  readonly adminKey: string;
}): Promise<DevServer> {
  const { port, stateFolder, adminKey } = options;
  await checkPort('--port', port);
  mkdirSync(stateFolder, { recursive: true });
  // In a file, not on the command line, where every process of the machine could read it.
  const secrets = join(stateFolder, 'dev.vars');
  writeFileSync(secrets, `RINGFENCE_ADMIN_KEY=${JSON.stringify(adminKey)}\n`, { mode: 0o600 });
  const logPath = join(stateFolder, 'worker.log');
  const log = createWriteStream(logPath, { flags: 'a' });
  const wrangler = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const args = [
    'dev',
    '--port',
    String(port),
    '--ip',
    HOST,
    '--inspector-port',
    '0',
    '--persist-to',
    stateFolder,
    '--env-file',
    secrets,
  ];
  const child = spawn(process.execPath, [wrangler, ...args, '--show-interactive-dev-session=false'], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      X_LOCAL_OBSERVABILITY: 'false',
    },
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://${HOST}:${port}`;
  const stop = () => stopChild(child, ended, STOP_LIMIT_MS);
  try {
    await waitUntilUp(child, url, logPath);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, logPath, ended, stop, tick: () => fireCron(url) };
}

async function fireCron(url: string): Promise<void> {
  const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent('* * * * *')}`);
  const text = await response.text();
  if (!response.ok || text !== 'ok') throw new Error(`the cron handler failed with ${response.status}`);
}

async function waitUntilUp(child: ChildProcess, url: string, logPath: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw new StartError(`the Worker did not start; its output is in ${logPath}`);
    const response = await fetch(`${url}/healthz`).catch(() => null);
    await response?.body?.cancel();
    if (response !== null) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new StartError(`the Worker did not answer within ${START_LIMIT_MS / 1000} s; its output is in ${logPath}`);
}
