import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CheckOptions, createCheck } from '../../../../src/sdk/middleware/check.ts';
import type { CheckError, Fetch, Source } from '../../../../src/sdk/middleware/types.ts';
import {
  ANSWERS,
  CLEAR,
  FakeSource,
  KEY,
  LISTED,
  listen,
  NUMBER,
  never,
  SUSPECT,
  UNKNOWN,
  wait,
  watchUnhandled,
} from './support.ts';

const US = 12025550123;
const TIMEOUT_MS = 150;
/** Far below what a test may take, far above what a busy machine adds. */
const SLACK_MS = 1000;

let unhandled: ReturnType<typeof watchUnhandled>;
const open: { close: () => void }[] = [];

beforeEach(() => {
  unhandled = watchUnhandled();
});
afterEach(async () => {
  for (const server of open.splice(0)) server.close();
  await wait(20); // unhandled rejections are reported after the microtasks of the turn they happened in
  unhandled.stop();
  expect(unhandled.seen).toEqual([]);
});

async function serve(...given: Parameters<typeof listen>): Promise<Source> {
  const server = await listen(...given);
  open.push(server);
  return { url: server.url, key: KEY };
}

const json = (body: unknown, status = 200) =>
  serve((_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(text(body)));
const text = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body));
const rpc = (result: () => PromiseLike<unknown>) => async () => new FakeSource(result);
const refused = (status: number, code: string) => rpc(async () => ({ ok: false, status, code, detail: 'expected' }));

// Each behind a function: awaiting a stub that has a `then` as well would never end.
describe.each<[string, (answer: typeof LISTED) => Promise<() => Source>]>([
  ['a source by HTTP', (answer) => json(answer).then((source) => () => source)],
  ['a service binding or replica', async (answer) => () => new FakeSource(answer)],
  ['a stub that has every property', async (answer) => () => stub(new FakeSource(answer))],
  ['a stub that is a function too', async (answer) => () => stub(new FakeSource(answer), () => raise('called'))],
])('%s', (_kind, sourceOf) => {
  it.each(ANSWERS)('%s: the outcome is the action of the answer', async (action, answer) => {
    const source = await sourceOf(answer);
    const check = createCheck({ from: source(), timeoutMs: 5000 });
    expect(await check({ number: NUMBER })).toEqual({
      outcome: action,
      enforced: true,
      pass: action === 'allow' || action === 'flag',
      answer,
      error: null,
      challengePassed: false,
    });
  });

  it('may be a function, asked at each check', async () => {
    const sources = [await sourceOf(CLEAR), await sourceOf(LISTED)];
    const check = createCheck({ from: () => sources.shift()?.() as Source, timeoutMs: 5000 });
    expect((await check({ number: NUMBER })).outcome).toBe('allow');
    expect((await check({ number: NUMBER })).outcome).toBe('block');
    expect((await check({ number: NUMBER })).error).toBe('misconfigured');
  });
});

/**
 * As workerd shows a service binding, or with a function an entry point in `ctx.exports`: whatever one asks for is a
 * method.
 */
function stub(source: FakeSource, shown: object = {}): Source {
  const any = () => never();
  const methods = {
    get: (_shown: object, name: string | symbol) => (name === 'lookup' ? source.lookup.bind(source) : any),
  };
  return new Proxy(shown, methods) as Source;
}

