/** Stands where Turnstile's siteverify does: one token is good. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export const GOOD_TOKEN = 'a-good-token';
export const TURNSTILE_SECRET = 'the-secret-of-the-widget';

export interface Siteverify {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startSiteverify(): Promise<Siteverify> {
  const server = createServer(async (request, response) => {
    const asked = await text(request);
    const success = asked.includes(GOOD_TOKEN) && asked.includes(TURNSTILE_SECRET);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ success, 'error-codes': success ? [] : ['invalid-input-response'] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/siteverify`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
