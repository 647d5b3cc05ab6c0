/** What is particular to one framework: what its context brings, and that the types of the examples fit. */
import express from 'express';
import { Hono } from 'hono';
import { AutoRouter, type IRequest, withContent } from 'itty-router';
import { describe, expect, it } from 'vitest';
import { createCheck, withRingfence } from '../../../../src/sdk/middleware/fetch.ts';
import { untouched } from '../../../../src/sdk/middleware/guard.ts';
import { ringfence as forHono } from '../../../../src/sdk/middleware/hono.ts';
import { ringfence as forItty, type RingfenceRequest } from '../../../../src/sdk/middleware/itty-router.ts';
import type { LookupSource } from '../../../../src/sdk/middleware/types.ts';
import { CLEAR, FakeSource, FLAGGED, LISTED, listen, NUMBER, signup } from './support.ts';

interface Env {
  readonly RINGFENCE: LookupSource;
}
const env = (): Env & { RINGFENCE: FakeSource } => ({ RINGFENCE: new FakeSource(FLAGGED) });

describe('hono', () => {
  it('takes the binding from c.env and hands the check on, typed', async () => {
    const app = new Hono<{ Bindings: Env }>();
    app.post(
      '/signup',
      forHono<{ Bindings: Env }>({
        from: (c) => c.env.RINGFENCE,
        number: async (c) => (await c.req.parseBody()).phone,
        country: (c) => c.req.query('country'),
      }),
      async (c) => c.json([c.get('ringfence').outcome, c.var.ringfence.answer?.level, await c.req.parseBody()]),
    );
    const bindings = env();
    const form = { method: 'POST', body: new URLSearchParams({ phone: NUMBER }) };
    const response = await app.request('/signup?country=US', form, bindings);
    expect(await response.json()).toEqual(['flag', 4, { phone: NUMBER }]);
    expect(bindings.RINGFENCE.asked).toEqual([{ number: NUMBER, country: 'US' }]);
  });

  it('on all routes, with headers of middleware around it', async () => {
    const app = new Hono<{ Bindings: Env }>();
    app.use(async (c, next) => {
      await next();
      c.header('access-control-allow-origin', '*');
    });
    app.use('/signup/*', forHono<{ Bindings: Env }>({ from: new FakeSource(LISTED), number: () => NUMBER }));
    app.post('/signup/phone', (c) => c.text('route'));
    const response = await app.request('/signup/phone', { method: 'POST' });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, '*']);
  });
});

describe('itty-router', () => {
  it('takes the binding from env, and sees what the router and withContent put on the request', async () => {
    const router = AutoRouter<IRequest, [Env]>();
    const seenParts: unknown[] = [];
    router.post<RingfenceRequest, [Env]>(
      '/:shop/signup',
      withContent,
      forItty<[Env]>({
        from: (_request, { RINGFENCE }) => RINGFENCE,
        number: (request) => request.content.phone,
        scenario: (request) => `${request.params.shop}-${request.query.step}`,
        onResult: (request, check, { RINGFENCE }) => seenParts.push([request.method, check.outcome, RINGFENCE]),
      }),
      ({ ringfence, content }) => [ringfence.outcome, content],
    );
    const bindings = env();
    const request = new Request('http://localhost/toys/signup?step=2', {
      method: 'POST',
      body: JSON.stringify({ phone: NUMBER }),
    });
    expect(await (await router.fetch(request, bindings)).json()).toEqual(['flag', { phone: NUMBER }]);
    expect(bindings.RINGFENCE.asked).toEqual([{ number: NUMBER, scenario: 'toys-2' }]);
    expect(seenParts).toEqual([['POST', 'flag', bindings.RINGFENCE]]);
  });
});

describe('fetch', () => {
  it('hands env and ctx to all functions and to the handler', async () => {
    const worker = {
      fetch: withRingfence<[Env, { id: number }]>(
        {
          from: (_request, { RINGFENCE }) => RINGFENCE,
          number: async (request) => ((await request.json()) as { phone: string }).phone,
          scenario: (_request, _env, { id }) => `id-${id}`,
        },
        async (request, { RINGFENCE }, { id }) =>
          Response.json([request.ringfence.outcome, RINGFENCE !== undefined, id, await request.json()]),
      ),
    };
    const bindings = env();
    const response = await worker.fetch(signup(), bindings, { id: 7 });
    expect(await response.json()).toEqual(['flag', true, 7, { phone: NUMBER }]);
    expect(bindings.RINGFENCE.asked).toEqual([{ number: NUMBER, scenario: 'id-7' }]);
  });

  it('no body is cloned unless a function reads it', async () => {
    const request = signup();
    let clones = 0;
    const clone = request.clone.bind(request);
    request.clone = () => {
      clones += 1;
      return clone();
    };
    const byHeader = withRingfence({ from: new FakeSource(CLEAR), number: (r) => r.headers.get('x-phone') }, () =>
      Response.json(null),
    );
    await byHeader(request);
    expect(clones).toBe(0);
    const view = untouched(request);
    await Promise.all([view.json(), view.text(), view.arrayBuffer()]);
    expect(clones).toBe(3);
    expect([view.bodyUsed, await request.json()]).toEqual([false, { phone: NUMBER }]);
  });
});

it('Express: the check in four lines', async () => {
  const answers = [LISTED, FLAGGED];
  const check = createCheck({ from: { lookup: async () => ({ ok: true, answer: answers.shift() ?? CLEAR }) } });
  const app = express();
  app.post(
    '/signup',
    express.json(),
    async (request, response, next) => {
      const result = await check({ number: request.body.phone });
      response.locals.ringfence = result;
      if (result.pass) next();
      else response.status(403).json({ code: 'request-refused' });
    },
    (request, response) => {
      response.json([response.locals.ringfence.outcome, request.body.phone]);
    },
  );
  const server = await listen(app);
  const post = () =>
    fetch(`${server.url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ phone: NUMBER }),
    });
  const [first, second] = [await post(), await post()];
  expect([first.status, await first.json()]).toEqual([403, { code: 'request-refused' }]);
  expect([second.status, await second.json()]).toEqual([200, ['flag', NUMBER]]);
  server.close();
});
