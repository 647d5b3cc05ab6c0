import { beforeEach, describe, expect, it } from 'vitest';
import { SCOPES, type Scope } from '../../../src/keys/key.ts';
import { ADMIN_KEY, Harness } from './harness.ts';

interface Protected {
  readonly method: string;
  readonly path: string;
  readonly scope: Scope;
  readonly body?: string;
  readonly type?: string;
  readonly success: number;
}

const PROTECTED: readonly Protected[] = [
  { method: 'POST', path: '/v1/lookup', scope: 'lookup', body: '{"number":"+12025550123"}', success: 200 },
  { method: 'GET', path: '/v1/lookup?number=%2B12025550123', scope: 'lookup', success: 200 },
  { method: 'POST', path: '/v1/lookup/batch', scope: 'lookup', body: '{"numbers":[]}', success: 200 },
  { method: 'GET', path: '/v1/policy', scope: 'policy', success: 200 },
  { method: 'PUT', path: '/v1/policy', scope: 'policy', body: '{"rules":[]}', success: 200 },
  {
    method: 'POST',
    path: '/v1/policy/test',
    scope: 'policy',
    body: '{"policy":{"rules":[]},"samples":1}',
    success: 200,
  },
  { method: 'GET', path: '/v1/overrides?number=%2B12025550123', scope: 'policy', success: 404 },
  {
    method: 'PUT',
    path: '/v1/overrides',
    scope: 'policy',
    body: '{"number":"+12025550123","list":"allow","reason":"test"}',
    success: 200,
  },
  { method: 'DELETE', path: '/v1/overrides?number=%2B12025550123', scope: 'policy', success: 404 },
  { method: 'DELETE', path: '/v1/overrides/lost', scope: 'policy', success: 404 },
  { method: 'GET', path: '/v1/feed/manifest', scope: 'feed', success: 503 },
  { method: 'GET', path: `/v1/feed/slices/${'0'.repeat(64)}`, scope: 'feed', success: 404 },
  { method: 'GET', path: `/v1/feed/segments/${'0'.repeat(64)}`, scope: 'feed', success: 404 },
  { method: 'GET', path: '/v1/audit', scope: 'policy', success: 200 },
  { method: 'GET', path: '/v1/briefings/2025-05-16/2025-05-30', scope: 'lookup', success: 200 },
  { method: 'POST', path: '/v1/detections', scope: 'ingest', body: '[{}]', type: 'application/json', success: 202 },
  { method: 'GET', path: '/v1/status', scope: 'lookup', success: 200 },
  { method: 'POST', path: '/v1/rollback', scope: 'admin', body: '{"generation":6}', success: 200 },
  { method: 'GET', path: '/v1/sources', scope: 'admin', success: 200 },
  { method: 'POST', path: '/v1/sources/release', scope: 'admin', body: '{"source":null}', success: 404 },
  { method: 'POST', path: '/v1/sources/drop', scope: 'admin', body: '{"source":null}', success: 404 },
  { method: 'GET', path: '/v1/batches', scope: 'admin', success: 200 },
  { method: 'POST', path: '/v1/batches/0123456789ab/withdraw', scope: 'admin', success: 404 },
  { method: 'POST', path: '/v1/batches/0123456789ab/release', scope: 'admin', success: 404 },
  { method: 'GET', path: '/v1/canaries', scope: 'admin', success: 200 },
  { method: 'PUT', path: '/v1/canaries', scope: 'admin', body: '{"number":"+12025550123"}', success: 200 },
  { method: 'DELETE', path: '/v1/canaries?number=%2B12025550123', scope: 'admin', success: 404 },
  { method: 'POST', path: '/v1/keys', scope: 'admin', body: '{"name":"x","scopes":["feed"]}', success: 201 },
  { method: 'GET', path: '/v1/keys', scope: 'admin', success: 200 },
  { method: 'DELETE', path: '/v1/keys/0123456789ab', scope: 'admin', success: 404 },
];

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

function send({ method, path, body, type }: Protected, key: string | null) {
  return harness.call(method, path, {
    key,
    ...(body === undefined ? {} : { body }),
    ...(type === undefined ? {} : { headers: { 'content-type': type } }),
  });
}

