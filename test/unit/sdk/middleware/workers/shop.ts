/** A sign-up form behind each adapter, at a path of its own. */
import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { AutoRouter, type IRequest } from 'itty-router';
import { createCheck, withRingfence } from '../../../../../src/sdk/middleware/fetch.ts';
import { ringfence as forHono } from '../../../../../src/sdk/middleware/hono.ts';
import { ringfence as forItty, type RingfenceRequest } from '../../../../../src/sdk/middleware/itty-router.ts';
import type { Check, LookupSource } from '../../../../../src/sdk/middleware/types.ts';

interface Bindings {
  readonly RINGFENCE: LookupSource;
  readonly SITE: { fetch: (url: string, init: RequestInit) => Promise<Response> };
}
interface Form {
  readonly phone: string;
  readonly scenario: string;
}

const settings = { timeoutMs: 1000, onError: 'block', onBadNumber: 'allow' } as const;
const readers = {
  number: async (request: Request) => ((await request.json()) as Form).phone,
  scenario: async (request: Request) => ((await request.json()) as Form).scenario,
};
const route = async (request: Request & { readonly ringfence: Check }) =>
  Response.json({ check: request.ringfence, body: await request.json() });

const hono = new Hono<{ Bindings: Bindings }>();
hono.post(
  '/hono',
  forHono<{ Bindings: Bindings }>({
    ...settings,
    from: (c) => c.env.RINGFENCE,
    number: async (c) => (await c.req.json<Form>()).phone,
    scenario: async (c) => (await c.req.json<Form>()).scenario,
  }),
  async (c) => c.json({ check: c.get('ringfence'), body: await c.req.json() }),
);
const itty = AutoRouter<IRequest, [Bindings]>();
itty.post<RingfenceRequest, [Bindings]>(
  '/itty',
  forItty<[Bindings]>({ ...settings, ...readers, from: (_request, { RINGFENCE }) => RINGFENCE }),
  route,
);
/** The binding as it is known when the Worker starts. */
const { RINGFENCE } = env as unknown as Bindings;
const plain = withRingfence({ ...settings, ...readers, from: RINGFENCE }, route);
const byHttp = withRingfence<[Bindings]>(
  {
    ...settings,
    ...readers,
    from: (_request, { SITE }) => ({
      url: 'http://ringfence.example',
      key: 'key',
      fetch: (url, init) => SITE.fetch(url, init),
    }),
  },
  route,
);
const check = createCheck({ ...settings, from: RINGFENCE });

export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/hono') return hono.fetch(request, bindings);
    if (pathname === '/itty') return itty.fetch(request, bindings);
    if (pathname === '/fetch') return plain(request);
    if (pathname === '/http') return byHttp(request, bindings);
    const body = (await request.json()) as Form;
    const result = await check({ number: body.phone, scenario: body.scenario });
    return result.pass ? Response.json({ check: result, body }) : new Response(null, { status: 403 });
  },
};
