/** One process that serves HTTP, with its output in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { HOST, hasEnded, StartError, stopChild } from '../local/child-process.ts';

const START_LIMIT_MS = 60_000;
const POLL_MS = 100;
/** Wrangler takes about a second to end its workerd. */
const STOP_LIMIT_MS = 10_000;
/** Last lines of its errors, to tell with when it does not start. */
const MAX_COMPLAINTS = 6;

export interface Child {
  readonly url: string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** @throws StartError when it ends or is not up in time; it is stopped then */
export async function startChild(options: {
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly logPath: string;
  readonly onLine: (line: string) => void;
}): Promise<Child> {
  const { args, folder, env, port, logPath, onLine } = options;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const log = createWriteStream(logPath, { flags: 'a' });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
  createInterface(child.stdout).on('line', onLine);
  const complaints: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    if (line.trim() !== '' && complaints.push(line.trim()) > MAX_COMPLAINTS) complaints.shift();
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://${HOST}:${port}`;
  const stop = () => stopChild(child, ended, STOP_LIMIT_MS);
  try {
    await waitUntilUp(child, url);
  } catch (error) {
    await stop();
    if (!(error instanceof StartError)) throw error;
    throw new StartError([error.message, ...complaints, `All of its output is in ${logPath}`].join('\n  '));
  }
  return { url, ended, stop };
}

async function waitUntilUp(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (hasEnded(child)) throw new StartError('the example did not start:');
    const response = await fetch(url, { signal: AbortSignal.timeout(START_LIMIT_MS) }).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new StartError(`the example did not answer within ${START_LIMIT_MS / 1000} s:`);
}
