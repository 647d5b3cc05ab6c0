/** Rules of tenants, lookups by RPC, and the platform's rate limiters, in workerd. */
import { createScheduledController, reset } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { afterEach, describe, expect, test } from 'vitest';
import control from '../../src/control.ts';
import { POLICY_PREFIX } from '../../src/storage/keys.ts';
import { policyFile } from '../../src/tenants/documents.ts';

/** Between tests the storage is emptied; what the isolate holds of it stays, so each test has numbers of its own. */
afterEach(reset);

const NUMBER = '+12025550141';
const QUERY = '/v1/overrides?number=%2B12025550141';

async function call(method: string, path: string, body?: unknown, key = env.RINGFENCE_ADMIN_KEY) {
  const response = await exports.default.fetch(`https://ringfence.example${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) };
}

/** The minute's cron; the edge's isolate knows of it by the status that it hands on. */
async function tick() {
  await control.scheduled(createScheduledController({ cron: '* * * * *' }), env);
  await call('GET', '/v1/status');
}

const lookup = (number: string) => call('POST', '/v1/lookup', { number });

describe('overrides and policy', () => {
  test('stay through merges, compactions and a rollback', async () => {
    await call('PUT', '/v1/overrides', { number: NUMBER, list: 'allow', reason: 'a test' });
    await call('PUT', '/v1/policy', {
      rules: [{ id: 'all-listed', when: "verdict == 'listed'", action: 'flag', mode: 'enforce' }],
    });
    for (let i = 0; i < 3; i++) {
      await call('POST', '/v1/detections', [{ number: NUMBER }, { number: `+1202555015${i}` }]);
      await tick();
      expect((await lookup(NUMBER)).body).toMatchObject({ verdict: 'listed', action: 'allow', rule: 'override' });
    }
    expect((await lookup('+12025550150')).body).toMatchObject({ action: 'flag', rule: 'all-listed' });
    await call('POST', '/v1/rollback', { generation: 1 });
    expect((await lookup(NUMBER)).body).toMatchObject({ rule: 'override' });
    expect((await call('GET', QUERY)).body).toMatchObject({ list: 'allow', reason: 'a test', author: 'admin' });
    expect((await call('DELETE', QUERY)).status).toBe(204);
    expect((await call('GET', '/v1/audit')).body).toMatchObject({
      entries: [{ action: 'override.delete' }, { action: 'policy.put' }, { action: 'override.put' }],
    });
  });
});

describe('a policy that a version before has stored, without what it compiles to', () => {
  test('decides as one that is stored compiled: the edge asks for the tree, which it could not make', async () => {
    const rules = [
      { id: 'listed', when: "verdict == 'listed' && level >= 5", action: 'challenge', mode: 'enforce' },
      { id: 'abroad', when: "!(country in ['US', 'CA'])", action: 'flag', mode: 'enforce' },
    ];
    const { body } = await call('POST', '/v1/keys', { name: 'old', scopes: ['lookup'], tenant: 'old' });
    await call('PUT', '/v1/policy?tenant=old', { rules, default: 'allow' });
    const {
      objects: [stored],
    } = await env.STORE.list({ prefix: `${POLICY_PREFIX}old/` });
    if (stored === undefined) throw new Error('expected a stored policy');
    const object = await env.STORE.get(stored.key);
    if (object === null) throw new Error('expected a stored policy');
    const { tree, ...before } = policyFile.decode(new Uint8Array(await object.arrayBuffer()));
    expect(tree).toBeDefined();
    await env.STORE.put(stored.key, policyFile.encode(before));
    const decided = async (number: string) => (await call('POST', '/v1/lookup', { number }, String(body?.key))).body;
    expect(await decided('+442079460102')).toMatchObject({ action: 'flag', rule: 'abroad' });
    expect(await decided('+12025550142')).toMatchObject({ action: 'allow', rule: 'default' });
    // What it reads of the store is as it was.
    const after = await env.STORE.get(stored.key);
    expect(policyFile.decode(new Uint8Array((await after?.arrayBuffer()) ?? []))).toEqual(before);
  });
});

describe('lookups by RPC', () => {
  test('answer as over HTTP, without a key', async () => {
    await call('POST', '/v1/detections', [{ number: NUMBER }]);
    await tick();
    const { body } = await lookup(NUMBER);
    const result = await exports.Lookup.lookup({ number: NUMBER });
    expect(result).toEqual({ ok: true, answer: body });
    expect(body).toMatchObject({ verdict: 'listed' });
  });

  test('a bad number and an unknown one come back as results, not as exceptions', async () => {
    expect(await exports.Lookup.lookup({ number: '12' })).toMatchObject({
      ok: false,
      status: 400,
      code: 'invalid-number',
    });
    expect(await exports.Lookup.lookup({ number: '+61491570159' })).toMatchObject({
      ok: false,
      status: 503,
      code: 'storage-unavailable',
    });
    const wrong = { number: 12 } as unknown as { number: string };
    expect(await exports.Lookup.lookup(wrong)).toMatchObject({ ok: false, status: 400, code: 'invalid-request' });
  });

  test('the tenant of the binding decides', async () => {
    const other = '+442079460100';
    await call('PUT', '/v1/overrides?tenant=shop', { number: other, list: 'block', reason: 'a test' });
    const bound = (props: object) => exports.Lookup({ props });
    expect(await bound({ tenant: 'shop' }).lookup({ number: other })).toMatchObject({ answer: { action: 'block' } });
    expect(await bound({ tenant: 'bank' }).lookup({ number: other })).toMatchObject({ answer: { action: 'allow' } });
    expect(await exports.Lookup.lookup({ number: other })).toMatchObject({ answer: { action: 'allow' } });
    expect(await bound({ tenant: '*' }).lookup({ number: other })).toMatchObject({
      ok: false,
      code: 'invalid-request',
    });
  });
});

test('a key over its quota gets 429 and Retry-After; the limiter holds for another isolate too', async () => {
  const { body } = await call('POST', '/v1/keys', { name: 'q', scopes: ['lookup'], quota: { perMinute: 10 } });
  const key = String(body?.key);
  const statuses = [];
  for (let i = 0; i < 12; i++) statuses.push((await call('POST', '/v1/lookup', { number: NUMBER }, key)).status);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2);
  const { success } = (await env.QUOTA_10.limit({ key: String(body?.id) })) as { success: boolean };
  expect(success).toBe(false);
});
