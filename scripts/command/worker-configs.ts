/**
 * The configurations of the two Workers, from the one wrangler.toml. Wrangler takes a file for each Worker that runs
 * beside another, resources by their id, and the edge's files inherited by control: so they are written out here.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { experimental_readRawConfig, type Unstable_RawConfig } from 'wrangler';
import { CommandError } from './errors.ts';
import { PROJECT } from './paths.ts';

/** As wrangler reads it. Paths are absolute. */
export type WorkerConfig = Unstable_RawConfig;

export interface WorkerConfigs {
  readonly edge: WorkerConfig & { readonly name: string };
  readonly control: WorkerConfig & { readonly name: string };
}

/** Both Workers have these. Wrangler's environments do not inherit them, so wrangler.toml says them twice. */
const SHARED = ['r2_buckets', 'kv_namespaces', 'ratelimits'] as const;

/**
 * @param name of the edge Worker; the control Worker is then `NAME-control`. Not given: as wrangler.toml has them
 * @throws CommandError if wrangler.toml lacks what it takes, or gives the control Worker another store or other limiters
 */
export function workerConfigs(name?: string, path = join(PROJECT, 'wrangler.toml')): WorkerConfigs {
  const raw: WorkerConfig = experimental_readRawConfig({ config: path }).rawConfig;
  const { env = {}, ...top } = raw;
  const own = env.control;
  const edgeName = name ?? top.name;
  const controlName = name === undefined ? own?.name : `${name}-control`;
  if (!edgeName || !controlName || !top.main || !own?.main) {
    throw new CommandError(`${path}: expected name and main, at the top level and in [env.control]`);
  }
  const differing = SHARED.filter((key) => !isDeepStrictEqual(own[key], top[key]));
  if (differing.length > 0) {
    const found = differing.map((key) => `env.control.${key}`).join(', ');
    throw new CommandError(
      `${path}: expected ${found} to be as at the top level: both Workers have one store and its limiters`,
    );
  }
  const { assets, services = [], routes: _, route: __, ...inherited } = top;
  const edge = {
    ...top,
    name: edgeName,
    main: join(PROJECT, top.main),
    ...(assets?.directory !== undefined && { assets: { ...assets, directory: join(PROJECT, assets.directory) } }),
    services: services.map((one) => (one.service === own.name ? { ...one, service: controlName } : one)),
  };
  const control = {
    ...inherited,
    ...own,
    name: controlName,
    main: join(PROJECT, own.main),
    // What variables there are hold for both.
    vars: { ...top.vars, ...own.vars },
  };
  return { edge, control };
}

/**
 * Into a folder, if they are not there as they are already: wrangler watches them.
 * @returns the paths
 */
export function writeWorkerConfigs(
  folder: string,
  { edge, control }: WorkerConfigs,
): { edge: string; control: string } {
  mkdirSync(folder, { recursive: true });
  return { edge: write(join(folder, 'edge.json'), edge), control: write(join(folder, 'control.json'), control) };
}

function write(path: string, config: WorkerConfig): string {
  const text = `${JSON.stringify(config, null, 2)}\n`;
  if (readIfThere(path) === text) return path;
  // All or nothing: a command that is killed here leaves no half of one.
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
  return path;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
