/** The Worker that is measured, and that of another commit beside it: each with the store that its own code wrote. */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../scripts/command/errors.ts';
import type { BenchSize } from '../report.ts';
import { ensureInventory } from '../support/inventory.ts';
import { Random } from '../support/random.ts';
import type { Workerd } from '../support/workerd.ts';
import { prepareLoad, requestBytes } from './load.ts';
import { buildSmallStore, type NumberSample } from './numbers.ts';
import { type ClientKeys, createClients, measuredRoutes } from './routes.ts';
import type { Contender } from './saturation.ts';
import { startBenchWorker } from './workerd.ts';

const SEED = 20_250_516;

/** How one commit makes a store and keys, and serves them. Another commit's code is called by these names. */
interface Makers {
  readonly ensureInventory: typeof ensureInventory;
  readonly buildSmallStore: typeof buildSmallStore;
  readonly createClients: typeof createClients;
  readonly startBenchWorker: typeof startBenchWorker;
}

export const OWN: Makers = { ensureInventory, buildSmallStore, createClients, startBenchWorker };

/** @throws UsageError if the folder has no other checkout, or none of its libraries */
export async function makersOf(checkout: string): Promise<Makers> {
  const part = async <M>(name: string): Promise<M> => (await import(join(checkout, 'bench', name))) as M;
  if (!existsSync(join(checkout, 'bench', 'http', 'worker.ts'))) {
    throw new UsageError('--before: expected the folder of another checkout of this project');
  }
  if (!existsSync(join(checkout, 'node_modules'))) {
    throw new UsageError('--before: that checkout has no node_modules: run `npm ci` in it');
  }
  return {
    ...(await part<Pick<Makers, 'ensureInventory'>>('support/inventory.ts')),
    ...(await part<Pick<Makers, 'buildSmallStore'>>('http/numbers.ts')),
    ...(await part<Pick<Makers, 'createClients'>>('http/routes.ts')),
    ...(await part<Pick<Makers, 'startBenchWorker'>>('http/workerd.ts')),
  };
}

/**
 * A folder with `objects` and `slices`. The large one is made once and only read.
 * @param scratch a folder of our own
 */
export async function storeOf(makers: Makers, size: BenchSize, scratch: string): Promise<string> {
  if (size === 'full') return (await makers.ensureInventory('full')).folder;
  const store = join(scratch, 'store');
  await makers.buildSmallStore(store);
  return store;
}

export interface StartedContender extends Contender {
  readonly keys: ClientKeys;
}

/** The requests are the same for every contender, but for its keys. */
export async function startContender(
  makers: Makers,
  store: string,
  sample: NumberSample,
  scratch: string,
): Promise<StartedContender> {
  mkdirSync(scratch, { recursive: true });
  const folder = join(scratch, 'keys');
  const keys = await makers.createClients(folder);
  const adminKey = `unused-${crypto.randomUUID()}`;
  const workerd: Workerd = await makers.startBenchWorker({ store, keys: folder, adminKey, scratch });
  const { host } = new URL(workerd.url);
  const routes = measuredRoutes(sample, new Random(SEED), keys).map((route, i) => ({
    ...route,
    prepared: prepareLoad(join(scratch, `requests-${i}`), host, route.requests),
    bytes: route.requests.map((request) => requestBytes(host, request)),
  }));
  return { workerd, routes, keys };
}
