/** One tenant can neither see nor touch what another has: policy, overrides, audit trail, keys, quota. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { LookupAnswer } from '../../../src/policy/answer.ts';
import { Harness } from './harness.ts';

const NUMBER = '+12025550123';
const DIGITS = 12_025_550_123;
const QUERY = `number=%2B${DIGITS}`;
const BLOCK_ALL = { rules: [{ id: 'everybody', when: 'true', action: 'block', mode: 'enforce' }], default: 'allow' };

let harness: Harness;
let shop: string;
let bank: string;

beforeEach(async () => {
  harness = new Harness();
  shop = await harness.keyWith(['lookup', 'policy'], { tenant: 'shop' });
  bank = await harness.keyWith(['lookup', 'policy'], { tenant: 'bank' });
});

async function lookup(key: string, number = NUMBER): Promise<LookupAnswer> {
  const { json } = await harness.call('POST', '/v1/lookup', { key, json: { number } });
  return json as LookupAnswer;
}

const override = (list: string, more: object = {}) => ({ number: NUMBER, list, reason: 'a test', ...more });

describe('what is of one tenant', () => {
  it('a policy decides for its own tenant only, in single lookups and in batches', async () => {
    expect((await harness.call('PUT', '/v1/policy', { key: shop, json: BLOCK_ALL })).status).toBe(200);
    expect(await lookup(shop)).toMatchObject({ action: 'block', rule: 'everybody' });
    expect(await lookup(bank)).toMatchObject({ action: 'allow', rule: 'default' });
    const batch = { numbers: [NUMBER, 'x'] };
    const { json } = await harness.call('POST', '/v1/lookup/batch', { key: shop, json: batch });
    expect(json).toMatchObject({ results: [{ action: 'block' }, { error: { code: 'invalid-number' } }] });
    const other = await harness.call('POST', '/v1/lookup/batch', { key: bank, json: batch });
    expect(other.json).toMatchObject({ results: [{ action: 'allow' }, {}] });
    expect((await harness.call('GET', '/v1/policy', { key: bank })).json).toMatchObject({ version: 0 });
  });

  it('rules in shadow mode are reported where an override decides, too', async () => {
    const rules = [{ id: 'watch', when: "country == 'US'", action: 'block', mode: 'shadow' }];
    await harness.call('PUT', '/v1/policy', { key: shop, json: { rules } });
    await harness.call('PUT', '/v1/overrides', { key: shop, json: override('allow') });
    expect(await lookup(shop)).toMatchObject({ action: 'allow', rule: 'override', shadow: ['watch'] });
  });

  it('an override is neither seen, used nor deleted by another', async () => {
    await harness.call('PUT', '/v1/overrides', { key: shop, json: override('block') });
    expect(await lookup(shop)).toMatchObject({ action: 'block', rule: 'override', verdict: 'clear' });
    expect(await lookup(bank)).toMatchObject({ action: 'allow', rule: 'default' });
    expect((await harness.call('GET', `/v1/overrides?${QUERY}`, { key: bank })).code).toBe('not-found');
    expect((await harness.call('GET', '/v1/overrides', { key: bank })).json).toEqual({ overrides: [] });
    expect((await harness.call('DELETE', `/v1/overrides?${QUERY}`, { key: bank })).code).toBe('not-found');
    expect(await lookup(shop)).toMatchObject({ rule: 'override' });
  });

  it('the audit trail is its own, by page too', async () => {
    for (let i = 0; i < 51; i++) {
      await harness.call('PUT', '/v1/overrides', { key: shop, json: override('block', { reason: `${i}` }) });
    }
    const { json } = await harness.call('GET', '/v1/audit', { key: bank });
    expect(JSON.stringify(json)).not.toContain(NUMBER);
    const { older } = (await harness.call('GET', '/v1/audit', { key: shop })).json as { older: string };
    const stolen = await harness.call('GET', `/v1/audit?before=${older}`, { key: bank });
    expect(stolen.code).toBe('not-found');
    const own = await harness.call('GET', `/v1/audit?before=${older}`, { key: shop });
    const { entries } = own.json as { entries: { override: { reason: string } }[] };
    expect(entries.map((entry) => entry.override.reason)).toEqual(Array.from({ length: 50 }, (_, i) => `${49 - i}`));
  });

  it.each([
    ['GET', '/v1/policy'],
    ['PUT', '/v1/policy'],
    ['POST', '/v1/policy/test'],
    ['GET', '/v1/overrides'],
    ['PUT', '/v1/overrides'],
    ['DELETE', '/v1/overrides'],
    ['GET', '/v1/audit'],
  ])('%s %s: naming another tenant, or all, is forbidden without an admin key', async (method, path) => {
    for (const tenant of ['shop', '*', 'default', 'config', '../shop', '']) {
      const body = method === 'GET' || method === 'DELETE' ? {} : { json: { rules: [], policy: { rules: [] } } };
      const answer = await harness.call(method, `${path}?tenant=${encodeURIComponent(tenant)}&${QUERY}`, {
        key: bank,
        ...body,
      });
      expect([answer.status, answer.code]).toEqual([403, 'forbidden']);
    }
  });

  it('the quota of one key is not spent by that of another tenant', async () => {
    const small = await harness.keyWith(['lookup'], { tenant: 'shop', quota: { perMinute: 1 } });
    const other = await harness.keyWith(['lookup'], { tenant: 'bank', quota: { perMinute: 1 } });
    await lookup(small);
    const refused = await harness.call('POST', '/v1/lookup', { key: small, json: { number: NUMBER } });
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await lookup(other)).toMatchObject({ verdict: 'clear' });
  });
});

describe('an admin key', () => {
  it('names a tenant, and its own id stands as the author', async () => {
    const admin = await harness.keyWith(['admin'], { tenant: 'operator' });
    const put = await harness.call('PUT', '/v1/overrides?tenant=shop', { key: admin, json: override('allow') });
    expect(put.json).toMatchObject({ tenant: 'shop', number: NUMBER, list: 'allow', author: admin.split('_')[1] });
    expect(await lookup(shop)).toMatchObject({ rule: 'override', override: { list: 'allow', scope: 'tenant' } });
    expect(await lookup(admin)).toMatchObject({ rule: 'default' });
    const { json } = await harness.call('GET', '/v1/audit', { key: shop });
    expect(json).toMatchObject({ entries: [{ by: admin.split('_')[1], action: 'override.put' }] });
  });

  it('delists a number for all tenants; a tenant that says otherwise goes before it', async () => {
    await harness.call('PUT', '/v1/policy', { key: shop, json: BLOCK_ALL });
    await harness.call('PUT', '/v1/policy', { key: bank, json: BLOCK_ALL });
    await harness.call('PUT', '/v1/overrides?tenant=*', { json: override('allow') });
    expect(await lookup(shop)).toMatchObject({ action: 'allow', override: { scope: 'global' } });
    await harness.call('PUT', '/v1/overrides', { key: bank, json: override('block') });
    expect(await lookup(bank)).toMatchObject({ action: 'block', override: { scope: 'tenant' } });
    expect((await harness.call('DELETE', `/v1/overrides?tenant=*&${QUERY}`)).status).toBe(204);
    expect(await lookup(shop)).toMatchObject({ action: 'block', rule: 'everybody' });
  });

  it('puts the policy of those who have none', async () => {
    await harness.call('PUT', '/v1/policy?tenant=*', { json: BLOCK_ALL });
    expect(await lookup(shop)).toMatchObject({ action: 'block' });
    await harness.call('PUT', '/v1/policy', { key: shop, json: { rules: [] } });
    expect(await lookup(shop)).toMatchObject({ action: 'allow' });
    expect(await lookup(bank)).toMatchObject({ action: 'block' });
    await harness.call('PUT', '/v1/policy?tenant=*', { json: BLOCK_ALL });
    const { json } = await harness.call('GET', '/v1/policy', { key: bank });
    expect(json).toMatchObject({ tenant: '*', version: 2, earlier: [] });
    expect((await harness.call('GET', '/v1/policy?version=1', { key: bank })).code).toBe('not-found');
    expect((await harness.call('GET', '/v1/policy?version=1&tenant=*')).json).toMatchObject({ version: 1 });
  });
});
