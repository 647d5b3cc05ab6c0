/**
 * The Workers as they are deployed, but that turns of the control Worker are counted: bundled by wrangler, on bare
 * workerd, with R2 and KV in another process (storage.ts) and a small Worker beside them that fires the cron. All of
 * them share workerd's one thread of JavaScript, so what one computes the others wait for: that is the hardest case,
 * whichever Worker an isolate of the platform has.
 */

import { spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { compatibilityDate } from '../../scripts/command/paths.ts';
import { bundleByWrangler, startWorkerd } from '../support/workerd.ts';

const CRON_CONFIG = 'every-minute';

export interface Running {
  readonly url: string;
  /** Fires the cron handler and waits until it has ended. */
  readonly cronUrl: string;
  /** The R2 of the Workers, for `R2Client`. */
  readonly r2Url: string;
  /** How often the control Worker has given way so far. */
  turns(): Promise<number>;
  stop(): Promise<void>;
}

interface Script {
  readonly name: string;
  readonly entry: string;
  readonly args: readonly string[];
  readonly bindings: readonly string[];
}

/** The first takes the requests, the last has the crons. */
const SCRIPTS: readonly Script[] = [
  {
    name: 'main',
    entry: 'src/edge.ts',
    args: [],
    bindings: [
      '(name = "CONTROL", service = "control")',
      '(name = "COMPILER", service = (name = "control", entrypoint = "PolicyCompiler"))',
    ],
  },
  { name: 'control', entry: 'bench/stall/control.ts', args: ['--env', 'control'], bindings: [] },
];

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
  for (const { name, entry, args } of SCRIPTS) bundleByWrangler(entry, join(scratch, name), args);
  const workerd = await startWorkerd(scratch, configuration({ r2, kv, adminKey }), {
    sockets: ['http', 'cron', 'turns'],
    flags: ['--experimental'],
  });
  const stopAll = () => {
    stop();
    return workerd.stop();
  };
  const turns = async () => Number(await (await fetch(workerd.urlOf('turns'))).text());
  return { url: workerd.url, cronUrl: workerd.urlOf('cron'), r2Url: `http://127.0.0.1:${r2}`, turns, stop: stopAll };
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

function configuration({
  r2,
  kv,
  adminKey,
}: {
  readonly r2: number;
  readonly kv: number;
  readonly adminKey: string;
}): string {
  const date = compatibilityDate();
  const worker = ({ name, entry, bindings }: Script) => `
    (name = "${name}", worker = (
      modules = [(name = "worker.js", esModule = embed "${name}/${basename(entry, '.ts')}.js")],
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
  services = [${SCRIPTS.map(worker).join('')}
    (name = "${CRON_CONFIG}", worker = (
      modules = [(name = "cron.js", esModule = ${JSON.stringify(CRON_WORKER)})],
      compatibilityDate = "${date}",
      compatibilityFlags = ["service_binding_extra_handlers"],
      bindings = [(name = "TARGET", service = "control")]
    )),
    (name = "r2", external = (address = "127.0.0.1:${r2}", http = ())),
    (name = "kv", external = (address = "127.0.0.1:${kv}", http = ()))
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "cron", address = "127.0.0.1:0", http = (), service = "${CRON_CONFIG}"),
    (name = "turns", address = "127.0.0.1:0", http = (), service = (name = "control", entrypoint = "Turns"))
  ]
);
`;
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
