/**
 * A request looks at each run of the inventory once for each of its numbers, and recognizes its key once, whichever way
 * it goes: what the quick way finds out on its way to a miss is not found out again.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { lookupByRpc } from '../../../src/api/rpc.ts';
import { KeyRegistry } from '../../../src/keys/registry.ts';
import { RunIndex } from '../../../src/lookup/snapshot.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { createReplica } from '../../../src/replica/replica.ts';
import { memoryReplicaStore } from '../../../src/replica/store.ts';
import { someDetections } from '../../support/detections.ts';
import { tickWithoutCompaction } from '../../support/tick-without-compaction.ts';
import { createWhole, type Whole, wholeFetch } from '../../support/whole.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const ADMIN_KEY = 'admin-key-of-more-than-32-characters';
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const PARTS = 3;

const detections = someDetections(300, 1).map((one, i) => {
  const observedAt = NOW_SECONDS - (i % 20) * 86_400;
  return { ...one, number: 12_025_550_000 + (one.number % 4_000) * 2, observedAt, firstSeenAt: observedAt - 86_400 };
});
const LISTED = detections[0]?.number ?? 0;
const UNLISTED = LISTED + 1;
const TODAY = new Date(NOW_SECONDS * 1000).toISOString().slice(0, 10);

let world: World;
let runs: number;
let generation: number;
let indexes: MockInstance<(number: number) => number>;
let recognitions: MockInstance;
let checks: MockInstance;

beforeAll(async () => {
  world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  world.clock = Date.now();
  // All know the first number, so that its verdicts are read from several runs.
  for (let i = 0; i < PARTS; i++) {
    const own = detections.slice(i * 100, i * 100 + 100);
    await upload(world, `b${i}`, i === 0 ? own : [...detections.slice(0, 1), ...own.slice(0, 30 - i * 14)]);
    await tickWithoutCompaction(world);
  }
  const { manifest } = await loadManifest(world.objects);
  generation = manifest.generation;
  runs = manifest.runs.length;
  expect(runs).toBe(PARTS);
});

beforeEach(() => {
  indexes = vi.spyOn(RunIndex.prototype, 'indexFor');
  recognitions = vi.spyOn(KeyRegistry.prototype, 'recognize');
  checks = vi.spyOn(KeyRegistry.prototype, 'authenticate');
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** A new isolate, with nothing in memory. */
function isolate() {
  const stores = { objects: world.objects.memory, slices: world.slices.memory };
  const runtime = createWhole(stores, { RINGFENCE_ADMIN_KEY: ADMIN_KEY }, () => {});
  return { runtime, answer: wholeFetch(runtime.services) };
}

type Isolate = ReturnType<typeof isolate>;

async function keyOf({ services }: Whole): Promise<string> {
  const made = await services.keys.create({ name: 'shop', scopes: ['lookup', 'feed', 'policy'] });
  if (made.kind !== 'created') throw new Error(made.kind);
  return made.key;
}

function get(path: string, token: string): Request {
  return new Request(`https://ringfence.example${path}`, { headers: { authorization: `Bearer ${token}` } });
}

function post(path: string, token: string, json: object, method = 'POST'): Request {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Request(`https://ringfence.example${path}`, { method, headers, body: JSON.stringify(json) });
}

/** Looks at a run, recognitions of the key, and proper checks of it (it was not recognized) that a request took. */
async function counted({ answer }: Isolate, request: Request) {
  indexes.mockClear();
  recognitions.mockClear();
  checks.mockClear();
  const response = await answer(request);
  expect(response.status, await response.text()).toBe(200);
  const [looks, keys, checked] = [indexes, recognitions, checks].map(({ mock }) => mock.calls.length);
  return { looks, keys, checked };
}

const quick = (number: number) => `/v1/lookup?number=%2B${number}`;

