/**
 * Both Workers, their bucket, their namespace and the admin key, on a Cloudflare account: what is there is found again and
 * kept, what is not is made. All that can be asked is asked before anything is changed.
 *
 *   control Worker, its admin key -> edge Worker, its admin key
 *
 * The edge comes last: its binding needs the control Worker to be there. A deployment of the single Worker from before
 * has the name of the edge, so it answers until the edge takes its place; while both have crons, ticks overlap, which the
 * merge is made for.
 */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { CommandError } from '../command/errors.ts';
import { type WorkerConfigs, workerConfigs, writeWorkerConfigs } from '../command/worker-configs.ts';

export const SECRET = 'RINGFENCE_ADMIN_KEY';
/** Where they are secrets, nobody but the operator can copy them from one Worker to the other. */
const SETTINGS_OF_CONTROL = ['RINGFENCE_QUALITY', 'RINGFENCE_LABELS', 'RINGFENCE_STALE'];
const SLICES_BINDING = 'SLICES';

export interface DeployOptions {
  /** Of the edge Worker; the control Worker is then NAME-control. */
  readonly name?: string | undefined;
  readonly dryRun: boolean;
  /** Makes one even where there is one. */
  readonly newAdminKey: boolean;
  /** To be set where a Worker has none. */
  readonly adminKey: string | null;
  /** For `wrangler deploy`, as they are. */
  readonly passedOn: readonly string[];
}

export interface WranglerResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DeployDeps {
  /** With a terminal it shows its progress and asks its questions there; without, what it prints comes back. */
  readonly wrangler: (args: readonly string[], mode: 'terminal' | { readonly input: string }) => WranglerResult;
  /** Where configurations are written, for wrangler alone. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

const secretList = v.array(v.looseObject({ name: v.string() }));
const namespaceList = v.array(v.looseObject({ id: v.string(), title: v.string() }));
const deployment = v.looseObject({ versions: v.array(v.looseObject({ version_id: v.string() })) });
const workerVersion = v.looseObject({
  resources: v.looseObject({
    bindings: v.array(v.looseObject({ type: v.string(), name: v.string(), namespace_id: v.optional(v.string()) })),
  }),
});

/** @throws CommandError that says what was changed by then */
export function deploy(options: DeployOptions, deps: DeployDeps): void {
  const configs = workerConfigs(options.name);
  if (options.dryRun || options.passedOn.includes('--dry-run')) bundleOnly(configs, options, deps);
  else new Deployment(configs, options, deps).run();
}

function bundleOnly(configs: WorkerConfigs, { passedOn }: DeployOptions, { wrangler, folder }: DeployDeps): void {
  const paths = writeWorkerConfigs(folder, configs);
  const more = passedOn.filter((argument) => argument !== '--dry-run');
  for (const path of [paths.control, paths.edge]) {
    const { status } = wrangler(['deploy', '--config', path, '--dry-run', ...more], 'terminal');
    if (status !== 0) throw new CommandError('The Workers cannot be bundled. Nothing was changed.');
  }
}

const UNCHANGED = 'Nothing was changed.';
const AGAIN = 'Run `npm run deploy` again: it goes on from there.';

class Deployment {
  readonly #configs: WorkerConfigs;
  readonly #options: DeployOptions;
  readonly #deps: DeployDeps;
  /** For calls that ask: any of the two will do, since each call names its Worker. */
  readonly #asking: string;

  constructor(configs: WorkerConfigs, options: DeployOptions, deps: DeployDeps) {
    this.#configs = configs;
    this.#options = options;
    this.#deps = deps;
    this.#asking = writeWorkerConfigs(deps.folder, configs).control;
  }

