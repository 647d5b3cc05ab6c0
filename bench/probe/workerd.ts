/** Bundles the measured Worker, and runs it on bare workerd with the inventory's files at hand. */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { askJson } from '../../scripts/command/ask.ts';
import { compatibilityDate } from '../../scripts/command/paths.ts';
import { MANIFEST_KEY } from '../../src/storage/keys.ts';
import { startWorkerd, type Workerd } from '../support/workerd.ts';
import type { Pass } from './contenders.ts';
import type { Inventory } from './inventory.ts';
import type { Loaded } from './worker.ts';
import { WORKLOADS, type Workload, type WorkloadName } from './workload.ts';

/** Reading and indexing 20.87M numbers takes some ten seconds. */
const REQUEST_LIMIT_MS = 300_000;

const require = createRequire(import.meta.url);

class ProbeWorker {
  readonly #workerd: Workerd;
  readonly #folder: string;
  #isolate = '';

  /** Use `startProbeWorker`. */
  constructor(workerd: Workerd, folder: string) {
    this.#workerd = workerd;
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
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    const answer = await askJson<T & { readonly isolate: string }>(`${this.#workerd.url}/${path}`, { signal });
    if (this.#isolate !== '' && this.#isolate !== answer.isolate) throw new Error(`/${path}: a new isolate answered`);
    this.#isolate = answer.isolate;
    return answer;
  }

  async stop(): Promise<void> {
    await this.#workerd.stop();
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
  return new ProbeWorker(await startWorkerd(folder, CONFIG), folder);
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

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "roaring.wasm", wasm = embed "roaring.wasm")],
      compatibilityDate = "${compatibilityDate()}",
      bindings = [(name = "DATA", service = "data")],
    )),
    (name = "data", disk = (path = "data", writable = false)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