it('covers every route that needs a key', () => {
  const listed = PROTECTED.map(({ method, path, scope }) => `${method} ${path.split('?')[0]} ${scope}`);
  const routes = harness.routes.flatMap(({ method, path, scope }) =>
    scope === null
      ? []
      : [
          `${method} ${path.replace(':id', '0123456789ab').replace(':hash', '0'.repeat(64)).replace(':from/:to', '2025-05-16/2025-05-30')} ${scope}`,
        ],
  );
  expect(listed.sort()).toEqual(routes.sort());
});

describe.each(PROTECTED)('$method $path', (route) => {
  it('needs a key: 401 with a challenge', async () => {
    const { status, code, headers } = await send(route, null);
    expect([status, code]).toEqual([401, 'unauthorized']);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="ringfence"');
  });

  it('refuses a bad key: 401', async () => {
    for (const key of ['wrong', `${ADMIN_KEY}x`, `rf_0123456789ab_${'0'.repeat(40)}`]) {
      const { status, code, headers } = await send(route, key);
      expect([status, code]).toEqual([401, 'unauthorized']);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="ringfence", error="invalid_token"');
    }
  });

  it.each(SCOPES)('checks the scope of a key with only %s', async (scope) => {
    const answer = await send(route, await harness.keyWith([scope]));
    if (scope === route.scope || scope === 'admin') {
      expect(answer.status).toBe(route.success);
      return;
    }
    expect([answer.status, answer.code]).toEqual([403, 'forbidden']);
    expect(answer.json).toMatchObject({ scope: route.scope });
    expect(answer.headers.get('www-authenticate')).toContain(`error="insufficient_scope", scope="${route.scope}"`);
  });

  it('answers 503 if the key cannot be checked, but knows the admin key', async () => {
    const key = await harness.keyWith(['admin']);
    const cold = new Harness();
    cold.objects.failure = 'all';
    harness = cold;
    const { status, code, headers } = await send(route, key);
    expect([status, code, headers.get('retry-after')]).toEqual([503, 'storage-unavailable', '5']);
    expect((await send(route, ADMIN_KEY)).status).not.toBe(401);
  });
});

describe('the Authorization header', () => {
  const number = { json: { number: '+12025550123' } };

  it.each(['Bearer', 'bearer', 'BEARER'])('may say %s', async (scheme) => {
    const headers = { authorization: `${scheme} ${ADMIN_KEY}` };
    expect((await harness.call('POST', '/v1/lookup', { ...number, headers })).status).toBe(200);
  });

  it.each([`Basic ${ADMIN_KEY}`, ADMIN_KEY, 'Bearer', 'Bearer '])('is refused as %j', async (authorization) => {
    const answer = await harness.call('POST', '/v1/lookup', { ...number, key: null, headers: { authorization } });
    expect(answer.status).toBe(401);
  });
});

describe('a quota', () => {
  it('answers 429 with Retry-After once it is used up, until the next minute', async () => {
    const key = await harness.keyWith(['lookup'], { quota: { perMinute: 2 } });
    const call = () => harness.call('GET', '/v1/status', { key });
    expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
    harness.nowMs += 15_000;
    const { status, code, headers, json } = await call();
    expect([status, code, headers.get('retry-after')]).toEqual([429, 'quota-exceeded', '45']);
    expect(json).toMatchObject({ perMinute: 2 });
    expect((await harness.call('GET', '/v1/status', { key: await harness.keyWith(['lookup']) })).status).toBe(200);
    harness.nowMs += 45_000;
    expect((await call()).status).toBe(200);
  });

  it('is not used by what the key may not do', async () => {
    const key = await harness.keyWith(['lookup'], { quota: { perMinute: 1 } });
    expect((await harness.call('GET', '/v1/keys', { key })).status).toBe(403);
    expect((await harness.call('GET', '/v1/status', { key })).status).toBe(200);
  });
});

it('refuses a deleted key, at once here and within a minute elsewhere', async () => {
  const { json } = await harness.call('POST', '/v1/keys', { json: { name: 'x', scopes: ['lookup'] } });
  const { id, key } = json as { id: string; key: string };
  expect((await harness.call('GET', '/v1/status', { key })).status).toBe(200);
  expect((await harness.call('DELETE', `/v1/keys/${id}`)).status).toBe(204);
  expect((await harness.call('GET', '/v1/status', { key })).status).toBe(401);
});
