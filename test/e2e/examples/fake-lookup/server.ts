/** A lookup over HTTP that fails in the ways that a service, or what stands before it, can. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type HttpServer, startHttpServer } from '../../http-server.ts';
import { GOOD, nameOf, PAGE, SLOW_MS, WRONG_SHAPE } from './answers.ts';

/** What the middleware is to call each. */
export const HTTP_FAILURES = {
  slow: 'timeout',
  'stops in the middle': 'timeout',
  'breaks off': 'unreachable',
  page: 'malformed',
  'no JSON': 'malformed',
  'wrong shape': 'malformed',
  redirect: 'malformed',
  'of another number': 'another-number',
  'too large': 'malformed',
  'quota used up': 'rate-limited',
  'key not valid': 'refused',
  'storage down': 'unavailable',
} as const;

export const HTTP_NAMES = ['allow', 'block', ...Object.keys(HTTP_FAILURES)];
const TOO_LARGE_BYTES = 1 << 20;

const json = (status: number, value: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

const ANSWERS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  allow: json(200, GOOD.allow),
  block: json(200, GOOD.block),
  slow: (response) => setTimeout(() => json(200, GOOD.allow)(response), SLOW_MS).unref(),
  'stops in the middle': (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).write(JSON.stringify(GOOD.allow).slice(0, -9)),
  'breaks off': (response) => response.destroy(),
  page: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE),
  'no JSON': (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('clear'),
  'wrong shape': json(200, WRONG_SHAPE),
  'of another number': json(200, GOOD.allow),
  redirect: (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  'too large': json(200, { ...GOOD.allow, more: 'x'.repeat(TOO_LARGE_BYTES) }),
  'quota used up': (response) =>
    json(429, { type: 'https://example.com/quota-exceeded', status: 429 })(response.setHeader('retry-after', '60')),
  'key not valid': json(401, { type: 'https://example.com/unauthorized', status: 401 }),
  'storage down': json(503, { type: 'https://example.com/storage-unavailable', status: 503 }),
};

export function startFakeServer(): Promise<HttpServer> {
  return startHttpServer((request, response) => {
    // Where the redirect leads, there is a good answer: following it would be seen.
    if (request.url === '/elsewhere') return json(200, GOOD.block)(response);
    return answer(request, response).catch(() => response.destroy());
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { number } = JSON.parse(await text(request)) as { readonly number: string };
  ANSWERS[nameOf(HTTP_NAMES, number) ?? '']?.(response);
}
