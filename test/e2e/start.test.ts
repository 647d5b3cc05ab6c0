/** `npm start` when somebody stops it, kills part of it, or starts it twice: nothing is lost, nothing is left. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/local/port.ts';
import { holderOfFolder } from '../../scripts/local/processes.ts';
import { ADMIN_KEY, call } from './call.ts';
import { pasteCurlLines, StartCommand } from './local-server.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-start-'));
/** Far above what anything takes: a busy machine is no failure. */
const SOON = { timeout: 60_000, interval: 50 };
/** An answer that takes longer is none: without a supervisor it took minutes. */
const ANSWER_LIMIT_MS = 20_000;
const SAMPLE_NUMBERS = 93_253;
const isLinux = process.platform === 'linux';
const running = new Set<Start>();

afterEach(async () => {
  for (const started of running) await started.end('SIGKILL');
  running.clear();
});
afterAll(() => rmSync(folder, { recursive: true }));

class Start extends StartCommand {
  constructor(name: string, port: number, { args = ['--empty'], key = ADMIN_KEY } = {}) {
    super(join(folder, name), port, args, key);
    running.add(this);
  }

  status(): Promise<unknown> {
    return call(`${this.url}/v1/status`);
  }

  /** No process of it is left: nobody listens, and on Linux, nobody has a file of its state open. */
  async isGone(): Promise<void> {
    await vi.waitFor(async () => {
      expect(await ask(this.url)).toBe('refused');
      if (isLinux) expect(holderOfFolder(this.state)).toBeNull();
    }, SOON);
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

describe.skipIf(process.platform === 'win32')('npm start', () => {
  test.each([
    ['SIGTERM', 0],
    ['SIGINT', 700],
    ['SIGHUP', 1_200],
  ] as const)(
    'stopped by %s while it starts leaves no process',
    async (signal, afterMs) => {
      const started = new Start(`starting-${signal}`, await freePort());
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
    const first = new Start('sample', port, { args: [] });
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
    const second = new Start('sample', await freePort(), { args: [] });
    await second.isUp();
    expect(second.output).toContain('where an earlier start was stopped');
    expect(await second.status()).toMatchObject({ inventory: { numbers: SAMPLE_NUMBERS }, waiting: { batches: 0 } });
    await second.end('SIGINT');

    const third = new Start('sample', port, { args: [] });
    await third.isUp();
    expect(third.output).not.toContain('sample list of numbers seen');
    expect(await third.status()).toMatchObject({ inventory: { numbers: SAMPLE_NUMBERS } });
    await third.end('SIGTERM');
    await third.isGone();
  }, 240_000);

  test('is the only one on its folder and its port, and survives what happens to its parts', async () => {
    const port = await freePort();
    const key = `e2e"$HOME\\'${ADMIN_KEY}`;
    const started = new Start('twice', port, { key });
    await started.isUp();

    // Another of the same folder, fsck, and another of the same port.
    const holder = `is in use by npm start (pid ${started.pid}, port ${port}): stop it (Ctrl-C where it runs, or kill ${started.pid}), or name another --state\n`;
    const again = await run('scripts/start.ts', ['--state', started.state, '--port', String(await freePort())]);
    expect(again).toEqual({ code: 1, out: '', err: `${started.state} ${holder}` });
    expect(await run('scripts/fsck.ts', ['--state', started.state])).toEqual({
      code: 2,
      out: '',
      err: `${started.state} ${holder}`,
    });
    const samePort = await run('scripts/start.ts', ['--state', join(folder, 'other'), '--port', String(port)]);
    expect(samePort.code).toBe(1);
    expect(samePort.err).toMatch(
      isLinux ? /^port \d+ is taken \(by workerd, pid \d+\); choose another with --port\n$/ : /^port \d+ is taken/,
    );

    // The printed lines, with such a key, as they are.
    const answers = await pasteCurlLines(started.output);
    expect(answers).toHaveLength(3);
    for (const answer of answers) expect(answer).not.toHaveProperty('title');

    // Its workerd is killed: nobody waits in vain, and it comes back.
    if (isLinux) {
      const [, workerd = ''] = /pid (\d+)/.exec(samePort.err) ?? [];
      process.kill(Number(workerd), 'SIGKILL');
      const asked = new Set<unknown>();
      await vi.waitFor(async () => {
        const answer = await ask(started.url);
        asked.add(answer);
        expect(answer).toBe(200);
      }, SOON);
      expect([...asked].filter((answer) => answer !== 'refused' && answer !== 200)).toEqual([]);
      await started.says('The Worker has ended (its workerd was ended) and is started again');
    }

    // It is killed itself: all of it goes, and the folder is free.
    await started.end('SIGKILL');
    await started.isGone();
    const next = new Start('twice', port);
    await next.isUp();
    expect(next.output).not.toContain('in use');
    expect((await next.end('SIGTERM')).status).toBe(0);
    await next.isGone();
  }, 240_000);

  test('ends when the process that started it is gone', async () => {
    const started = new Start('orphan', await freePort());
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
