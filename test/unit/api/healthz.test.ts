/** What /healthz says of a whole service in which something is broken. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecentLookups } from '../../../src/lookup/finder.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { tick } from '../../../src/merge/tick.ts';
import { API_KEYS_KEY, MANIFEST_KEY, TENANTS_KEY } from '../../../src/storage/keys.ts';
import { someDetections } from '../../support/detections.ts';
import type { WholeSettings } from '../../support/whole.ts';
import { upload, type World } from '../../support/world.ts';
import { type Isolate, isolateOn, newKey, newSlowWorld, settled, slowly } from './isolates.ts';

const [SAMPLE] = someDetections(1, 1);
if (SAMPLE === undefined) throw new Error('no detection');
/** Each in a block, a run and a segment of its own. */
const NUMBERS = [12_015_550_123, 12_025_550_123, 12_035_550_123];
const DAMAGED = new Uint8Array([1, 2, 3]);

let world: World;

beforeEach(async () => {
  world = newSlowWorld();
  // Its runs stay apart: nothing is folded, and ticks are stopped before they compact.
  Object.assign(world, { budget: { ...world.budget, inlineRecords: 1 } });
  for (const [i, number] of NUMBERS.entries()) {
    await upload(world, `b${i}`, [{ ...SAMPLE, number }]);
    world.clock += 60_000;
    let swaps = 0;
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put manifest' && ++swaps >= 2) throw new Error('injected: stopped');
    };
    await tick(world).catch(() => undefined);
  }
  world.storeLog.beforeCall = slowly;
  expect((await settled(loadManifest(world.objects))).manifest.runs).toHaveLength(NUMBERS.length);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function health({ call }: Isolate): Promise<string> {
  const response = await call('GET', '/healthz', null);
  const { ok, failing } = (await response.json()) as { ok: boolean; failing?: string[] };
  return [response.status, ok, ...(failing ?? [])].join(' ');
}

async function lookup({ call }: Isolate, key: string, number: number): Promise<number> {
  return (await call('GET', `/v1/lookup?number=%2B${number}`, key)).status;
}

const isolate = (settings: WholeSettings = {}) => isolateOn(world, settings);
const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Damages a segment and its slices; the result repairs them. */
async function damage(index: number): Promise<() => Promise<void>> {
  const { manifest } = await settled(loadManifest(world.objects));
  const [entry] = manifest.runs[index]?.segments ?? [];
  const object = entry === undefined ? null : await world.objects.memory.get(entry.key);
  if (entry === undefined || object === null) throw new Error('no segment');
  await world.objects.memory.put(entry.key, DAMAGED);
  const hashes = [entry.numbers.sha256];
  for (const hash of hashes) await world.slices.memory.put(hash, DAMAGED, 0);
  return async () => {
    await world.objects.memory.put(entry.key, object.bytes);
    for (const hash of hashes) await world.slices.memory.delete(hash);
  };
}

test('of lookups that asked storage, a tenth that got no answer counts, and the odd one does not', () => {
  let now = 0;
  const recent = new RecentLookups(() => now);
  const count = (failed: number, answered: number) => {
    for (let i = 0; i < failed; i++) recent.count(true);
    for (let i = 0; i < answered; i++) recent.count(false);
  };
  count(2, 0);
  expect(recent.isFailing()).toBe(false);
  count(1, 27);
  expect(recent.isFailing()).toBe(true);
  count(0, 1);
  expect(recent.isFailing()).toBe(false);
  now = 60_000;
  count(1, 0);
  expect(recent.isFailing(), 'the minute before counts').toBe(true);
  now = 120_000;
  expect(recent.isFailing()).toBe(false);
});

describe('health', () => {
  test('is well in a store that is, and in an empty one', async () => {
    expect(await health(isolate())).toBe('200 true');
    world = newSlowWorld();
    expect(await health(isolate())).toBe('200 true');
  });

  test('with every segment damaged in both stores is as bad as the lookups, and well once they are', async () => {
    const repairs = [await damage(0), await damage(1), await damage(2)];
    const here = isolate();
    const key = await newKey(here);
    expect(await lookup(here, key, NUMBERS[0] as number)).toBe(503);
    expect(await health(here)).toBe('503 false lookups');
    for (const repair of repairs) await repair();
    await later(10_000);
    expect(await lookup(here, key, NUMBERS[0] as number)).toBe(200);
    expect(await health(here)).toBe('200 true');
  });

  test('finds the one segment that is damaged before long, though nobody asks for its numbers', async () => {
    await damage(1);
    const here = isolate();
    const seen = [];
    for (let i = 0; i < NUMBERS.length; i++) {
      seen.push(await health(here));
      await later(10_000);
    }
    expect(seen.toSorted()).toEqual(['200 true', '200 true', '503 false lookups']);
  });

  test('tells of lookups that get no answer, and forgets them', async () => {
    await damage(1);
    const here = isolate();
    const key = await newKey(here);
    // Of the other two segments, until the probe held is a good one.
    while ((await health(here)) !== '200 true') await later(10_000);
    const number = NUMBERS[1] as number;
    for (let i = 0; i < 3; i++) {
      expect(await health(here)).toBe('200 true');
      expect(await lookup(here, key, number)).toBe(503);
    }
    expect(await health(here)).toBe('503 false lookups');
    await later(180_000);
    while ((await health(here)) !== '200 true') await later(10_000);
  });

  test('tells of keys, of rules, and of both, that cannot be read', async () => {
    await newKey(isolate());
    const [keys, index] = [await world.objects.memory.get(API_KEYS_KEY), await world.objects.memory.get(TENANTS_KEY)];
    await world.objects.memory.put(API_KEYS_KEY, DAMAGED);
    expect(await health(isolate())).toBe('503 false keys');
    await world.objects.memory.put(TENANTS_KEY, DAMAGED);
    expect(await health(isolate())).toBe('503 false keys rules');
    if (keys === null || index === null) throw new Error('expected both to be there');
    await world.objects.memory.put(API_KEYS_KEY, keys.bytes);
    expect(await health(isolate())).toBe('503 false rules');
    await world.objects.memory.put(TENANTS_KEY, index.bytes);
    expect(await health(isolate())).toBe('200 true');
  });

  test('without a manifest, or while storage fails or hangs, says so in time', async () => {
    const here = isolate();
    expect(await health(here)).toBe('200 true');
    world.storeLog.beforeCall = () => Promise.reject(new Error('injected'));
    expect(await health(isolate())).toBe('503 false inventory lookups keys rules');
    world.storeLog.beforeCall = () => new Promise(() => {});
    const from = Date.now();
    expect(await health(isolate())).toBe('503 false inventory lookups keys rules');
    expect(Date.now() - from).toBeLessThan(6_000);
    await later(120_000);
    expect((await health(here)).startsWith('503 false inventory')).toBe(true);
    world.storeLog.beforeCall = slowly;
    await world.objects.memory.delete([MANIFEST_KEY]);
    expect(await health(isolate())).toBe('503 false inventory lookups');
  });

  test('while nothing but columns hangs: a probe that does not end is a failing one', async () => {
    world.storeLog.beforeCall = (name) =>
      name === 'kv get' || name === 'getRange segments/' ? new Promise(() => {}) : slowly();
    const from = Date.now();
    expect(await health(isolate())).toBe('503 false lookups');
    expect(Date.now() - from).toBeLessThan(6_000);
  });

  test('with a snapshot whose segments have been collected meanwhile goes on with the current one', async () => {
    const here = isolate();
    await settled(here.runtime.finder.snapshots.get());
    const { manifest } = await settled(loadManifest(world.objects));
    world.clock += 3_600_000;
    await settled(compactFully(world));
    for (const { segments } of manifest.runs) {
      for (const { key, numbers } of segments) {
        await world.objects.memory.delete([key]);
        await world.slices.memory.delete(numbers.sha256);
      }
    }
    expect(await health(here)).toBe('200 true');
  });

  test('with answers that the operator wants served at any age: still says that they are old', async () => {
    const here = isolate({ RINGFENCE_STALE: 'serve' });
    expect(await health(here)).toBe('200 true');
    world.storeLog.beforeCall = () => Promise.reject(new Error('injected'));
    await later(121_000);
    expect(await health(here)).toContain('503 false inventory');
  });

  test('however often it is asked for, and however many ask at once, reads no more than a probe in ten seconds', async () => {
    const here = isolate();
    world.storeLog.clear();
    const answers = await settled(Promise.all(Array.from({ length: 100 }, () => here.runtime.services.health())));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(100);
    // Manifest, keys, index, and of one segment numbers and verdicts.
    expect(world.storeLog.calls.length).toBeLessThanOrEqual(5);
    world.storeLog.clear();
    for (let minute = 0; minute < 10; minute++) {
      for (let i = 0; i < 6; i++) {
        expect(await health(here)).toBe('200 true');
        await later(9_900);
      }
    }
    const { 'getRange segments/': reads = 0, ...rest } = world.storeLog.counts();
    expect(reads).toBeLessThanOrEqual(2 * (NUMBERS.length - 1));
    expect(Object.keys(rest).toSorted()).toEqual(['get config/', 'getIfChanged manifest']);
  });
});
