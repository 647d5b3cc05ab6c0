/** `npm start` on a free port and a state folder of its own, and what clients do with it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TICK_PATH } from '../../scripts/local/dev-server.ts';
import { freePort } from '../../scripts/local/port.ts';
import { ADMIN_KEY, call } from './call.ts';
import { Started } from './started.ts';

const BATCH = 1000;

export interface LocalServer {
  readonly url: string;
  /** What it printed until it was ready. */
  readonly output: string;
  tick(): Promise<void>;
  /** One API call with the admin key, a GET or with a body a POST; rejects unless it is answered with 2xx. */
  call(path: string, body?: unknown): Promise<unknown>;
  lookupAll(numbers: readonly string[]): Promise<Answer[]>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly number: string;
  readonly verdict: string;
  readonly level: number | null;
  readonly labels: readonly string[];
  readonly channels: readonly string[];
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly sightings: number | null;
  readonly expired?: true;
  readonly neighbourhood: { readonly hundred: number; readonly thousand: number };
}

/** `npm start` itself, whether it is up or not. */
export class StartCommand extends Started {
  readonly url: string;
  readonly state: string;

  constructor(state: string, port: number, args: readonly string[], adminKey = ADMIN_KEY) {
    const where = ['--port', String(port), '--state', state];
    super('scripts/start.ts', [...where, '--no-cron', ...args], { env: { RINGFENCE_ADMIN_KEY: adminKey } });
    this.url = `http://127.0.0.1:${port}`;
    this.state = state;
  }

  isUp(): Promise<void> {
    return this.says('Ctrl-C stops it.');
  }
}

/** @param adminKey empty: it makes one of its own and keeps it in the state folder; `call` is then refused */
export async function startServer(
  state: string,
  args: readonly string[] = [],
  adminKey = ADMIN_KEY,
): Promise<LocalServer> {
  const started = new StartCommand(state, await freePort(), args, adminKey);
  await started.isUp();
  const { url, output } = started;
  return {
    url,
    output,
    call: (path, body) => call(url + path, { body }),
    async tick() {
      const response = await fetch(url + TICK_PATH);
      if ((await response.text()) !== 'ok') throw new Error(`the tick answers ${response.status}`);
    },
    async lookupAll(numbers) {
      const answers: Answer[] = [];
      for (let from = 0; from < numbers.length; from += BATCH) {
        const body = { numbers: numbers.slice(from, from + BATCH) };
        const { results } = await call(`${url}/v1/lookup/batch`, { body });
        answers.push(...(results as Answer[]));
      }
      return answers;
    },
    async stop() {
      await started.end('SIGINT');
    },
  };
}

/** What the curl lines among what it printed print, pasted as they are. */
export async function pasteCurlLines(output: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const line of output.split('\n').filter((each) => each.trim().startsWith('curl '))) {
    const { stdout } = await promisify(execFile)('sh', ['-c', `${line} -sS`]);
    answers.push(JSON.parse(stdout));
  }
  return answers;
}
