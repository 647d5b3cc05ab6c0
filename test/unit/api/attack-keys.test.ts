/** Keys that are forged, sent twice, deleted while they are counted, or asked for what they must not have. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Scene } from './attack-support.ts';
import { ADMIN_KEY } from './harness.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});

describe('a key', () => {
  it('with the scope admin is of the operator, whatever its tenant; every other stays within its own', async () => {
    const admin = await scene.harness.keyWith(['admin'], { tenant: 'shop' });
    expect((await scene.put(admin)).json).toMatchObject({ tenant: 'shop' });
    expect((await scene.put(admin, {}, '?tenant=bank')).json).toMatchObject({ tenant: 'bank' });
    const all = await scene.harness.keyWith(['lookup', 'ingest', 'policy', 'feed'], { tenant: 'shop' });
    expect((await scene.harness.call('GET', '/v1/keys', { key: all })).code).toBe('forbidden');
    const json = { name: 'x', scopes: ['admin'] };
    expect((await scene.harness.call('POST', '/v1/keys', { key: all, json })).code).toBe('forbidden');
    const path = `/v1/keys/${scene.bank.split('_')[1]}`;
    expect((await scene.harness.call('DELETE', path, { key: all })).code).toBe('forbidden');
    expect(await scene.lookup(scene.bank)).toMatchObject({ action: 'block' });
  });

  it('deleted while its quota is used up is unknown and not over quota; its successor starts afresh', async () => {
    const quota = { perMinute: 1 };
    const key = await scene.harness.keyWith(['lookup'], { tenant: 'shop', quota });
    expect((await scene.harness.call('GET', '/v1/status', { key })).status).toBe(200);
    expect((await scene.harness.call('GET', '/v1/status', { key })).code).toBe('quota-exceeded');
    expect((await scene.harness.call('DELETE', `/v1/keys/${key.split('_')[1]}`)).status).toBe(204);
    expect((await scene.harness.call('GET', '/v1/status', { key })).code).toBe('unauthorized');
    const successor = await scene.harness.keyWith(['lookup'], { tenant: 'shop', quota });
    expect((await scene.harness.call('GET', '/v1/status', { key: successor })).status).toBe(200);
  });

  it.each([
    ['another secret', (key: string) => `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`],
    ['capitals', (key: string) => key.toUpperCase()],
    ['a character too many', (key: string) => `${key}0`],
    ['a character too few', (key: string) => key.slice(0, -1)],
    ['the id alone', (key: string) => key.slice(0, 'rf_000000000000'.length)],
    ['the secret alone', (key: string) => key.split('_')[2] ?? ''],
    ['quotes', (key: string) => `"${key}"`],
    ['another key after it', (key: string) => `${key} ${ADMIN_KEY}`],
    ['another key by a comma', (key: string) => `${key}, Bearer ${ADMIN_KEY}`],
    ['257 characters', () => 'a'.repeat(257)],
    ['a hundred thousand characters', () => 'a'.repeat(100_000)],
    ['full-width letters', (key: string) => key.replace('rf', '\u00fff')],
  ])('is refused with %s', async (_, forged) => {
    await scene.lookup(scene.shop);
    const answer = await scene.harness.call('GET', '/v1/status', { key: forged(scene.shop) });
    expect([answer.status, answer.code]).toEqual([401, 'unauthorized']);
    expect(answer.text).not.toContain(scene.shop.slice(3, 20));
  });

  it('sent twice is none', async () => {
    const headers = new Headers({ authorization: `Bearer ${scene.shop}` });
    headers.append('authorization', `Bearer ${scene.shop}`);
    expect((await scene.harness.app.request('/v1/status', { headers })).status).toBe(401);
  });

  it.each([
    '..',
    '%2e%2e',
    '..%2Fkeys',
    '%00',
    '',
    'admin',
    '__proto__',
    '*',
    '%',
    'a/b',
    'a'.repeat(5000),
    'ID%20',
    'ID%00',
    'rf_ID',
  ])('is not found by the id %s, and none is deleted', async (id) => {
    const path = `/v1/keys/${id.replace('ID', scene.shop.split('_')[1] ?? '')}`;
    const response = await scene.harness.app.request(path, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    expect(response.status).toBe(404);
    const { json } = await scene.harness.call('GET', '/v1/keys');
    expect(json).toMatchObject({ keys: [{ tenant: 'shop' }, { tenant: 'bank' }] });
  });

  it.each(['__proto__', '*', 'Shop', '\uff53hop', 'shop\0', 'shop\n', ' shop', '', '..', 'a/b', '-a', 'a'.repeat(65)])(
    'is not made for the tenant %j',
    async (tenant) => {
      const { json } = await scene.harness.call('POST', '/v1/keys', {
        json: { name: 'x', scopes: ['lookup'], tenant },
      });
      expect(json).toMatchObject({ status: 400, field: 'tenant' });
    },
  );

  it.each([[{ length: 1, 0: 'admin' }], ['admin'], [['ADMIN']], [['admin ']], [[['admin']]], [[]], [null]])(
    'is not made with the scopes %j',
    async (scopes) => {
      expect((await scene.harness.call('POST', '/v1/keys', { json: { name: 'x', scopes } })).code).toBe(
        'invalid-request',
      );
    },
  );
});
