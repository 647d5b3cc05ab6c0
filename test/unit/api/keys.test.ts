import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_QUOTA } from '../../../src/api/quota.ts';
import { Harness } from './harness.ts';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

const post = (json: unknown) => harness.call('POST', '/v1/keys', { json });

describe('keys', () => {
  it('are made, used, listed without secrets, and deleted', async () => {
    const made = await post({ name: ' sign-up form ', scopes: ['lookup'], tenant: 'bank', quota: { perMinute: 60 } });
    expect(made.status).toBe(201);
    const { id, key } = made.json as { id: string; key: string };
    expect(key).toMatch(new RegExp(`^rf_${id}_[0-9a-f]{40}$`));
    expect((await harness.call('GET', '/v1/status', { key })).status).toBe(200);

    const listed = await harness.call('GET', '/v1/keys');
    expect(listed.json).toEqual({
      keys: [
        {
          id,
          name: 'sign-up form',
          scopes: ['lookup'],
          tenant: 'bank',
          quota: { perMinute: 60 },
          createdAt: '2025-05-31T12:00:00.000Z',
        },
      ],
    });

    const deleted = await harness.call('DELETE', `/v1/keys/${id}`);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    const again = await harness.call('DELETE', `/v1/keys/${id}`);
    expect([again.status, again.code]).toEqual([404, 'not-found']);
  });

  it('have the tenant default and the usual quota unless it is said', async () => {
    await post({ name: 'x', scopes: ['lookup', 'ingest', 'lookup'] });
    await post({ name: 'y', scopes: ['feed'], quota: null });
    expect((await harness.call('GET', '/v1/keys')).json).toMatchObject({
      keys: [
        { tenant: 'default', scopes: ['lookup', 'ingest'], quota: { perMinute: 6000 } },
        { tenant: 'default', scopes: ['feed'], quota: null },
      ],
    });
  });

  it.each([
    [{}, 'name', 'expected to be given'],
    [{ name: '  ', scopes: ['lookup'] }, 'name', 'expected a name'],
    [{ name: 'x'.repeat(101), scopes: ['lookup'] }, 'name', 'expected at most 100 characters'],
    [{ name: 'a\r\nset-cookie: x', scopes: ['lookup'] }, 'name', 'expected one line of Unicode text'],
    [{ name: 'x' }, 'scopes', 'expected to be given'],
    [{ name: 'x', scopes: [] }, 'scopes', 'expected at least one scope'],
    [{ name: 'x', scopes: 'lookup' }, 'scopes', 'expected a list of scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes.0', 'expected one of lookup, ingest, policy, feed, admin'],
    [{ name: 'x', scopes: ['lookup'], tenant: '*' }, 'tenant', 'expected a-z'],
    [{ name: 'x', scopes: ['lookup'], tenant: 'a\nb' }, 'tenant', 'expected a-z'],
    [{ name: 'x', scopes: ['lookup'], quota: 5 }, 'quota', 'expected an object'],
    [{ name: 'x', scopes: ['lookup'], quota: {} }, 'quota.perMinute', 'expected to be given'],
    [{ name: 'x', scopes: ['lookup'], quota: { perMinute: 0 } }, 'quota.perMinute', 'expected at least 1'],
    [{ name: 'x', scopes: ['lookup'], quota: { perMinute: 1.5 } }, 'quota.perMinute', 'expected an integer'],
    [{ name: 'x', scopes: ['lookup'], qouta: {} }, 'qouta', 'expected no such field'],
    [{ name: 'x', scopes: ['lookup'], '+12025550123': 1 }, 'a field', 'expected no such field'],
  ])('are refused for %j', async (json, field, expected) => {
    const answer = await post(json);
    expect([answer.status, answer.code]).toEqual([400, 'invalid-request']);
    expect(answer.json).toMatchObject({ field, detail: expect.stringContaining(`${field}: ${expected}`) });
    expect(answer.text).not.toContain('12025550123');
    expect(harness.objects.puts).toBe(0);
  });

  it('with the usual quota are held to it, the admin key to none', async () => {
    const { json } = await post({ name: 'x', scopes: ['lookup'] });
    const { key } = json as { key: string };
    const statuses = new Map<number, number>();
    for (let i = 0; i < DEFAULT_QUOTA.perMinute + 2; i++) {
      const { status } = await harness.app.request('/v1/status', { headers: { authorization: `Bearer ${key}` } });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [200, DEFAULT_QUOTA.perMinute],
      [429, 2],
    ]);
    expect((await harness.call('GET', '/v1/status')).status).toBe(200);
  });

  it('are refused above 16 KiB', async () => {
    const answer = await harness.call('POST', '/v1/keys', { body: ' '.repeat(16_385) });
    expect([answer.status, answer.code]).toEqual([413, 'payload-too-large']);
  });

  it('are 503 while storage fails', async () => {
    harness.objects.failure = 'all';
    const answers = [
      await post({ name: 'x', scopes: ['lookup'] }),
      await harness.call('GET', '/v1/keys'),
      await harness.call('DELETE', '/v1/keys/0123456789ab'),
    ];
    for (const { status, code, headers } of answers) {
      expect([status, code, headers.get('retry-after')]).toEqual([503, 'storage-unavailable', '5']);
    }
  });
});
