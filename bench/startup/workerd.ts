/**
 * What workerd takes to start copies of a Worker, in CPU time. Each copy is an isolate of its own, compiled and
 * evaluated before workerd listens, and each has a socket, at which its first request is sent.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { compatibilityDate } from '../../scripts/command/paths.ts';
import { bundleByWrangler, capnpText, runWrangler, startWorkerd } from '../support/workerd.ts';

export interface Script {
  /** The bundle, a file in the scratch folder. */
  readonly file: string;
  /** The same as it is uploaded, with its configuration. */
  readonly upload: string;
  /** Of the bundle, as the platform counts it. */
  readonly gzipBytes: number;
  /** A request that is answered from nothing but the script, and the status of its answer. */
  readonly path: string;
  readonly status: number;
}

/** @param entry in the project */
export function bundleScript(scratch: string, entry: string, path: string, status: number): Script {
  const name = entry.replace(/^.*\//, '').replace(/\.ts$/, '.js');
  const upload = join(scratch, `${name}.upload`);
  bundleByWrangler(entry, join(scratch, name), ['--env=', '--outfile', upload]);
  const file = `${name}/${name}`;
  return { file, upload, gzipBytes: gzipSync(readFileSync(join(scratch, file)), { level: 9 }).length, path, status };
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
  const workerd = await startWorkerd(scratch, configuration(script, names), {
    sockets: ['empty', ...names],
    isQuiet: true,
  });
  try {
    const startedMs = workerd.cpuSeconds() * 1000;
    for (const name of names) await ask(workerd.urlOf(name), script);
    return { startedMs, answeredMs: workerd.cpuSeconds() * 1000 };
  } finally {
    await workerd.stop();
  }
}

/** Milliseconds of the profile that `wrangler check startup` makes of importing the script, once, in workerd. */
export function profiledMs(scratch: string, { upload }: Script): number {
  const outfile = join(scratch, 'startup.cpuprofile');
  runWrangler(['check', 'startup', '--worker', upload, '--outfile', outfile]);
  const { startTime, endTime }: { startTime: number; endTime: number } = JSON.parse(readFileSync(outfile, 'utf8'));
  return (endTime - startTime) / 1000;
}

async function ask(url: string, { path, status }: Script): Promise<void> {
  const answer = await fetch(url + path);
  const text = await answer.text();
  if (answer.status !== status)
    throw new Error(`${path}: expected the status ${status}, found ${answer.status}: ${text}`);
}

/** R2 and KV of a new account, in the protocol of workerd's bindings: no list has an object, and no key is there. */
const EMPTY_STORE = `addEventListener('fetch', (event) => {
  const { method } = JSON.parse(event.request.headers.get('cf-r2-request') ?? '{}');
  const none = JSON.stringify({ objects: [], truncated: false, delimitedPrefixes: [] });
  const error = JSON.stringify({ version: 1, v4code: 10007, message: 'no such key' });
  const answer = method === 'list'
    ? new Response(none, { headers: { 'cf-r2-metadata-size': String(none.length) } })
    : new Response(null, { status: 404, headers: { 'cf-r2-error': error } });
  event.respondWith(answer);
});`;

/** The stores of the copies are empty: what is asked here is answered without them. */
function configuration({ file }: Script, names: readonly string[]): string {
  const date = compatibilityDate();
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
      serviceWorkerScript = ${capnpText(EMPTY_STORE)},
      compatibilityDate = "${date}"
    ))
  ],
  sockets = [
    ${[socket('empty', 'nothing'), ...names.map((name) => socket(name, name))].join(',\n    ')}
  ]
);
`;
}
