/**
 * The Workers as they are deployed, bundled by wrangler, on bare workerd, with R2 and KV in another process (storage.ts)
 * and a small Worker beside them that fires the cron. All of them share workerd's one thread of JavaScript, so what one
 * computes the others wait for: that is the hardest case, whichever Worker an isolate of the platform has.
 */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const PROJECT = join(import.meta.dirname, '..', '..');
const START_LIMIT_MS = 60_000;
const CRON_CONFIG = 'every-minute';

export interface Running {
  readonly url: string;
  /** Fires the cron handler and waits until it has ended. */
  readonly cronUrl: string;
  /** The R2 of the Workers, for `R2Client`. */
  readonly r2Url: string;
  stop(): void;
}

interface Script {
  readonly name: string;
  /** Its place in src. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly bindings: readonly string[];
}

/** The first takes the requests, the last has the crons. */
function scripts(): readonly Script[] {
  const control: Script = { name: 'control', entry: 'src/control.ts', args: ['--env', 'control'], bindings: [] };
  if (!existsSync(join(PROJECT, control.entry))) {
    return [{ name: 'main', entry: 'src/worker.ts', args: [], bindings: [] }];
  }
  const bindings = [
    '(name = "CONTROL", service = "control")',
    '(name = "COMPILER", service = (name = "control", entrypoint = "PolicyCompiler"))',
  ];
  return [{ name: 'main', entry: 'src/edge.ts', args: [], bindings }, control];
}

export async function startWorkers(store: string, scratch: string, adminKey: string): Promise<Running> {
  const children: { kill(signal: 'SIGKILL'): boolean }[] = [];
  const stop = () => {
    process.off('exit', stop);
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', stop);
  const node = spawn(process.execPath, [join(import.meta.dirname, 'storage.ts'), store, join(scratch, 'written')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(node);
  const { r2, kv } = JSON.parse(await firstLine(node.stdout)) as { r2: number; kv: number };
  const all = scripts();
  for (const script of all) bundle(script, scratch);
  writeFileSync(join(scratch, 'workerd.capnp'), configuration(all, { r2, kv, adminKey }), { mode: 0o600 });
  const workerd = createRequire(import.meta.url).resolve('workerd/bin/workerd');
  const child = spawn(workerd, ['serve', 'workerd.capnp', '--experimental', '--control-fd=3'], {
    cwd: scratch,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  children.push(child);
  const [main, cron] = await ports(child.stdio[3] as Readable, ['http', 'cron']);
  const host = (port: number | undefined) => `http://127.0.0.1:${port}`;
  return { url: host(main), cronUrl: host(cron), r2Url: host(r2), stop };
}

function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stream });
    lines.once('line', resolve);
    lines.once('close', () => reject(new Error('the storage did not start; its own words are above')));
  });
}

async function ports(control: Readable, sockets: readonly string[]): Promise<number[]> {
  const found = new Map<string, number>();
  const all = new Promise<void>((resolve) => {
    createInterface({ input: control }).on('line', (line) => {
      const { socket, port } = JSON.parse(line) as { readonly socket?: string; readonly port?: number };
      if (socket !== undefined && port !== undefined) found.set(socket, port);
      if (sockets.every((name) => found.has(name))) resolve();
    });
  });
  const late = new Promise<void>((resolve) => setTimeout(resolve, START_LIMIT_MS).unref());
  await Promise.race([all, late]);
  return sockets.map((name) => {
    const port = found.get(name);
    if (port === undefined) throw new Error(`workerd did not start to listen on ${name}; its own words are above`);
    return port;
  });
}

function bundle({ name, entry, args }: Script, scratch: string): void {
  const wrangler = join(PROJECT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const outdir = ['--outdir', join(scratch, name)];
  execFileSync(process.execPath, [wrangler, 'deploy', entry, '--dry-run', ...args, ...outdir], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' },
  });
}

const CRON_WORKER = `export default {
  async fetch(request, env) {
    const { outcome } = await env.TARGET.scheduled({ cron: '* * * * *' });
    return new Response(outcome, { status: outcome === 'ok' ? 200 : 500 });
  },
};`;

function configuration(
  all: readonly Script[],
  { r2, kv, adminKey }: { readonly r2: number; readonly kv: number; readonly adminKey: string },
): string {
  const date = compatibilityDate();
  const worker = ({ name, entry, bindings }: Script) => `
    (name = "${name}", worker = (
      modules = [(name = "worker.js", esModule = embed "${name}/${bundled(entry)}")],
      compatibilityDate = "${date}",
      compatibilityFlags = ["nodejs_compat"],
      bindings = [
        (name = "STORE", r2Bucket = "r2"),
        (name = "SLICES", kvNamespace = "kv"),
        (name = "RINGFENCE_ADMIN_KEY", text = ${JSON.stringify(adminKey)}),
        ${bindings.join(',\n        ')}
      ]
    )),`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${all.map(worker).join('')}
    (name = "${CRON_CONFIG}", worker = (
      modules = [(name = "cron.js", esModule = ${JSON.stringify(CRON_WORKER)})],
      compatibilityDate = "${date}",
      compatibilityFlags = ["service_binding_extra_handlers"],
      bindings = [(name = "TARGET", service = "${all.at(-1)?.name}")]
    )),
    (name = "r2", external = (address = "127.0.0.1:${r2}", http = ())),
    (name = "kv", external = (address = "127.0.0.1:${kv}", http = ()))
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "cron", address = "127.0.0.1:0", http = (), service = "${CRON_CONFIG}")
  ]
);
`;
}

function bundled(entry: string): string {
  return entry.slice('src/'.length).replace(/\.ts$/, '.js');
}

function compatibilityDate(): string {
  const path = join(PROJECT, 'wrangler.toml');
  const found = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/m.exec(readFileSync(path, 'utf8'))?.[1];
  if (found === undefined) throw new Error(`expected a compatibility_date in ${path}`);
  return found;
}

/** Puts and gets objects of the Workers' R2 (storage.ts) from outside, as their bindings do. */
export class R2Client {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async put(object: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const ask = Buffer.from(JSON.stringify({ method: 'put', object }));
    const headers = { 'cf-r2-metadata-size': String(ask.length) };
    const response = await fetch(this.#url, { method: 'PUT', headers, body: Buffer.concat([ask, bytes]) });
    if (!response.ok) throw new Error(`put ${object}: ${response.status}`);
    await response.arrayBuffer();
  }

  /** Rejects when it is not there. */
  async get(object: string): Promise<Uint8Array<ArrayBuffer>> {
    const headers = { 'cf-r2-request': JSON.stringify({ method: 'get', object }) };
    const response = await fetch(this.#url, { headers });
    if (!response.ok) throw new Error(`get ${object}: ${response.status}`);
    const whole = new Uint8Array(await response.arrayBuffer());
    return whole.slice(Number(response.headers.get('cf-r2-metadata-size')));
  }
}
