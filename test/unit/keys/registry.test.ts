import { beforeEach, describe, expect, it } from 'vitest';
import { allows, SCOPES } from '../../../src/keys/key.ts';
import { decodeKeys, encodeKeys, KeyRegistry, MAX_KEYS, type NewKey } from '../../../src/keys/registry.ts';
import { API_KEYS_KEY } from '../../../src/storage/keys.ts';
import { countingBytes, type Failure, FlakyStore } from './storage.ts';

const ADMIN_KEY = 'admin-key-of-more-than-32-characters';
const LOOKUP: NewKey = { name: 'sign-up form', scopes: ['lookup'] };

let now: number;
let objects: FlakyStore;
let background: Promise<unknown>[];
let reported: unknown[];
let delays: number[];
let randomBytes: (length: number) => Uint8Array;

/** Another isolate on the same store. */
function isolate(adminKey: string | null = ADMIN_KEY): KeyRegistry {
  return new KeyRegistry({
    objects,
    adminKey,
    now: () => now,
    randomBytes,
    sleep,
    waitUntil: (promise) => void background.push(promise),
    report: (error) => void reported.push(error),
  });
}

async function created(registry: KeyRegistry, key: NewKey = LOOKUP): Promise<{ id: string; key: string }> {
  const result = await registry.create(key);
  if (result.kind !== 'created') throw new Error(`expected a key; found ${result.kind}`);
  return result;
}

async function kindOf(registry: KeyRegistry, token: string): Promise<string> {
  return (await registry.authenticate(token)).kind;
}

/** Reads the keys for the first time, which is no background work. */
async function warm(registry: KeyRegistry, key: string): Promise<void> {
  expect(await kindOf(registry, key)).toBe('known');
  background = [];
}

async function settle(): Promise<void> {
  await Promise.all(background.splice(0));
}

