import { describe, expect, it } from 'vitest';
import { type CheckOptions, createCheck } from '../../../../src/sdk/middleware/check.ts';
import { withRingfence } from '../../../../src/sdk/middleware/fetch.ts';
import type { Check, Fetch } from '../../../../src/sdk/middleware/types.ts';
import { ADAPTERS, CLEAR, FakeSource, LISTED, NUMBER, SUSPECT, seen, signup } from './support.ts';

const SECRET = 'secret-of-the-widget';
const TOKEN = 'XXXX.DUMMY.TOKEN.XXXX';

/** Siteverify: knows one token, and lets it pass once. */
function siteverify(reply: Record<string, unknown> = {}) {
  const asked: { url: string; body: Record<string, unknown> }[] = [];
  const fetch: Fetch = async (url, { body }) => {
    const parsed = JSON.parse(String(body)) as Record<string, unknown>;
    asked.push({ url, body: parsed });
    const success = parsed.response === TOKEN && asked.length === 1;
    return Response.json(
      success ? { success, hostname: 'shop.example', action: 'signup', ...reply } : { success, 'error-codes': ['x'] },
    );
  };
  return { asked, fetch };
}

function checkOf(turnstile: Partial<CheckOptions['turnstile']>, options: Partial<CheckOptions> = {}) {
  return createCheck({ from: new FakeSource(SUSPECT), ...options, turnstile: { secret: SECRET, ...turnstile } });
}

describe('on a challenge', () => {
  it('a good token lets the request through, and is sent once', async () => {
    const { asked, fetch } = siteverify();
    const result = await checkOf({ fetch })({ number: NUMBER, turnstileToken: TOKEN, remoteIp: '192.0.2.1' });
    expect(result).toEqual({
      outcome: 'challenge',
      enforced: true,
      pass: true,
      answer: SUSPECT,
      error: null,
      challengePassed: true,
    });
    expect(asked).toEqual([
      {
        url: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
        body: { secret: SECRET, response: TOKEN, remoteip: '192.0.2.1' },
      },
    ]);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['too long', 'x'.repeat(2049)],
    ['not ASCII', 'tökén'],
    ['with a line break', `${TOKEN}\n`],
    ['not text', 7 as unknown as string],
  ])('a token that is %s is not sent', async (_name, turnstileToken) => {
    const { asked, fetch } = siteverify();
    const result = await checkOf({ fetch })({ number: NUMBER, turnstileToken });
    expect(result).toMatchObject({ outcome: 'challenge', pass: false, challengePassed: false, error: null });
    expect(asked).toEqual([]);
  });

  it('a bad token is a challenge again, also with onError: allow', async () => {
    const check = checkOf({ fetch: siteverify().fetch }, { onError: 'allow' });
    expect(await check({ number: NUMBER, turnstileToken: 'bad' })).toMatchObject({ outcome: 'challenge', pass: false });
  });

  it.each<[boolean, Partial<CheckOptions['turnstile']>]>([
    [true, { hostname: 'shop.example', action: 'signup' }],
    [true, { hostname: ['www.shop.example', 'shop.example'] }],
    [false, { hostname: 'other.example' }],
    [false, { hostname: [] }],
    [false, { action: 'login' }],
  ])('passed is %s with the widget %j expected', async (passed, expected) => {
    const check = checkOf({ fetch: siteverify().fetch, ...expected });
    expect(await check({ number: NUMBER, turnstileToken: TOKEN })).toMatchObject({
      pass: passed,
      challengePassed: passed,
    });
  });

  it.each<[string, Fetch]>([
    ['is not reached', () => Promise.reject(new Error('down'))],
    ['throws at once', () => raise()],
    ['answers a page', async () => new Response('<html>')],
    ['says "true" as text', async () => Response.json({ success: 'true' })],
    ['says nothing', async () => new Response(null, { status: 204 })],
    ['refuses our secret', async () => Response.json({ success: false, 'error-codes': ['invalid-input-secret'] })],
    ['failed itself', async () => Response.json({ success: false, 'error-codes': ['internal-error'] })],
  ])('siteverify %s: unverified, and onError decides', async (_name, fetch) => {
    for (const onError of ['allow', 'block'] as const) {
      const check = checkOf({ fetch }, { onError });
      expect(await check({ number: NUMBER, turnstileToken: TOKEN })).toEqual({
        outcome: onError,
        enforced: true,
        pass: onError === 'allow',
        answer: SUSPECT,
        error: 'unverified',
        challengePassed: false,
      });
    }
  });

  it('a secret that is missing at request time is misconfigured', async () => {
    for (const secret of [() => '', () => undefined as unknown as string, raise]) {
      const check = checkOf({ secret }, { onError: 'block' });
      expect(await check({ number: NUMBER, turnstileToken: TOKEN })).toMatchObject({ error: 'misconfigured' });
    }
  });
});

