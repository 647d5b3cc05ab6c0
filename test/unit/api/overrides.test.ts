import { beforeEach, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

const NUMBER = '+12025550123';
const PATH = '/v1/overrides?number=%2B12025550123';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

const put = (json: object) =>
  harness.call('PUT', '/v1/overrides', { json: { number: NUMBER, reason: 'why', ...json } });
const lookup = async () => (await harness.call('POST', '/v1/lookup', { json: { number: NUMBER } })).json;

describe('overrides', () => {
  it('wins over data and policy until it is deleted, and the record stays to be seen', async () => {
    harness.findings.set(12_025_550_123, {
      generation: 7,
      ageSeconds: 2,
      record: {
        labels: ['modem_pool_card'],
        channels: [],
        industries: [],
        firstDay: 20_000,
        lastDay: 20_237,
        sightings: 2,
      },
      hundred: 0,
      thousand: 0,
      score: 0,
    });
    expect((await put({ list: 'allow' })).json).toEqual({
      tenant: 'default',
      number: NUMBER,
      list: 'allow',
      reason: 'why',
      expiresAt: null,
      author: 'admin',
      createdAt: '2025-05-31T12:00:00.000Z',
    });
    const override = { list: 'allow', scope: 'tenant', expiresAt: null };
    expect(await lookup()).toMatchObject({ verdict: 'listed', level: 9, action: 'allow', rule: 'override', override });
    expect((await harness.call('GET', PATH)).json).toMatchObject({ list: 'allow' });
    expect((await harness.call('GET', PATH.replace('%2B', '+'))).json).toMatchObject({ list: 'allow' });
    expect((await harness.call('DELETE', PATH)).status).toBe(204);
    expect((await harness.call('DELETE', PATH)).code).toBe('not-found');
    expect(await lookup()).toMatchObject({ action: 'block', rule: 'modem-pool' });
    expect(await lookup()).not.toHaveProperty('override');
  });

  it('is refused on a list that is lost, until that is given up', async () => {
    expect((await harness.call('DELETE', '/v1/overrides/lost')).code).toBe('not-found');
    await put({ list: 'allow' });
    const [head] = (await harness.objects.list('config/overrides/default/')).objects;
    await harness.objects.delete([head?.key ?? '']);
    const refused = await put({ list: 'block' });
    expect(refused).toMatchObject({ status: 409, code: 'overrides-lost' });
    expect(refused.text).toContain('DELETE /v1/overrides/lost');
    expect((await harness.call('DELETE', PATH)).code).toBe('overrides-lost');
    expect((await harness.call('DELETE', '/v1/overrides/lost')).status).toBe(204);
    expect((await put({ list: 'block' })).status).toBe(200);
    expect(await lookup()).toMatchObject({ action: 'block', rule: 'override' });
    const { entries } = (await harness.call('GET', '/v1/audit')).json as { entries: object[] };
    const at = '2025-05-31T12:00:00.000Z';
    expect(entries[1]).toEqual({ at, by: 'admin', action: 'overrides.reset', lost: ['overrides'] });
    expect(entries[2]).toMatchObject({ action: 'override.put', override: { number: NUMBER, list: 'allow' } });
  });

  it('ends when it expires', async () => {
    await put({ list: 'block', expiresAt: '2025-06-01' });
    expect(await lookup()).toMatchObject({ action: 'block', override: { expiresAt: '2025-06-01T00:00:00.000Z' } });
    harness.nowMs = Date.UTC(2025, 5, 1) - 1;
    expect(await lookup()).toMatchObject({ action: 'block' });
    harness.nowMs += 1;
    expect(await lookup()).toMatchObject({ action: 'allow', rule: 'default' });
    expect((await harness.call('GET', PATH)).code).toBe('not-found');
    expect((await harness.call('GET', '/v1/overrides')).json).toEqual({ overrides: [] });
  });

  it('reads national numbers with their country', async () => {
    const { json } = await put({ number: '(202) 555-0123', country: 'us', list: 'block' });
    expect(json).toMatchObject({ number: NUMBER });
  });

  it.each([
    [{ list: 'deny' }, 'list'],
    [{ list: 'allow', reason: ' ' }, 'reason'],
    [{ list: 'allow', expiresAt: 'soon' }, 'expiresAt'],
    [{ list: 'allow', expiresAt: '2025-05-31T11:59:59Z' }, 'expiresAt'],
    [{ list: 'allow', expires: '2026-01-01' }, 'expires'],
    [{ list: 'allow', number: '12' }, 'number'],
  ])('refuses %j', async (json, field) => {
    const answer = await put(json);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ field });
  });

  it('needs a number to delete', async () => {
    expect((await harness.call('DELETE', '/v1/overrides')).json).toMatchObject({ field: 'number' });
  });

  it('leaves a trail of every change: who, when, what, and what was before', async () => {
    await put({ list: 'allow' });
    await put({ list: 'block', reason: 'changed our mind' });
    await harness.call('DELETE', PATH);
    const { json } = await harness.call('GET', '/v1/audit');
    const at = '2025-05-31T12:00:00.000Z';
    const [allowed, blocked] = ['allow', 'block'].map((list) => ({
      number: NUMBER,
      list,
      reason: list === 'allow' ? 'why' : 'changed our mind',
      expiresAt: null,
    }));
    expect(json).toEqual({
      tenant: 'default',
      entries: [
        { at, by: 'admin', action: 'override.delete', override: blocked },
        { at, by: 'admin', action: 'override.put', override: blocked, replaced: allowed },
        { at, by: 'admin', action: 'override.put', override: allowed, replaced: null },
      ],
      older: null,
    });
  });

  it('the trail has the keys of the tenant, and never a secret', async () => {
    const made = await harness.call('POST', '/v1/keys', { json: { name: 'form', scopes: ['lookup'] } });
    const { id, key } = made.json as { id: string; key: string };
    await harness.call('DELETE', `/v1/keys/${id}`);
    const { json, text } = await harness.call('GET', '/v1/audit');
    expect(json).toMatchObject({
      entries: [
        { action: 'key.delete', key: id, by: 'admin' },
        { action: 'key.create', key: id, name: 'form', scopes: ['lookup'] },
      ],
    });
    expect(text).not.toContain(key.slice(-40));
  });

  it('a key is deleted though the trail cannot be written; the log has it then', async () => {
    const { id } = (await harness.call('POST', '/v1/keys', { json: { name: 'x', scopes: ['lookup'] } })).json as {
      id: string;
    };
    const { tenants } = harness.services;
    tenants.record = async () => ({ kind: 'unavailable' });
    expect((await harness.call('DELETE', `/v1/keys/${id}`)).status).toBe(204);
    expect(harness.logged).toContainEqual({
      event: 'audit.failed',
      fields: { tenant: 'default', by: 'admin', action: 'key.delete', key: id },
    });
  });
});
