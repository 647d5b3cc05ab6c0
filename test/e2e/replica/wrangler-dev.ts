/** `wrangler dev` in a project's folder, on a port that the system chooses. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { PROJECT } from '../local-server.ts';

const WRANGLER = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const READY = /Ready on (http:\/\/127\.0\.0\.1:\d+)/;

export interface DevWorker {
  readonly url: string;
  /** Fires the cron handler; what the local route answers. */
  cron(): Promise<string>;
  /** The events that the Worker has logged so far, as JSON lines. */
  events(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}

/** @param main instead of the one in wrangler.toml */
export async function startDevWorker(folder: string, main?: string): Promise<DevWorker> {
  const args = [WRANGLER, 'dev', ...(main === undefined ? [] : [main]), '--port', '0', '--ip', '127.0.0.1'];
  const child = spawn(process.execPath, [...args, '--inspector-port', '0', '--show-interactive-dev-session=false'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_REGISTRY_PATH: join(folder, 'registry'),
      X_LOCAL_OBSERVABILITY: 'false',
    },
  });
  let output = '';
  const ended = once(child, 'exit');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  async function stop(): Promise<void> {
    if (hasEnded()) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }
  const ready = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output += data.toString();
        const url = READY.exec(output)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
  });
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, START_LIMIT_MS, undefined).unref());
  const url = await Promise.race([ready, late, ended.then(() => undefined)]);
  if (url === undefined) {
    await stop();
    throw new Error(`wrangler dev did not start:\n${output}`);
  }
  return {
    url,
    stop,
    async cron() {
      const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent('* * * * *')}`);
      return response.text();
    },
    events() {
      const lines = stripVTControlCharacters(output).split('\n');
      return lines.flatMap((line) => (line.startsWith('{"event"') ? [JSON.parse(line) as object] : []));
    },
  } as DevWorker;
}
