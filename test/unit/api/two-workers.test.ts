/**
 * Both Workers at one address, each with an isolate of its own: who answers what, and what the edge knows of changes.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type ControlBinding, EDGE_ROUTES } from '../../../src/api/edge-app.ts';
import { eventLoopTurn } from '../../../src/lib/cooperate.ts';
import { type Control, createControl } from '../../../src/wiring/control.ts';
import { runCron } from '../../../src/wiring/crons.ts';
import { createEdge, type Edge } from '../../../src/wiring/edge.ts';
import { createIsolate, WORKERS_PLATFORM } from '../../../src/wiring/isolate.ts';
import { newWorld, type World } from '../../support/world.ts';

const ADMIN = 'admin-key-of-more-than-32-characters';
const ORIGIN = 'https://ringfence.example';
/** The edge has no compiler, and needs none for what is stored with a tree. */
const compile = () => Promise.reject(new Error('no compiler here'));
const NUMBER = '+12025550123';
const POLICY = { rules: [{ id: 'all', when: 'true', action: 'flag' }] };

let world: World;
let control: Control;
let edge: Edge;
/** What the edge has handed on. */
let forwarded: Request[];
/** In the place of the control Worker. */
let between: ControlBinding['fetch'];

beforeEach(() => {
  world = newWorld();
  control = createControl(newIsolate(), {});
  forwarded = [];
  between = (request) => control.fetch(request);
  edge = newEdge();
});

function newIsolate(sleep: (ms: number) => Promise<void> = world.sleep) {
  const platform = { ...WORKERS_PLATFORM, now: world.now, sleep, log: world.log };
  return createIsolate(world, { RINGFENCE_ADMIN_KEY: ADMIN }, () => undefined, compile, [], platform);
}

function newEdge(sleep?: (ms: number) => Promise<void>): Edge {
  const binding: ControlBinding = {
    fetch(request) {
      forwarded.push(request);
      return between(request);
    },
  };
  return createEdge(newIsolate(sleep), binding, null);
}

/** What the edge itself asks of storage from now on. */
function watchEdge(): string[] {
  const calls: string[] = [];
  let isInControl = false;
  between = async (request) => {
    isInControl = true;
    try {
      return await control.fetch(request);
    } finally {
      isInControl = false;
    }
  };
  world.storeLog.beforeCall = async () => {
    if (!isInControl) calls.push('read');
  };
  return calls;
}

async function expectNothingRead(): Promise<void> {
  world.storeLog.calls.length = 0;
  await lookup();
  expect(world.storeLog.calls).toEqual([]);
}

async function call(method: string, path: string, body?: unknown, key = ADMIN): Promise<Response> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return edge.fetch(new Request(ORIGIN + path, { ...init, headers }));
}

const jsonOf = async (answer: Promise<Response>) => (await (await answer).json()) as Record<string, unknown>;
const lookup = (key?: string) => jsonOf(call('POST', '/v1/lookup', { number: NUMBER }, key));

