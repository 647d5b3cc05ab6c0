/**
 * What an isolate of the edge waits for until its first answer, and after a pause: reads that leave the city, counted
 * by how many wait for one another (docs/decisions/0036).
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { ObservedObjectStore, ObservedSliceStore, type StorageCall } from '../../../bench/support/counting-stores.ts';
import { policyTreeOf } from '../../../src/policy/cel/compile.ts';
import { type CityCache, MemoryCityCache } from '../../../src/storage/city.ts';
import { createControl } from '../../../src/wiring/control.ts';
import { createEdge } from '../../../src/wiring/edge.ts';
import { createIsolate, type Stores, WORKERS_PLATFORM } from '../../../src/wiring/isolate.ts';
import { someDetections } from '../../support/detections.ts';
import { tickWithoutCompaction } from '../../support/tick-without-compaction.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const ADMIN = 'admin-key-of-more-than-32-characters';
const ORIGIN = 'https://ringfence.example';
const PARTS = [someDetections(400, 1), someDetections(150, 2), someDetections(60, 3)];
const BY_NUMBER = Map.groupBy(PARTS.flat(), ({ number }) => number);
/** A number that all runs have, and one beside it that none has. */
const LISTED = [...BY_NUMBER.keys()].find((number) =>
  PARTS.every((part) => part.some((detection) => detection.number === number)),
);
if (LISTED === undefined) throw new Error('no number is in all runs');
const UNLISTED = [1, 2, 3, 4, 5].map((more) => LISTED + more).find((number) => !BY_NUMBER.has(number)) ?? 0;

let world: World;
/** By tenant: `plain` has no rules of its own, `own` a policy and overrides. */
const keys = new Map<string, string>();

function isolateOn(stores: Stores, now = world.now) {
  const platform = { ...WORKERS_PLATFORM, now, sleep: () => NEVER, log: () => undefined };
  const settings = { RINGFENCE_ADMIN_KEY: ADMIN };
  return createIsolate(
    stores,
    settings,
    () => undefined,
    async (source) => policyTreeOf(source),
    [],
    platform,
  );
}

/** Whoever looks every few milliseconds whether something has ended looks once and never again. */
const NEVER = new Promise<never>(() => undefined);

/** Reads take steps: all that are under way are answered together, one step later. */
class Steps {
  /** What was read in each, by kind. */
  readonly taken: string[][] = [];
  #waiting: { readonly what: string; readonly release: () => void }[] = [];

