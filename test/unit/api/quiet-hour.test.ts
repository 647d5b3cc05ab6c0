/** The whole service after a pause, and while storage fails, by a clock that tests set. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { tick } from '../../../src/merge/tick.ts';
import { someDetections } from '../../support/detections.ts';
import type { WholeSettings } from '../../support/whole.ts';
import { START, upload, type World } from '../../support/world.ts';
import { ADMIN, type Isolate, isolateOn, newKey, newSlowWorld, settled, slowly } from './isolates.ts';

const NUMBER = 12_025_550_177;
const HOUR_MS = 3_600_000;
const [SAMPLE] = someDetections(1, 1);
if (SAMPLE === undefined) throw new Error('no detection');
const SEEN = {
  ...SAMPLE,
  number: NUMBER,
  label: 'modem_pool_card',
  observedAt: START / 1000,
  firstSeenAt: START / 1000,
};

let world: World;
beforeEach(() => {
  world = newSlowWorld();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const isolate = (settings: WholeSettings = {}) => isolateOn(world, settings);

async function lookups({ call }: Isolate, key: string, count: number) {
  const path = `/v1/lookup?number=%2B${NUMBER}`;
  const responses = await Promise.all(Array.from({ length: count }, () => call('GET', path, key)));
  return Promise.all(
    responses.map(async (response) => {
      const { verdict, action, stale } = (await response.json()) as Record<string, unknown>;
      return `${response.status} ${verdict} ${action}${stale === true ? ' stale' : ''}`;
    }),
  );
}

/** Publishes what another isolate was sent. */
async function publish(): Promise<void> {
  world.clock = Date.now();
  await upload(world, `b${world.clock}`, [SEEN]);
  await settled(tick(world));
}

const all = (count: number, answer: string) => Array(count).fill(answer);

describe('after hours without requests', () => {
  test.each([1, 3])('%i: ten lookups at once all see what was listed meanwhile', async (hours) => {
    const here = isolate();
    const key = await newKey(isolate());
    expect(await lookups(here, key, 1)).toEqual(['200 clear allow']);
    await publish();
    await vi.advanceTimersByTimeAsync(hours * HOUR_MS);
    world.storeLog.clear();
    expect(await lookups(here, key, 10)).toEqual(all(10, '200 listed block'));
    const { 'getIfChanged manifest': manifests, 'getIfChanged config/': configs } = world.storeLog.counts();
    // The keys, and the index of tenants.
    expect([manifests, configs]).toEqual([1, 2]);
  });

  test('ten with a key that was made meanwhile elsewhere are all known', async () => {
    const here = isolate();
    const there = isolate();
    const known = await newKey(there);
    expect(await lookups(here, known, 1)).toEqual(['200 clear allow']);
    await vi.advanceTimersByTimeAsync(2000);
    const key = await newKey(there);
    expect(await lookups(here, key, 10)).toEqual(all(10, '200 clear allow'));
  });

  test('ten of a tenant whose rules have changed elsewhere are decided by the new ones', async () => {
    const here = isolate();
    const there = isolate();
    const key = await newKey(there);
    expect(await lookups(here, key, 1)).toEqual(['200 clear allow']);
    const put = { number: `+${NUMBER}`, list: 'block', reason: 'a test' };
    expect((await there.call('PUT', '/v1/overrides', ADMIN, put)).status).toBe(200);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(await lookups(here, key, 10)).toEqual(all(10, '200 clear block'));
  });

  test('and storage that fails: unknown, until it answers again', async () => {
    const here = isolate();
    const key = await newKey(here);
    expect(await lookups(here, key, 1)).toEqual(['200 clear allow']);
    await publish();
    await vi.advanceTimersByTimeAsync(HOUR_MS / 2);
    world.storeLog.beforeCall = () => Promise.reject(new Error('injected'));
    expect(await lookups(here, key, 10)).toEqual(all(10, '503 unknown undefined'));
    world.storeLog.beforeCall = slowly;
    expect(await lookups(here, key, 10)).toEqual(all(10, '200 listed block'));
  });

  test('and storage that fails, where the operator wants old answers: they say that they are old', async () => {
    const here = isolate({ RINGFENCE_STALE: 'serve' });
    const key = await newKey(here);
    expect(await lookups(here, key, 1)).toEqual(['200 clear allow']);
    await vi.advanceTimersByTimeAsync(HOUR_MS / 2);
    world.storeLog.beforeCall = () => Promise.reject(new Error('injected'));
    expect(await lookups(here, key, 10)).toEqual(all(10, '200 clear allow stale'));
  });
});

describe('one read that is never answered, while storage is healthy', () => {
  /** Lets so many calls pass, and the one after them hang. */
  function hangOnce(after: number): void {
    let calls = 0;
    world.storeLog.beforeCall = () => (calls++ === after ? new Promise<void>(() => undefined) : slowly());
  }

  test.each([0, 1, 2])('call %i of the first lookup: it is answered, and so is all that follows', async (after) => {
    const key = await newKey(isolate());
    await publish();
    const here = isolate();
    hangOnce(after);
    const startedAt = Date.now();
    expect(await lookups(here, key, 1)).toEqual(['200 listed block']);
    expect(Date.now() - startedAt).toBeLessThan(1000);
    expect(await lookups(here, key, 10)).toEqual(all(10, '200 listed block'));
  });

  test.each([0, 1, 2])('call %i after an hour without requests', async (after) => {
    const here = isolate();
    const key = await newKey(here);
    expect(await lookups(here, key, 1)).toEqual(['200 clear allow']);
    await publish();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    hangOnce(after);
    const startedAt = Date.now();
    expect(await lookups(here, key, 1)).toEqual(['200 listed block']);
    expect(Date.now() - startedAt).toBeLessThan(1000);
  });

  test('storage that hung for long and is back: the next lookup is answered', async () => {
    const key = await newKey(isolate());
    await publish();
    const here = isolate();
    world.storeLog.beforeCall = () => new Promise<void>(() => undefined);
    expect(await lookups(here, key, 1)).toEqual(['503 undefined undefined']);
    world.storeLog.beforeCall = slowly;
    expect(await lookups(here, key, 1)).toEqual(['200 listed block']);
  });
});

test('a setting that is none is refused', () => {
  expect(() => isolate({ RINGFENCE_STALE: 'sometimes' })).toThrow(
    'RINGFENCE_STALE: expected unknown or serve; found "sometimes"',
  );
});

test('with a request a second nothing is read but each of three objects every ten seconds', async () => {
  const here = isolate();
  const key = await newKey(here);
  await publish();
  expect(await lookups(here, key, 1)).toEqual(['200 listed block']);
  world.storeLog.clear();
  for (let second = 0; second < 60; second++) {
    expect(await lookups(here, key, 1)).toEqual(['200 listed block']);
    await vi.advanceTimersByTimeAsync(900);
  }
  const { 'getIfChanged manifest': manifests, 'getIfChanged config/': configs, ...rest } = world.storeLog.counts();
  expect(manifests).toBeLessThanOrEqual(6);
  expect(configs).toBeLessThanOrEqual(2 * 6);
  expect(rest).toEqual({});
});
