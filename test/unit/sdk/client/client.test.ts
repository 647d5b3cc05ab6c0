/** Requests, errors, retries and deadlines, against a service that misbehaves. */
import { describe, expect, it, vi } from 'vitest';
import { numberInQuery } from '../../../../src/api/request.ts';
import { type Client, type ClientOptions, createClient, RingfenceError } from '../../../../src/sdk/client/index.ts';
import { FakeClock, FakeService, json, KEY, problem, URL_OF_SERVICE } from './support.ts';

const NUMBER = '+12025550123';
const POLICY = { rules: [], default: 'allow' } as const;
const ANSWER = { number: NUMBER, verdict: 'clear' };

function world(service: FakeService, options: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const client = createClient({ url: URL_OF_SERVICE, key: KEY, fetch: service.fetch, ...options }, clock);
  return { client, clock, service };
}

async function failureOf(work: Promise<unknown>): Promise<RingfenceError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RingfenceError)) throw new Error(`expected a RingfenceError; found ${String(error)}`);
  for (const text of [error.message, error.stack ?? '', JSON.stringify(error), String(error.cause)]) {
    expect(text).not.toContain('5550123');
    expect(text).not.toContain(KEY);
  }
  return error;
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

describe('a request', () => {
  it('has the number in its body and never in its URL', async () => {
    const { client, service } = world(new FakeService(json(ANSWER)));
    expect(await client.lookup({ number: NUMBER, scenario: 'signup' })).toEqual(ANSWER);
    const [sent] = service.sent;
    expect(sent).toMatchObject({ method: 'POST', url: `${URL_OF_SERVICE}/v1/lookup`, redirect: 'manual' });
    expect(JSON.parse(sent?.body ?? '')).toEqual({ number: NUMBER, scenario: 'signup' });
    expect(sent?.headers.get('authorization')).toBe(`Bearer ${KEY}`);
    expect(sent?.headers.get('content-type')).toBe('application/json');
  });

  it("goes through the platform's fetch unless another is given", async () => {
    const { fetch } = new FakeService(json(ANSWER));
    vi.stubGlobal('fetch', fetch);
    try {
      expect(await createClient({ url: URL_OF_SERVICE }).health()).toEqual(ANSWER);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('keeps the path of the address, and escapes what is filled into its own', async () => {
    const service = new FakeService(new Response(null, { status: 204 }));
    const { client } = world(service, { url: 'https://edge.example/ringfence/' });
    await client.keys.delete('a/b?c');
    expect(service.sent[0]).toMatchObject({ url: 'https://edge.example/ringfence/v1/keys/a%2Fb%3Fc' });
    await expect(client.keys.delete('..')).rejects.toThrow('expected id: text');
    await expect(client.keys.delete('')).rejects.toThrow('expected id: text');
    expect(service.sent).toHaveLength(1);
  });
});

it('has the number of an override in the query, and what tenant and page it is about', async () => {
  const page = { tenant: '*', entries: [], older: null };
  const service = new FakeService(new Response(null, { status: 204 }), json({ overrides: [] }), json(page));
  const { client } = world(service);
  await client.overrides.delete(NUMBER, { tenant: '*' });
  expect(await client.overrides.list({ tenant: 'shop' })).toEqual([]);
  expect(await client.audit.list({ before: '0007' })).toEqual(page);
  expect(service.sent.map(({ url }) => url.slice(URL_OF_SERVICE.length))).toEqual([
    '/v1/overrides?number=%2B12025550123&tenant=*',
    '/v1/overrides?tenant=shop',
    '/v1/audit?before=0007',
  ]);
});

it.each(['+1 202 555 0123', ' 0157 15550123', '(+1) 202', 'tel:+1', 'a=b&c%d'])(
  'sends %j so that the service reads it',
  async (number) => {
    const service = new FakeService(new Response(null, { status: 204 }));
    await world(service).client.overrides.delete(number);
    expect(numberInQuery(service.sent[0]?.url ?? '')).toBe(number);
  },
);

it('takes no list of overrides for the one that was asked for', async () => {
  const { client } = world(new FakeService(json({ overrides: [] })));
  expect((await failureOf(client.overrides.get(NUMBER))).code).toBe('unexpected-answer');
});

describe('options', () => {
  it.each<[string, Partial<ClientOptions>]>([
    ['url', { url: 'ringfence.example' }],
    ['url', { url: 'ftp://ringfence.example' }],
    ['url', { url: `https://user:${KEY}@ringfence.example` }],
    ['url', { url: `https://ringfence.example/?key=${KEY}` }],
    ['key', { key: `${KEY}\n` }],
    ['key', { key: '' }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['timeoutMs', { timeoutMs: 2 ** 31 }],
    ['retries', { retries: -1 }],
    ['retries', { retries: 11 }],
    ['retries', { retries: 0.5 }],
  ])('%s: what it cannot be is refused without being quoted (%#)', (name, options) => {
    const make = () => world(new FakeService(), options);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(new RegExp(`^${name}: expected `));
    expect(make).not.toThrow(KEY);
  });
});

describe('an answer', () => {
  it.each([
    ['a page of some proxy', new Response('<html>', { status: 200, headers: { 'content-type': 'text/html' } })],
    ['JSON under another status', json(ANSWER, 502)],
    ['JSON that is none', new Response('{', { headers: { 'content-type': 'application/json' } })],
    ['no type', new Response(null, { status: 200 })],
    ['a redirect', new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } })],
    [
      'problem details of someone else',
      new Response('{"type":"about:blank","detail":"+12025550123"}', {
        status: 400,
        headers: { 'content-type': 'application/problem+json' },
      }),
    ],
  ])('%s is unexpected', async (_, response) => {
    const { client, service } = world(new FakeService(response));
    const { code, status } = await failureOf(client.lookup({ number: NUMBER }));
    expect({ code, status }).toEqual({ code: 'unexpected-answer', status: response.status });
    expect(service.sent).toHaveLength(1);
  });

  it('is read only so far', async () => {
    let pulls = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulls += 1;
        controller.enqueue(new Uint8Array(1024 * 1024));
      },
    });
    const { client } = world(
      new FakeService(new Response(endless, { headers: { 'content-type': 'application/json' } })),
    );
    const { detail } = await failureOf(client.lookup({ number: NUMBER }));
    expect(detail).toBe('expected an answer of at most 16777216 bytes');
    expect(pulls).toBeLessThan(20);
  });
});

