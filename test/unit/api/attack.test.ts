/** What someone tries who means no good, or knows no better: whose data it is, names, methods and bodies. */
import { beforeEach, describe, expect, it } from 'vitest';
import { NUMBER, OVERRIDE, QUERY, Scene } from './attack-support.ts';
import { ADMIN_KEY } from './harness.ts';

const BLOCK_ALL = { rules: [{ id: 'everybody', when: 'true', action: 'block', mode: 'enforce' }], default: 'allow' };

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});

describe('?tenant=', () => {
  it.each([
    '%74enant=bank',
    'tenant=%62ank',
    'x=1&tenant=bank',
    'x=%31&tenant=bank',
    '&tenant=bank',
    'tenant=bank%00',
    'tenant=shop%00',
    'tenant=shop%20',
    'tenant=+shop',
    'tenant=sh%EF%BD%8Fp',
    'tenant=SHOP',
    'tenant=%2A',
    'tenant=__proto__',
    'tenant=constructor',
    'tenant=',
    'tenant',
    'tenant=%',
    'tenant=..%2Fbank',
  ])('%s is forbidden to a key of the tenant scene.shop, on every route', async (query) => {
    const routes = [
      ['GET', '/v1/policy', undefined],
      ['PUT', '/v1/policy', BLOCK_ALL],
      ['POST', '/v1/policy/test', { policy: BLOCK_ALL, samples: 1 }],
      ['PUT', '/v1/overrides', OVERRIDE],
      ['GET', '/v1/overrides', undefined],
      ['GET', '/v1/audit', undefined],
    ] as const;
    for (const [method, path, json] of routes) {
      expect((await scene.harness.call(method, `${path}?${query}`, { key: scene.shop, json })).code).toBe('forbidden');
    }
    expect((await scene.harness.call('DELETE', `/v1/overrides?${QUERY}&${query}`, { key: scene.shop })).code).toBe(
      'forbidden',
    );
    expect(await scene.list(ADMIN_KEY, '?tenant=bank')).toEqual([]);
    expect(await scene.lookup(scene.bank)).toMatchObject({ action: 'allow', rule: 'default' });
  });

  it.each(['Tenant=bank', 'tenant[]=bank', 'x=?tenant=bank', 'tenant%3Dbank', 'xtenant=bank'])(
    '%s names no other tenant: one that is spelt so counts',
    async (query) => {
      expect((await scene.put(scene.shop, {}, `?${query}`)).json).toMatchObject({ tenant: 'shop' });
      expect(await scene.list(scene.bank)).toEqual([]);
    },
  );

  it.each(['tenant=bank&tenant=shop', 'tenant=shop&tenant=bank', 'tenant=shop&tenant=shop'])(
    '%s is refused, whoever asks: neither counts',
    async (query) => {
      for (const key of [scene.shop, ADMIN_KEY]) {
        expect((await scene.put(key, {}, `?${query}`)).code).toBe('invalid-request');
      }
      for (const tenant of ['bank', 'shop']) expect(await scene.list(ADMIN_KEY, `?tenant=${tenant}`)).toEqual([]);
    },
  );

  it.each(['', 'bank%00', 'sh%EF%BD%8Fp', 'SHOP', '__proto__', '..', 'a%2Fb', '*%20', '**', '-a', 'a'.repeat(65)])(
    '%s is no tenant to an admin either',
    async (name) => {
      const answer = await scene.put(ADMIN_KEY, {}, `?tenant=${name}`);
      expect([answer.code, answer.json]).toMatchObject(['invalid-request', { field: 'tenant' }]);
    },
  );

  it('may name a property that every object has', async () => {
    const key = await scene.harness.keyWith(['lookup', 'policy'], { tenant: 'constructor' });
    expect((await scene.put(key)).json).toMatchObject({ tenant: 'constructor' });
    expect(await scene.lookup(key)).toMatchObject({ rule: 'override' });
    expect(await scene.lookup(await scene.harness.keyWith(['lookup'], { tenant: 'valueof' }))).toMatchObject({
      rule: 'default',
    });
  });

  it('says nothing to a lookup, whoever asks', async () => {
    await scene.put(scene.shop);
    for (const key of [scene.bank, ADMIN_KEY]) {
      const { json } = await scene.harness.call('GET', `/v1/lookup?${QUERY}&tenant=shop`, { key });
      expect(json).toMatchObject({ rule: 'default' });
    }
  });
});

