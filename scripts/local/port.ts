/** Ports of this machine: whether one is free, and finding one that is. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { CommandError, codeOf } from '../command/errors.ts';
import { describeHolder, holderOfPort } from './processes.ts';

export const HOST = '127.0.0.1';

/** @throws CommandError when nobody can listen on the port, naming the option that chooses another, and who holds it */
export function checkPort(option: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(new CommandError(problemOf(option, port, error), { cause: error })));
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}

/** One that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function problemOf(option: string, port: number, error: Error): string {
  const another = `choose another with ${option}`;
  switch (codeOf(error)) {
    case 'EADDRINUSE': {
      const holder = holderOfPort(port);
      return `port ${port} is taken${holder === null ? '' : ` (by ${describeHolder(holder)})`}; ${another}`;
    }
    case 'EACCES':
      return `port ${port} is not for everybody to listen on (those below 1024 need rights); ${another}`;
    default:
      return `port ${port} cannot be listened on (${codeOf(error) || error.message}); ${another}`;
  }
}