const FAILURES: readonly [string, CheckError, () => Promise<Source>][] = [
  ['connection refused', 'unreachable', async () => ({ url: await closedUrl(), key: KEY })],
  ['connection cut', 'unreachable', () => serve((request) => request.socket.destroy())],
  ['body cut', 'unreachable', () => serve((_request, response) => cut(response.writeHead(200)))],
  ['never answers', 'timeout', () => serve(() => {})],
  ['headers, then nothing', 'timeout', () => serve((_request, response) => response.writeHead(200).write('{'))],
  ['answers too late', 'timeout', () => serve((_request, response) => late(() => response.end(text(LISTED))))],
  ['500', 'unavailable', () => json(LISTED, 500)],
  ['503 unknown', 'unavailable', () => json({ code: 'storage-unavailable', verdict: 'unknown' }, 503)],
  ['200 unknown', 'unavailable', () => json(UNKNOWN)],
  ['a null action', 'unavailable', () => json({ ...LISTED, action: null })],
  ['500 without end', 'unavailable', () => serve((_request, response) => response.writeHead(500).write('x'))],
  ['429', 'rate-limited', () => json({ code: 'quota-exceeded' }, 429)],
  ['401', 'refused', () => json({ code: 'unauthorized' }, 401)],
  ['403', 'refused', () => json({ code: 'forbidden' }, 403)],
  ['404', 'malformed', () => json(LISTED, 404)],
  ['204', 'malformed', () => serve((_request, response) => response.writeHead(204).end())],
  ['a page', 'malformed', () => json('<!doctype html><title>Sign in</title>')],
  ['another shape', 'malformed', () => json({ verdict: 'clear', action: 'allow' })],
  ['a list', 'malformed', () => json([LISTED])],
  ['null', 'malformed', () => json('null')],
  ['an unheard-of action', 'malformed', () => json({ ...LISTED, action: 'tarpit' })],
  ['an unheard-of verdict', 'malformed', () => json({ ...LISTED, verdict: 'fine' })],
  ['labels that are none', 'malformed', () => json({ ...LISTED, labels: [1] })],
  ['half a neighbourhood', 'malformed', () => json({ ...LISTED, neighbourhood: { hundred: 1 } })],
  ['a huge body', 'malformed', () => json(text({ ...LISTED, padding: 'x'.repeat(100_000) }))],
  ['a body without end', 'malformed', () => serve((_request, response) => forever(response.writeHead(200)))],
  ['RPC throws at once', 'unreachable', rpc(() => raise('thrown at once'))],
  ['RPC rejects', 'unreachable', rpc(async () => raise('rejected'))],
  ['RPC rejects too late', 'timeout', rpc(() => wait(2 * TIMEOUT_MS).then(() => raise('late')))],
  ['RPC never resolves', 'timeout', rpc(never)],
  ['RPC storage-unavailable', 'unavailable', refused(503, 'storage-unavailable')],
  ['RPC quota-exceeded', 'rate-limited', refused(429, 'quota-exceeded')],
  ['RPC unknown', 'unavailable', rpc(async () => ({ ok: true, answer: UNKNOWN }))],
  ['RPC with nothing', 'malformed', rpc(async () => undefined)],
  ['RPC with another shape', 'malformed', rpc(async () => ({ ok: true, answer: 'yes' }))],
  ['RPC with a bare answer', 'malformed', rpc(async () => LISTED)],
  ['RPC whose result throws', 'unreachable', rpc(async () => new Proxy({}, { get: () => raise('trap') }))],
];

describe.each(FAILURES)('%s', (_name, error, sourceOf) => {
  it.each(['allow', 'block'] as const)(`is ${error}, and onError: %s decides in time`, async (onError) => {
    const other = onError === 'allow' ? 'block' : 'allow';
    const timeoutMs = error === 'timeout' ? TIMEOUT_MS : 5000;
    const check = createCheck({ from: await sourceOf(), timeoutMs, onError, onBadNumber: other });
    const before = performance.now();
    const result = await check({ number: NUMBER });
    expect(performance.now() - before).toBeLessThan(timeoutMs + SLACK_MS);
    expect(result).toEqual({
      outcome: onError,
      enforced: true,
      pass: onError === 'allow',
      answer: null,
      error,
      challengePassed: false,
    });
    if (_name.includes('late')) await wait(2 * TIMEOUT_MS);
  });
});

