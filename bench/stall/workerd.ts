/**
 * The Workers as they are deployed, bundled by wrangler, on bare workerd, with R2 and KV in another process (storage.ts)
 * and a small Worker beside them that fires the cron. All of them share workerd's one thread of JavaScript, so what one
 * computes the others wait for: that is the hardest case, whichever Worker an isolate of the platform has.
 */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { compatibilityDate, PROJECT } from '../../scripts/command/paths.ts';
import { bundleByWrangler, startWorkerd } from '../support/workerd.ts';

const CRON_CONFIG = 'every-minute';

export interface Running {
  readonly url: string;
  /** Fires the cron handler and waits until it has ended. */
  readonly cronUrl: string;
  /** The R2 of the Workers, for `R2Client`. */
  readonly r2Url: string;
  stop(): Promise<void>;
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
  const node = spawn(process.execPath, [join(import.meta.dirname, 'storage.ts'), store, join(scratch, 'written')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const stop = () => {
    process.off('exit', stop);
    node.kill('SIGKILL');
  };
  process.once('exit', stop);
  const { r2, kv } = JSON.parse(await firstLine(node.stdout)) as { r2: number; kv: number };
  const all = scripts();
  for (const { name, entry, args } of all) bundleByWrangler(entry, join(scratch, name), args);
  const workerd = await startWorkerd(scratch, configuration(all, { r2, kv, adminKey }), {
    sockets: ['http', 'cron'],
    flags: ['--experimental'],
  });
  const stopAll = () => {
    stop();
    return workerd.stop();
  };
  return { url: workerd.url, cronUrl: workerd.urlOf('cron'), r2Url: `http://127.0.0.1:${r2}`, stop: stopAll };
}

function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stream });
    lines.once('line', resolve);
    lines.once('close', () => reject(new Error('the storage did not start; its own words are above')));
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