describe('names that every object has', () => {
  it.each([
    [
      'PUT',
      '/v1/overrides',
      `{"number":"${NUMBER}","list":"allow","reason":"x","__proto__":{"expiresAt":"2030-01-01"}}`,
    ],
    ['PUT', '/v1/overrides', `{"number":"${NUMBER}","list":"allow","reason":"x","constructor":1}`],
    ['PUT', '/v1/policy', '{"rules":[],"__proto__":{"default":"block"}}'],
    ['PUT', '/v1/policy', '{"rules":[{"id":"a","when":"true","action":"block","toString":1}]}'],
    ['POST', '/v1/policy/test', '{"policy":{"rules":[]},"samples":{"inventory":1,"hasOwnProperty":1}}'],
    ['POST', '/v1/keys', '{"name":"x","scopes":["lookup"],"__proto__":{"tenant":"bank"}}'],
    ['POST', '/v1/keys', '{"name":"x","scopes":["lookup"],"quota":{"perMinute":1,"valueOf":1}}'],
  ])('%s %s refuses %s', async (method, path, body) => {
    expect((await scene.harness.call(method, path, { body })).code).toBe('invalid-request');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('do not stand for what a lookup was not told', async () => {
    for (const body of [`{"__proto__":{"number":"${NUMBER}"}}`, `{"number":"${NUMBER}","country":"__proto__"}`]) {
      expect((await scene.harness.call('POST', '/v1/lookup', { body })).code).toBe('invalid-request');
    }
    const query = `__proto__=x&${QUERY}&constructor=x&toString=x`;
    expect((await scene.harness.call('GET', `/v1/lookup?${query}`)).json).toMatchObject({ number: NUMBER });
    expect((await scene.harness.call('GET', '/v1/lookup?toString=x')).json).toMatchObject({ field: 'number' });
  });

  it('are ids like any other where they are spelt like one, and nothing where not', async () => {
    const rule = (id: string, when: string, mode: string) => ({ id, when, action: 'block', mode });
    const rules = [rule('constructor', 'true', 'shadow'), rule('valueof', 'level > 9', 'enforce')];
    expect((await scene.harness.call('PUT', '/v1/policy', { key: scene.shop, json: { rules } })).status).toBe(200);
    expect(await scene.lookup(scene.shop)).toMatchObject({ rule: 'default', shadow: ['constructor'] });
    for (const id of ['__proto__', 'toString', 'default', 'override', 'override-constructor', 'a\n', 'a'.repeat(65)]) {
      const { status } = await scene.harness.call('PUT', '/v1/policy', {
        key: scene.shop,
        json: { rules: [rule(id, 'true', 'enforce')] },
      });
      expect([id, status]).toEqual([id, 400]);
    }
    for (const when of ['constructor == 1', '__proto__', 'neighbourhood.constructor == 1', 'labels.valueOf() == 1']) {
      const answer = await scene.harness.call('PUT', '/v1/policy', {
        key: scene.shop,
        json: { rules: [rule('a', when, 'enforce')] },
      });
      expect([when, answer.code]).toEqual([when, 'invalid-policy']);
    }
  });
});

describe('another method', () => {
  it('HEAD needs the same key, and has no body', async () => {
    for (const path of ['/v1/overrides', '/v1/policy', '/v1/audit', '/v1/keys', '/v1/status']) {
      const none = await scene.harness.app.request(path, { method: 'HEAD' });
      expect([none.status, await none.text()]).toEqual([401, '']);
    }
    const foreign = await scene.harness.call('HEAD', '/v1/overrides?tenant=bank', { key: scene.shop });
    expect([foreign.status, foreign.text]).toEqual([403, '']);
    await scene.put(scene.shop);
    const own = await scene.harness.call('HEAD', `/v1/overrides?${QUERY}`, { key: scene.shop });
    expect([own.status, own.text]).toEqual([200, '']);
  });

  it.each(['OPTIONS', 'PATCH', 'POST', 'BREW'])(
    '%s is told what there is, with nothing for browsers',
    async (method) => {
      const headers = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' };
      const answer = await scene.harness.call(method, '/v1/overrides', { key: null, headers });
      expect([answer.code, answer.headers.get('allow')]).toEqual(['method-not-allowed', 'PUT, GET, HEAD, DELETE']);
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    },
  );
});

describe('a body', () => {
  it.each([
    'null',
    '[]',
    `"${NUMBER}"`,
    '1',
    '',
    '{',
    `{"number":"${NUMBER}"}x`,
    `[{"number":"${NUMBER}"}]`,
    `{"number":["${NUMBER}"]}`,
  ])('%j is no lookup, and the answer does not repeat it', async (body) => {
    const answer = await scene.harness.call('POST', '/v1/lookup', { key: scene.shop, body });
    expect(answer.code).toBe('invalid-request');
    expect(answer.text).not.toContain(NUMBER.slice(1));
  });

  it('that has a field twice is refused; with a byte order mark it is JSON', async () => {
    const twice = `{"number":"+12025550199","number":"${NUMBER}"}`;
    expect((await scene.harness.call('POST', '/v1/lookup', { key: scene.shop, body: twice })).code).toBe(
      'invalid-request',
    );
    const marked = `\ufeff{"number":"${NUMBER}"}`;
    expect((await scene.harness.call('POST', '/v1/lookup', { key: scene.shop, body: marked })).status).toBe(200);
  });

  it('without a length is counted as it comes, for every route of policies and overrides', async () => {
    const endless = () => new ReadableStream({ pull: (c) => c.enqueue(new TextEncoder().encode(' '.repeat(65_536))) });
    for (const [method, path] of [
      ['PUT', '/v1/overrides'],
      ['PUT', '/v1/policy'],
      ['POST', '/v1/policy/test'],
      ['POST', '/v1/lookup/batch'],
    ] as const) {
      expect((await scene.harness.call(method, path, { key: scene.shop, body: endless() })).code).toBe(
        'payload-too-large',
      );
    }
  });
});
