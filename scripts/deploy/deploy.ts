/**
 * Both Workers, their bucket, their namespace and the admin key, on a Cloudflare account: what is there is found again
 * and kept, what is not is made. All that can be asked is asked before anything is changed.
 *
 *   over a Worker with a key: control Worker -> the key of both, if it is replaced -> edge Worker
 *   otherwise:                control Worker, its admin key -> edge Worker, its admin key
 *
 * The edge comes last: its binding needs the control Worker to be there. A deployment of the single Worker from before
 * has the name of the edge, so it answers until the edge takes its place; while both have crons, ticks overlap, which
 * the merge is made for.
 *
 * Of a secret one can see whether it is there, and nothing else. So where the edge has a key, the control Worker gets
 * the same one last, and has none while it is replaced: if both have one, they are equal, whatever failed before.
 */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { CommandError, UsageError } from '../command/errors.ts';
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
  /** To be set on both, whatever they have. */
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

/** As wrangler takes it; Cloudflare takes 63 characters, with the `-control` of the other Worker. */
const NAME = /^[a-z0-9_][a-z0-9_-]{0,54}$/;
/** They would hold for both Workers alike, or for none. */
const NOT_PASSED_ON = /^(?:--(?:name|config|env|help)(?:=|$)|-[ceh])/;

/** In any form that wrangler reads. */
const DRY_RUN = /^--dry-?run(?:=|$)/i;

/** @throws UsageError before anything is asked; CommandError that says what was changed by then */
export function deploy(options: DeployOptions, deps: DeployDeps): void {
  checkOptions(options);
  const configs = workerConfigs(options.name);
  if (options.dryRun || options.passedOn.some((argument) => DRY_RUN.test(argument))) bundleOnly(configs, options, deps);
  else new Deployment(configs, options, deps).run();
}

function checkOptions({ name, newAdminKey, adminKey, passedOn: [first = '-', ...more] }: DeployOptions): void {
  if (name !== undefined && !NAME.test(name)) {
    throw new UsageError(
      '--name takes up to 55 lower case letters, digits, dashes and underscores, and no dash first; the other Worker is NAME-control',
    );
  }
  // Wrangler would take it for the file to deploy.
  if (!first.startsWith('-')) throw new UsageError('Unexpected argument without an option; --help lists the options');
  if ([first, ...more].some((argument) => NOT_PASSED_ON.test(argument))) {
    throw new UsageError(
      '--name, --config, --env and --help cannot be handed on to wrangler; --help lists the options',
    );
  }
  if (newAdminKey && adminKey !== null) {
    throw new UsageError(`--new-admin-key makes an admin key, and ${SECRET} gives one: leave one of the two out`);
  }
}

function bundleOnly(configs: WorkerConfigs, { passedOn }: DeployOptions, { wrangler, folder, say }: DeployDeps): void {
  const paths = writeWorkerConfigs(folder, configs);
  const more = passedOn.filter((argument) => !DRY_RUN.test(argument));
  for (const which of ['control', 'edge'] as const) {
    const { name } = configs[which];
    say(`\n${name}, the ${which} Worker:`);
    const { status } = wrangler(['deploy', '--config', paths[which], '--dry-run', ...more], 'terminal');
    if (status !== 0) throw new CommandError(`\n${name} cannot be bundled. Nothing was asked of the account.`);
  }
  say('\nBoth Workers can be bundled. Nothing was asked of the account.');
}