/** Ends after all that the store in memory has to do, so that nothing but a read that hangs takes longer. */
function sleep(delayMs: number): Promise<void> {
  delays.push(delayMs);
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Reads from now on are answered only when the result is called. */
function holdReads(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  objects.meanwhile = () => promise;
  return resolve;
}

beforeEach(() => {
  now = 1_748_506_320_000;
  objects = new FlakyStore();
  background = [];
  reported = [];
  delays = [];
  randomBytes = countingBytes();
});

describe('recognize', () => {
  it('knows a stored key that has been authenticated, and no other text', async () => {
    const registry = isolate();
    const { key } = await created(registry);
    expect(registry.recognize(key)).toBeNull();
    const result = await registry.authenticate(key);
    expect(result).toMatchObject({ kind: 'known', principal: registry.recognize(key) });
    expect(registry.recognize(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`)).toBeNull();
  });

  it('leaves the admin key to authenticate', async () => {
    const registry = isolate();
    await registry.authenticate(ADMIN_KEY);
    expect(registry.recognize(ADMIN_KEY)).toBeNull();
  });

  it('says nothing once the copy of the keys is due for a refresh', async () => {
    const registry = isolate();
    const { key } = await created(registry);
    await warm(registry, key);
    now += 9_999;
    expect(registry.recognize(key)).not.toBeNull();
    now += 1;
    expect(registry.recognize(key)).toBeNull();
  });

  it('forgets a key that has been deleted', async () => {
    const registry = isolate();
    const { id, key } = await created(registry);
    await warm(registry, key);
    await registry.delete(id);
    expect(registry.recognize(key)).toBeNull();
  });
});

describe('authenticate', () => {
  it('knows the admin key without any storage', async () => {
    objects.failure = 'all';
    const result = await isolate().authenticate(ADMIN_KEY);
    expect(result).toEqual({
      kind: 'known',
      principal: { id: 'admin', tenant: 'default', scopes: SCOPES, perMinute: null },
    });
    expect(objects.reads).toBe(0);
  });

  it('refuses what does not look like a key without any storage', async () => {
    const registry = isolate();
    for (const token of ['', 'x', `${ADMIN_KEY} `, ADMIN_KEY.slice(1), 'y'.repeat(10_000), 'rf_000102030405_ff']) {
      expect(await kindOf(registry, token)).toBe('refused');
    }
    expect(objects.reads).toBe(0);
  });

  it('has no admin key unless there is one', async () => {
    expect(await kindOf(isolate(null), ADMIN_KEY)).toBe('refused');
    expect(await kindOf(isolate(null), '')).toBe('refused');
  });

  it('knows a stored key with its tenant, scopes and quota, in every isolate', async () => {
    const spec: NewKey = { name: 'feed', scopes: ['feed', 'lookup'], tenant: 'bank', quota: { perMinute: 60 } };
    const { id, key } = await created(isolate(), spec);
    const result = await isolate().authenticate(key);
    expect(result).toEqual({
      kind: 'known',
      principal: { id, tenant: 'bank', scopes: ['lookup', 'feed'], perMinute: 60 },
    });
  });

  it('refuses another secret with the id of a key', async () => {
    const registry = isolate();
    const { key } = await created(registry);
    const last = key.at(-1) === '0' ? '1' : '0';
    expect(await kindOf(registry, key.slice(0, -1) + last)).toBe('refused');
  });

  it('never stores what could prove a key', async () => {
    const { key } = await created(isolate());
    const stored = new TextDecoder().decode((await objects.get(API_KEYS_KEY))?.bytes);
    expect(stored).toContain('sign-up form');
    expect(stored).not.toContain(key.slice(-40));
  });

  it('reads nothing for a key that it holds', async () => {
    const { key } = await created(isolate());
    const registry = isolate();
    await warm(registry, key);
    objects.reads = 0;
    for (let i = 0; i < 100; i++) expect(await kindOf(registry, key)).toBe('known');
    expect(objects.reads).toBe(0);
    expect(background).toHaveLength(0);
  });

  it('knows a key made a moment ago elsewhere, and looks for unknown ones once a second at most', async () => {
    const registry = isolate();
    const { key: first } = await created(isolate());
    expect(await kindOf(registry, first)).toBe('known');
    const { key: second } = await created(isolate());
    expect(await kindOf(registry, second)).toBe('refused');
    now += 1000;
    expect(await kindOf(registry, second)).toBe('known');
    objects.reads = 0;
    now += 1000;
    const guess = `rf_${'f'.repeat(12)}_${'0'.repeat(40)}`;
    for (let i = 0; i < 10; i++) expect(await kindOf(registry, guess)).toBe('refused');
    expect(objects.reads).toBe(1);
  });

  it('keeps working with many keys in use', async () => {
    const registry = isolate();
    const keys: string[] = [];
    for (let i = 0; i < 300; i++) keys.push((await created(registry)).key);
    for (const key of [...keys, ...keys]) expect(await kindOf(registry, key)).toBe('known');
  });
});

describe('revocation', () => {
  it('is effective at once in the same isolate', async () => {
    const registry = isolate();
    const { id, key } = await created(registry);
    expect(await registry.delete(id)).toMatchObject({ id, tenant: 'default' });
    expect(await kindOf(registry, key)).toBe('refused');
  });

  it('is effective elsewhere after a background refresh, which no request waits for', async () => {
    const { id, key } = await created(isolate());
    const registry = isolate();
    await warm(registry, key);
    await isolate().delete(id);
    now += 9_999;
    expect(await kindOf(registry, key)).toBe('known');
    expect(background).toHaveLength(0);
    now += 1;
    const release = holdReads();
    expect(await kindOf(registry, key)).toBe('known');
    expect(await kindOf(registry, key)).toBe('known');
    expect(background).toHaveLength(1);
    release();
    await settle();
    expect(await kindOf(registry, key)).toBe('refused');
  });

  it('is effective within a minute in an isolate that was idle', async () => {
    const { id, key } = await created(isolate());
    const registry = isolate();
    await registry.authenticate(key);
    await isolate().delete(id);
    now += 60_000;
    expect(await kindOf(registry, key)).toBe('refused');
  });

  it('is tried again if the request that refreshed was cut off', async () => {
    const { key } = await created(isolate());
    const registry = isolate();
    await warm(registry, key);
    now += 10_000;
    // The runtime drops the rest of a cancelled request: its read never ends.
    holdReads();
    await registry.authenticate(key);
    now += 9_999;
    await registry.authenticate(key);
    expect(background).toHaveLength(1);
    now += 1;
    await registry.authenticate(key);
    expect(background).toHaveLength(2);
  });

  it('is not undone by a read that began before it', async () => {
    const registry = isolate();
    const { id, key } = await created(registry);
    now += 10_000;
    // Another isolate changed the file, so that the slow refresh below has something to take over.
    await created(isolate());
    const release = holdReads();
    await registry.authenticate(key);
    objects.meanwhile = async () => undefined;
    now += 1000;
    await registry.delete(id);
    release();
    await settle();
    expect(await kindOf(registry, key)).toBe('refused');
  });
});

describe('while storage fails', () => {
  it('has no answer if it never had one, and has one as soon as storage is back', async () => {
    const { key } = await created(isolate());
    objects.failure = 'all';
    const registry = isolate();
    expect(await kindOf(registry, key)).toBe('unavailable');
    expect(reported).toHaveLength(1);
    objects.failure = 'none';
    expect(await kindOf(registry, key)).toBe('known');
  });

  it('goes on with the last good copy for an hour, asking every five seconds', async () => {
    const { key } = await created(isolate());
    const registry = isolate();
    await registry.authenticate(key);
    const confirmedAt = now;
    objects.failure = 'all';
    objects.reads = 0;
    now = confirmedAt + 45_000;
    for (let i = 0; i < 10; i++) expect(await kindOf(registry, key)).toBe('known');
    expect(objects.reads).toBe(1);
    now += 5000;
    expect(await kindOf(registry, key)).toBe('known');
    expect(objects.reads).toBe(2);
    now = confirmedAt + 3_599_999;
    expect(await kindOf(registry, key)).toBe('known');
    now = confirmedAt + 3_600_000;
    expect(await kindOf(registry, key)).toBe('unavailable');
    expect(await kindOf(registry, ADMIN_KEY)).toBe('known');
    objects.failure = 'none';
    now += 5000;
    expect(await kindOf(registry, key)).toBe('known');
  });

  it('waits for storage that hangs, a second with older keys to go on with, five without', async () => {
    const { key } = await created(isolate());
    const registry = isolate();
    await registry.authenticate(key);
    delays = [];
    const release = holdReads();
    const guess = `rf_${'f'.repeat(12)}_${'0'.repeat(40)}`;
    now += 45_000;
    expect(await kindOf(registry, key)).toBe('known');
    expect(await kindOf(registry, key)).toBe('known');
    expect(await kindOf(registry, guess)).toBe('unavailable');
    expect(await kindOf(isolate(), key)).toBe('unavailable');
    expect(delays.reduce((sum, ms) => sum + ms, 0)).toBe(1000 + 5000);
    release();
    await settle();
    expect(await kindOf(registry, guess)).toBe('refused');
  });

  it('does not call a key refused that may have been made meanwhile', async () => {
    const { key: first } = await created(isolate());
    const { key: second } = await created(isolate());
    const registry = isolate();
    await registry.authenticate(first);
    const third = second.slice(0, -40).replace(/_.*_/, '_ffffffffffff_') + second.slice(-40);
    objects.failure = 'all';
    now += 1000;
    objects.reads = 0;
    for (let i = 0; i < 5; i++) expect(await kindOf(registry, third)).toBe('unavailable');
    expect(objects.reads).toBe(1);
    objects.failure = 'none';
    now += 5000;
    expect(await kindOf(registry, third)).toBe('refused');
  });

  it('takes a damaged file for a failure and does not overwrite it', async () => {
    const registry = isolate();
    const { key } = await created(registry);
    const damaged = new Uint8Array([1, 2, 3]);
    await objects.put(API_KEYS_KEY, damaged);
    now += 10_000;
    expect(await kindOf(registry, key)).toBe('known');
    await settle();
    expect(await kindOf(registry, key)).toBe('known');
    expect(await isolate().create(LOOKUP)).toEqual({ kind: 'unavailable' });
    expect((await objects.get(API_KEYS_KEY))?.bytes).toEqual(damaged);
  });
});

describe('create, list and delete', () => {
  it('lists keys in order of creation, without digests', async () => {
    const registry = isolate();
    const first = await created(registry);
    now += 1000;
    const second = await created(isolate(), { ...LOOKUP, scopes: ['admin'], quota: { perMinute: 5 } });
    expect(await registry.list()).toEqual([
      { id: first.id, name: 'sign-up form', scopes: ['lookup'], tenant: 'default', quota: null, createdAt: now - 1000 },
      {
        id: second.id,
        name: 'sign-up form',
        scopes: ['admin'],
        tenant: 'default',
        quota: { perMinute: 5 },
        createdAt: now,
      },
    ]);
  });

  it('says whether there was anything to delete', async () => {
    const registry = isolate();
    const { id } = await created(registry);
    expect(await registry.delete('admin')).toBe('not-found');
    expect(await registry.delete(id)).toMatchObject({ id, tenant: 'default' });
    expect(await registry.delete(id)).toBe('not-found');
    expect(await registry.list()).toEqual([]);
  });

  it('loses no key when several are made at once', async () => {
    const { promise: barrier, resolve: allHaveRead } = Promise.withResolvers<void>();
    objects.meanwhile = () => {
      if (objects.reads === 4) allHaveRead();
      return barrier;
    };
    const results = await Promise.all(Array.from({ length: 4 }, () => isolate().create(LOOKUP)));
    expect(results.map(({ kind }) => kind)).toEqual(['created', 'created', 'created', 'created']);
    expect(await isolate().list()).toHaveLength(4);
    expect(delays.length).toBeGreaterThanOrEqual(3);
  });

  it('gives up after five lost races, with growing delays', async () => {
    const other = isolate();
    let busy = false;
    objects.meanwhile = async () => {
      if (busy) return;
      busy = true;
      await other.create(LOOKUP);
      busy = false;
    };
    randomBytes = () => new Uint8Array(26).fill(255);
    expect(await isolate().create(LOOKUP)).toEqual({ kind: 'unavailable' });
    expect(delays).toEqual([500, 1000, 2000, 4000]);
  });

  it.each<Failure>(['reads', 'writes', 'all'])('is unavailable when %s fail', async (failure) => {
    const registry = isolate();
    const { id } = await created(registry);
    objects.failure = failure;
    expect(await registry.create(LOOKUP)).toEqual({ kind: 'unavailable' });
    expect(await registry.delete(id)).toBe('unavailable');
    objects.failure = 'none';
    expect(await registry.list()).toHaveLength(1);
  });

  it('finds out that a put which failed was persisted', async () => {
    const registry = isolate();
    objects.failure = 'writes-persisted';
    const { id, key } = await created(registry);
    expect(objects.puts).toBe(1);
    expect(await kindOf(isolate(), key)).toBe('known');
    expect(await registry.delete(id)).toMatchObject({ id, tenant: 'default' });
    expect(objects.puts).toBe(2);
    expect(await registry.list()).toEqual([]);
  });

  it('cannot list when reads fail', async () => {
    objects.failure = 'reads';
    expect(await isolate().list()).toBe('unavailable');
  });

  it('stores a thousand keys at most', async () => {
    const registry = isolate();
    const { id } = await created(registry);
    const [first] = decodeKeys((await objects.get(API_KEYS_KEY))?.bytes ?? new Uint8Array());
    if (first === undefined) throw new Error('expected a stored key');
    const keys = Array.from({ length: MAX_KEYS - 1 }, (_, i) => ({ ...first, id: i.toString(16).padStart(12, 'f') }));
    await objects.put(API_KEYS_KEY, encodeKeys([first, ...keys]));
    expect(await registry.create(LOOKUP)).toEqual({ kind: 'full', limit: 1000 });
    await registry.delete(id);
    expect((await registry.create(LOOKUP)).kind).toBe('created');
  });
});

describe('allows', () => {
  it.each(SCOPES)('lets %s do its own, and admin everything', (scope) => {
    for (const wanted of SCOPES) {
      const principal = { id: 'x', tenant: 'default', scopes: [scope], perMinute: null };
      expect(allows(principal, wanted)).toBe(scope === wanted || scope === 'admin');
    }
  });
});
