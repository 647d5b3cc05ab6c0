import { beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../src/lib/bytes.ts';
import type { LookupAnswer } from '../../../src/policy/answer.ts';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import { encodeFeedConfig, parseFeedConfig } from '../../../src/replica/feed-config.ts';
import { encodeFeedManifest, parseFeedManifest } from '../../../src/replica/feed-manifest.ts';
import { ReplicaError } from '../../../src/replica/origin.ts';
import type { Replica } from '../../../src/replica/replica.ts';
import { readPointer, readSlice, swapPointer } from '../../../src/replica/store.ts';
import { OLDER_FOR_MS } from '../../../src/replica/sync.ts';
import { replicaSliceKey } from '../../../src/storage/keys.ts';
import { someDetections } from '../../support/detections.ts';
import type { Fault } from '../../support/strict-stores.ts';
import { fictional, newReplicaWorld, type ReplicaWorld } from './replica.ts';

const MINUTE = 60_000;
const OLD = `+${fictional(3)}`;
const NEW = `+${fictional(4)}`;
/**
 * 41 days before the replica's clock begins: its level has not aged, and one neighbour of then makes nobody suspect.
 */
const SEEN = { observedAt: Date.UTC(2025, 10, 25) / 1000, firstSeenAt: Date.UTC(2025, 10, 25) / 1000 };

function detectionsOf(...indexes: number[]) {
  return someDetections(indexes.length, 9).map((detection, i) => ({
    ...detection,
    label: 'modem_pool_card',
    number: fictional(indexes[i] ?? 0),
    ...SEEN,
  }));
}

let world: ReplicaWorld;
let replica: Replica;

/** A replica of a generation that knows OLD, of an origin that knows NEW, too. */
beforeEach(async () => {
  world = await newReplicaWorld();
  await world.origin.merge(detectionsOf(3));
  replica = world.isolate();
  await replica.sync();
  world.clock += MINUTE;
  await world.origin.merge(detectionsOf(4));
  world.store.log.clear();
  world.origin.requests.length = 0;
});

/** One after the other: of requests at once, only the first waits for a refresh. */
async function verdicts(of: Replica): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const number of [OLD, NEW]) {
    const result = await of.lookup({ number });
    found.push(result.ok ? result.answer.verdict : result.code);
  }
  return found;
}

/** In an isolate that was there before, and in a new one. */
async function expectOld(): Promise<void> {
  expect(await verdicts(replica)).toEqual(['listed', 'clear']);
  expect(await verdicts(world.isolate())).toEqual(['listed', 'clear']);
}

async function expectRepaired(): Promise<void> {
  world.origin.between = (request, answer) => answer(request);
  world.store.log.beforeCall = async () => {};
  world.clock += MINUTE;
  expect(await replica.sync()).toMatchObject({ complete: true });
  expect(await verdicts(replica)).toEqual(['listed', 'listed']);
  expect(await verdicts(world.isolate())).toEqual(['listed', 'listed']);
  expect(world.store.log.violations).toEqual([]);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ReplicaError)) throw new Error(`expected a ReplicaError; found ${String(error)}`);
  expect(error.message).not.toMatch(/\d{7,}(?![0-9a-f])/);
  expect(error.message).not.toContain(world.key);
  return error.code;
}

const isSlice = (request: Request) => /^\/v1\/feed\/(slices|segments)\//.test(new URL(request.url).pathname);

