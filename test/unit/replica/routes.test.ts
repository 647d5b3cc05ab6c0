import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SEGMENT_HEADER_BYTES } from '../../../src/format/segment.ts';
import { sha256Hex } from '../../../src/lib/bytes.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { tick } from '../../../src/merge/tick.ts';
import { DEFAULT_LEVELS, UNKNOWN_LABEL_RISK } from '../../../src/policy/ageing.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import { Feed } from '../../../src/replica/feed.ts';
import { encodeFeedConfig, parseFeedConfig } from '../../../src/replica/feed-config.ts';
import { encodeFeedManifest, type FeedManifest, parseFeedManifest } from '../../../src/replica/feed-manifest.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { createWhole } from '../../support/whole.ts';
import { upload } from '../../support/world.ts';
import { TestOrigin } from './origin.ts';

let origin: TestOrigin;
let key: string;

beforeEach(async () => {
  origin = new TestOrigin();
  key = await origin.key(['feed']);
  await origin.merge(someDetections(400, 1));
});

async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}

async function manifestOf(response: Response): Promise<FeedManifest> {
  return parseFeedManifest(await bytesOf(response));
}

async function manifest(): Promise<FeedManifest> {
  return manifestOf(await origin.call('/v1/feed/manifest', key));
}

async function problemOf(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  return response.json();
}

/** Any one numbers column. */
async function numbersSlice(): Promise<{ path: string; sha256: string; bytes: number }> {
  const slice = (await manifest()).runs[0]?.segments[0]?.numbers;
  if (slice === undefined) throw new Error('no segment');
  return { path: `/v1/feed/slices/${slice.sha256}`, ...slice };
}

describe('the manifest', () => {
  test('lists the segments of the generation and the configuration', async () => {
    const response = await origin.call('/v1/feed/manifest', key);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    expect(response.headers.get('content-type')).toBe('application/json');
    const feed = await manifestOf(response);
    const stored = (await loadManifest(origin.world.objects)).manifest;
    expect(feed).toEqual({
      format: 2,
      generation: stored.generation,
      publishedAt: stored.publishedAt,
      runs: stored.runs.map(({ segments }) => ({
        segments: segments.map(({ key: name, first, last, count, numbers, verdictsBytes }) => {
          return { key: name, first, last, count, numbers, verdictsBytes };
        }),
      })),
      config: feed.config,
    });
    const config = await bytesOf(await origin.call(`/v1/feed/slices/${feed.config.sha256}`, key));
    expect([await sha256Hex(config), config.length]).toEqual([feed.config.sha256, feed.config.bytes]);
    expect(JSON.parse(new TextDecoder().decode(config))).toMatchObject({
      format: 2,
      levels: DEFAULT_LEVELS,
      unknownLabel: UNKNOWN_LABEL_RISK,
      policy: DEFAULT_POLICY.source,
      overrides: [],
    });
  });

  test('has the same bytes and etag until something changes; 304 without a body', async () => {
    const first = await origin.call('/v1/feed/manifest', key);
    const second = await origin.call('/v1/feed/manifest', key);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(second.headers.get('etag')).toBe(etag);
    expect(await bytesOf(second)).toEqual(await bytesOf(first));
    const unchanged = await origin.call('/v1/feed/manifest', key, { headers: { 'if-none-match': etag } });
    expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
    expect(unchanged.headers.get('etag')).toBe(etag);

    await origin.merge(someDetections(5, 2));
    const changed = await origin.call('/v1/feed/manifest', key, { headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    const rules = { policy: DEFAULT_POLICY, overrides: Overrides.none };
    origin.rules.set('default', { ...rules, policy: { ...DEFAULT_POLICY, source: { rules: [], default: 'flag' } } });
    const etagChanged = changed.headers.get('etag') ?? '';
    const other = await origin.call('/v1/feed/manifest', key, { headers: { 'if-none-match': etagChanged } });
    expect(other.status).toBe(200);
    expect(other.headers.get('etag')).not.toBe(etagChanged);
  });

  test('is that of storage, not that of an isolate that has not looked for a while', async () => {
    await manifest();
    const { world } = origin;
    await upload(world, 'later', someDetections(5, 3));
    const { generation } = await tick(world);
    expect((await manifest()).generation).toBe(generation);
  });

  test('of an empty store is of generation 0', async () => {
    origin = new TestOrigin();
    key = await origin.key(['feed']);
    expect(await manifest()).toMatchObject({ generation: 0, runs: [] });
  });

  test('needs the scope feed', async () => {
    for (const path of ['/v1/feed/manifest', (await numbersSlice()).path]) {
      const response = await origin.call(path, await origin.key(['lookup', 'ingest', 'policy']));
      expect(response.status).toBe(403);
      expect((await origin.call(path, 'rf_0a1b2c3d4e5f_none')).status).toBe(401);
    }
  });

  test('storage that fails is 503, never an old manifest', async () => {
    await manifest();
    origin.world.storeLog.beforeCall = async (name) => {
      if (name === 'getIfChanged manifest') throw new Error('injected');
    };
    const response = await origin.call('/v1/feed/manifest', key);
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ type: 'urn:ringfence:problem:storage-unavailable' });
  });
});

