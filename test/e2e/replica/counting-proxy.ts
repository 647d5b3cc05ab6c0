/** What stands between a replica and its origin: counts what goes over the wire, and can be cut. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHttpServer } from '../http-server.ts';

export interface Exchange {
  readonly path: string;
  readonly status: number;
  /** Of the body of the answer. */
  readonly bytes: number;
}

export interface CountingProxy {
  readonly url: string;
  /** Since the last call of this. */
  taken(): readonly Exchange[];
  /** Nobody listens from then on. */
  cut(): Promise<void>;
}

const HANDED_ON = ['authorization', 'if-none-match'];

/** @param target asked for at each request, so that the origin may start later */
export async function startProxy(target: () => string): Promise<CountingProxy> {
  let exchanges: Exchange[] = [];
  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const headers = new Headers();
    for (const name of HANDED_ON) headers.set(name, String(request.headers[name] ?? ''));
    const answer = await fetch(target() + path, { headers });
    const body = Buffer.from(await answer.arrayBuffer());
    exchanges.push({ path, status: answer.status, bytes: body.length });
    const etag = answer.headers.get('etag');
    response.writeHead(answer.status, etag === null ? {} : { etag }).end(body);
  }
  const server = await startHttpServer((request, response) => {
    forward(request, response).catch(() => response.writeHead(502).end());
  });
  return {
    url: server.url,
    taken() {
      const taken = exchanges;
      exchanges = [];
      return taken;
    },
    cut: () => server.stop(),
  };
}