const UNCHANGED = 'Nothing was changed.';

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
    this.#checkSettings(before.edge ?? [], before.control ?? []);
    const key = this.#keyToSet(before.edge, before.control);
    const bound = this.#withNamespace(before.edge !== null);
    const paths = writeWorkerConfigs(this.#deps.folder, bound);

    this.#deploy(paths.control, `${edge.name} is as it was, and so is the admin key. ${this.#again(null)}`);
    if (key?.isMade) say(`\nThe admin key, shown this once:\n\n  ${key.value}\n`);
    const isReplaced = key !== null && before.edge?.includes(SECRET) === true;
    if (isReplaced) this.#replaceKey(key, before.control?.includes(SECRET) === true);
    else if (key !== null) this.#putKey(control.name, key, `${edge.name} is as it was. ${this.#again(key)}`);
    this.#deploy(
      paths.edge,
      `${control.name} is deployed, and ${edge.name} is not. ${this.#again(isReplaced ? 'plain' : (key ?? 'plain'))}`,
    );
    if (key !== null && !isReplaced) {
      this.#putKey(
        edge.name,
        key,
        `Both Workers are deployed, but only ${control.name} has a key. ${this.#again(key)}`,
      );
    }
    say(`\nDeployed: ${edge.name}, and ${control.name} behind it. ${keyMessage(key, before.edge !== null)}`);
  }

  /** Names of a Worker's secrets; null: there is no such Worker. */
  #secretsOf(name: string): readonly string[] | null {
    const result = this.#ask(['secret', 'list', '--format', 'json', '--name', name]);
    if (result.status === 0) return parsed(secretList, result, 'secrets').map((one) => one.name);
    if (result.stderr.includes(`Worker "${name}" not found`)) return null;
    // Its own text advises an option that makes an account for an hour.
    if (result.stderr.includes('set a CLOUDFLARE_API_TOKEN')) {
      throw new CommandError(
        `Wrangler is not logged in to Cloudflare: run \`npx wrangler login\`, or set CLOUDFLARE_API_TOKEN. ${UNCHANGED}`,
      );
    }
    throw failed(
      `The secrets of ${name} could not be listed. ${UNCHANGED} \`npx wrangler login\` logs in anew.`,
      result,
    );
  }

  /**
   * The admin key is a secret: it can be set, and not be read back. Both Workers check keys, so they need the same one.
   * Where the edge has none, one of the control Worker is left from a first deployment that failed, and is replaced.
   */
  #keyToSet(edge: readonly string[] | null, control: readonly string[] | null): KeyToSet | null {
    const { newAdminKey, adminKey } = this.#options;
    if (adminKey !== null) return { value: adminKey, isMade: false };
    if (newAdminKey || !edge?.includes(SECRET)) return { value: mintKey(), isMade: true };
    if (control?.includes(SECRET)) return null;
    throw new CommandError(
      `${this.#configs.edge.name} has an admin key, ${this.#configs.control.name} has none, and both need the same. It cannot be ` +
        `read back from Cloudflare, so either give it (the old one, or a new one that replaces it):\n\n` +
        `  ${this.#command({ withKey: true })}\n\nor have a new one made, which is shown once and replaces the old:\n\n` +
        `  ${this.#command({ newAdminKey: true })}\n\n${UNCHANGED}`,
    );
  }

  /** At any moment of this, the control Worker has no key, or both have this one. */
  #replaceKey(key: KeyToSet, controlHasOne: boolean): void {
    const { edge, control } = this.#configs;
    const otherwise = `${control.name} is deployed, and has no admin key until that is done. ${this.#again(key)}`;
    if (controlHasOne) {
      const result = this.#ask(['secret', 'delete', SECRET, '--name', control.name]);
      if (result.status !== 0) {
        throw failed(`The admin key of ${control.name} could not be taken away. ${this.#again(key)}`, result);
      }
    }
    this.#putKey(edge.name, key, otherwise);
    this.#putKey(control.name, key, otherwise);
  }

  /**
   * How to finish, as a sentence.
   * @param from what is to be given: nothing has become of the key yet (null), this key, or none since both have it
   */
  #again(from: KeyToSet | null | 'plain'): string {
    if (from === 'plain') return `Run \`${this.#command({})}\`: it goes on from there.`;
    const { newAdminKey, adminKey } = this.#options;
    if (from === null) {
      return `Run \`${this.#command({ withKey: adminKey !== null, newAdminKey })}\` again: it goes on from there.`;
    }
    const which = from.isMade ? 'the admin key that is shown above' : 'the same admin key';
    return `Run \`${this.#command({ withKey: true })}\` with ${which}: it goes on from there.`;
  }

  /** Values that may be secrets are left out. */
  #command({ withKey = false, newAdminKey = false }: { withKey?: boolean; newAdminKey?: boolean }): string {
    const { name, passedOn } = this.#options;
    const own = [...(name === undefined ? [] : ['--name', name]), ...(newAdminKey ? ['--new-admin-key'] : [])];
    const all = [...own, ...(passedOn.length > 0 ? ['--', '...'] : [])];
    return [...(withKey ? [`${SECRET}=...`] : []), 'npm run deploy', ...(all.length > 0 ? ['--', ...all] : [])].join(
      ' ',
    );
  }

  /**
   * The configurations with the id of the namespace. In this order: the id in wrangler.toml; what the deployed Worker
   * is bound to, whatever that is called; the one with the name that wrangler gives to one it makes by itself; a new
   * one.
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

  #putKey(name: string, key: KeyToSet, otherwise: string): void {
    const args = ['secret', 'put', SECRET, '--name', name, '--config', this.#asking];
    const result = this.#deps.wrangler(args, { input: `${key.value}\n` });
    if (result.status !== 0) throw failed(`The admin key of ${name} could not be set. ${otherwise}`, result);
  }

  /**
   * Settings that the operator has as secrets of the single Worker from before, which did the work of both. Without
   * them the control Worker would screen uploads by other bounds, so it is not deployed before it has them.
   */
  #checkSettings(edge: readonly string[], control: readonly string[]): void {
    const { name, vars = {} } = this.#configs.control;
    const missing = SETTINGS_OF_CONTROL.filter(
      (one) => edge.includes(one) && !control.includes(one) && vars[one] === undefined,
    );
    if (missing.length === 0) return;
    throw new CommandError(
      `${this.#configs.edge.name} has ${missing.join(', ')} as a secret and ${name} has not, which needs it. Set it there first ` +
        `(wrangler offers to create the Worker: yes), then deploy:\n\n` +
        missing.map((one) => `  npx wrangler secret put ${one} --name ${name}\n`).join('') +
        `\n${UNCHANGED}`,
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
  return `The admin key is the one shown above.${before} Make keys for your services with POST /v1/keys.`;
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

/** Ours first, then what wrangler had to say. */
function failed(message: string, { stderr, stdout }: WranglerResult): CommandError {
  const said = (stderr.trim() || stdout.trim()).slice(0, 2000);
  return new CommandError(said === '' ? message : `${message}\n\nWrangler said:\n\n${said}`);
}