  run(): void {
    const { edge, control } = this.#configs;
    const { say } = this.#deps;
    const before = { edge: this.#secretsOf(edge.name), control: this.#secretsOf(control.name) };
    const key = this.#keyToSet(before.edge, before.control);
    const bound = this.#withNamespace(before.edge !== null);
    const paths = writeWorkerConfigs(this.#deps.folder, bound);

    this.#deploy(paths.control, `${UNCHANGED} Not logged in? Run \`npx wrangler login\`.`);
    const isEdgeAsItWas = `The control Worker is deployed; ${edge.name} is as it was. ${AGAIN}`;
    if (key !== null) this.#putKey(control.name, key.value, isEdgeAsItWas);
    this.#deploy(paths.edge, isEdgeAsItWas);
    if (key !== null) {
      this.#putKey(
        edge.name,
        key.value,
        `Both Workers are deployed, but only ${control.name} has the admin key. ${AGAIN}`,
      );
    }
    say(`\nDeployed: ${edge.name}, and ${control.name} behind it. ${keyMessage(key, before.edge !== null)}`);
    this.#tellOfMissingSettings(before.edge ?? [], before.control ?? []);
  }

  /** Names of a Worker's secrets; null: there is no such Worker. */
  #secretsOf(name: string): readonly string[] | null {
    const result = this.#ask(['secret', 'list', '--format', 'json', '--name', name]);
    if (result.status === 0) return parsed(secretList, result, 'secrets').map((one) => one.name);
    if (result.stderr.includes(`Worker "${name}" not found`)) return null;
    throw failed(
      `The secrets of ${name} could not be listed. ${UNCHANGED} Not logged in? Run \`npx wrangler login\`.`,
      result,
    );
  }

  /**
   * The admin key is a secret: it can be set, and not be read back. Both Workers check keys, so they need the same one.
   * The edge gets its key last, so one that only the control Worker has was never shown to anybody.
   */
  #keyToSet(edge: readonly string[] | null, control: readonly string[] | null): KeyToSet | null {
    const { newAdminKey, adminKey } = this.#options;
    const hasEdge = edge?.includes(SECRET) === true;
    const hasControl = control?.includes(SECRET) === true;
    if (newAdminKey) return { value: mintKey(), isMade: true };
    if (hasEdge && hasControl) return null;
    if (adminKey !== null) return { value: adminKey, isMade: false };
    if (!hasEdge) return { value: mintKey(), isMade: true };
    throw new CommandError(
      `${this.#configs.edge.name} has an admin key, ${this.#configs.control.name} has none, and both need the same. It cannot be ` +
        `read back from Cloudflare, so either give it (the old one, or a new one that replaces it):\n\n` +
        `  ${SECRET}=... npm run deploy\n\nor have a new one made, which is shown once and replaces the old:\n\n` +
        `  npm run deploy -- --new-admin-key\n\n${UNCHANGED}`,
    );
  }

  /**
   * The configurations with the id of the namespace. In this order: the id in wrangler.toml; what the deployed Worker is
   * bound to, whatever that is called; the one with the name that wrangler gives to one it makes by itself; a new one.
   */
  #withNamespace(isDeployed: boolean): WorkerConfigs {
    const { edge, control } = this.#configs;
    const stated = edge.kv_namespaces?.find(({ binding }) => binding === SLICES_BINDING);
    if (stated?.id !== undefined) return this.#configs;
    const id = (isDeployed ? this.#boundNamespace() : null) ?? this.#namespaceByName();
    const kv_namespaces = [{ ...stated, binding: SLICES_BINDING, id }];
    return { edge: { ...edge, kv_namespaces }, control: { ...control, kv_namespaces } };
  }

