/**
 * workerd as it is, without the proxies of `wrangler dev` and Miniflare, which would cost more than what is measured.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { PROJECT } from '../../scripts/command/paths.ts';
import { HOST } from '../../scripts/local/port.ts';
import { QUIET, WRANGLER } from '../../scripts/local/wrangler.ts';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
const NS_A_SECOND = 1e9;

export interface Workerd {
  /** Of the socket `http`. */
  readonly url: string;
  urlOf(socket: string): string;
  readonly pid: number | undefined;
  /** CPU seconds that the process has used so far, all its threads, in user and system mode. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

interface WorkerdOptions {
  readonly sockets?: readonly string[];
  readonly flags?: readonly string[];
  /** Whether what the Workers log is not shown. */
  readonly isQuiet?: boolean;
}

/**
 * @param folder that the paths of the configuration are relative to; the configuration is written into it
 * @param configuration in Cap'n Proto; its sockets have the address `127.0.0.1:0`, a port that the system chooses
 * @throws Error if it does not listen on all sockets within a minute; then it is stopped
 */
export async function startWorkerd(
  folder: string,
  configuration: string,
  { sockets = ['http'], flags = [], isQuiet = false }: WorkerdOptions = {},
): Promise<Workerd> {
  // It may hold a key.
  writeFileSync(join(folder, 'workerd.capnp'), configuration, { mode: 0o600 });
  const workerd = createRequire(import.meta.url).resolve('workerd/bin/workerd');
  const child = spawn(workerd, ['serve', 'workerd.capnp', ...flags, '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', isQuiet ? 'ignore' : 'inherit', 'inherit', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const kill = () => void child.kill('SIGKILL');
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(kill, STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  };
  // Also when the benchmark itself is stopped on its way.
  process.once('exit', kill);
  try {
    const ports = await listeningPorts(child.stdio[3] as Readable, sockets, ended);
    const urlOf = (socket: string) => `http://${HOST}:${ports.get(socket)}`;
    return { url: urlOf('http'), urlOf, pid: child.pid, cpuSeconds: () => cpuSecondsOf(child.pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** workerd tells on its control pipe, its fourth file, where it listens. */
async function listeningPorts(
  control: Readable,
  sockets: readonly string[],
  ended: Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  const told = new Promise<true>((done) => {
    createInterface({ input: control }).on('line', (line) => {
      const { socket, port } = JSON.parse(line) as { readonly socket?: string; readonly port?: number };
      if (socket !== undefined && port !== undefined) ports.set(socket, port);
      if (sockets.every((name) => ports.has(name))) done(true);
    });
  });
  const late = new Promise<false>((done) => setTimeout(done, START_LIMIT_MS, false).unref());
  const isListening = await Promise.race([told, late, ended.then(() => false)]);
  if (!isListening) throw new Error('workerd did not start; its own words are above');
  return ports;
}

/** A Worker as `npm run deploy` bundles it: by wrangler, with the same options. */
export function bundleByWrangler(entry: string, outdir: string, args: readonly string[] = []): void {
  runWrangler(['deploy', entry, '--dry-run', '--outdir', outdir, ...args]);
}

/** Its output is left out, and what it complains of is not. */
export function runWrangler(args: readonly string[]): void {
  execFileSync(process.execPath, ['--no-warnings', WRANGLER, ...args], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...QUIET },
  });
}

/** Cap'n Proto takes the escapes of C, of which those of JSON for quotes, backslashes and line ends are some. */
export function capnpText(text: string): string {
  return JSON.stringify(text);
}

/** Of all threads that live still, as those of V8 and workerd do until its end. Linux counts nanoseconds. */
function cpuSecondsOf(pid: number | undefined): number {
  const threads = `/proc/${pid}/task`;
  const ns = readdirSync(threads).map((thread) =>
    Number(readFileSync(join(threads, thread, 'schedstat'), 'utf8').split(' ')[0]),
  );
  return ns.reduce((sum, each) => sum + each, 0) / NS_A_SECOND;
}