describe.each([
  ['listed', LISTED],
  ['not listed', UNLISTED],
])('a number that is %s', (_, number) => {
  it('quick, from memory, and before that by way of storage', async () => {
    const one = isolate();
    const key = await keyOf(one.runtime);
    // Nothing is in memory, and the key was never seen.
    expect(await counted(one, get(quick(number), key))).toEqual({ looks: runs, keys: 1, checked: 1 });
    expect(await counted(one, get(quick(number), key))).toEqual({ looks: runs, keys: 1, checked: 0 });
  });

  it('quick, when only its columns have to be read', async () => {
    const one = isolate();
    const key = await keyOf(one.runtime);
    // Key, rules and snapshot are at hand then.
    await one.answer(get(quick(442_079_460_001), key));
    expect(await counted(one, get(quick(number), key))).toEqual({ looks: runs, keys: 1, checked: 0 });
  });

  it('with evidence, a scenario, or a receipt, in memory or not', async () => {
    const one = isolate();
    const key = await keyOf(one.runtime);
    await one.runtime.services.keys.authenticate(key);
    for (const more of [{ evidence: true }, { scenario: 'signup' }, { receipt: true }, {}]) {
      const request = () => post('/v1/lookup', key, { number: `+${number}`, ...more });
      expect(await counted(one, request()), JSON.stringify(more)).toEqual({ looks: runs, keys: 1, checked: 0 });
    }
  });

  it('with rules that take its evidence, at hand or not', async () => {
    const first = isolate();
    const rules = [{ id: 'mine', when: '"acme" in projects', action: 'flag', mode: 'enforce' }];
    await first.answer(post('/v1/policy?tenant=acme', ADMIN_KEY, { rules }, 'PUT'));
    const one = isolate();
    const made = await one.runtime.services.keys.create({ name: 'acme', scopes: ['lookup'], tenant: 'acme' });
    if (made.kind !== 'created') throw new Error(made.kind);
    await one.runtime.services.keys.authenticate(made.key);
    for (let i = 0; i < 2; i++) {
      expect(await counted(one, get(quick(number), made.key))).toEqual({ looks: runs, keys: 1, checked: 0 });
    }
  });

  it('of an earlier day, and of the present generation', async () => {
    const one = isolate();
    const key = await keyOf(one.runtime);
    await one.runtime.services.keys.authenticate(key);
    expect(await counted(one, get(`${quick(number)}&asOf=${TODAY}`, key))).toEqual({
      looks: runs,
      keys: 1,
      checked: 0,
    });
    expect(await counted(one, get(`${quick(number)}&asOf=${generation}`, key))).toEqual({
      looks: runs,
      keys: 1,
      checked: 0,
    });
  });

  it('by RPC', async () => {
    const { services } = isolate().runtime;
    for (let i = 0; i < 2; i++) {
      indexes.mockClear();
      expect(await lookupByRpc(services, {}, { number: `+${number}` })).toMatchObject({ ok: true });
      expect(indexes).toHaveBeenCalledTimes(runs);
    }
  });

  it('in a replica', async () => {
    const origin = isolate();
    const replica = createReplica({
      url: 'https://ringfence.example',
      key: await keyOf(origin.runtime),
      store: memoryReplicaStore(),
      fetch: async (request) => origin.answer(request),
    });
    await replica.sync();
    for (let i = 0; i < 2; i++) {
      indexes.mockClear();
      expect(await replica.lookup({ number: `+${number}` })).toMatchObject({ ok: true });
      expect(indexes).toHaveBeenCalledTimes(runs);
    }
  });
});

it('in a batch, from storage and from memory', async () => {
  const one = isolate();
  const key = await keyOf(one.runtime);
  await one.runtime.services.keys.authenticate(key);
  const numbers = detections.slice(0, 60).flatMap(({ number }) => [`+${number}`, `+${number + 1}`]);
  const request = (some: readonly string[]) => post('/v1/lookup/batch', key, { numbers: some });
  for (let i = 0; i < 2; i++) {
    expect(await counted(one, request(numbers))).toEqual({ looks: numbers.length * runs, keys: 1, checked: 0 });
  }
});
