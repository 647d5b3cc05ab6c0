/** `wrangler dev` in a project's folder, on a free port. */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { TICK_PATH } from '../../../scripts/local/dev-server.ts';
import { freePort } from '../../../scripts/local/port.ts';
import { startServer } from '../../../scripts/local/supervisor.ts';
import { devArguments, devEnvironment } from '../../../scripts/local/wrangler.ts';

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
  const port = await freePort();
  const lines: string[] = [];
  const server = await startServer(
    {
      name: 'wrangler dev',
      args: devArguments(port, join(folder, 'state'), main === undefined ? [] : [main]),
      folder,
      env: { ...devEnvironment(folder), WRANGLER_REGISTRY_PATH: join(folder, 'registry') },
      port,
      // Without a form it looks nothing up.
      path: '/',
      logPath: join(folder, 'wrangler.log'),
      onLine: (line) => lines.push(stripVTControlCharacters(line)),
    },
    new AbortController().signal,
  );
  return {
    url: server.url,
    stop: () => server.stop(),
    async cron() {
      const response = await fetch(server.url + TICK_PATH);
      return response.text();
    },
    events() {
      return lines.flatMap((line) =>
        line.startsWith('{"event"') ? [JSON.parse(line) as Readonly<Record<string, unknown>>] : [],
      );
    },
  };
}
