/** Stands where Turnstile's siteverify does: one token is good. */
import { text } from 'node:stream/consumers';
import { type HttpServer, startHttpServer } from '../http-server.ts';

export const GOOD_TOKEN = 'a-good-token';
export const TURNSTILE_SECRET = 'the-secret-of-the-widget';

export async function startSiteverify(): Promise<HttpServer> {
  const server = await startHttpServer(async (request, response) => {
    const asked = await text(request);
    const success = asked.includes(GOOD_TOKEN) && asked.includes(TURNSTILE_SECRET);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ success, 'error-codes': success ? [] : ['invalid-input-response'] }));
  });
  return { ...server, url: `${server.url}/siteverify` };
}
