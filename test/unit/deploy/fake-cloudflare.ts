/**
 * Wrangler on an account that exists in memory, as far as `npm run deploy` uses them. Where Cloudflare refuses, it
 * does: a second namespace of one title (10014), a binding to a Worker that is not there, a Worker that nobody
 * deployed.
 */
import { readFileSync } from 'node:fs';
import type { WorkerConfig } from '../../../scripts/command/worker-configs.ts';
import type { DeployDeps, WranglerResult } from '../../../scripts/deploy/deploy.ts';

export interface Deployed {
  main: string;
  version: string;
  crons: readonly string[];
  namespace: string;
  bucket: string;
  services: readonly string[];
  readonly secrets: Map<string, string>;
}

const ok = (stdout = ''): WranglerResult => ({ status: 0, stdout, stderr: '' });
const refused = (stderr: string): WranglerResult => ({ status: 1, stdout: '', stderr });

export class FakeCloudflare {
  readonly workers = new Map<string, Deployed>();
  readonly namespaces: { id: string; title: string }[] = [];
  readonly buckets = new Set<string>();
  /** Each without its configuration. */
  readonly calls: string[] = [];
  /** Commands that fail, by their first words. */
  readonly failing = new Set<string>();
  #ids = 0;

  /** What changed something. */
  get changes(): readonly string[] {
    return this.calls.filter((call) => /^(deploy|secret put|secret delete|kv namespace create) /.test(call));
  }

  readonly wrangler: DeployDeps['wrangler'] = (args, mode) => {
    const at = args.indexOf('--config');
    const config = JSON.parse(readFileSync(args[at + 1] ?? '', 'utf8')) as WorkerConfig;
    const own = [...args.slice(0, at), ...args.slice(at + 2)];
    const command = own.join(' ');
    const isDeploy = own[0] === 'deploy';
    this.calls.push(isDeploy ? `${command} ${config.name}` : command);
    if ([...this.failing].some((one) => `${this.calls.at(-1)} `.startsWith(`${one} `))) return refused('broken');
    // `wrangler deploy` alone has somebody to answer questions.
    if ((mode === 'terminal') !== isDeploy) {
      throw new Error(`${command}: expected another mode`);
    }
    if (isDeploy) return this.#deploy(config, own.slice(1));
    return this.#answer(command, mode === 'terminal' ? '' : mode.input);
  };

  #answer(command: string, input: string): WranglerResult {
    if (command === 'kv namespace list') return ok(JSON.stringify(this.namespaces));
    const [, title] = /^kv namespace create (\S+)$/.exec(command) ?? [];
    if (title !== undefined) return this.#createNamespace(title);
    const [, name = ''] = / --name (\S+)$/.exec(command) ?? [];
    const worker = this.workers.get(name);
    if (worker === undefined) return refused(`✘ [ERROR] Worker "${name}" not found.`);
    switch (command.slice(0, command.indexOf(' --name'))) {
      case 'secret list --format json':
        return ok(JSON.stringify([...worker.secrets.keys()].map((one) => ({ name: one, type: 'secret_text' }))));
      case 'secret put RINGFENCE_ADMIN_KEY':
        worker.secrets.set('RINGFENCE_ADMIN_KEY', input.trim());
        return ok();
      case 'secret delete RINGFENCE_ADMIN_KEY':
        if (!worker.secrets.delete('RINGFENCE_ADMIN_KEY')) return refused('no such secret [code: 10056]');
        return ok();
      case 'deployments status --json':
        return ok(JSON.stringify({ id: 'd', versions: [{ version_id: worker.version, percentage: 100 }] }));
      case `versions view ${worker.version} --json`: {
        const bindings = [
          { type: 'r2_bucket', name: 'STORE', bucket_name: worker.bucket },
          { type: 'kv_namespace', name: 'SLICES', namespace_id: worker.namespace },
        ];
        return ok(JSON.stringify({ id: worker.version, resources: { bindings } }));
      }
      default:
        throw new Error(`wrangler has no ${command}`);
    }
  }

  #createNamespace(title: string): WranglerResult {
    if (this.namespaces.some((one) => one.title === title)) return refused(`already exists [code: 10014]`);
    this.namespaces.push({ id: `ns-${++this.#ids}`, title });
    return ok('Success!');
  }

  #deploy(config: WorkerConfig, more: readonly string[]): WranglerResult {
    const { name = '', main = '', triggers, services = [], kv_namespaces = [], r2_buckets = [] } = config;
    if (more.includes('--dry-run')) return ok();
    const missing = services.find(({ service }) => !this.workers.has(service));
    if (missing !== undefined) return refused(`Could not resolve service binding ${missing.service} [code: 10143]`);
    const before = this.workers.get(name);
    let [{ id: namespace } = { id: undefined }] = kv_namespaces;
    if (namespace === undefined) {
      // As wrangler provisions what has no id: without a look at what there is.
      const created = this.#createNamespace(`${name}-slices`);
      if (created.status !== 0) return created;
      namespace = this.namespaces.at(-1)?.id ?? '';
    }
    const [{ bucket_name: bucket = '' } = {}] = r2_buckets;
    this.buckets.add(bucket);
    this.workers.set(name, {
      ...{ main, namespace, bucket, version: `v-${++this.#ids}` },
      services: [...new Set(services.map(({ service }) => service))],
      // A deployment that says nothing of triggers leaves those that there are.
      crons: triggers?.crons ?? before?.crons ?? [],
      secrets: before?.secrets ?? new Map(),
    });
    return ok();
  }
}