describe('what the client sent', () => {
  const sources: [string, () => Promise<Source>][] = [
    ['HTTP 400', () => json({ code: 'invalid-number' }, 400)],
    ['HTTP 413', () => json({ code: 'payload-too-large' }, 413)],
    ['RPC 400', refused(400, 'invalid-number')],
  ];
  it.each(sources)('%s follows onBadNumber, which is block if not given', async (_name, sourceOf) => {
    const from = await sourceOf();
    const outcome = async (options: Partial<CheckOptions>) =>
      (await createCheck({ from, timeoutMs: 5000, ...options })({ number: NUMBER })).outcome;
    expect(await outcome({ onError: 'allow', onBadNumber: 'block' })).toBe('block');
    expect(await outcome({ onError: 'block', onBadNumber: 'allow' })).toBe('allow');
    expect(await outcome({ onError: 'block' })).toBe('block');
    expect(await outcome({ onError: 'allow' })).toBe('block');
    expect(await outcome({})).toBe('block');
  });

  const rubbish: [string, unknown][] = [
    ['an object', { toString: () => NUMBER }],
    ['a list of an object', [{ toString: () => NUMBER }]],
    ['an empty list', []],
    ['a list of nothing', [null]],
    ['a list of two', [NUMBER, NUMBER]],
    ['a list of a list', [[NUMBER]]],
    ['a list of lists of two', [[NUMBER], [NUMBER]]],
    ['false', false],
    ['true', true],
    ['a fraction', 12025550123.5],
    ['an integer that JSON has rounded', 2 ** 53],
    ['no number at all', Number.NaN],
    ['a bigint', 12025550123n],
    ['a flood', '1'.repeat(300)],
    ['a flood of padding', NUMBER.padEnd(5000)],
  ];
  it.each(rubbish)('%s is not-text, and is not asked for', async (_name, number) => {
    const from = new FakeSource(CLEAR);
    const check = createCheck({ from, onBadNumber: 'block' });
    expect(await check({ number: number as string })).toMatchObject({ outcome: 'block', error: 'not-text' });
    expect(await createCheck({ from })({ number: number as string })).toMatchObject({ outcome: 'block', pass: false });
    expect(await check({ number: NUMBER, country: number as string })).toMatchObject({ error: 'not-text' });
    expect(await check({ number: NUMBER, scenario: number as string })).toMatchObject({ error: 'not-text' });
    expect(from.asked).toEqual([]);
  });

  it.each<{ value: unknown }>([{ value: US }, { value: [NUMBER] }, { value: 0 }, { value: [US] }])(
    '$value is no country and no scenario',
    async ({ value }) => {
      const check = createCheck({ from: new FakeSource(CLEAR) });
      expect(await check({ number: NUMBER, country: value as string })).toMatchObject({ error: 'not-text' });
      expect(await check({ number: NUMBER, scenario: value as string })).toMatchObject({ error: 'not-text' });
    },
  );

  it.each([null, undefined, ''])('no number (%j) is let through and not asked for', async (number) => {
    const from = new FakeSource(LISTED);
    const check = createCheck({ from, onError: 'block' });
    expect(await check({ number })).toMatchObject({ outcome: 'allow', pass: true, error: 'no-number', answer: null });
    expect(from.asked).toEqual([]);
  });
});

