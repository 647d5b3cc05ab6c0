/**
 * What workerd takes to start copies of a Worker, in CPU time. Each copy is an isolate of its own, compiled and evaluated
 * before workerd listens, and each has a socket, at which its first request is sent.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { PROJECT } from '../../scripts/command/paths.ts';
import { workerConfigs } from '../../scripts/command/worker-configs.ts';

const START_LIMIT_MS = 60_000;

export interface Script {
  /** The bundle, a file in the scratch folder. */
  readonly file: string;
  /** Of the bundle, as the platform counts it. */
  readonly gzipBytes: number;
  /** A request that is answered from nothing but the script, and the status of its answer. */
  readonly path: string;
  readonly status: number;
}

/** As `npm run deploy` bundles it: by wrangler, with the options of wrangler.toml. @param entry in the project */
export function bundleScript(scratch: string, entry: string, path: string, status: number): Script {
  const wrangler = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const name = entry.replace(/^.*\//, '').replace(/\.ts$/, '.js');
  execFileSync(process.execPath, [wrangler, 'deploy', entry, '--dry-run', '--outdir', join(scratch, name)], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' },
  });
  const file = `${name}/${name}`;
  return { file, gzipBytes: gzipSync(readFileSync(join(scratch, file)), { level: 9 }).length, path, status };
}

export interface StartUp {
  /** CPU milliseconds of the whole process until all copies are evaluated and workerd listens. */
  readonly startedMs: number;
  /** The same until each copy has answered one request. */
  readonly answeredMs: number;
}

/** Starts workerd with so many copies, asks each once, and ends it. @param copies may be 0 */
export async function startUp(scratch: string, script: Script, copies: number): Promise<StartUp> {
  const names = Array.from({ length: copies }, (_, i) => `copy-${i}`);
  const config = join(scratch, 'workerd.capnp');
  writeFileSync(config, configuration(script, names));
  const workerd = createRequire(import.meta.url).resolve('workerd/bin/workerd');
  const child = spawn(workerd, ['serve', config, '--control-fd=3'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const kill = () => void child.kill('SIGKILL');
  // Also when the benchmark itself is stopped on its way.
  process.once('exit', kill);
  try {
    const ports = await portsOf(child.stdio[3] as Readable, ['empty', ...names], ended);
    const startedMs = cpuMsOf(child.pid);
    for (const name of names) await ask(ports.get(name), script);
    return { startedMs, answeredMs: cpuMsOf(child.pid) };
  } finally {
    process.off('exit', kill);
    kill();
    await ended;
  }
}

async function ask(port: number | undefined, { path, status }: Script): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await answer.text();
  if (answer.status !== status)
    throw new Error(`${path}: expected the status ${status}, found ${answer.status}: ${text}`);
}

/** Rejects when workerd ends before, or has not told all of them within the limit. */
async function portsOf(
  control: Readable,
  sockets: readonly string[],
  ended: Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  const all = new Promise<ReadonlyMap<string, number>>((found) => {
    createInterface({ input: control }).on('line', (line) => {
      const { socket, port } = JSON.parse(line) as { readonly socket?: string; readonly port?: number };
      if (socket !== undefined && port !== undefined) ports.set(socket, port);
      if (sockets.every((name) => ports.has(name))) found(ports);
    });
  });
  const late = new Promise<null>((resolve) => setTimeout(resolve, START_LIMIT_MS, null).unref());
  const told = await Promise.race([all, late, ended.then(() => null)]);
  if (told === null) throw new Error('workerd did not start; its own words are above');
  return told;
}

/** The stores of the copies refuse everything: what is asked here is answered without them. */
function configuration({ file }: Script, names: readonly string[]): string {
  const { compatibility_date: date } = workerConfigs().edge;
  const worker = (name: string) => `
    (name = "${name}", worker = (
      modules = [(name = "worker.js", esModule = embed "${file}")],
      compatibilityDate = "${date}",
      bindings = [
        (name = "STORE", r2Bucket = "nothing"),
        (name = "SLICES", kvNamespace = "nothing"),
        (name = "CONTROL", service = "nothing"),
        (name = "COMPILER", service = "nothing"),
        (name = "RINGFENCE_ADMIN_KEY", text = "admin-key-of-the-start-up-benchmark-01")
      ]
    )),`;
  const socket = (name: string, service: string) =>
    `(name = "${name}", address = "127.0.0.1:0", http = (), service = "${service}")`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${names.map(worker).join('')}
    (name = "nothing", worker = (
      serviceWorkerScript = "addEventListener('fetch', (e) => e.respondWith(new Response(null, { status: 404 })))",
      compatibilityDate = "${date}"
    ))
  ],
  sockets = [
    ${[socket('empty', 'nothing'), ...names.map((name) => socket(name, name))].join(',\n    ')}
  ]
);
`;
}

const NS_A_MS = 1e6;

/** Of all threads of a process that live still: those of V8 and workerd end with it. Linux counts nanoseconds. */
function cpuMsOf(pid: number | undefined): number {
  const threads = `/proc/${pid}/task`;
  const ns = readdirSync(threads).map((thread) =>
    Number(readFileSync(join(threads, thread, 'schedstat'), 'utf8').split(' ')[0]),
  );
  return ns.reduce((sum, each) => sum + each, 0) / NS_A_MS;
}
