import { beforeEach, describe, expect, it } from 'vitest';
import { type CityCache, CityObjects, MemoryCityCache } from '../../../src/storage/city.ts';
import { WorkersCityCache } from '../../../src/storage/cloudflare.ts';
import { API_KEYS_KEY, MANIFEST_KEY } from '../../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { readImmutable } from '../../../src/storage/store.ts';

const START = Date.UTC(2026, 10, 20);
const bytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
const text = (given: Uint8Array) => new TextDecoder().decode(given);
/** As a reader checks what it has read. */
const checked = (given: Uint8Array) => {
  if (!text(given).endsWith('ok')) throw new RangeError('damaged');
  return text(given);
};

let now: number;
let store: MemoryObjectStore;
let cache: MemoryCityCache;
let city: CityObjects;
let background: Promise<unknown>[];
let events: string[];
/** Keys that storage was read for. */
let reads: string[];

function cityOn(given: CityCache, sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))) {
  const counted = new Proxy(store, {
    get: (target, name: keyof MemoryObjectStore) => {
      const method = target[name];
      if (!['get', 'getIfChanged', 'getRange'].includes(name)) return method.bind(target);
      return (key: string, ...rest: never[]) => {
        reads.push(key);
        return (method as (...args: unknown[]) => unknown).call(target, key, ...rest);
      };
    },
  });
  return new CityObjects(counted, {
    cache: given,
    now: () => now,
    sleep,
    waitUntil: (work) => void background.push(work),
    log: (event) => void events.push(event),
  });
}

beforeEach(() => {
  now = START;
  store = new MemoryObjectStore(() => now);
  cache = new MemoryCityCache(() => now);
  [background, events, reads] = [[], [], []];
  city = cityOn(cache);
});

const settled = () => Promise.all(background);

describe('what never changes', () => {
  const range = { offset: 2, length: 4 };

  it('is read from the store once, for all of the city', async () => {
    await store.put('segments/a', bytes('--ab' + 'ok--'));
    expect(await readImmutable(city, 'segments/a', range, checked)).toBe('abok');
    await settled();
    now += 30 * 86_400_000;
    expect(await readImmutable(cityOn(cache), 'segments/a', range, checked)).toBe('abok');
    expect(reads).toEqual(['segments/a']);
    // Another range of it, and the whole, are other entries.
    expect(await readImmutable(city, 'segments/a', { offset: 4, length: 2 }, checked)).toBe('ok');
    expect(await readImmutable(city, 'segments/a', null, text)).toBe('--abok--');
    expect(reads).toHaveLength(3);
  });

  it('that is damaged near is dropped, and read from the store', async () => {
    await store.put('segments/a', bytes('--abok--'));
    await cache.put('segments/a/2+4', bytes('abno'), 60);
    expect(await readImmutable(city, 'segments/a', range, checked)).toBe('abok');
    await settled();
    expect(text((await cache.get('segments/a/2+4')) ?? bytes(''))).toBe('abok');
    expect([reads, events]).toEqual([['segments/a'], ['city.unusable']]);
  });

  it('that is damaged near is gone, even if the store does not answer then', async () => {
    await store.put('segments/a', bytes('--ab'));
    await cache.put('segments/a/2+4', bytes('abno'), 60);
    await expect(readImmutable(city, 'segments/a', range, checked)).rejects.toThrow('outside');
    expect(await cache.get('segments/a/2+4')).toBeNull();
  });

  it('that is damaged in the store is not kept, nor that there is none', async () => {
    await store.put('segments/a', bytes('--abno--'));
    await expect(readImmutable(city, 'segments/a', range, checked)).rejects.toThrow('damaged');
    expect(await readImmutable(city, 'config/policies/a', null, checked)).toBeNull();
    await settled();
    expect(await Promise.all(['segments/a/2+4', 'config/policies/a'].map((at) => cache.get(at)))).toEqual([null, null]);
    await store.put('segments/a', bytes('--abok--'));
    await store.put('config/policies/a', bytes('ok'));
    expect(await readImmutable(city, 'segments/a', range, checked)).toBe('abok');
    expect(await readImmutable(city, 'config/policies/a', null, checked)).toBe('ok');
    expect(reads).toHaveLength(4);
  });

  it('is read from the store if the cache hangs, or cannot keep anything', async () => {
    const never = () => new Promise<never>(() => undefined);
    const refused = () => Promise.reject(new Error('injected'));
    await store.put('segments/a', bytes('--abok--'));
    for (const bad of [
      { get: never, put: never, delete: never },
      { get: refused, put: refused, delete: refused },
      { get: async () => bytes('rubbish'), put: refused, delete: refused },
      { get: async () => bytes('rubbish'), put: never, delete: never },
    ]) {
      expect(
        await readImmutable(
          cityOn(bad, async () => undefined),
          'segments/a',
          range,
          checked,
        ),
      ).toBe('abok');
    }
  });
});

