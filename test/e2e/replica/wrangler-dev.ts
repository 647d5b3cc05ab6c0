/** `wrangler dev` in a project's folder, on a port that the system chooses. */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { TICK_PATH } from '../../../scripts/local/dev-server.ts';
import { GuardedProcess } from '../../../scripts/local/supervisor.ts';
import { devEnvironment, WRANGLER } from '../../../scripts/local/wrangler.ts';

const START_LIMIT_MS = 30_000;
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
  const lines: string[] = [];
  const ready = Promise.withResolvers<string>();
  const guarded = new GuardedProcess({
    args: [...args, '--inspector-port', '0', '--show-interactive-dev-session=false'],
    folder,
    env: { ...devEnvironment(folder), WRANGLER_REGISTRY_PATH: join(folder, 'registry') },
    logPath: join(folder, 'wrangler.log'),
    onLine(line) {
      lines.push(stripVTControlCharacters(line));
      const url = READY.exec(line)?.[1];
      if (url !== undefined) ready.resolve(url);
    },
  });
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, START_LIMIT_MS, undefined).unref());
  const url = await Promise.race([ready.promise, late, guarded.ended.then(() => undefined)]);
  if (url === undefined) {
    await guarded.stop();
    throw new Error(`wrangler dev did not start:\n${lines.join('\n')}`);
  }
  return {
    url,
    stop: () => guarded.stop(),
    async cron() {
      const response = await fetch(url + TICK_PATH);
      return response.text();
    },
    events() {
      return lines.flatMap((line) =>
        line.startsWith('{"event"') ? [JSON.parse(line) as Readonly<Record<string, unknown>>] : [],
      );
    },
  };
}
