/** `npm start` when somebody stops it, kills part of it, or starts it twice: nothing is lost, nothing is left. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/local/port.ts';
import { holderOfFolder } from '../../scripts/local/processes.ts';
import { ADMIN_KEY, PROJECT } from './local-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-start-'));
/** Far above what anything takes: a busy machine is no failure. */
const SOON = { timeout: 60_000, interval: 50 };
/** An answer that takes longer is none: without a supervisor it took minutes. */
const ANSWER_LIMIT_MS = 20_000;
const SAMPLE_NUMBERS = 93_253;
const isLinux = process.platform === 'linux';
const running = new Set<Started>();

afterEach(async () => {
  for (const started of running) await started.end('SIGKILL');
  running.clear();
});
afterAll(() => rmSync(folder, { recursive: true }));

class Started {
  readonly url: string;
  readonly state: string;
  output = '';
  readonly #child: ChildProcess;

  constructor(name: string, port: number, { args = ['--empty'], key = ADMIN_KEY } = {}) {
    this.state = join(folder, name);
    this.url = `http://127.0.0.1:${port}`;
    const line = ['scripts/start.ts', '--port', String(port), '--state', this.state, '--no-cron', ...args];
    this.#child = spawn(process.execPath, line, {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, RINGFENCE_ADMIN_KEY: key },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data.toString();
      });
    }
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  async says(text: string): Promise<void> {
    await vi.waitFor(() => {
      if (this.#hasEnded) throw new Error(`ended with ${this.#child.exitCode}: ${this.output}`);
      expect(this.output).toContain(text);
    }, SOON);
  }

  isUp = () => this.says('Ctrl-C stops it.');

  /** Sends a signal; resolves with the exit status and how long that took, when it has ended. */
  async end(signal: NodeJS.Signals): Promise<{ readonly status: number | null; readonly milliseconds: number }> {
    const startedAt = Date.now();
    if (!this.#hasEnded) {
      const exit = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exit;
    }
    return { status: this.#child.exitCode, milliseconds: Date.now() - startedAt };
  }

  /** As if this process were gone. */
  disconnect(): void {
    this.#child.disconnect();
  }

  async status(): Promise<unknown> {
    const response = await fetch(`${this.url}/v1/status`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    return response.json();
  }

  /** No process of it is left: nobody listens, and on Linux, nobody has a file of its state open. */
  async isGone(): Promise<void> {
    await vi.waitFor(async () => {
      expect(await ask(this.url)).toBe('refused');
      if (isLinux) expect(holderOfFolder(this.state)).toBeNull();
    }, SOON);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** `refused` also stands for a connection that is cut off. */
async function ask(url: string): Promise<number | 'refused' | 'nothing'> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    return error instanceof DOMException ? 'nothing' : 'refused';
  }
}

function run(script: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(PROJECT, script), ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

describe.skipIf(process.platform === 'win32')('npm start', () => {
  test.each([
    ['SIGTERM', 0],
    ['SIGINT', 700],
    ['SIGHUP', 1_200],
  ] as const)(
    'stopped by %s while it starts leaves no process',
    async (signal, afterMs) => {
      const started = new Started(`starting-${signal}`, await freePort());
      await started.says('Starting the Worker');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const { status, milliseconds } = await started.end(signal);
      expect(status).toBe(0);
      expect(milliseconds).toBeLessThan(10_000);
      expect(started.output).toBe('Starting the Worker ...\n');
      await started.isGone();
    },
    120_000,
  );

  test('stopped in the sample import ends at once, and the next start goes on until the sample is in', async () => {
    const port = await freePort();
    const first = new Started('sample', port, { args: [] });
    const progress = () => {
      const [name] = readdirJson(join(first.state, 'import'));
      return name;
    };
    await vi.waitFor(() => expect(progress()).toMatchObject({ uploads: expect.any(Number) }), {
      timeout: SOON.timeout,
      interval: 5,
    });
    const { status, milliseconds } = await first.end('SIGINT');
    expect(status).toBe(0);
    // Trying again took half a minute.
    expect(milliseconds).toBeLessThan(10_000);
    expect(first.output).not.toMatch(/trying again|no answer/);
    // Else this test shows nothing.
    expect(progress()).toMatchObject({ finished: false });
    await first.isGone();

    // On another port: to the import that is another server.
    const second = new Started('sample', await freePort(), { args: [] });
    await second.isUp();
    expect(second.output).toContain('where an earlier start was stopped');
    expect(await second.status()).toMatchObject({ inventory: { numbers: SAMPLE_NUMBERS }, waiting: { batches: 0 } });
    await second.end('SIGINT');

    const third = new Started('sample', port, { args: [] });
    await third.isUp();
    expect(third.output).not.toContain('sample list of numbers seen');
    expect(await third.status()).toMatchObject({ inventory: { numbers: SAMPLE_NUMBERS } });
    await third.end('SIGTERM');
    await third.isGone();
  }, 240_000);

  test('is the only one on its folder and its port, and survives what happens to its parts', async () => {
    const port = await freePort();
    const key = `e2e"$HOME\\'${ADMIN_KEY}`;
    const started = new Started('twice', port, { key });
    await started.isUp();

    // Another of the same folder, fsck, and another of the same port.
    const holder = `is in use by npm start (pid ${started.pid}, port ${port}): stop it (Ctrl-C where it runs, or kill ${started.pid}), or name another --state\n`;
    const again = await run('scripts/start.ts', '--state', started.state, '--port', String(await freePort()));
    expect(again).toEqual({ code: 1, out: '', err: `${started.state} ${holder}` });
    expect(await run('scripts/fsck.ts', '--state', started.state)).toEqual({
      code: 2,
      out: '',
      err: `${started.state} ${holder}`,
    });
    const samePort = await run('scripts/start.ts', '--state', join(folder, 'other'), '--port', String(port));
    expect(samePort.code).toBe(1);
    expect(samePort.err).toMatch(
      isLinux ? /^port \d+ is taken \(by workerd, pid \d+\); choose another with --port\n$/ : /^port \d+ is taken/,
    );

    // The printed lines, with such a key, as they are.
    const lines = started.output.split('\n').filter((line) => line.trim().startsWith('curl '));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const { stdout } = await promisify(execFile)('sh', ['-c', `${line} -sS`]);
      expect(JSON.parse(stdout)).not.toHaveProperty('title');
    }

    // Its workerd is killed: nobody waits in vain, and it comes back.
    if (isLinux) {
      const [, workerd = ''] = /pid (\d+)/.exec(samePort.err) ?? [];
      process.kill(Number(workerd), 'SIGKILL');
      const answers = new Set<unknown>();
      await vi.waitFor(async () => {
        const answer = await ask(started.url);
        answers.add(answer);
        expect(answer).toBe(200);
      }, SOON);
      expect([...answers].filter((answer) => answer !== 'refused' && answer !== 200)).toEqual([]);
      await started.says('The Worker has ended (its workerd was ended) and is started again');
    }

    // It is killed itself: all of it goes, and the folder is free.
    await started.end('SIGKILL');
    await started.isGone();
    const next = new Started('twice', port);
    await next.isUp();
    expect(next.output).not.toContain('in use');
    expect((await next.end('SIGTERM')).status).toBe(0);
    await next.isGone();
  }, 240_000);

  test('ends when the process that started it is gone', async () => {
    const started = new Started('orphan', await freePort());
    await started.isUp();
    started.disconnect();
    await started.isGone();
  }, 120_000);
});

/** The documents of a folder, as far as there are any. */
function readdirJson(path: string): unknown[] {
  try {
    return readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as unknown);
  } catch {
    return [];
  }
}