describe('the edge', () => {
  it('answers its own routes without the control Worker, whatever key', async () => {
    between = () => Promise.reject(new Error('nobody there'));
    for (const { method, path } of EDGE_ROUTES) {
      const answer = await call(method, path.replace(':hash', 'a'.repeat(64)).replace(':file', 'init.js'));
      expect([200, 400, 404], `${method} ${path}`).toContain(answer.status);
      expect((await call('HEAD', '/healthz')).status).toBe(200);
      expect((await call('GET', '/v1/lookup?number=1', undefined, 'rf_wrong')).status).toBe(401);
    }
    expect(forwarded).toEqual([]);
  });

  it('hands on all else: the request itself, unread, and the answer as it comes', async () => {
    const answer = new Response('part', { status: 207, headers: { 'x-of-control': 'yes' } });
    between = () => answer;
    const request = new Request(`${ORIGIN}/v1/detections?a=%2B1`, {
      ...{ method: 'POST', body: new Blob(['[]']).stream(), duplex: 'half' },
      headers: { 'x-own': 'kept', authorization: 'Bearer of-somebody' },
    });
    expect(await edge.fetch(request)).toBe(answer);
    expect(forwarded).toEqual([request]);
    expect(forwarded[0]).toBe(request);
    expect([request.bodyUsed, answer.bodyUsed]).toEqual([false, false]);
  });

  it.each([
    ['GET', '/nowhere', 404, null],
    ['GET', '/v1/lookup/', 404, null],
    ['PUT', '/v1/lookup', 405, 'POST, GET, HEAD'],
    ['GET', '/v1/lookup/batch', 405, 'POST'],
    ['DELETE', '/v1/status', 405, 'GET, HEAD'],
    ['POST', '/healthz', 405, 'GET, HEAD'],
    ['POST', '/v1/feed/slices/abc', 405, 'GET, HEAD'],
    ['PATCH', '/docs/init.js', 405, 'GET, HEAD'],
    ['PATCH', '/v1/%70olicy', 405, 'GET, HEAD, PUT'],
    ['OPTIONS', '/v1/keys', 405, 'POST, GET, HEAD'],
  ])('%s %s is answered for both: %i', async (method, path, status, allow) => {
    const answer = await call(method, path);
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('HEAD of a route of the control Worker is its GET without a body', async () => {
    const answer = await call('HEAD', '/v1/status');
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(forwarded.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('one document describes the routes of both', async () => {
    const { paths } = await jsonOf(call('GET', '/openapi.json'));
    expect(Object.keys(paths as object)).toEqual(
      expect.arrayContaining(['/v1/lookup', '/healthz', '/v1/feed/manifest', '/docs', '/v1/status', '/openapi.json']),
    );
    // Read from top to bottom: lookups first, health beside the status.
    expect(Object.keys(paths as object).slice(0, 2)).toEqual(['/v1/lookup', '/v1/lookup/batch']);
    expect(Object.keys(paths as object).join(' ')).toContain(' / /healthz /v1/status ');
  });

  it('says 503 where the control Worker does not answer, and the log why, without the path', async () => {
    between = () => Promise.reject(new TypeError('binding failed at /v1/overrides?number=%2B12025550123'));
    const answer = await call('GET', '/v1/overrides?number=%2B12025550123');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await answer.json()).toMatchObject({ type: 'urn:ringfence:problem:storage-unavailable', status: 503 });
    expect(world.events).toEqual([
      'control.unavailable {"reason":"binding failed at /v1/overrides?number=%2B[digits]"}',
    ]);
  });
});

describe('what has been changed through an edge', () => {
  it('is in force in its next lookup: overrides and policies', async () => {
    expect(await lookup()).toMatchObject({ action: 'allow', rule: 'default' });
    await call('PUT', '/v1/overrides', { number: NUMBER, list: 'block', reason: 'a test' });
    expect(await lookup()).toMatchObject({ action: 'block', rule: 'override' });
    await call('DELETE', `/v1/overrides?number=%2B${NUMBER.slice(1)}`);
    expect(await lookup()).toMatchObject({ action: 'allow', rule: 'default' });
    await call('PUT', '/v1/policy', { rules: [{ id: 'all', when: 'true', action: 'flag', mode: 'enforce' }] });
    expect(await lookup()).toMatchObject({ action: 'flag', rule: 'all' });
  });

  it('keys: made, and deleted', async () => {
    const { key, id } = await jsonOf(call('POST', '/v1/keys', { name: 'a test', scopes: ['lookup'] }));
    expect(await lookup(String(key))).toMatchObject({ verdict: 'clear' });
    await call('DELETE', `/v1/keys/${String(id)}`);
    expect(await lookup(String(key))).toMatchObject({ status: 401 });
  });

  it('the inventory: whoever has read the status of a generation finds no older one in lookups', async () => {
    expect(await lookup()).toMatchObject({ generation: 0 });
    await call('POST', '/v1/detections', [{ number: NUMBER }]);
    await runCron('* * * * *', control);
    expect(await lookup()).toMatchObject({ generation: 0, verdict: 'clear' });
    expect(await jsonOf(call('GET', '/v1/status'))).toMatchObject({ generation: 1 });
    expect(await lookup()).toMatchObject({ generation: 1, verdict: 'listed' });
    await call('POST', '/v1/detections', [{ number: '+12025550124' }]);
    await runCron('* * * * *', control);
    await call('POST', '/v1/rollback', { generation: 1 });
    expect(await lookup()).toMatchObject({ generation: 3 });
  });

  it('is looked for before the answer goes out: whoever has it may ask at once, on another connection', async () => {
    // No wait ends: what storage has not said is waited for.
    edge = newEdge(() => new Promise(() => undefined));
    await lookup();
    const events: string[] = [];
    let letRead = () => {};
    const reading = new Promise<void>((resolve) => {
      letRead = resolve;
    });
    let isChanged = false;
    between = async (request) => {
      const answer = await control.fetch(request);
      isChanged = true;
      return answer;
    };
    world.storeLog.beforeCall = () => {
      if (!isChanged) return Promise.resolve();
      events.push('asked');
      return reading;
    };
    const answered = call('PUT', '/v1/overrides', { number: NUMBER, list: 'block', reason: 'a test' }).then(() =>
      events.push('answered'),
    );
    await vi.waitFor(() => expect(events).toContain('asked'));
    // More than it takes an answer to come that waits for nothing.
    await eventLoopTurn();
    events.push('read');
    letRead();
    await answered;
    expect(events.filter((event) => event !== 'asked')).toEqual(['read', 'answered']);
  });

  it('is looked for by whoever asks next, where storage does not answer at once', async () => {
    await lookup();
    world.storeLog.beforeCall = () =>
      forwarded.length > 0 && isDown ? Promise.reject(new Error('down')) : Promise.resolve();
    let isDown = false;
    between = async (request) => {
      const answer = await control.fetch(request);
      isDown = true;
      return answer;
    };
    await call('PUT', '/v1/overrides', { number: NUMBER, list: 'block', reason: 'a test' });
    isDown = false;
    world.clock += 5000;
    expect(await lookup()).toMatchObject({ action: 'block' });
  });

  it('is looked for by who made it: no lookup waits for the manifest or the index', async () => {
    await lookup();
    await call('POST', '/v1/detections', [{ number: NUMBER }]);
    await runCron('* * * * *', control);
    await call('GET', '/v1/status');
    await call('PUT', '/v1/overrides', { number: NUMBER, list: 'block', reason: 'a test' });
    world.storeLog.clear();
    expect(await lookup()).toMatchObject({ generation: 1, rule: 'override' });
    const read = world.storeLog.calls.join('\n');
    expect(read).toMatch(/overrides/);
    expect(read).not.toMatch(/manifest$|config\/tenants$/m);
  });

  it('the inventory, by a decision on a source', async () => {
    const good = Array.from({ length: 200 }, (_, i) => ({ number: `+1202555${String(1000 + i)}` }));
    const bad = Array.from({ length: 100 }, (_, i) => ({ number: `+1999555${String(1000 + i)}` }));
    for (const decision of ['release', 'drop']) {
      edge = newEdge();
      await call(
        'POST',
        '/v1/detections',
        [...good, ...bad].map((one) => ({ ...one, source: decision })),
      );
      world.clock += 60_000;
      await runCron('* * * * *', control);
      await lookup();
      const { generation } = await jsonOf(call('POST', `/v1/sources/${decision}`, { source: decision }));
      expect(generation).toEqual(expect.any(Number));
      expect(await lookup()).toMatchObject({ generation });
    }
  });

  it('by a path that is written otherwise', async () => {
    await lookup();
    const answer = await call('PUT', '/v1/%70olicy', POLICY);
    expect(answer.status).toBe(200);
    expect(await lookup()).toMatchObject({ action: 'flag', rule: 'all' });
  });

  it('may have been changed though the answer says that it failed', async () => {
    await lookup();
    between = async (request) => {
      await control.fetch(request);
      throw new Error('the answer was lost');
    };
    const answer = await call('PUT', '/v1/policy', POLICY);
    expect(answer.status).toBe(503);
    expect(await lookup()).toMatchObject({ action: 'flag', rule: 'all' });
  });

  it('costs nothing without a key while the control Worker fails', async () => {
    await lookup();
    for (const failing of [() => Promise.reject(new Error('gone')), () => new Response('', { status: 503 })]) {
      const reads = watchEdge();
      between = failing;
      for (const path of ['/v1/policy', '/v1/keys', '/v1/rollback', '/v1/overrides', '/v1/sources/release']) {
        expect((await edge.fetch(new Request(ORIGIN + path, { method: 'PUT' }))).status).toBe(503);
        expect((await call('PUT', path, {}, 'rf_wrong')).status).toBe(503);
      }
      expect(reads).toEqual([]);
    }
    await expectNothingRead();
  });

  it('nobody else waits for the look that a status takes', async () => {
    await lookup();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    between = () => new Response('{}');
    world.storeLog.beforeCall = () => held;
    const status = call('GET', '/v1/status');
    await eventLoopTurn();
    expect(await Promise.race([lookup(), eventLoopTurn()])).toMatchObject({ verdict: 'clear' });
    release();
    expect((await status).status).toBe(200);
  });

  it('costs uploads and reads nothing', async () => {
    await lookup();
    await call('POST', '/v1/detections', [{ number: NUMBER }]);
    await call('GET', '/v1/policy');
    await call('GET', '/v1/sources');
    await expectNothingRead();
  });

  it('costs nothing where nothing is changed: a request without a valid key, a refused one, a dry run', async () => {
    const { key } = await jsonOf(call('POST', '/v1/keys', { name: 'a test', scopes: ['lookup'] }));
    await lookup();
    const readsOfEdge = watchEdge();
    for (const token of ['rf_wrong', String(key)]) {
      for (const path of ['/v1/keys', '/v1/policy', '/v1/overrides', '/v1/rollback', '/v1/sources/drop']) {
        const method = path === '/v1/policy' || path === '/v1/overrides' ? 'PUT' : 'POST';
        expect([401, 403], path).toContain((await call(method, path, {}, token)).status);
      }
    }
    expect((await call('GET', '/v1/status', undefined, 'rf_wrong')).status).toBe(401);
    expect((await call('PUT', '/v1/policy', { rules: 1 })).status).toBe(400);
    expect((await call('PATCH', '/v1/policy', POLICY)).status).toBe(405);
    expect((await call('DELETE', '/v1/keys/none')).status).toBe(404);
    expect((await call('POST', '/v1/policy/test', { policy: POLICY, numbers: [NUMBER] })).status).toBe(200);
    expect(readsOfEdge).toEqual([]);
    between = () => new Response(null, { status: 429 });
    await call('PUT', '/v1/policy', POLICY);
    await call('GET', '/v1/status');
    expect(readsOfEdge).toEqual([]);
    await expectNothingRead();
  });
});
