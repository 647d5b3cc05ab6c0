/** `npm start` as a child process, on a free port and a state folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { TICK_PATH } from '../../scripts/local/dev-server.ts';
import { freePort } from '../../scripts/local/port.ts';

export const PROJECT = join(import.meta.dirname, '..', '..');
export const ADMIN_KEY = 'end-to-end-admin-key-0123456789abcdef';
const BATCH = 1000;

export interface LocalServer {
  readonly url: string;
  /** What it printed until it was ready. */
  readonly output: string;
  tick(): Promise<void>;
  /** One API call with the admin key; rejects unless it is answered with 2xx. */
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

/** @param adminKey empty: it makes one of its own and keeps it in the state folder; `call` is then refused */
export async function startServer(
  state: string,
  args: readonly string[] = [],
  adminKey = ADMIN_KEY,
): Promise<LocalServer> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['scripts/start.ts', '--port', String(port), '--state', state, '--no-cron', ...args],
    {
      cwd: PROJECT,
      // The channel closes when this process is gone, and the server stops.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, RINGFENCE_ADMIN_KEY: adminKey },
    },
  );
  const output = await outputUntil(child, 'Ctrl-C stops it.');
  const url = `http://127.0.0.1:${port}`;
  const call = async (path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
    const response = await fetch(
      url + path,
      body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
    );
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  };
  return {
    url,
    output,
    call,
    async tick() {
      const response = await fetch(url + TICK_PATH);
      if ((await response.text()) !== 'ok') throw new Error(`the tick answers ${response.status}`);
    },
    async lookupAll(numbers) {
      const answers: Answer[] = [];
      for (let from = 0; from < numbers.length; from += BATCH) {
        const { results } = (await call('/v1/lookup/batch', { numbers: numbers.slice(from, from + BATCH) })) as {
          results: Answer[];
        };
        answers.push(...results);
      }
      return answers;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
}

function outputUntil(child: ChildProcess, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const onData = (data: Buffer) => {
      output += data.toString();
      if (output.includes(text)) resolve(output);
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}: ${output}`)));
  });
}