describe('the origin', () => {
  test.each([500, 502, 503, 429])('answers %i to the manifest: tried three times', async (status) => {
    let tries = 0;
    world.origin.between = async () => {
      tries += 1;
      return new Response('x', { status });
    };
    expect(await codeOf(replica.sync())).toBe('unavailable');
    expect(tries).toBe(3);
    await expectOld();
    await expectRepaired();
  });

  test('is not reached', async () => {
    world.origin.between = () => Promise.reject(new TypeError(`fetch failed: ${OLD}`));
    expect(await codeOf(replica.sync())).toBe('unavailable');
    await expectOld();
    await expectRepaired();
  });

  test('fails now and then: the sync does not', async () => {
    let calls = 0;
    world.origin.between = (request, answer) => {
      calls += 1;
      return calls % 2 === 1 ? Promise.resolve(new Response(null, { status: 503 })) : answer(request);
    };
    expect(await replica.sync()).toMatchObject({ complete: true });
    expect(await verdicts(replica)).toEqual(['listed', 'listed']);
  });

  test.each([401, 403])('answers %i: said at once', async (status) => {
    let tries = 0;
    world.origin.between = async () => {
      tries += 1;
      return new Response('x', { status });
    };
    expect(await codeOf(replica.sync())).toBe('refused');
    expect(tries).toBe(1);
    await expectOld();
    await expectRepaired();
  });

  test('refuses a key without the scope', async () => {
    expect(await codeOf(world.isolate({ key: await world.origin.key(['lookup']) }).sync())).toBe('refused');
  });

  test.each([
    ['a page', () => new Response('<html>', { headers: { etag: '"x"' } })],
    ['no etag', () => Response.json({ format: 1 })],
    ['another version', () => Response.json({ format: 2 }, { headers: { etag: '"x"' } })],
    ['404', () => new Response(null, { status: 404 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://other.example' } })],
  ])('answers %s for the manifest', async (_, answer) => {
    world.origin.between = async () => answer();
    expect(await codeOf(replica.sync())).toBe('invalid');
    await expectOld();
    await expectRepaired();
  });

  test('sends segments out of number order', async () => {
    world.origin.between = async (request, answer) => {
      const response = await answer(request);
      if (isSlice(request)) return response;
      const feed = parseFeedManifest(new Uint8Array(await response.arrayBuffer()));
      const runs = feed.runs.map(({ segments }) => ({ segments: [...segments, ...segments] }));
      return Response.json({ ...feed, runs }, { headers: { etag: '"x"' } });
    };
    expect(await codeOf(replica.sync())).toBe('invalid');
    await expectOld();
    await expectRepaired();
  });

  test('sends a column that is not what the manifest says, or of another version', async () => {
    world.origin.between = async (request, answer) => {
      const response = await answer(request);
      if (isSlice(request)) return response;
      const text = (await response.text()).replace(/"count":(\d+)/g, (__, count) => `"count":${Number(count) + 1}`);
      return new Response(text, { headers: { etag: '"x"' } });
    };
    expect(await codeOf(replica.sync())).toBe('invalid');
    await expectOld();
    await expectRepaired();
  });
});

describe('an origin of another version', () => {
  const rulesWith = (tree: unknown) => {
    const policy = { ...DEFAULT_POLICY, tree: tree as typeof DEFAULT_POLICY.tree };
    return { policy, overrides: Overrides.none };
  };

  test.each([
    ['before sends no compiled policy', undefined, 'outdated'],
    ['to come sends one of another version', { version: 2, conditions: [] }, 'invalid'],
    ['that is wrong sends one that is damaged', { version: 1, conditions: [true, ['xor', 1], true] }, 'invalid'],
  ])('%s: what is held goes on answering', async (_, tree, code) => {
    world.origin.rules.set('default', rulesWith(tree));
    expect(await codeOf(replica.sync())).toBe(code);
    await expectOld();
    world.origin.rules.clear();
    await expectRepaired();
  });

  test('before that a package before has followed: no answer until the origin is deployed, and each sync says so', async () => {
    await replica.sync();
    // As a package held it that compiled rules itself.
    const store = world.store.memory;
    const held = await readPointer(store);
    if (held === null) throw new Error('expected a pointer');
    const feed = parseFeedManifest(await readSlice(store, held.pointer.manifest));
    const { tree: _, ...config } = parseFeedConfig(await readSlice(store, feed.config));
    const put = async (bytes: Uint8Array<ArrayBuffer>) => {
      const slice = { sha256: await sha256Hex(bytes), bytes: bytes.length };
      await store.put(replicaSliceKey(slice.sha256), bytes);
      return slice;
    };
    const manifest = await put(encodeFeedManifest({ ...feed, config: await put(encodeFeedConfig(config)) }));
    await swapPointer(store, held, { ...held.pointer, manifest, sequence: held.pointer.sequence + 1 });

    const fresh = world.isolate();
    expect(await verdicts(fresh)).toEqual(['storage-unavailable', 'storage-unavailable']);
    // The origin has nothing new either.
    expect(await codeOf(fresh.sync())).toBe('outdated');
    const flags = compilePolicy({ rules: [], default: 'flag' });
    world.origin.rules.set('default', { policy: flags, overrides: Overrides.none });
    world.clock += MINUTE;
    expect(await fresh.sync()).toMatchObject({ complete: true, unchanged: false });
    expect(await fresh.lookup({ number: OLD })).toMatchObject({ answer: { verdict: 'listed', action: 'flag' } });
  });
});

describe('a slice', () => {
  const spoil: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> = {
    'with a wrong byte': (bytes) => bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
    truncated: (bytes) => bytes.slice(0, -1),
    'of no bytes': () => new Uint8Array(0),
    'that is too long': (bytes) => Uint8Array.from([...bytes, 0]),
    'without an end': (bytes) => new Uint8Array(bytes.length + 10_000_000),
  };

  test.each(Object.entries(spoil))('%s is not kept', async (_, change) => {
    const before = await world.store.slices();
    world.origin.between = async (request, answer) => {
      const response = await answer(request);
      if (!isSlice(request)) return response;
      return new Response(change(new Uint8Array(await response.arrayBuffer())), { headers: response.headers });
    };
    expect(await codeOf(replica.sync())).toBe('unavailable');
    expect(await world.store.slices()).toEqual(before);
    await expectOld();
    await expectRepaired();
  });

  test('that breaks off is asked for again', async () => {
    let broken = 0;
    world.origin.between = async (request, answer) => {
      const response = await answer(request);
      if (!isSlice(request) || ++broken > 2) return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.slice(0, 10));
          controller.error(new Error('reset'));
        },
      });
      return new Response(body, { headers: response.headers });
    };
    expect(await replica.sync()).toMatchObject({ complete: true });
    expect(broken).toBeGreaterThan(2);
    expect(await verdicts(replica)).toEqual(['listed', 'listed']);
  });

  test('is gone since the origin moved on: the manifest is read again', async () => {
    let manifests = 0;
    world.origin.between = async (request, answer) => {
      if (!isSlice(request)) {
        manifests += 1;
        return answer(request);
      }
      if (manifests > 1) return answer(request);
      await world.origin.merge(detectionsOf(5));
      return new Response(null, { status: 404 });
    };
    const report = await replica.sync();
    expect(manifests).toBe(2);
    expect(report).toMatchObject({ complete: true, unchanged: false });
    expect(await verdicts(replica)).toEqual(['listed', 'listed']);
    const third = await replica.lookup({ number: `+${fictional(5)}` });
    expect(third).toMatchObject({ answer: { verdict: 'listed', generation: report.generation } });
  });

  test('is gone for good: the manifest is read twice, no more', async () => {
    world.origin.between = (request, answer) =>
      isSlice(request) ? Promise.resolve(new Response(null, { status: 404 })) : answer(request);
    expect(await codeOf(replica.sync())).toBe('unavailable');
    expect(world.origin.requests.filter(({ path }) => path === '/v1/feed/manifest')).toHaveLength(2);
    await expectOld();
    await expectRepaired();
  });

  test('that could be fetched before a failure is not fetched again', async () => {
    let slices = 0;
    world.origin.between = (request, answer) =>
      isSlice(request) && ++slices > 1 ? Promise.reject(new Error('reset')) : answer(request);
    const overrides = Overrides.of([{ number: fictional(3), list: 'allow', expiresAt: null, scope: 'tenant' }]);
    world.origin.rules.set('default', { policy: DEFAULT_POLICY, overrides });
    expect(await codeOf(replica.sync())).toBe('unavailable');
    await expectOld();
    world.origin.between = (request, answer) => answer(request);
    expect(await replica.sync()).toMatchObject({ slicesDownloaded: 1, complete: true });
  });
});