describe('a slice', () => {
  test('is the column, immutable', async () => {
    const { path, sha256, bytes } = await numbersSlice();
    const response = await origin.call(path, key);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: `"${sha256}"`,
      'cache-control': 'private, max-age=31536000, immutable',
      'accept-ranges': 'bytes',
      'content-type': 'application/octet-stream',
      'content-length': String(bytes),
    });
    const body = await bytesOf(response);
    expect([body.length, await sha256Hex(body)]).toEqual([bytes, sha256]);
  });

  test('every one that the manifest names is there', async () => {
    for (const { numbers, verdictsBytes = 0 } of (await manifest()).runs.flatMap(({ segments }) => segments)) {
      const { sha256, bytes } = numbers;
      const slice = await bytesOf(await origin.call(`/v1/feed/slices/${sha256}`, key));
      expect(await sha256Hex(slice)).toBe(sha256);
      const segment = await bytesOf(await origin.call(`/v1/feed/segments/${sha256}`, key));
      expect(segment.length).toBe(SEGMENT_HEADER_BYTES + bytes + verdictsBytes);
      expect(segment.slice(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + bytes)).toEqual(slice);
    }
  });

  test('304 asks no storage', async () => {
    const { path, sha256 } = await numbersSlice();
    origin.world.storeLog.clear();
    const response = await origin.call(path, key, { headers: { 'if-none-match': `"other", "${sha256}"` } });
    expect([response.status, await response.text()]).toEqual([304, '']);
    expect(response.headers.get('etag')).toBe(`"${sha256}"`);
    expect(origin.world.storeLog.calls.filter((name) => name !== 'getIfChanged config/')).toEqual([]);
    expect((await origin.call(path, key, { headers: { 'if-none-match': '*' } })).status).toBe(304);
    const unknown = `/v1/feed/slices/${'0'.repeat(64)}`;
    expect((await origin.call(unknown, key, { headers: { 'if-none-match': '*' } })).status).toBe(404);
  });

  test('ranges', async () => {
    const { path, sha256, bytes } = await numbersSlice();
    const whole = await bytesOf(await origin.call(path, key));
    const ranged = (range: string, more: Record<string, string> = {}) =>
      origin.call(path, key, { headers: { range, ...more } });

    const part = await ranged('bytes=16-47');
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 16-47/${bytes}`]);
    expect(part.headers.get('content-length')).toBe('32');
    expect(part.headers.get('etag')).toBe(`"${sha256}"`);
    expect(await bytesOf(part)).toEqual(whole.subarray(16, 48));
    expect(await bytesOf(await ranged('bytes=-8'))).toEqual(whole.subarray(-8));
    expect(await bytesOf(await ranged('bytes=16-'))).toEqual(whole.subarray(16));

    const beyond = await ranged(`bytes=${bytes}-`);
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes}`]);
    expect(await problemOf(beyond)).toMatchObject({ type: 'urn:ringfence:problem:range-not-satisfiable' });

    expect((await ranged('bytes=0-1,4-5')).status).toBe(200);
    expect((await ranged('bytes=9-3')).status).toBe(200);
    expect((await ranged('bytes=0-1', { 'if-range': `"${sha256}"` })).status).toBe(206);
    for (const other of [`W/"${sha256}"`, '"other"', 'Sat, 29 Oct 1994 19:43:31 GMT']) {
      const response = await ranged('bytes=0-1', { 'if-range': other });
      expect([response.status, (await bytesOf(response)).length]).toEqual([200, bytes]);
    }
  });

  test('HEAD has the headers of GET, and no range', async () => {
    const { path, sha256, bytes } = await numbersSlice();
    const response = await origin.call(path, key, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('content-length')).toBe(String(bytes));
    expect(response.headers.get('etag')).toBe(`"${sha256}"`);
    const head = await origin.call('/v1/feed/manifest', key, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('etag')).toMatch(/^"/);
  });

  test('an unknown hash is 404, what is no hash 400', async () => {
    const unknown = await origin.call(`/v1/feed/slices/${'0'.repeat(64)}`, key);
    expect(unknown.status).toBe(404);
    expect(await problemOf(unknown)).toMatchObject({ detail: expect.stringContaining('manifest') });
    for (const hash of ['0'.repeat(63), 'A'.repeat(64), `${'0'.repeat(64)}0`, '12025550123']) {
      const response = await origin.call(`/v1/feed/slices/${hash}`, key);
      expect(response.status).toBe(400);
      expect(JSON.stringify(await problemOf(response))).not.toContain(hash);
    }
  });

  test('of the generation before is served as long as it is kept', async () => {
    const { path, sha256, bytes } = await numbersSlice();
    const segment = path.replace('slices', 'segments');
    await origin.merge(someDetections(300, 2));
    expect(JSON.stringify(await manifest())).not.toContain(sha256);
    expect(await sha256Hex(await bytesOf(await origin.call(path, key)))).toBe(sha256);
    const head = await bytesOf(await origin.call(segment, key));
    expect(await sha256Hex(head.slice(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + bytes))).toBe(sha256);
    // Of a run that had slices, the slice store has it for an hour; what is damaged there is not served.
    await origin.world.slices.memory.put(sha256, new Uint8Array(8), 0);
    expect(await sha256Hex(await bytesOf(await origin.call(path, key)))).toBe(sha256);
    // Nobody looks further back than a replica takes.
    for (let i = 0; i < 5; i++) await origin.merge(someDetections(300, 3 + i));
    for (const old of [path, segment]) expect((await origin.call(old, key)).status).toBe(404);
  });

  test('of a generation that this isolate has not seen yet comes from its segment', async () => {
    const { world, runtime } = origin;
    const { finder } = createWhole(world, {}, () => undefined);
    const config = async () =>
      encodeFeedConfig({
        levels: {},
        unknownLabel: UNKNOWN_LABEL_RISK,
        policy: DEFAULT_POLICY.source,
        overrides: [],
      });
    const behind = new Feed({ ...world, snapshots: finder.snapshots, config });
    const before = await finder.snapshots.get();
    await origin.merge(someDetections(300, 2));
    const { sha256 } = await numbersSlice();
    await world.slices.memory.delete(sha256);
    expect(before.manifest.generation).toBeLessThan((await runtime.finder.snapshots.get()).manifest.generation);
    const bytes = await behind.slice('default', sha256);
    expect(bytes === null ? null : await sha256Hex(bytes)).toBe(sha256);
  });

  test('missing or damaged in the slice store comes from its segment', async () => {
    const { path, sha256 } = await numbersSlice();
    await origin.world.slices.memory.put(sha256, new Uint8Array(100), 0);
    expect(await sha256Hex(await bytesOf(await origin.call(path, key)))).toBe(sha256);
    await origin.world.slices.memory.delete(sha256);
    expect(await sha256Hex(await bytesOf(await origin.call(path, key)))).toBe(sha256);
  });

  test('storage that fails is 503', async () => {
    const { path, sha256 } = await numbersSlice();
    await origin.world.slices.memory.delete(sha256);
    origin.world.storeLog.beforeCall = async (name) => {
      if (name === 'getRange segments/') throw new Error('injected');
    };
    expect((await origin.call(path, key)).status).toBe(503);
    origin.world.storeLog.beforeCall = async (name) => {
      if (name === 'kv get') throw new Error('injected');
    };
    expect((await origin.call(path, key)).status).toBe(200);
    expect((await origin.call(`/v1/feed/slices/${'0'.repeat(64)}`, key)).status).toBe(503);
  });
});

