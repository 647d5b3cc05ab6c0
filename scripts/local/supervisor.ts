/**
 * Runs servers on this machine, each in a process of its own. At any time somebody is responsible for such a process:
 * this one stops it; it ends by itself when this process is gone (guard.ts); and if it ends for another reason, it is
 * started again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { messageOf } from '../../src/lib/errors.ts';
import { CommandError } from '../command/errors.ts';
import { HOST } from './port.ts';
import { WORKERD_ENDED } from './processes.ts';

const GUARD = pathToFileURL(join(import.meta.dirname, 'guard.ts')).href;
const START_LIMIT_MS = 60_000;
const POLL_MS = 100;
/** Of one question whether it is up. */
const ANSWER_LIMIT_MS = 5_000;
/** Wrangler takes about a second to end its workerd. */
const STOP_LIMIT_MS = 5_000;
/** Ends within a minute after which it is not started again: something ends it every time. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW_MS = 60_000;
/** Last lines of its errors, to tell with when it does not start. */
const MAX_COMPLAINTS = 6;

export interface ServerCommand {
  /** What it is, at the beginning of a sentence. */
  readonly name: string;
  /** Of Node. */
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly port: number;
  /** Asked until it answers, to know that it is up. */
  readonly path: string;
  /** Whether an answer means so. Default: any does. */
  readonly isUp?: (response: Response) => boolean;
  /** Where all of its output goes. */
  readonly logPath: string;
  /** Called with each line that it prints, to its output or its errors. */
  readonly onLine?: (line: string) => void;
  /** Called when it has ended and is being started again. */
  readonly onRestart?: (message: string) => void;
}

export interface Server {
  readonly url: string;
  readonly logPath: string;
  /** Resolves when it is gone for good: stopped, or ended again and again. */
  readonly ended: Promise<void>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/** It was to stop before it was up. */
export class Stopped extends CommandError {}

/**
 * @param stop ends the server, whenever it comes
 * @throws CommandError when it ends or is not up in time, and Stopped; it is gone then
 */
export async function startServer(command: ServerCommand, stop: AbortSignal): Promise<Server> {
  const server = new SupervisedServer(command, stop);
  await server.start();
  const ended = server.watch();
  return { url: server.url, logPath: command.logPath, ended, stop: () => server.stop() };
}

class SupervisedServer {
  readonly url: string;
  readonly #command: ServerCommand;
  #guarded: GuardedProcess | null = null;
  #isStopping = false;
  readonly #endedAt: number[] = [];

  constructor(command: ServerCommand, stop: AbortSignal) {
    this.#command = command;
    this.url = `http://${HOST}:${command.port}`;
    this.#isStopping = stop.aborted;
    stop.addEventListener('abort', () => void this.stop(), { once: true });
  }

  async start(): Promise<void> {
    const { name, path, logPath, isUp = () => true } = this.#command;
    this.#checkNotStopping();
    const guarded = new GuardedProcess(this.#command);
    this.#guarded = guarded;
    try {
      const deadline = Date.now() + START_LIMIT_MS;
      while (!(await isAnswering(this.url + path, isUp))) {
        this.#checkNotStopping();
        if (guarded.hasEnded) throw new CommandError(`${name} did not start:`);
        if (Date.now() > deadline) {
          throw new CommandError(`${name} did not answer within ${START_LIMIT_MS / 1000} s:`);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    } catch (error) {
      await guarded.stop();
      if (error instanceof Stopped || !(error instanceof CommandError)) throw error;
      const lines = [error.message, ...guarded.complaints, `All of its output is in ${logPath}`];
      throw new CommandError(lines.join('\n  '), { cause: error });
    }
  }

  /** Starts it again when it ends by itself. Resolves when it is gone for good. */
  async watch(): Promise<void> {
    const { name, logPath, onRestart } = this.#command;
    for (;;) {
      const how = await this.#guarded?.ended;
      if (this.#isStopping) return;
      const now = Date.now();
      while ((this.#endedAt[0] ?? now) < now - RESTART_WINDOW_MS) this.#endedAt.shift();
      if (this.#endedAt.push(now) > MAX_RESTARTS) return;
      onRestart?.(`${name} has ended (${how}) and is started again; its output is in ${logPath}`);
      try {
        await this.start();
      } catch (error) {
        if (error instanceof Stopped) return;
        // It has ended once more.
        onRestart?.(messageOf(error));
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#guarded?.stop();
  }

  #checkNotStopping(): void {
    if (this.#isStopping) throw new Stopped(`${this.#command.name} was stopped before it was up`);
  }
}

async function isAnswering(url: string, isUp: (response: Response) => boolean): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) }).catch(() => null);
  await response?.body?.cancel();
  return response !== null && isUp(response);
}

/** A process with the guard, and all that it starts. */
export class GuardedProcess {
  readonly complaints: string[] = [];
  /** Resolves with how it ended, when nothing of it is left. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor({
    args,
    folder,
    env,
    logPath,
    onLine,
  }: Omit<ServerCommand, 'name' | 'port' | 'path' | 'isUp' | 'onRestart'>) {
    const child = spawn(process.execPath, ['--import', GUARD, ...args], {
      cwd: folder,
      // Its stdin is never written to: it closes when this process is gone.
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
      // A group of its own, so that Ctrl-C in the terminal reaches this process alone, which stops it in order.
      detached: true,
      windowsHide: true,
    });
    this.#child = child;
    const log = createWriteStream(logPath, { flags: 'a' });
    log.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
    createInterface(child.stdout).on('line', (line) => onLine?.(line));
    createInterface(child.stderr).on('line', (line) => {
      onLine?.(line);
      this.#complain(stripVTControlCharacters(line).trim());
    });
    // Gone since before: the guard tells of that.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        // If it was killed itself, what it had started is still there.
        this.#signalGroup('SIGKILL');
        log.end();
        resolve(how);
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => end(howEnded(code, signal)));
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** Resolves when it has ended: by itself if it does so within the limit. */
  async stop(): Promise<void> {
    if (!this.hasEnded) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.kill(), STOP_LIMIT_MS);
      await this.ended;
      clearTimeout(timer);
    }
    await this.ended;
  }

  /** At once. */
  kill(): void {
    this.#signalGroup('SIGKILL');
    this.#child.kill('SIGKILL');
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (process.platform === 'win32' || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // Nobody is left in it.
    }
  }

  #complain(line: string): void {
    if (line !== '' && this.complaints.push(line) > MAX_COMPLAINTS) this.complaints.shift();
  }
}

function howEnded(code: number | null, signal: NodeJS.Signals | null): string {
  if (code === WORKERD_ENDED) return 'its workerd was ended';
  return signal ?? `exit status ${code}`;
}