describe('the store', () => {
  /** Every call of a sync that has something new. */
  async function callsOfSync(): Promise<string[]> {
    world.store.log.clear();
    await world.isolate().sync();
    return [...world.store.log.calls];
  }

  test('is asked as expected', async () => {
    expect(await callsOfSync()).toEqual([
      'get current',
      'list',
      'put slices/',
      'put slices/',
      'put current',
      // Of the isolate itself, that it answers from the new copy.
      'getIfChanged current',
      'get slices/',
      'get slices/',
    ]);
  });

  const CALLS = 8;
  for (const fault of ['fails', 'fails but persisted'] satisfies Fault[]) {
    test.each(Array.from({ length: CALLS }, (_, i) => i))(`${fault} at call %i: what answers is whole`, async (i) => {
      world.store.log.failAt(i, fault);
      await world
        .isolate()
        .sync()
        .catch((error: Error) => expect(error.message).toContain('injected'));
      expect(world.store.log.calls.length).toBeGreaterThan(i);
      world.store.log.clear();
      world.clock += 31_000;
      const [old, fresh] = await verdicts(world.isolate());
      expect(old).toBe('listed');
      // From the swap on, even if its answer was lost, the new copy answers.
      const isSwapped = i > 4 || (i === 4 && fault === 'fails but persisted');
      expect(fresh).toBe(isSwapped ? 'listed' : 'clear');
      expect(await verdicts(replica)).toEqual([old, fresh]);
      await expectRepaired();
    });
  }

  test('that cannot give the new rules: numbers and rules stay those of the copy before', async () => {
    const overrides = Overrides.of([{ number: fictional(3), list: 'allow', expiresAt: null, scope: 'tenant' }]);
    world.origin.rules.set('default', { policy: DEFAULT_POLICY, overrides });
    await world.isolate().sync();
    const { config } = parseFeedManifest(
      new Uint8Array(await (await world.origin.call('/v1/feed/manifest', world.key)).arrayBuffer()),
    );
    const kept = await world.store.memory.get(`slices/${config.sha256}`);
    await world.store.memory.delete([`slices/${config.sha256}`]);
    world.clock += 31_000;
    expect(await replica.lookup({ number: NEW })).toMatchObject({ answer: { verdict: 'clear' } });
    expect(await replica.lookup({ number: OLD })).toMatchObject({ answer: { action: 'block', rule: 'modem-pool' } });
    if (kept === null) throw new Error('no configuration');
    await world.store.memory.put(kept.key, kept.bytes);
    world.clock += 31_000;
    expect(await replica.lookup({ number: OLD })).toMatchObject({ answer: { action: 'allow', rule: 'override' } });
    expect(await replica.lookup({ number: NEW })).toMatchObject({ answer: { verdict: 'listed' } });
  });

  test('that swaps while a lookup is under way: it is decided by the rules of its own copy', async () => {
    const overrides = Overrides.of([{ number: fictional(3), list: 'allow', expiresAt: null, scope: 'tenant' }]);
    const reading = world.isolate();
    await reading.status();
    world.origin.rules.set('default', { policy: DEFAULT_POLICY, overrides });
    let hasSwapped = false;
    world.store.log.beforeCall = async (name) => {
      // The column of the lookup.
      if (name !== 'getRange slices/' || hasSwapped) return;
      hasSwapped = true;
      await world.isolate().sync();
      world.clock += 31_000;
      await reading.status();
    };
    const { answer } = (await reading.lookup({ number: OLD })) as { answer: LookupAnswer };
    expect(hasSwapped).toBe(true);
    expect(answer).toMatchObject({ generation: 1, action: 'block', rule: 'modem-pool' });
    expect(await reading.lookup({ number: OLD })).toMatchObject({ answer: { generation: 2, action: 'allow' } });
  });

  test('that does not answer lookups leaves what is in memory, and 503 for what is not', async () => {
    expect(await verdicts(replica)).toEqual(['listed', 'clear']);
    world.store.log.beforeCall = () => Promise.reject(new Error('injected'));
    world.clock += 5 * MINUTE;
    const answer = await replica.lookup({ number: OLD });
    expect(answer).toMatchObject({ answer: { verdict: 'listed', stale: true, ageSeconds: 360 } });
    expect(await verdicts(world.isolate())).toEqual(['storage-unavailable', 'storage-unavailable']);
  });

  test('with a damaged column: 503, never clear', async () => {
    for (const hash of await world.store.slices()) {
      const object = await world.store.memory.get(`slices/${hash}`);
      if (object !== null && String.fromCharCode(...object.bytes.subarray(0, 4)) === 'RFSG') {
        await world.store.memory.put(
          `slices/${hash}`,
          object.bytes.map((byte, i) => (i === 64 + 40 ? byte ^ 1 : byte)),
        );
      }
    }
    expect(await verdicts(world.isolate())).toEqual(['storage-unavailable', 'storage-unavailable']);
  });
});