describe("a tenant's configuration", () => {
  let otherKey: string;

  beforeEach(async () => {
    otherKey = await origin.key(['feed'], 'other');
    const overrides = Overrides.of([
      { number: fictionNumber(3), list: 'allow', expiresAt: null, scope: 'tenant' },
      { number: fictionNumber(4), list: 'block', expiresAt: 1_900_000_000_000, scope: 'global' },
    ]);
    origin.rules.set('default', { policy: DEFAULT_POLICY, overrides });
  });

  test('is served to it, and to nobody else', async () => {
    const { config } = await manifest();
    const path = `/v1/feed/slices/${config.sha256}`;
    const own = await origin.call(path, key);
    expect(own.headers.get('cache-control')).toContain('private');
    expect(await own.json()).toMatchObject({
      overrides: [
        { number: fictionNumber(3), list: 'allow', expiresAt: null, scope: 'tenant' },
        { number: fictionNumber(4), list: 'block', expiresAt: 1_900_000_000_000, scope: 'global' },
      ],
    });
    const others = await manifestOf(await origin.call('/v1/feed/manifest', otherKey));
    expect(others.config.sha256).not.toBe(config.sha256);
    expect(others.runs).toEqual((await manifest()).runs);
    const refused = await origin.call(path, otherKey);
    expect(refused.status).toBe(404);
    expect((await origin.call(path, otherKey, { headers: { range: 'bytes=0-9' } })).status).toBe(404);
    expect((await origin.call(path, otherKey, { method: 'HEAD' })).status).toBe(404);
    // An admin's key is of one tenant too.
    expect((await origin.call(path, 'admin-key-of-more-than-32-characters')).status).toBe(200);
    expect((await origin.call(path, await origin.key(['admin'], 'other'))).status).toBe(404);
  });

  test('is that of storage, not that of an isolate that has not looked for a while', async () => {
    const { world, runtime } = origin;
    const other = createWhole(world, {}, () => undefined).services;
    const before = await runtime.services.feed.manifest('default');
    const number = fictionNumber(5);
    await other.tenants.putOverride(
      { tenant: 'default', by: 'test' },
      { number, list: 'block', reason: 'a test', expiresAt: null },
    );
    const after = await runtime.services.feed.manifest('default');
    expect(after.etag).not.toBe(before.etag);
    const { config } = parseFeedManifest(after.encode());
    const bytes = (await runtime.services.feed.slice('default', config.sha256)) ?? new Uint8Array();
    expect(parseFeedConfig(bytes).overrides).toEqual([{ number, list: 'block', expiresAt: null, scope: 'tenant' }]);

    world.storeLog.beforeCall = async (name) => {
      if (name === 'getIfChanged config/') throw new Error('injected');
    };
    await expect(runtime.services.feed.manifest('default')).rejects.toThrow('the policy cannot be read');
  });

  test('is gone once it has changed', async () => {
    const { config } = await manifest();
    origin.rules.set('default', { policy: DEFAULT_POLICY, overrides: Overrides.none });
    expect((await origin.call(`/v1/feed/slices/${config.sha256}`, key)).status).toBe(404);
  });
});