describe('what is asked', () => {
  it('goes to /v1/lookup as a POST, with the number in the body only and the key in its header', async () => {
    const requests: unknown[] = [];
    const fetch: Fetch = async (url, { method, headers, body, redirect }) => {
      requests.push({ url, method, headers, body: JSON.parse(String(body)), redirect });
      return Response.json(CLEAR);
    };
    const check = createCheck({ from: { url: 'https://ringfence.example/risk/', key: KEY, fetch } });
    await check({ number: NUMBER, country: 'US', scenario: 'signup' });
    await check({ number: NUMBER, country: '', scenario: null });
    const [first, second] = requests;
    expect(first).toEqual({
      url: 'https://ringfence.example/risk/v1/lookup',
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', accept: 'application/json' },
      body: { number: NUMBER, country: 'US', scenario: 'signup' },
      redirect: 'manual',
    });
    expect(second).toMatchObject({ body: { number: NUMBER } });
  });

  it('is not sent on to where a redirect points', async () => {
    let followed = 0;
    const elsewhere = await listen((_request, response) => response.end(text({ followed: ++followed })));
    open.push(elsewhere);
    for (const status of [301, 302, 307, 308]) {
      const from = await serve((_request, response) =>
        response.writeHead(status, { location: `${elsewhere.url}/v1/lookup` }).end(),
      );
      const check = createCheck({ from, timeoutMs: 5000 });
      expect(await check({ number: NUMBER })).toMatchObject({ error: 'malformed' });
    }
    expect(followed).toBe(0);
  });

  it('over and done with: a body that nobody wants is ended', async () => {
    let closed: () => void;
    const ended = new Promise<string>((done) => {
      closed = () => done('ended');
    });
    const from = await serve((_request, response) => {
      response.on('close', () => closed());
      response.writeHead(500).write('x');
    });
    await createCheck({ from, timeoutMs: 20_000 })({ number: NUMBER });
    expect(await Promise.race([ended, wait(5000)])).toBe('ended');
  });

  it('by RPC has no fields that are not given', async () => {
    const from = new FakeSource(CLEAR);
    const check = createCheck({ from });
    await check({ number: NUMBER, country: undefined, scenario: '' });
    await check({ number: NUMBER, country: 'PH', scenario: 'signup' });
    expect(from.asked.map((query) => JSON.stringify(query))).toEqual([
      `{"number":"${NUMBER}"}`,
      `{"number":"${NUMBER}","country":"PH","scenario":"signup"}`,
    ]);
    expect(Object.keys(from.asked[0] as object)).toEqual(['number']);
  });

  it('fetch is called as a plain function: the global one of Workers refuses to be a method', async () => {
    let self: unknown = 'not called';
    function fetch(this: unknown): Promise<Response> {
      self = this;
      return Promise.resolve(Response.json(CLEAR));
    }
    await createCheck({ from: { url: 'https://ringfence.example', key: KEY, fetch } })({ number: NUMBER });
    expect(self).toBeUndefined();
  });
});

describe('a dry run', () => {
  it.each(ANSWERS)('%s: reports, lets through', async (action, answer) => {
    const check = createCheck({ from: new FakeSource(answer), dryRun: true });
    expect(await check({ number: NUMBER })).toMatchObject({ outcome: action, enforced: false, pass: true, answer });
  });

  it('reports what onError would have done', async () => {
    const check = createCheck({ from: new FakeSource(() => raise('down')), dryRun: true, onError: 'block' });
    expect(await check({ number: NUMBER })).toMatchObject({
      outcome: 'block',
      enforced: false,
      pass: true,
      error: 'unreachable',
    });
  });
});

it('a challenge without Turnstile is not passed', async () => {
  const check = createCheck({ from: new FakeSource(SUSPECT) });
  expect(await check({ number: NUMBER, turnstileToken: 'a-token' })).toMatchObject({
    outcome: 'challenge',
    pass: false,
    challengePassed: false,
  });
});

async function closedUrl(): Promise<string> {
  const server = await listen(() => {});
  server.close();
  return server.url;
}

type Reply = Parameters<Parameters<typeof listen>[0]>[1];

function cut(response: Reply): void {
  response.write('{"number":');
  setTimeout(() => response.destroy(), 20);
}

function late(answer: () => void): void {
  setTimeout(answer, 2 * TIMEOUT_MS);
}

function forever(response: Reply): void {
  const chunk = 'x'.repeat(16_384);
  const timer = setInterval(() => response.write(chunk), 1);
  response.on('close', () => clearInterval(timer));
}

function raise(message: string): never {
  throw new Error(message);
}
