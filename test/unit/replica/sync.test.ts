import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import { slicesOf } from '../../../src/replica/contents.ts';
import { type FeedManifest, parseFeedManifest } from '../../../src/replica/feed-manifest.ts';
import { AUDIT_MS, GARBAGE_AGE_MS } from '../../../src/replica/sync.ts';
import { someDetections } from '../../support/detections.ts';
import { TestOrigin } from './origin.ts';
import { fictional, newReplicaWorld, type ReplicaWorld } from './replica.ts';

const MINUTE = 60_000;
const ONE = someDetections(1, 9)[0];

async function manifest({ origin, key }: ReplicaWorld): Promise<FeedManifest & { manifestBytes: number }> {
  const bytes = await (await origin.call('/v1/feed/manifest', key)).arrayBuffer();
  origin.requests.length = 0;
  return { ...parseFeedManifest(new Uint8Array(bytes)), manifestBytes: bytes.byteLength };
}

function detectionOf(number: number) {
  if (ONE === undefined) throw new Error('no detection');
  // The day before the replica's clock begins: a level that has not aged.
  const observedAt = Date.UTC(2026, 0, 4) / 1000;
  return { ...ONE, number, label: 'modem_pool_card', observedAt, firstSeenAt: observedAt };
}

/** Bytes of all slices of a manifest that another does not have, and how many there are. */
function newSlices(feed: FeedManifest, before?: FeedManifest): { slices: number; bytes: number } {
  const held = before === undefined ? new Map() : slicesOf(before);
  const added = [...slicesOf(feed).values()].filter(({ sha256 }) => !held.has(sha256));
  return { slices: added.length, bytes: added.reduce((sum, { bytes }) => sum + bytes, 0) };
}

