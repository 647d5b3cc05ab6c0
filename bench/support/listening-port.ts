/** Where a workerd listens whose port the system has chosen: it tells so on its control pipe (`--control-fd`). */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Rejects when workerd ends before, or does not tell within the limit. */
export async function listeningPort(control: Readable, ended: Promise<unknown>, limitMs: number): Promise<number> {
  const told = new Promise<number>((found) => {
    createInterface({ input: control }).on('line', (line) => {
      const message = JSON.parse(line) as { readonly event: string; readonly port?: number };
      if (message.event === 'listen' && message.port !== undefined) found(message.port);
    });
  });
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, limitMs, undefined).unref());
  const port = await Promise.race([told, late, ended.then(() => undefined)]);
  if (port === undefined) throw new Error('workerd did not start; its own words are above');
  return port;
}
