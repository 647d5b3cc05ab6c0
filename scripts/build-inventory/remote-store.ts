/**
 * The bucket and the KV namespace of a deployed Ringfence, through wrangler's remote bindings: the very bindings that the
 * Worker has, with the login of `npx wrangler login` or CLOUDFLARE_API_TOKEN.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../src/merge/context.ts';
import { KvSliceStore } from '../../src/store/kv.ts';
import { R2ObjectStore } from '../../src/store/r2.ts';
import { PROJECT } from '../command/paths.ts';
import type { LocalStore } from '../fsck/local-store.ts';
import { BuildError } from './build-error.ts';

export interface RemoteTarget {
  readonly bucket: string;
  /** 32 hex digits, as `npx wrangler kv namespace list` shows it. */
  readonly namespaceId: string;
}

/** The configuration that binds the two, under the names that the Worker has for them. */
export function remoteConfig({ bucket, namespaceId }: RemoteTarget, compatibilityDate: string): object {
  return {
    name: 'ringfence-build-inventory',
    compatibility_date: compatibilityDate,
    r2_buckets: [{ binding: 'STORE', bucket_name: bucket, remote: true }],
    kv_namespaces: [{ binding: 'SLICES', id: namespaceId, remote: true }],
  };
}

/**
 * @param folder where the configuration is written
 * @throws BuildError `invalid-request` if wrangler cannot reach the account
 */
export async function openRemoteStore(target: RemoteTarget, folder: string): Promise<LocalStore> {
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(readFileSync(join(PROJECT, 'wrangler.toml'), 'utf8'))?.[1];
  if (date === undefined) throw new Error('wrangler.toml has no compatibility_date');
  mkdirSync(folder, { recursive: true });
  const configPath = join(folder, 'wrangler.json');
  writeFileSync(configPath, JSON.stringify(remoteConfig(target, date)));
  try {
    const { getPlatformProxy } = await import('wrangler');
    const { env, dispose } = await getPlatformProxy<{ readonly STORE: R2Bucket; readonly SLICES: KVNamespace }>({
      configPath,
      envFiles: [],
      persist: false,
      remoteBindings: true,
    });
    return { objects: new R2ObjectStore(env.STORE), slices: new KvSliceStore(env.SLICES), close: dispose };
  } catch (error) {
    throw new BuildError('invalid-request', `--remote: the account could not be reached: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