describe('retries', () => {
  const refused = Object.assign(new TypeError('fetch failed +12025550123'), { cause: { code: 'ECONNREFUSED' } });

  it('wait twice as long each time, with jitter', async () => {
    const { client, clock, service } = world(new FakeService(refused), { retries: 3 });
    const { code, status, detail } = await failureOf(clock.run(client.lookup({ number: NUMBER })));
    expect({ code, status }).toEqual({ code: 'network', status: null });
    expect(detail).toContain('ECONNREFUSED');
    expect(service.sent).toHaveLength(4);
    expect(clock.waited).toEqual([50, 100, 200]);
    expect(clock.pending.size).toBe(0);
  });

  it('wait as long as the service asks for, in seconds or until a date', async () => {
    const date = new Date(Date.UTC(2026, 0, 2, 3, 4, 12)).toUTCString();
    const service = new FakeService(
      problem('quota-exceeded', 429, { 'retry-after': '3' }),
      problem('storage-unavailable', 503, { 'retry-after': date }),
      json(ANSWER),
    );
    const { client, clock } = world(service);
    expect(await clock.run(client.lookup({ number: NUMBER }))).toEqual(ANSWER);
    expect(clock.waited).toEqual([3000, 4000]);
  });

  it('are given up at once when the service asks for more time than there is', async () => {
    const service = new FakeService(problem('quota-exceeded', 429, { 'retry-after': '30' }));
    const { client, clock } = world(service);
    const error = await failureOf(clock.run(client.lookup({ number: NUMBER })));
    expect(error).toMatchObject({ code: 'quota-exceeded', status: 429, retryAfterSeconds: 30 });
    expect(error.detail).toBe('detail of quota-exceeded');
    expect(clock.waited).toEqual([]);
    expect(service.sent).toHaveLength(1);
  });

  it.each([400, 401, 403, 404, 409, 413, 500])('are not for a problem with the status %d', async (status) => {
    const { client, clock, service } = world(new FakeService(problem('internal-error', status)));
    expect((await failureOf(clock.run(client.lookup({ number: NUMBER })))).status).toBe(status);
    expect(service.sent).toHaveLength(1);
  });

  const calls: readonly [string, number, (client: Client) => Promise<unknown>][] = [
    ['a lookup', 3, (client) => client.lookup({ number: NUMBER })],
    ['a batch', 3, (client) => client.lookupBatch({ numbers: [NUMBER] })],
    ['the status', 3, (client) => client.status()],
    ['an upload with an Idempotency-Key', 3, (client) => client.detections.upload([], { idempotencyKey: 'once' })],
    ['an upload without', 1, (client) => client.detections.upload([])],
    [
      'a stream, which can be sent once only',
      1,
      (client) => client.detections.upload(streamOf('{}'), { idempotencyKey: 'once' }),
    ],
    ['a trial of a policy', 3, (client) => client.policy.test({ policy: POLICY, numbers: [NUMBER] })],
    ['the audit log', 3, (client) => client.audit.list()],
    ['a policy', 1, (client) => client.policy.put(POLICY)],
    ['an override', 1, (client) => client.overrides.put({ number: NUMBER, list: 'allow', reason: 'test' })],
    ['the end of an override', 1, (client) => client.overrides.delete(NUMBER)],
    ['a rollback', 1, (client) => client.rollback({ generation: 1 })],
    ['a new key', 1, (client) => client.keys.create({ name: 'n', scopes: ['lookup'] })],
    ['a deletion', 1, (client) => client.keys.delete('id')],
  ];
  it.each(calls)('%s is sent %d times', async (_, times, call) => {
    const { client, clock, service } = world(new FakeService(problem('storage-unavailable', 503)));
    expect((await failureOf(clock.run(call(client)))).code).toBe('storage-unavailable');
    expect(service.sent).toHaveLength(times);
    expect(new Set(service.sent.map(({ body }) => body)).size).toBe(1);
  });
});