  /** Null: the deployed Worker has no such binding. */
  #boundNamespace(): string | null {
    const { name } = this.#configs.edge;
    const current = this.#ask(['deployments', 'status', '--json', '--name', name]);
    // A Worker that so far has had nothing but secrets put.
    if (current.status !== 0 && current.stderr.includes('has no deployments')) return null;
    const [version] = parsed(deployment, current, `deployment of ${name}`).versions;
    if (version === undefined) return null;
    const found = this.#ask(['versions', 'view', version.version_id, '--json', '--name', name]);
    const { bindings } = parsed(workerVersion, found, `bindings of ${name}`).resources;
    return bindings.find((one) => one.type === 'kv_namespace' && one.name === SLICES_BINDING)?.namespace_id ?? null;
  }

  #namespaceByName(): string {
    // As wrangler calls a namespace that it makes for a binding without an id.
    const title = `${this.#configs.edge.name}-${SLICES_BINDING.toLowerCase()}`;
    const find = () =>
      parsed(namespaceList, this.#ask(['kv', 'namespace', 'list']), 'KV namespaces').find((one) => one.title === title)
        ?.id;
    const known = find();
    if (known !== undefined) return known;
    const created = this.#ask(['kv', 'namespace', 'create', title]);
    // Somebody else may have made it at the same moment: then it is there as well.
    const id = find();
    if (id === undefined) throw failed(`The KV namespace ${title} could not be created. ${UNCHANGED}`, created);
    this.#deps.say(`The KV namespace ${title} is created.`);
    return id;
  }

  #ask(args: readonly string[]): WranglerResult {
    return this.#deps.wrangler([...args, '--config', this.#asking], { input: '' });
  }

  #deploy(config: string, otherwise: string): void {
    const { status } = this.#deps.wrangler(['deploy', '--config', config, ...this.#options.passedOn], 'terminal');
    if (status !== 0) throw new CommandError(`\n${otherwise}`);
  }

  #putKey(name: string, key: string, otherwise: string): void {
    const args = ['secret', 'put', SECRET, '--name', name, '--config', this.#asking];
    const result = this.#deps.wrangler(args, { input: `${key}\n` });
    if (result.status !== 0) throw failed(`The admin key of ${name} could not be set. ${otherwise}`, result);
  }

  /** Settings that the operator has as secrets of the single Worker from before, which did the work of both. */
  #tellOfMissingSettings(edge: readonly string[], control: readonly string[]): void {
    const missing = SETTINGS_OF_CONTROL.filter((name) => edge.includes(name) && !control.includes(name));
    if (missing.length === 0) return;
    const { name } = this.#configs.control;
    this.#deps.say(
      `\n${this.#configs.edge.name} has ${missing.join(', ')} as a secret and ${name} has not, which needs it:\n\n` +
        missing.map((one) => `  npx wrangler secret put ${one} --name ${name}\n`).join(''),
    );
  }
}

interface KeyToSet {
  readonly value: string;
  /** Here, so that nobody knows it yet. */
  readonly isMade: boolean;
}

function keyMessage(key: KeyToSet | null, wasDeployed: boolean): string {
  if (key === null) return 'The admin key is as it was.';
  if (!key.isMade) return `The admin key of both is that of ${SECRET}.`;
  const before = wasDeployed ? ' One that there was before opens nothing any more.' : '';
  return `The admin key, shown this once:\n\n  ${key.value}\n\nMake keys for your services with POST /v1/keys.${before}`;
}

function mintKey(): string {
  return `rf_admin_${randomBytes(24).toString('hex')}`;
}

/** @throws CommandError if wrangler failed, or printed something else */
function parsed<const Schema extends v.GenericSchema>(schema: Schema, result: WranglerResult, what: string) {
  if (result.status !== 0) throw failed(`Wrangler could not tell the ${what}. ${UNCHANGED}`, result);
  try {
    return v.parse(schema, JSON.parse(result.stdout));
  } catch (cause) {
    throw new CommandError(`Wrangler told the ${what} in another form than expected. ${UNCHANGED}`, { cause });
  }
}

/** With what wrangler had to say. */
function failed(message: string, { stderr, stdout }: WranglerResult): CommandError {
  const said = (stderr.trim() || stdout.trim()).slice(0, 2000);
  return new CommandError(said === '' ? message : `${said}\n\n${message}`);
}
