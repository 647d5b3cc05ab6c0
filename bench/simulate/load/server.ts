/**
 * `npm start` in a process group of its own, so that all of it can be killed at once, as a machine that goes down does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT } from '../../../scripts/command/paths.ts';
import { HOST } from '../../../scripts/local/port.ts';
import { statOf } from '../../../scripts/local/processes.ts';

const START_LIMIT_MS = 60_000;
const POLL_MS = 50;

interface ServerOptions {
  readonly port: number;
  readonly state: string;
  readonly adminKey: string;
}

export class LoadServer {
  readonly url: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | null = null;
  #output = '';

  constructor(options: ServerOptions) {
    this.#options = options;
    this.url = `http://${HOST}:${options.port}`;
  }

  /** Resolves when it answers; rejects with what it printed when it ends first. */
  async start(): Promise<void> {
    const { port, state, adminKey } = this.#options;
    this.#output = '';
    const child = spawn(
      process.execPath,
      ['scripts/start.ts', '--port', String(port), '--state', state, '--empty', '--no-cron'],
      {
        cwd: PROJECT,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, RINGFENCE_ADMIN_KEY: adminKey },
      },
    );
    this.#child = child;
    const keep = (data: Buffer) => {
      this.#output += data.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    await this.answers();
  }

  /** Waits until it answers, started or started again by its supervisor. */
  async answers(): Promise<void> {
    for (const deadline = Date.now() + START_LIMIT_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      if (this.hasEnded) throw new Error(`npm start ended with ${this.#child?.exitCode}: ${this.#output}`);
      const response = await fetch(`${this.url}/healthz`).catch(() => null);
      await response?.body?.cancel();
      if (response !== null) return;
    }
    throw new Error(`no answer within ${START_LIMIT_MS / 1000} s: ${this.#output}`);
  }

  get hasEnded(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** SIGKILL to every process of it at once: nothing of it can finish anything. */
  async killAll(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || this.hasEnded) return;
    const gone = once(child, 'exit');
    const others = descendantsOf(child.pid);
    for (const pid of [...others, child.pid]) killNow(pid);
    await gone;
    // A killed process holds its port until the system has cleared it away, on a busy machine for a moment longer.
    while (others.some((pid) => isThere(pid))) await sleep(POLL_MS);
  }

  /** SIGKILL to workerd alone. Whoever supervises it starts it again, or ends. */
  killRuntime(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    for (const each of descendantsOf(pid)) if (nameOf(each) === 'workerd') killNow(each);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || this.hasEnded) return;
    const gone = once(child, 'exit');
    child.kill('SIGINT');
    await gone;
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** By /proc: children of children too, the youngest last. */
function descendantsOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? statOf(pid)?.parent : undefined;
    if (parent !== undefined) parents.set(pid, parent);
  }
  const found: number[] = [];
  for (const next = [root]; next.length > 0; ) {
    const parent = next.pop();
    for (const [pid, its] of parents) {
      if (its !== parent) continue;
      found.push(pid);
      next.push(pid);
    }
  }
  return found;
}

function nameOf(pid: number): string | undefined {
  return statOf(pid)?.name;
}

/** A process that has ended and that nobody has asked about yet holds nothing any more. */
function isThere(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}
