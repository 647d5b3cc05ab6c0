/** Servers that end, hang, or lose whoever started them; here plain programs of Node in the place of wrangler. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { PROJECT } from '../../../../scripts/command/paths.ts';
import { checkPort, freePort } from '../../../../scripts/local/port.ts';
import { type ServerCommand, Stopped, startServer } from '../../../../scripts/local/supervisor.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-supervisor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const SOON = { timeout: 10_000, interval: 20 };

/** Has a child of its own, named as workerd is, that lives as long as nobody ends it. */
const SERVER = `
  import { spawn } from 'node:child_process';
  import { symlinkSync } from 'node:fs';
  import { createServer } from 'node:http';
  const [port, link] = process.argv.slice(2);
  try { symlinkSync(process.execPath, link); } catch {}
  const child = spawn(link, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  createServer((request, response) => {
    if (request.url === '/hang') return;
    response.end(JSON.stringify({ pid: process.pid, child: child.pid }));
  }).listen(Number(port), '127.0.0.1');
`;

async function commandOf(script = SERVER, more: Partial<ServerCommand> = {}): Promise<ServerCommand> {
  const port = await freePort();
  const file = join(folder, `server-${port}.mjs`);
  writeFileSync(file, script);
  return {
    name: 'The server',
    args: [file, String(port), join(folder, 'workerd')],
    folder,
    env: process.env,
    port,
    path: '/',
    logPath: join(folder, `${port}.log`),
    ...more,
  };
}

const pidsOf = async (url: string) =>
  (await (await fetch(url)).json()) as { readonly pid: number; readonly child: number };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const gone = (...pids: number[]) => vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), SOON);

describe.skipIf(process.platform === 'win32')('a server', () => {
  test('is stopped with all that it started', async () => {
    const server = await startServer(await commandOf(), new AbortController().signal);
    const { pid, child } = await pidsOf(server.url);
    expect(isAlive(child)).toBe(true);
    await server.stop();
    await server.ended;
    await gone(pid, child);
  });

  test.each(['child', 'pid'] as const)('whose %s is killed is started again, and told of', async (which) => {
    const told: string[] = [];
    const stop = new AbortController();
    const server = await startServer(await commandOf(SERVER, { onRestart: (text) => told.push(text) }), stop.signal);
    const first = await pidsOf(server.url);
    const hanging = fetch(`${server.url}/hang`).then(
      () => 'answered',
      () => 'cut off',
    );
    process.kill(first[which], 'SIGKILL');
    expect(await hanging).toBe('cut off');
    await gone(first.pid, first.child);
    const second = await vi.waitFor(() => pidsOf(server.url), SOON);
    expect(second.pid).not.toBe(first.pid);
    const how = which === 'child' ? 'its workerd was ended' : 'SIGKILL';
    expect(told).toEqual([
      expect.stringMatching(`^The server has ended \\(${how}\\) and is started again; its output`),
    ]);
    stop.abort();
    await server.ended;
    await gone(second.pid, second.child);
  });

  test('that ends again and again is given up', async () => {
    const told: string[] = [];
    const script = `${SERVER}\nsetTimeout(() => process.exit(7), 400);`;
    const server = await startServer(
      await commandOf(script, { onRestart: (text) => told.push(text) }),
      new AbortController().signal,
    );
    await server.ended;
    expect(told).toHaveLength(5);
    expect(told[0]).toContain('exit status 7');
  });

  test('that does not come up is told of with its last words', async () => {
    const script = `console.error('\\u001b[31mthe disk is on fire\\u001b[0m'); process.exit(1);`;
    await expect(startServer(await commandOf(script), new AbortController().signal)).rejects.toThrow(
      /^The server did not start:\n {2}the disk is on fire\n {2}All of its output is in .+\.log$/,
    );
  });

  test('is stopped before it is up, as soon as it is to be', async () => {
    const stop = new AbortController();
    const starting = startServer(await commandOf('setInterval(() => {}, 1000)'), stop.signal);
    setTimeout(() => stop.abort(), 300);
    const startedAt = Date.now();
    await expect(starting).rejects.toThrow(Stopped);
    expect(Date.now() - startedAt).toBeLessThan(4_000);
    await expect(startServer(await commandOf(), stop.signal)).rejects.toThrow(Stopped);
  });

  test('ends with all that it started when the process that started it is killed', async () => {
    const { onRestart: _, ...command } = await commandOf();
    const starter = join(folder, 'starter.mts');
    writeFileSync(
      starter,
      `import { startServer } from ${JSON.stringify(join(PROJECT, 'scripts', 'local', 'supervisor.ts'))};
       await startServer(${JSON.stringify({ ...command, env: {} })}, new AbortController().signal);
       console.log('up');`,
    );
    const child = spawn(process.execPath, [starter], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const pids = await pidsOf(`http://127.0.0.1:${command.port}`);
    expect([pids.pid, pids.child].filter(isAlive)).toHaveLength(2);
    child.kill('SIGKILL');
    await gone(pids.pid, pids.child);
  });
});

test('a port that is taken is told of with its holder', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  const holder = process.platform === 'linux' ? ` \\(by .+, pid ${process.pid}\\)` : '';
  await expect(checkPort('--port', port)).rejects.toThrow(
    new RegExp(`^port ${port} is taken${holder}; choose another with --port$`),
  );
  server.close();
  await once(server, 'close');
  await checkPort('--port', port);
});