it.each([
  ['block', LISTED],
  ['allow', CLEAR],
])('no token is spent on %s, nor in a dry run', async (outcome, answer) => {
  const { asked, fetch } = siteverify();
  const subject = { number: NUMBER, turnstileToken: TOKEN };
  expect(await checkOf({ fetch }, { from: new FakeSource(answer) })(subject)).toMatchObject({ outcome });
  expect(await checkOf({ fetch }, { dryRun: true })(subject)).toMatchObject({ outcome: 'challenge', pass: true });
  expect(asked).toEqual([]);
});

describe.each(ADAPTERS)('%s', (_name, build) => {
  it('reads the token from its header', async () => {
    const { fetch } = siteverify();
    const checks: Check[] = [];
    const app = build({ from: new FakeSource(SUSPECT), turnstile: { secret: () => SECRET, fetch } }, (check) => {
      checks.push(check);
      return new Response('route');
    });
    expect(await (await app(signup(undefined, { 'cf-turnstile-response': TOKEN }))).text()).toBe('route');
    expect(checks).toMatchObject([{ outcome: 'challenge', challengePassed: true }]);

    const replayed = await app(signup(undefined, { 'cf-turnstile-response': TOKEN }));
    const without = await app(signup());
    expect(replayed.status).toBe(403);
    expect(await replayed.clone().json()).toMatchObject({ code: 'challenge-required' });
    expect(await seen(replayed)).toBe(await seen(without));
  });
});

it('a token and a number from the same body, which the route still reads; the address is sent', async () => {
  const { asked, fetch } = siteverify();
  const field = (name: string) => async (request: Request) => (await request.formData()).get(name) as string;
  const handler = withRingfence(
    {
      from: new FakeSource(SUSPECT),
      number: field('phone'),
      country: field('country'),
      turnstile: { secret: SECRET, token: field('token'), remoteIp: (r) => r.headers.get('cf-connecting-ip'), fetch },
    },
    async (request) => new Response((await request.formData()).get('token') as string),
  );
  const body = new URLSearchParams({ phone: NUMBER, token: TOKEN, country: 'US' });
  const headers = { 'cf-connecting-ip': '192.0.2.1' };
  const response = await handler(new Request('http://localhost/', { method: 'POST', body, headers }));
  expect(await response.text()).toBe(TOKEN);
  expect(asked).toMatchObject([{ body: { response: TOKEN, remoteip: '192.0.2.1' } }]);
});

it('a token that cannot be read is a missing one', async () => {
  const turnstile = { secret: SECRET, token: raise, remoteIp: raise };
  const handler = withRingfence(
    { from: new FakeSource(SUSPECT), number: () => NUMBER, onError: 'allow', turnstile },
    () => new Response('route'),
  );
  expect(await (await handler(signup())).json()).toMatchObject({ code: 'challenge-required' });
});

function raise(): never {
  throw new Error('thrown');
}
