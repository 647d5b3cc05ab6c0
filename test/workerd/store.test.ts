import { reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, expect, test } from 'vitest';
import { KvSliceStore, R2ObjectStore, WorkersCityCache } from '../../src/storage/cloudflare.ts';
import { edgeStoresOf } from '../../src/wiring/edge.ts';
import { describeCityCache, describeObjectStore, describeSliceStore } from '../support/store-contract.ts';

afterEach(reset);

let deployments = 0;

describeObjectStore('R2', () => new R2ObjectStore(env.STORE));
describeSliceStore('KV', () => new KvSliceStore(env.SLICES));
describeCityCache('Cache API', () => new WorkersCityCache(caches.default, `version-${++deployments}`));

test('what a city has is of one version of the Worker; without one nothing is kept', async () => {
  const citiesOf = (id: string) => edgeStoresOf({ ...env, VERSION: { id, tag: '', timestamp: '' } }).city;
  const [one, two] = [citiesOf('one'), citiesOf('two')];
  await one?.put('manifest/newest', Uint8Array.of(1), 60);
  expect(await one?.get('manifest/newest')).toEqual(Uint8Array.of(1));
  expect(await two?.get('manifest/newest')).toBeNull();
  const { STORE, SLICES } = env;
  expect([citiesOf(''), edgeStoresOf({ STORE, SLICES }).city]).toEqual([undefined, undefined]);
});
