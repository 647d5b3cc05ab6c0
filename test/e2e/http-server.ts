/** A server of the test's own process, on a free port: what stands in the place of something else. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

export interface HttpServer {
  readonly port: number;
  readonly url: string;
  /** Nobody listens from then on, and open connections are cut. */
  stop(): Promise<void>;
}

export async function startHttpServer(listener: RequestListener): Promise<HttpServer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
