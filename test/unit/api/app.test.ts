import { beforeEach, describe, expect, it } from 'vitest';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { Harness, STATUS } from './harness.ts';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

describe('state', () => {
  it('needs no key for the index and for health', async () => {
    expect((await harness.call('GET', '/', { key: null })).json).toEqual({
      service: 'ringfence',
      health: '/healthz',
      openapi: '/openapi.json',
      docs: '/docs',
    });
    const { status, text } = await harness.call('GET', '/healthz', { key: null });
    expect([status, text]).toEqual([200, '{"ok":true,"generation":7,"ageSeconds":2,"numberPlan":{"version":"1.2.3"}}']);
  });

  it('is 503 when lookups cannot be answered', async () => {
    harness.health = { ...harness.health, ok: false, generation: null, ageSeconds: null };
    const { status, json } = await harness.call('GET', '/healthz', { key: null });
    expect([status, json]).toEqual([
      503,
      { ok: false, generation: null, ageSeconds: null, numberPlan: { version: '1.2.3' } },
    ]);
  });

  it('is told in full to a key', async () => {
    expect((await harness.call('GET', '/v1/status')).json).toEqual(STATUS);
  });
});

describe('rollback', () => {
  const post = (json: unknown) => harness.call('POST', '/v1/rollback', { json });

  it('returns to a retained generation and says what it took out', async () => {
    const { status, text } = await post({ generation: 6 });
    expect([status, text]).toEqual([200, '{"generation":8,"restored":6,"batches":["k-1"]}']);
    await post({ generation: 6, requeue: true });
    expect(harness.rollbacks).toEqual([
      { generation: 6, requeue: false },
      { generation: 6, requeue: true },
    ]);
  });

  it.each([
    [[5, 6], '5, 6'],
    [[], 'none'],
  ])('is 404 for another, listing %j', async (retained, listed) => {
    harness.rollbackResult = { kind: 'not-retained', retained };
    const { status, code, json } = await post({ generation: 1 });
    expect([status, code]).toEqual([404, 'not-retained']);
    expect(json).toMatchObject({ retained, detail: `expected one of the retained generations: ${listed}` });
  });

  it.each([
    [{}, 'generation'],
    [{ generation: '6' }, 'generation'],
    [{ generation: -1 }, 'generation'],
    [{ generation: 1.5 }, 'generation'],
    [{ generation: 6, requeue: 'yes' }, 'requeue'],
    [{ generation: 6, requue: true }, 'requue'],
  ])('is refused for %j', async (json, field) => {
    const answer = await post(json);
    expect([answer.status, answer.code]).toEqual([400, 'invalid-request']);
    expect(answer.json).toMatchObject({ field });
    expect(harness.rollbacks).toEqual([]);
  });

  it('is refused above 16 KiB', async () => {
    expect((await harness.call('POST', '/v1/rollback', { body: ' '.repeat(16_385) })).status).toBe(413);
  });
});

describe('an unknown path', () => {
  it.each(['/nothing', '/v1', '/v1/lookup/', '/v1/lookup/+12025550123', '/v1/keys/', '/v1/keys/a/b', '//', '/%'])(
    'is 404: %s',
    async (path) => {
      const { status, code, text } = await harness.call('GET', path);
      expect([status, code]).toEqual([404, 'not-found']);
      expect(text).not.toContain('12025550123');
    },
  );
});

describe('an unknown method', () => {
  it.each([
    ['DELETE', '/v1/lookup', 'POST, GET, HEAD'],
    ['GET', '/v1/lookup/batch', 'POST'],
    ['GET', '/v1/detections', 'POST'],
    ['POST', '/v1/status', 'GET, HEAD'],
    ['GET', '/v1/keys/0123456789ab', 'DELETE'],
    ['PUT', '/v1/keys', 'POST, GET, HEAD'],
    ['OPTIONS', '/v1/lookup', 'POST, GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('is 405 with Allow: %s %s', async (method, path, allow) => {
    const { status, code, headers } = await harness.call(method, path);
    expect([status, code, headers.get('allow')]).toEqual([405, 'method-not-allowed', allow]);
  });
});

it('answers HEAD as GET, without a body', async () => {
  const { status, text } = await harness.call('HEAD', '/healthz', { key: null });
  expect([status, text]).toEqual([200, '']);
});

it('lets no browser page read it', async () => {
  const { headers } = await harness.call('GET', '/healthz', { key: null, headers: { origin: 'https://example.com' } });
  expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
});

describe('a failure', () => {
  it('of ours is 500 with an id, and logged under it without any number', async () => {
    harness.failure = new TypeError('cannot read +63 917 123-4567, (0917) 123.4567 or 639171234567 at byte 123456');
    const { status, code, json, text } = await harness.call('GET', '/v1/lookup?number=%2B639171234567');
    expect([status, code]).toEqual([500, 'internal-error']);
    expect(json).toMatchObject({ id: 'failure-1' });
    expect(text).not.toContain('byte');
    expect(harness.logged).toMatchObject([
      {
        event: 'internal-error',
        fields: {
          id: 'failure-1',
          route: 'GET /v1/lookup',
          error: 'TypeError',
          message: 'cannot read +[digits], ([digits] or [digits] at byte 123456',
        },
      },
    ]);
    expect(JSON.stringify(harness.logged)).not.toMatch(/917|4567/);
  });

  it('of storage is 503, and logged', async () => {
    harness.failure = new StorageUnavailable('the manifest cannot be read', new Error('R2 said 10001'));
    for (const [method, path, json] of [
      ['GET', '/v1/status', undefined],
      ['POST', '/v1/rollback', { generation: 6 }],
    ] as const) {
      const answer = await harness.call(method, path, { json });
      expect([answer.status, answer.code]).toEqual([503, 'storage-unavailable']);
      expect(answer.json).toMatchObject({ detail: 'the manifest cannot be read' });
      expect(harness.logged.at(-1)).toMatchObject({
        event: 'storage-unavailable',
        fields: { route: `${method} ${path}`, message: 'R2 said 10001' },
      });
    }
  });

  it.each([
    ['GET', '/v1/briefings/+12025550123/2025-05-30'],
    ['GET', '/v1/briefings/2025-05-29/12025550123'],
    ['DELETE', '/v1/keys/12025550123'],
    ['POST', '/v1/batches/12025550123/withdraw'],
    ['POST', '/v1/batches/12025550123/release'],
    ['GET', '/v1/lookup/+12025550123'],
  ])('has no path in the log, in which somebody may have put a number: %s %s', async (method, path) => {
    for (const failure of ['reads', 'writes'] as const) {
      harness.objects.failure = failure;
      harness.failure = new StorageUnavailable('the storage did not answer', new Error(`no answer for ${path}`));
      const { status, text } = await harness.call(method, path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text + JSON.stringify(harness.logged)).not.toContain('2025550123');
    }
  });

  it('of the client is not logged', async () => {
    await harness.call('GET', '/v1/lookup?number=12');
    await harness.call('GET', '/v1/status', { key: null });
    await harness.call('GET', '/nothing');
    expect(harness.logged).toEqual([]);
  });
});
