/** Ports of this machine: whether one is free, and finding one that is. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { CommandError, codeOf } from '../command/errors.ts';
import { describeHolder, holderOfPort } from './processes.ts';

export const HOST = '127.0.0.1';

/** @throws CommandError when nobody can listen on the port, naming the option that chooses another, and who holds it */
export async function checkPort(option: string, port: number): Promise<void> {
  const error = await failureToListen(port);
  if (error !== null) throw new CommandError(problemOf(option, port, error), { cause: error });
}

/**
 * Below all that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere). A port that the system had
 * chosen would be taken, before its server starts, by the next program that listens on any or calls another.
 */
const CHOSEN_PORTS = { from: 16_384, below: 32_768 };

/** One that nobody listens on at this moment, at random, so that processes side by side choose different ones. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(CHOSEN_PORTS.from, CHOSEN_PORTS.below);
    const error = await failureToListen(port);
    if (error === null) return port;
    if (codeOf(error) !== 'EADDRINUSE') throw error;
  }
}

function failureToListen(port: number): Promise<Error | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, HOST, () => probe.close(() => resolve(null)));
  });
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
