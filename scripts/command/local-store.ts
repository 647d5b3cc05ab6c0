/**
 * The R2 bucket and KV namespace of a state folder, as `npm start` uses them, or of an account, through wrangler's
 * getPlatformProxy.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { GetPlatformProxyOptions } from 'wrangler';
import { messageOf } from '../../src/lib/errors.ts';
import { KvSliceStore, R2ObjectStore } from '../../src/storage/cloudflare.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';
import { describeHolder, holderOfFolder } from '../local/processes.ts';
import { checkStateParts, lockState } from '../local/state.ts';
import { QUIET } from '../local/wrangler.ts';
import { StoreError } from './errors.ts';
import { checkWritableFolder, PROJECT } from './paths.ts';

const CONFIG = join(PROJECT, 'wrangler.toml');
/**
 * `wrangler dev --persist-to DIR` keeps its state in this folder of DIR; getPlatformProxy is given the folder itself.
 */
const WRANGLER_STATE = 'v3';

export interface LocalStore {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  close(): Promise<void>;
}

/**
 * Opens the store of a state folder that is in use by nobody else, and locks it until it is closed.
 *
 * @param command that opens it, as the person at the terminal calls it
 * @param create whether a folder without a store gets an empty one
 * @throws StoreError if there is no store, if a server works on it, or if workerd does not start; CommandError if the
 *   folder cannot be used, or is locked
 */
export async function openLocalStore(
  stateFolder: string,
  { command, create }: { readonly command: string; readonly create: boolean },
): Promise<LocalStore> {
  const folder = join(stateFolder, WRANGLER_STATE);
  const isThere = existsSync(join(folder, 'r2'));
  if (!isThere && !create) {
    throw new StoreError(`there is no store in ${stateFolder}: give the folder of npm start with --state`);
  }
  checkWritableFolder(stateFolder, '--state');
  checkStateParts(stateFolder);
  const lock = lockState(stateFolder, command, null);
  try {
    if (isThere) checkNotInUse(stateFolder, folder);
    const store = await openStores(
      // No secret is needed.
      { configPath: CONFIG, envFiles: [], persist: { path: folder }, remoteBindings: false },
      `the store in ${stateFolder} could not be opened`,
    );
    return {
      ...store,
      async close() {
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * @param problem what a failure means to the person at the terminal
 * @throws StoreError if wrangler cannot open what the configuration binds
 */
export async function openStores(options: GetPlatformProxyOptions, problem: string): Promise<LocalStore> {
  Object.assign(process.env, QUIET);
  try {
    const { getPlatformProxy } = await import('wrangler');
    const { env, dispose } = await getPlatformProxy<{ readonly STORE: R2Bucket; readonly SLICES: KVNamespace }>(
      options,
    );
    return { objects: new R2ObjectStore(env.STORE), slices: new KvSliceStore(env.SLICES), close: dispose };
  } catch (error) {
    throw new StoreError(`${problem}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * The lock tells of commands of this project; `wrangler dev` has none. Two workerd processes on one state folder see
 * the same data, but get in each other's way: a read or a write that meets the other's lock fails at once, here and in
 * the server (tried: ticks and uploads answered 500). A running workerd keeps a lock on the databases of its state, so
 * whether there is one shows without asking it.
 */
function checkNotInUse(stateFolder: string, folder: string): void {
  for (const file of readdirSync(join(folder, 'r2'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.sqlite')) continue;
    if (isLocked(join(folder, 'r2', file))) {
      const holder = holderOfFolder(folder);
      const who = holder === null ? '' : ` (${describeHolder(holder)})`;
      throw new StoreError(`a server works on ${stateFolder}${who}: stop it, then run this again`);
    }
  }
}

/** Whether another process has the database open. Changes nothing in it. */
function isLocked(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // In this mode the first read takes the whole file, which it gets only if nobody else has any of it.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (messageOf(error).includes('locked')) return true;
    throw new StoreError(`${path} could not be read: ${messageOf(error)}`, { cause: error });
  } finally {
    database.close();
  }
}
