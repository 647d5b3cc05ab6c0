/**
 * The bench Worker on bare workerd: bundled by wrangler exactly as `npm run deploy` does it, served without the proxies
 * of `wrangler dev` and Miniflare, which would cost more than what is measured.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { listeningPort } from '../support/listening-port.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
/** Beside the configuration, which names the bundle by a relative path. */
const BUNDLE = 'bundle';
const HOST = '127.0.0.1';
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
/** Clock ticks a second in /proc (proc_pid_stat(5)): 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

export interface WorkerdOptions {
  /** The store: `objects` and `slices`. */
  readonly store: string;
  /** Where the key file is, in `objects`. */
  readonly keys: string;
  readonly adminKey: string;
  /** For the bundle and the configuration. */
  readonly scratch: string;
}

export interface Workerd {
  readonly url: string;
  /** CPU seconds that the process has used so far, all its threads, in user and system mode. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  bundleWorker(options.scratch);
  const config = join(options.scratch, 'workerd.capnp');
  writeFileSync(config, configuration(options), { mode: 0o600 });
  const workerd = createRequire(import.meta.url).resolve('workerd/bin/workerd');
  // The port is chosen by the system; workerd tells it on the control pipe, its fourth file.
  const child = spawn(workerd, ['serve', config, '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async () => {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(kill, STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  };
  const kill = () => void child.kill('SIGKILL');
  // Also when the benchmark itself is stopped on its way.
  process.once('exit', kill);
  try {
    const port = await listeningPort(child.stdio[3] as Readable, ended, START_LIMIT_MS);
    return { url: `http://${HOST}:${port}`, cpuSeconds: () => cpuSecondsOf(child.pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Wrangler's own bundle, so that it is what would be deployed, with the same options. */
function bundleWorker(scratch: string): void {
  const wrangler = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const entry = join(import.meta.dirname, 'worker.ts');
  execFileSync(process.execPath, [wrangler, 'deploy', entry, '--dry-run', '--outdir', join(scratch, BUNDLE)], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' },
  });
}

function configuration({ store, keys, adminKey }: WorkerdOptions): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "${BUNDLE}/worker.js")],
      compatibilityDate = "${compatibilityDate()}",
      bindings = [
        (name = "STORE", service = "store"),
        (name = "KEYS", service = "keys"),
        (name = "RINGFENCE_ADMIN_KEY", text = ${capnpText(adminKey)})
      ]
    )),
    (name = "store", disk = (path = ${capnpText(resolve(store))}, writable = false)),
    (name = "keys", disk = (path = ${capnpText(resolve(keys))}, writable = false))
  ],
  sockets = [(name = "http", address = "${HOST}:0", http = (), service = "main")]
);
`;
}

/** Cap'n Proto takes the escapes of C, of which those of JSON for quotes, backslashes and line ends are some. */
function capnpText(text: string): string {
  return JSON.stringify(text);
}

function compatibilityDate(): string {
  const path = join(PROJECT, 'wrangler.toml');
  const found = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/m.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`expected a compatibility_date in ${path}`);
  return found;
}

function cpuSecondsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name before the last bracket may have spaces. utime and stime are fields 14 and 15, 12 and 13 after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
