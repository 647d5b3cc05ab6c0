/** What starting and stopping servers on this machine have in common. */
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';

export const HOST = '127.0.0.1';

/** To be told as it is: without the place in our code where it was noticed. */
export class StartError extends Error {}

export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Resolves when it has ended: by itself if it does so within the limit. */
export async function stopChild(child: ChildProcess, ended: Promise<void>, limitMs: number): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  await ended;
  clearTimeout(timer);
}

/** @throws StartError when the port is taken, naming the option that chooses another */
export function checkPort(option: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(new StartError(`port ${port} is taken; choose another with ${option}`)));
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}