describe('two syncs at once', () => {
  test.each(['put current', 'put slices/', 'list', 'get current', 'get slices/'])('at %s', async (at) => {
    let hasMet = false;
    world.store.log.beforeCall = async (name) => {
      if (name !== at || hasMet) return;
      hasMet = true;
      await world.origin.merge(detectionsOf(5));
      expect(await world.isolate().sync()).toMatchObject({ complete: true });
    };
    const report = await world.isolate().sync();
    expect(hasMet).toBe(true);
    // The one that was late has not undone what the other has done.
    const third = await world.isolate().lookup({ number: `+${fictional(5)}` });
    expect(third).toMatchObject({ answer: { verdict: 'listed' } });
    if (at === 'put current') expect(report).toMatchObject({ complete: false });
    // At `get slices/` it had ended its own by then.
    const { generation } = (await world.isolate().status()) ?? {};
    expect(report.generation).toBe(at === 'get slices/' ? (generation ?? 0) - 1 : generation);
    await expectRepaired();
  });

  test('that start together', async () => {
    await Promise.all([replica.sync(), world.isolate().sync(), world.isolate().sync()]);
    await expectRepaired();
  });
});

describe('an older generation', () => {
  /** What an edge would answer that has kept the first manifest. */
  async function answerOlder(): Promise<void> {
    let old: { bytes: ArrayBuffer; headers: Headers } | null = null;
    const { origin } = world;
    const first = await origin.call('/v1/feed/manifest', world.key);
    old = { bytes: await first.arrayBuffer(), headers: first.headers };
    await origin.merge(detectionsOf(5));
    await replica.sync();
    const kept = old;
    origin.between = (request, answer) =>
      isSlice(request) ? answer(request) : Promise.resolve(new Response(kept.bytes, { headers: kept.headers }));
  }

  test('is refused', async () => {
    await answerOlder();
    const before = await replica.status();
    world.clock += MINUTE;
    expect(await codeOf(replica.sync())).toBe('older');
    expect((await world.isolate().status())?.generation).toBe(before?.generation);
    expect(await verdicts(world.isolate())).toEqual(['listed', 'listed']);
    await expectRepaired();
  });

  test('is followed when the origin has kept to it for long, by isolates too', async () => {
    await answerOlder();
    const before = await replica.status();
    for (let waited = 0; waited < OLDER_FOR_MS; waited += MINUTE) {
      world.clock += MINUTE;
      expect(await codeOf(world.isolate().sync())).toBe('older');
    }
    world.clock += MINUTE;
    expect(await world.isolate().sync()).toMatchObject({ complete: true, generation: (before?.generation ?? 0) - 1 });
    world.clock += 31_000;
    expect((await replica.status())?.generation).toBe((before?.generation ?? 0) - 1);
    // Two neighbours may make it suspect.
    const third = await replica.lookup({ number: `+${fictional(5)}` });
    expect(third).toMatchObject({ answer: { verdict: expect.stringMatching(/^(clear|suspect)$/) } });
  });

  test('now and then is never followed', async () => {
    await answerOlder();
    const stale = world.origin.between;
    for (let waited = 0; waited < 2 * OLDER_FOR_MS; waited += 2 * MINUTE) {
      world.clock += MINUTE;
      world.origin.between = stale;
      expect(await codeOf(world.isolate().sync())).toBe('older');
      world.clock += MINUTE;
      world.origin.between = (request, answer) => answer(request);
      expect(await world.isolate().sync()).toMatchObject({ unchanged: true });
    }
  });
});