describe('what changes', () => {
  const newest = (from = city) => from.near.newest(MANIFEST_KEY, checked);

  it('is near with the instant at which the read of it began, and only after a read', async () => {
    await store.put(MANIFEST_KEY, bytes('one ok'));
    expect(await newest()).toBeNull();
    const object = await city.get(MANIFEST_KEY);
    now += 3_000;
    await settled();
    const near = await newest(cityOn(cache));
    expect([near?.etag, near?.at, await near?.open()]).toEqual([object?.etag, START, 'one ok']);
    expect(reads).toEqual([MANIFEST_KEY]);
  });

  it('is as new as the last look that found it unchanged, without being read anew', async () => {
    await store.put(MANIFEST_KEY, bytes('one ok'));
    const { etag = '' } = (await city.get(MANIFEST_KEY)) ?? {};
    now += 20_000;
    expect(await city.getIfChanged(MANIFEST_KEY, etag)).toBe('unchanged');
    await settled();
    const near = await newest();
    expect([near?.at, await near?.open()]).toEqual([START + 20_000, 'one ok']);
    await store.put(MANIFEST_KEY, bytes('two ok'));
    await city.getIfChanged(MANIFEST_KEY, etag);
    expect(await (await newest())?.open()).toBe('two ok');
    // Nobody uses it as old as that.
    now += 30_000;
    expect(await newest()).toBeNull();
  });

  it('that is not there is not remembered', async () => {
    expect(await city.get(API_KEYS_KEY)).toBeNull();
    await settled();
    expect(await city.near.newest(API_KEYS_KEY, checked)).toBeNull();
    expect(await cache.get(`${API_KEYS_KEY}/newest`)).toBeNull();
  });

  it('that is damaged near is dropped: how old it is, or the object', async () => {
    await store.put(MANIFEST_KEY, bytes('one ok'));
    const { etag = '' } = (await city.get(MANIFEST_KEY)) ?? {};
    await settled();
    const version = `${MANIFEST_KEY}/etag/${etag}`;
    const whole = (await cache.get(version)) ?? bytes('');
    for (let i = 0; i < whole.length; i++) {
      const damaged = whole.slice();
      damaged[i] = (damaged[i] ?? 0) ^ 1;
      await cache.put(version, damaged, 60);
      expect(await (await newest())?.open(), `byte ${i}`).toBeNull();
    }
    expect(await cache.get(version)).toBeNull();
    const sound = (await cache.get(`${MANIFEST_KEY}/newest`)) ?? bytes('');
    for (let i = 0; i < sound.length; i++) {
      const damaged = sound.slice();
      damaged[i] = (damaged[i] ?? 0) ^ 1;
      await cache.put(`${MANIFEST_KEY}/newest`, damaged, 60);
      expect(await newest(), `byte ${i}`).toBeNull();
    }
    expect(await cache.get(`${MANIFEST_KEY}/newest`)).toBeNull();
  });

  it('that is an earlier one, whole, under the etag of a later one is dropped: storage would confirm it', async () => {
    await store.put(MANIFEST_KEY, bytes('one ok'));
    const { etag: one = '' } = (await city.get(MANIFEST_KEY)) ?? {};
    await store.put(MANIFEST_KEY, bytes('two ok'));
    const { etag: two = '' } = (await city.get(MANIFEST_KEY)) ?? {};
    await settled();
    await cache.put(`${MANIFEST_KEY}/etag/${two}`, (await cache.get(`${MANIFEST_KEY}/etag/${one}`)) ?? bytes(''), 60);
    expect(await (await newest())?.open()).toBeNull();
    expect(await cache.get(`${MANIFEST_KEY}/etag/${two}`)).toBeNull();
  });

  it('is no other object than the three that isolates hold', async () => {
    await store.put('census', bytes('ok'));
    await city.get('census');
    await settled();
    expect(await cache.get('census/newest')).toBeNull();
  });
});

describe('in Workers', () => {
  it('entries are under an address that nobody can ask for, of one deployment, for as long as they say', async () => {
    const kept = new Map<string, Response>();
    const platform = {
      match: async (url: string) => kept.get(url)?.clone(),
      put: async (url: string, response: Response) => void kept.set(url, response),
      delete: async (url: string) => kept.delete(url),
    } as unknown as Cache;
    const [one, two] = [new WorkersCityCache(platform, 'v1'), new WorkersCityCache(platform, 'v2')];
    await one.put('config/policies/*/a', bytes('ok'), 60);
    const [url = ''] = kept.keys();
    expect(url).toBe('https://city.ringfence.invalid/v1/config%2Fpolicies%2F*%2Fa');
    expect(kept.get(url)?.headers.get('cache-control')).toBe('public, max-age=60');
    expect(text((await one.get('config/policies/*/a')) ?? bytes(''))).toBe('ok');
    expect(await two.get('config/policies/*/a')).toBeNull();
    await one.delete('config/policies/*/a');
    expect(await one.get('config/policies/*/a')).toBeNull();
  });
});
