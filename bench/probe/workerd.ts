/** Bundles the measured Worker, and runs it on bare workerd with the inventory's files at hand. */

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { MANIFEST_KEY } from '../../src/storage/keys.ts';
import type { Pass } from './contenders.ts';
import type { Inventory } from './inventory.ts';
import type { Loaded } from './worker.ts';
import { WORKLOADS, type Workload, type WorkloadName } from './workload.ts';

const COMPATIBILITY_DATE = '2026-11-09';
/** Reading and indexing 20.87M numbers takes some ten seconds. */
const REQUEST_LIMIT_MS = 300_000;
const START_LIMIT_MS = 10_000;

const require = createRequire(import.meta.url);

export class ProbeWorker {
  readonly #process: ChildProcess;
  readonly #address: string;
  readonly #folder: string;
  #isolate = '';

  /** Use `startProbeWorker`. */
  constructor(process: ChildProcess, address: string, folder: string) {
    this.#process = process;
    this.#address = address;
    this.#folder = folder;
  }

  load(): Promise<Loaded> {
    return this.#ask<Loaded>('load');
  }

  pass(contender: string, workload: WorkloadName, repeats: number): Promise<Pass> {
    return this.#ask<Pass>(`run?${new URLSearchParams({ contender, workload, repeats: String(repeats) })}`);
  }

  /** Rejects when another isolate answers than the one before: then it was not one run. */
  async #ask<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#address}/${path}`, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    if (!response.ok) throw new Error(`/${path}: status ${response.status}: ${await response.text()}`);
    const answer = (await response.json()) as T & { readonly isolate: string };
    if (this.#isolate !== '' && this.#isolate !== answer.isolate) throw new Error(`/${path}: a new isolate answered`);
    this.#isolate = answer.isolate;
    return answer;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function startProbeWorker(
  inventory: Inventory,
  workloads: Readonly<Record<WorkloadName, Workload>>,
): Promise<ProbeWorker> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-probe-'));
  writeData(join(folder, 'data'), inventory, workloads);
  await bundleWorker(folder);
  writeFileSync(join(folder, 'config.capnp'), CONFIG);
  const { default: binary } = require('workerd') as { default: string };
  const child = spawn(binary, ['serve', '--control-fd=3', 'config.capnp'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  return new ProbeWorker(child, `http://127.0.0.1:${await listeningPort(child)}`, folder);
}

function writeData(
  folder: string,
  { numbers, manifest, columns }: Inventory,
  workloads: Readonly<Record<WorkloadName, Workload>>,
): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'numbers'), numbers);
  writeFileSync(join(folder, MANIFEST_KEY), manifest);
  for (const [sha256, bytes] of columns) writeFileSync(join(folder, sha256), bytes);
  for (const name of WORKLOADS) {
    writeFileSync(join(folder, `${name}.probes`), workloads[name].probes);
    writeFileSync(join(folder, `${name}.expected`), workloads[name].expected);
  }
}

async function bundleWorker(folder: string): Promise<void> {
  copyFileSync(require.resolve('roaring-wasm/index.wasm'), join(folder, 'roaring.wasm'));
  await build({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
    outfile: join(folder, 'worker.js'),
    bundle: true,
    format: 'esm',
    target: 'es2023',
    // The build of roaring-wasm that asks for no Node modules.
    conditions: ['browser'],
    external: ['*.wasm', 'node:*'],
    logLevel: 'error',
  });
}

/** Port 0: the operating system chooses, and workerd tells on the control descriptor. */
const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "roaring.wasm", wasm = embed "roaring.wasm")],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      bindings = [(name = "DATA", service = "data")],
    )),
    (name = "data", disk = (path = "data", writable = false)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;

function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('workerd does not listen')), START_LIMIT_MS);
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code}`)));
    child.stdio[3]?.on('data', (line: Buffer) => {
      const event = JSON.parse(line.toString().split('\n')[0] ?? '{}') as { event?: string; port?: number };
      if (event.event !== 'listen' || event.port === undefined) return;
      clearTimeout(timer);
      resolve(event.port);
    });
  });
}
