/** Sources, servers, and one small app for each adapter. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { Hono } from 'hono';
import { AutoRouter, type IRequest, Router } from 'itty-router';
import { withRingfence } from '../../../../src/sdk/middleware/fetch.ts';
import type { GuardOptions } from '../../../../src/sdk/middleware/guard.ts';
import { ringfence as forHono, type RingfenceVariables } from '../../../../src/sdk/middleware/hono.ts';
import { ringfence as forItty, type RingfenceRequest } from '../../../../src/sdk/middleware/itty-router.ts';
import type { Check, LookupAnswer, LookupResult, LookupSource } from '../../../../src/sdk/middleware/types.ts';
import { NUMBER } from './answers.ts';

export * from './answers.ts';

/** A source by RPC that keeps what it was asked. */
export class FakeSource implements LookupSource {
  readonly asked: unknown[] = [];
  readonly #answer: () => PromiseLike<unknown>;

  constructor(answer: LookupAnswer | (() => PromiseLike<unknown>)) {
    this.#answer = typeof answer === 'function' ? answer : async () => ({ ok: true, answer });
  }

  lookup(query: unknown): PromiseLike<LookupResult> {
    this.asked.push(query);
    return this.#answer() as PromiseLike<LookupResult>;
  }
}

export const never = (): Promise<never> => new Promise(() => {});
export const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** Listens on a free port of this machine; `close` also breaks off what is still open. */
export async function listen(handle: RequestListener): Promise<{ url: string; close: () => void }> {
  const server: Server = createServer(handle);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${address.port}`, close };
}

/** Counts what nobody handled while a test ran. */
export function watchUnhandled(): { readonly seen: unknown[]; stop: () => void } {
  const seen: unknown[] = [];
  const note = (reason: unknown) => seen.push(reason);
  process.on('unhandledRejection', note);
  return { seen, stop: () => process.off('unhandledRejection', note) };
}

/** What the adapters have in common; `number` reads `phone` of the JSON body, the way the framework has it. */
export type CommonOptions = Omit<GuardOptions<[unknown]>, 'number'>;
type Route = (check: Check, body: unknown) => Response | Promise<Response>;
export type App = (request: Request) => Promise<Response>;

const phoneOf = async (request: Request): Promise<string> => ((await request.json()) as { phone: string }).phone;

export const ADAPTERS: readonly (readonly [name: string, build: (options: CommonOptions, route: Route) => App])[] = [
  [
    'hono',
    (options, route) => {
      const app = new Hono<{ Variables: RingfenceVariables }>();
      app.onError((error) => new Response(`route threw: ${error.message}`, { status: 500 }));
      app.post(
        '/signup',
        forHono({ ...options, number: async (c) => (await c.req.json<{ phone: string }>()).phone }),
        async (c) => route(c.get('ringfence'), await c.req.json()),
      );
      return async (request) => app.request(request);
    },
  ],
  ['itty-router AutoRouter', (options, route) => ittyApp(AutoRouter({ catch: thrown }), options, route)],
  ['itty-router Router', (options, route) => ittyApp(Router({ catch: thrown }), options, route)],
  [
    'fetch',
    (options, route) => {
      const handle = withRingfence({ ...options, number: phoneOf }, async (request) =>
        route(request.ringfence, await request.json()),
      );
      return (request) => handle(request).catch(thrown);
    },
  ],
];

function thrown(error: Error): Response {
  return new Response(`route threw: ${error.message}`, { status: 500 });
}

function ittyApp(router: ReturnType<typeof Router<IRequest>>, options: CommonOptions, route: Route): App {
  router.post('/signup', forItty({ ...options, number: phoneOf }), async (request: RingfenceRequest) =>
    route(request.ringfence, await request.json()),
  );
  return (request) => router.fetch(request);
}

export function signup(body: unknown = { phone: NUMBER }, headers: Record<string, string> = {}): Request {
  return new Request('http://localhost/signup', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** All that an end user can see of a response. */
export async function seen(response: Response): Promise<string> {
  return JSON.stringify([response.status, response.statusText, [...response.headers].sort(), await response.text()]);
}