describe('the deadline', () => {
  it('ends a call whose fetch heeds no signal', async () => {
    const { client, clock, service } = world(new FakeService('never'), { timeoutMs: 1500 });
    const error = await failureOf(clock.run(client.lookup({ number: NUMBER })));
    expect(error).toMatchObject({ code: 'timeout', status: null, detail: 'expected an answer within 1500 ms' });
    expect(service.sent).toHaveLength(1);
    expect(clock.pending.size).toBe(0);
  });

  it('is one for all attempts', async () => {
    const service = new FakeService(problem('storage-unavailable', 503, { 'retry-after': '1' }), 'never');
    const { client, clock } = world(service, { timeoutMs: 1500 });
    expect((await failureOf(clock.run(client.lookup({ number: NUMBER })))).code).toBe('timeout');
    expect(clock.waited).toEqual([1000, 500]);
  });

  it('can be set for a call, and is longer for an upload', async () => {
    const { client, clock } = world(new FakeService('never'));
    await failureOf(clock.run(client.status({ timeoutMs: 77 })));
    await failureOf(clock.run(client.detections.upload([])));
    expect(clock.waited).toEqual([77, 120_000]);
    await expect(client.status({ timeoutMs: Number.NaN })).rejects.toThrow('timeoutMs: expected');
  });

  it('comes early when the caller says so', async () => {
    const { client, clock, service } = world(new FakeService('never'));
    const caller = new AbortController();
    const work = client.lookup({ number: NUMBER }, { signal: caller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort();
    expect((await failureOf(work)).code).toBe('aborted');
    expect(clock.pending.size).toBe(0);
    expect((await failureOf(client.lookup({ number: NUMBER }, { signal: caller.signal }))).code).toBe('aborted');
    expect(service.sent).toHaveLength(1);
  });

  it('lets go of its timer when the answer has come', async () => {
    const { client, clock } = world(new FakeService(json(ANSWER)));
    await client.lookup({ number: NUMBER });
    expect(clock.pending.size).toBe(0);
  });
});