describe('what is downloaded', () => {
  test('first all, then only what a merge has changed', async () => {
    const world = await newReplicaWorld(new TestOrigin({ inlineRecords: 1000 }));
    const { origin } = world;
    const numbers = Array.from({ length: 60_000 }, (_, i) => 639_170_000_000 + i * 37);
    await origin.merge(numbers.map(detectionOf));
    const first = await manifest(world);
    const replica = world.isolate();
    const all = newSlices(first);
    expect(all.slices).toBeGreaterThan(3);
    expect(await replica.sync()).toEqual({
      generation: first.generation,
      unchanged: false,
      complete: true,
      slicesDownloaded: all.slices,
      bytesDownloaded: all.bytes,
      slicesKept: 0,
      manifestBytes: first.manifestBytes,
    });
    // Counted on the wire as well.
    const slices = origin.requests.filter(({ path }) => /^\/v1\/feed\/(slices|segments)\//.test(path));
    expect(slices.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(all.bytes);

    await origin.merge(numbers.slice(0, 40).map((number) => detectionOf(number + 1)));
    const second = await manifest(world);
    expect(second.generation).toBeGreaterThan(first.generation);
    const changed = newSlices(second, first);
    expect(await replica.sync()).toEqual({
      generation: second.generation,
      unchanged: false,
      complete: true,
      slicesDownloaded: changed.slices,
      bytesDownloaded: changed.bytes,
      slicesKept: slicesOf(second).size - changed.slices,
      manifestBytes: second.manifestBytes,
    });
    const paths = origin.requests.map(({ path }) => path);
    const expected = [...slicesOf(second).keys()].filter((hash) => !slicesOf(first).has(hash));
    expect(paths.sort()).toEqual(['/v1/feed/manifest', ...expected.map((hash) => `/v1/feed/segments/${hash}`)].sort());
    expect(changed.slices).toBe(1);
    expect(changed.bytes).toBeLessThan(all.bytes / 50);
    expect(await replica.lookup({ number: `+${(numbers[0] ?? 0) + 1}` })).toMatchObject({
      answer: { verdict: 'listed' },
    });
  });

  test('nothing when nothing has changed: one request without a body, one write', async () => {
    const world = await newReplicaWorld();
    await world.origin.merge(someDetections(400, 1));
    const replica = world.isolate();
    const { generation } = await replica.sync();
    world.origin.requests.length = 0;
    world.store.log.clear();
    world.clock += MINUTE;
    const nothing = { slicesDownloaded: 0, bytesDownloaded: 0, slicesKept: 0, manifestBytes: 0 };
    expect(await replica.sync()).toEqual({ ...nothing, generation, unchanged: true, complete: true });
    expect(world.origin.requests).toEqual([{ path: '/v1/feed/manifest', bytes: 0, status: 304 }]);
    expect(world.store.log.calls.filter((name) => name.startsWith('put'))).toEqual(['put current']);
  });

  test('only the configuration when only that has changed, and isolates see it', async () => {
    const world = await newReplicaWorld();
    await world.origin.merge([detectionOf(fictional(3))]);
    const replica = world.isolate();
    await replica.sync();
    const number = `+${fictional(3)}`;
    expect(await replica.lookup({ number })).toMatchObject({ answer: { action: 'block', rule: 'modem-pool' } });
    const overrides = Overrides.of([{ number: fictional(3), list: 'allow', expiresAt: null, scope: 'tenant' }]);
    world.origin.rules.set('default', { policy: DEFAULT_POLICY, overrides });
    const { config } = await manifest(world);
    expect(await world.isolate().sync()).toMatchObject({ slicesDownloaded: 1, bytesDownloaded: config.bytes });
    world.clock += 31_000;
    expect(await replica.lookup({ number })).toMatchObject({ answer: { verdict: 'listed', action: 'allow' } });
  });

  test('in shares, when there is more than one sync may fetch; nothing is served until it is whole', async () => {
    const world = await newReplicaWorld(new TestOrigin());
    const numbers = Array.from({ length: 60_000 }, (_, i) => 639_170_000_000 + i * 37);
    await world.origin.merge(numbers.map(detectionOf));
    const replica = world.isolate({ slicesPerSync: 2 });
    const { size } = slicesOf(await manifest(world));
    for (let held = 0; held + 2 < size; held += 2) {
      expect(await replica.sync()).toMatchObject({
        generation: null,
        complete: false,
        slicesDownloaded: 2,
        slicesKept: held,
      });
      expect(await replica.lookup({ number: `+${numbers[0]}` })).toMatchObject({ ok: false, status: 503 });
    }
    expect(await replica.sync()).toMatchObject({ complete: true });
    expect(await replica.lookup({ number: `+${numbers[0]}` })).toMatchObject({ answer: { verdict: 'listed' } });
  });

  test('once more, what the store has lost', async () => {
    const world = await newReplicaWorld();
    await world.origin.merge([detectionOf(fictional(3))]);
    await world.isolate().sync();
    for (const hash of await world.store.slices()) await world.store.memory.delete([`slices/${hash}`]);
    const number = `+${fictional(3)}`;
    expect(await world.isolate().lookup({ number })).toMatchObject({ ok: false, status: 503 });
    world.clock += MINUTE;
    expect(await world.isolate().sync()).toMatchObject({ unchanged: true, slicesDownloaded: 0 });
    world.clock += AUDIT_MS;
    expect(await world.isolate().sync()).toMatchObject({ unchanged: true, complete: true, slicesDownloaded: 2 });
    expect(await world.isolate().lookup({ number })).toMatchObject({ answer: { verdict: 'listed' } });
  });
});

describe('what is kept', () => {
  test('the slices of this copy and of the one before; older ones go after an hour', async () => {
    const world = await newReplicaWorld();
    const replica = world.isolate();
    const named: string[][] = [];
    for (let i = 0; i < 3; i++) {
      await world.origin.merge([detectionOf(fictional(50 + i))]);
      named.push([...slicesOf(await manifest(world)).keys()]);
      world.clock += MINUTE;
      await replica.sync();
    }
    const [oldest = [], before = [], current = []] = named;
    const gone = oldest.filter((hash) => !before.includes(hash) && !current.includes(hash));
    expect(gone).toHaveLength(1);
    expect(await world.store.slices()).toEqual(expect.arrayContaining([...oldest, ...before, ...current]));

    world.clock += GARBAGE_AGE_MS + MINUTE;
    await replica.sync();
    const left = await world.store.slices();
    expect(left).toEqual(expect.arrayContaining([...before, ...current]));
    for (const hash of gone) expect(left).not.toContain(hash);
    // Of manifests, too, two are left.
    expect(left).toHaveLength(new Set([...before, ...current]).size + 2);
    expect(world.events).toContain('replica.collected');
  });

  test('an isolate that has not seen the swap answers from the copy before', async () => {
    const world = await newReplicaWorld();
    const [syncing, serving] = [world.isolate(), world.isolate()];
    await world.origin.merge([detectionOf(fictional(3))]);
    await syncing.sync();
    const number = `+${fictional(3)}`;
    const before = await serving.status();
    expect(before).not.toBeNull();
    await world.origin.merge([detectionOf(fictional(4))]);
    await syncing.sync();
    const answer = await serving.lookup({ number });
    expect(answer).toMatchObject({ answer: { verdict: 'listed', generation: before?.generation } });
    world.clock += 31_000;
    const later = await serving.lookup({ number });
    expect(later).toMatchObject({ answer: { generation: (before?.generation ?? 0) + 1 } });
  });

  test('nothing is deleted when the copy before cannot be read', async () => {
    const world = await newReplicaWorld();
    const replica = world.isolate();
    for (let i = 0; i < 3; i++) {
      await world.origin.merge([detectionOf(fictional(50 + i))]);
      await replica.sync();
    }
    world.clock += GARBAGE_AGE_MS + MINUTE;
    await world.origin.merge([detectionOf(fictional(60))]);
    const before = await world.store.slices();
    let gets = 0;
    world.store.log.beforeCall = async (name) => {
      // The first is the pointer's, of another kind; this one is the manifest of the copy before.
      if (name === 'get slices/' && ++gets === 1) throw new Error('injected');
    };
    expect(await world.isolate().sync()).toMatchObject({ complete: true });
    world.store.log.beforeCall = async () => {};
    expect(await world.store.slices()).toEqual(expect.arrayContaining(before));
    expect(world.events).toContain('replica.garbage-failed');
  });
});

describe('age', () => {
  test('before the first sync nobody is clear', async () => {
    const world = await newReplicaWorld();
    const result = await world.isolate().lookup({ number: '+12025550100' });
    expect(result).toMatchObject({ ok: false, status: 503, code: 'storage-unavailable' });
    expect(await world.isolate().status()).toBeNull();
  });

  test('is that of the last sync that the origin confirmed', async () => {
    const world = await newReplicaWorld();
    await world.origin.merge([detectionOf(fictional(3))]);
    const replica = world.isolate();
    await replica.sync();
    const number = `+${fictional(3)}`;
    world.clock += 2 * MINUTE;
    const fresh = await replica.lookup({ number });
    expect(fresh.ok && 'stale' in fresh.answer).toBe(false);
    world.clock += 1000;
    expect(await replica.lookup({ number })).toMatchObject({ answer: { stale: true, ageSeconds: 121 } });
    const strict = world.isolate({ stale: 'unknown' });
    expect(await strict.lookup({ number })).toMatchObject({ ok: false, code: 'storage-unavailable' });
    expect(await replica.status()).toMatchObject({ ageSeconds: 121, stale: true });
    // A sync of another isolate is seen.
    await world.isolate().sync();
    world.clock += 31_000;
    expect(await replica.status()).toMatchObject({ ageSeconds: 31, stale: false });
    // One that fails confirms nothing.
    world.origin.between = async () => new Response(null, { status: 503 });
    world.clock += 2 * MINUTE;
    await expect(world.isolate().sync()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await replica.lookup({ number })).toMatchObject({
      answer: { verdict: 'listed', stale: true, ageSeconds: 151 },
    });
  });
});