  readonly around = async <T>(call: StorageCall, make: () => Promise<T>): Promise<T> => {
    const answer = await make();
    await new Promise<void>((release) => this.#waiting.push({ what: kindOf(call), release }));
    return answer;
  };

  async until<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    for (let idle = 0; !isDone; idle++) {
      // Hashes are made in threads: what is under way has come in when nothing is added for a while.
      for (let before = -1; before !== this.#waiting.length; ) {
        before = this.#waiting.length;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (isDone) break;
      if (this.#waiting.length === 0 && idle > 200) throw new Error('the answer waits for no read, and does not come');
      if (this.#waiting.length === 0) continue;
      const released = this.#waiting;
      this.#waiting = [];
      this.taken.push(released.map(({ what }) => what).sort());
      for (const { release } of released) release();
    }
    return done;
  }
}

function kindOf({ kind, key }: StorageCall): string {
  if (kind === 'sliceRead') return 'slice';
  return key.startsWith('segments/') ? 'segment' : key.replace(/\/\d{10}-[0-9a-f]+$/, '');
}

/** A new isolate, and what it reads. */
function newIsolate(more: Partial<Stores> = {}, now = world.now) {
  const steps = new Steps();
  const stores = {
    objects: new ObservedObjectStore(world.objects.memory, steps.around),
    slices: new ObservedSliceStore(world.slices.memory, steps.around),
    ...more,
  };
  const edge = createEdge(isolateOn(stores, now), { fetch: () => Promise.reject(new Error('not forwarded')) }, null);
  const ask = async (tenant: string, number: number, method = 'GET') => {
    const before = steps.taken.length;
    const headers = { authorization: `Bearer ${keys.get(tenant)}`, 'content-type': 'application/json' };
    const request =
      method === 'GET'
        ? new Request(`${ORIGIN}/v1/lookup?number=%2B${number}`, { headers })
        : new Request(`${ORIGIN}/v1/lookup`, { method, headers, body: JSON.stringify({ number: `+${number}` }) });
    const response = await steps.until(Promise.resolve(edge.fetch(request)));
    const answer = (await response.json()) as { readonly verdict: string; readonly rule: string };
    return { status: response.status, ...answer, steps: steps.taken.slice(before) };
  };
  return { edge, ask, steps };
}

const HEADS = ['config/keys', 'config/tenants', 'manifest'];
const DOCUMENTS = ['config/overrides/own', 'config/policies/own'];

beforeAll(async () => {
  world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  for (const [i, part] of PARTS.entries()) {
    await upload(world, `b${i}`, part);
    await tickWithoutCompaction(world);
  }
  const platform = { ...WORKERS_PLATFORM, now: world.now, sleep: world.sleep, log: () => undefined };
  const settings = { RINGFENCE_ADMIN_KEY: ADMIN };
  const control = createControl(
    createIsolate(
      world,
      settings,
      () => undefined,
      async (source) => policyTreeOf(source),
      [],
      platform,
    ),
    {},
  );
  const call = async (method: string, path: string, key: string, body: unknown) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await control.fetch(new Request(ORIGIN + path, { method, headers, body: JSON.stringify(body) }));
    expect(answer.status).toBeLessThan(300);
    return (await answer.json()) as { readonly key: string };
  };
  for (const tenant of ['plain', 'own']) {
    const { key } = await call('POST', '/v1/keys', ADMIN, { name: tenant, tenant, scopes: ['lookup', 'policy'] });
    keys.set(tenant, key);
  }
  const own = keys.get('own') ?? '';
  await call('PUT', '/v1/policy', own, { rules: [{ id: 'mine', when: 'true', action: 'flag' }] });
  await call('PUT', '/v1/overrides', own, { number: '+12025550123', list: 'allow', reason: 'of a test' });
});

describe('the first answer of an isolate', () => {
  for (const method of ['GET', 'POST']) {
    it(`takes two reads in a row for an unlisted number, and three for a listed one, without rules (${method})`, async () => {
      const unlisted = await newIsolate().ask('plain', UNLISTED, method);
      expect(unlisted).toMatchObject({ status: 200, verdict: expect.not.stringMatching('listed') });
      expect(unlisted.steps[0]).toEqual(HEADS);
      expect(unlisted.steps).toHaveLength(2);
      const listed = await newIsolate().ask('plain', LISTED, method);
      expect(listed).toMatchObject({ status: 200, verdict: 'listed' });
      expect(listed.steps.slice(1).flat()).not.toContain('config/keys');
      expect(listed.steps).toHaveLength(3);
    });

    it(`takes as many with a policy and overrides (${method})`, async () => {
      const unlisted = await newIsolate().ask('own', UNLISTED, method);
      expect(unlisted).toMatchObject({ status: 200, rule: 'mine' });
      expect(unlisted.steps[0]).toEqual(HEADS);
      expect(unlisted.steps[1]).toEqual(expect.arrayContaining(DOCUMENTS));
      expect(unlisted.steps).toHaveLength(2);
      const listed = await newIsolate().ask('own', LISTED, method);
      expect(listed).toMatchObject({ status: 200, verdict: 'listed', rule: 'mine' });
      expect(listed.steps).toHaveLength(3);
    });
  }

  it('reads nothing for whoever has no key', async () => {
    const { edge, steps } = newIsolate();
    const answer = await steps.until(Promise.resolve(edge.fetch(new Request(`${ORIGIN}/v1/lookup?number=%2B1`))));
    expect([answer.status, steps.taken]).toEqual([401, []]);
  });
});

describe('an answer after a pause', () => {
  it('waits for one look at all that may have changed', async () => {
    let now = world.clock;
    const { ask } = newIsolate({}, () => now);
    await ask('own', LISTED);
    now += 60_000;
    expect((await ask('own', LISTED)).steps).toEqual([HEADS]);
    now += 9_000;
    expect((await ask('own', LISTED)).steps).toEqual([]);
  });
});

describe('in a city with a cache', () => {
  const first = async (city: CityCache, clock: { now: number }) => {
    const { ask, edge } = newIsolate({ city }, () => clock.now);
    return { ask, edge, answer: await ask('own', LISTED) };
  };

  it('another isolate answers from it, and reads no more than what is too old in it', async () => {
    const clock = { now: world.clock };
    const city = new MemoryCityCache(() => clock.now);
    const one = await first(city, clock);
    expect(one.answer.steps).toHaveLength(3);
    clock.now += 8_000;
    const two = await first(city, clock);
    expect(two.answer).toMatchObject({ status: 200, verdict: 'listed', rule: 'mine' });
    expect(two.answer.steps).toEqual([]);
    clock.now += 8_000;
    const three = await first(city, clock);
    expect(three.answer.steps[0]).toEqual(HEADS);
    expect(three.answer.steps).toHaveLength(1);
  });

  it('a pause ends without leaving it, if another isolate has just looked', async () => {
    const clock = { now: world.clock };
    const city = new MemoryCityCache(() => clock.now);
    const one = await first(city, clock);
    const two = await first(city, clock);
    clock.now += 60_000;
    expect((await one.ask('own', LISTED)).steps).toEqual([HEADS]);
    clock.now += 5_000;
    expect((await two.ask('own', LISTED)).steps).toEqual([]);
  });

  it.each<[string, CityCache]>([
    ['fails', failing()],
    [
      'keeps nothing, as on workers.dev',
      { get: async () => null, put: async () => undefined, delete: async () => undefined },
    ],
    [
      'is full of rubbish',
      { get: async () => new Uint8Array(80).fill(7), put: async () => undefined, delete: async () => undefined },
    ],
  ])('that %s, all is as without one', async (_, city) => {
    const { answer } = await first(city, { now: world.clock });
    expect(answer).toMatchObject({ status: 200, verdict: 'listed', rule: 'mine' });
    expect(answer.steps[0]).toEqual(HEADS);
    expect(answer.steps).toHaveLength(3);
  });

  it('nothing is kept under a number or a key', async () => {
    const kept: string[] = [];
    const city = new MemoryCityCache(() => world.clock);
    const watched: CityCache = {
      get: (key) => city.get(key),
      put: (key, bytes, seconds) => {
        kept.push(key);
        return city.put(key, bytes, seconds);
      },
      delete: (key) => city.delete(key),
    };
    const { ask } = await first(watched, { now: world.clock });
    await ask('own', UNLISTED);
    expect(kept).toEqual(expect.arrayContaining(['manifest/newest', 'config/keys/newest', 'config/tenants/newest']));
    for (const key of kept) {
      expect(key).not.toContain(keys.get('own')?.slice(-12));
      expect(key).not.toMatch(new RegExp(`${LISTED}|${UNLISTED}`));
    }
  });
});

function failing(): CityCache {
  const fail = () => Promise.reject(new Error('injected'));
  return { get: fail, put: fail, delete: fail };
}