describe('a manifest is read', () => {
  let text: string;

  beforeAll(async () => {
    const world = new TestOrigin();
    await world.merge(someDetections(400, 1));
    const bytes = await bytesOf(await world.call('/v1/feed/manifest', await world.key(['feed'])));
    expect(encodeFeedManifest(parseFeedManifest(bytes))).toEqual(bytes);
    text = new TextDecoder().decode(bytes);
  });

  test('with its time as ISO 8601 in UTC on the way, in milliseconds here', () => {
    const { publishedAt } = JSON.parse(text) as { readonly publishedAt: unknown };
    expect(publishedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const sent = text.replace(String(publishedAt), '2025-05-29T10:13:00.250+02:00');
    expect(parseFeedManifest(Uint8Array.from(Buffer.from(sent))).publishedAt).toBe(
      Date.UTC(2025, 4, 29, 8, 13, 0, 250),
    );
  });

  test.each([
    ['another version', '"format":2', '"format":3'],
    ['no generation', '"generation":', '"g":'],
    ['a negative number', '"first":', '"first":-'],
    ['a fraction', /"generation":\d+/, '"generation":0.5'],
    ['a time in milliseconds', /"publishedAt":"[^"]+"/, '"publishedAt":1748506380000'],
    ['a time without an offset', /(?<="publishedAt":"[^"]+)Z/, ''],
    ['an offset that nobody writes', /(?<="publishedAt":"[^"]+)Z/, ' +00'],
    ['a key that is no ASCII', '"key":"segments', '"key":"sègments'],
    ['a short hash', /"sha256":"./, '"sha256":"'],
    ['a hash of upper-case digits', '"sha256":"', '"sha256":"F'],
    ['a slice of no bytes', /"bytes":\d+/, '"bytes":0'],
    ['a slice too large', /"bytes":\d+/, '"bytes":26214401'],
    ['too many records', /"count":\d+/, '"count":32769'],
    ['no segments in a run', /"segments":\[.*?\]/, '"segments":[]'],
    ['text that is not JSON', '{', '['],
  ])('not with %s', (_, from, to) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(() => parseFeedManifest(Uint8Array.from(Buffer.from(changed)))).toThrow('feed manifest');
  });
});
