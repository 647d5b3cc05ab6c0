/** A command of the project that goes on until it is told to stop, as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROJECT } from '../../scripts/command/paths.ts';
import { ADMIN_KEY } from './call.ts';

interface Surroundings {
  /** Of the environment, besides those of this process. Default: the admin key of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * True: a process group of its own, as a terminal makes one. Default: it is connected with this process, and ends
   * with it.
   */
  readonly isGroup?: boolean;
}

export class Started {
  /** All that it has printed so far. */
  output = '';
  readonly #child: ChildProcess;
  /** Rejects when it could not be started. */
  readonly #closed: Promise<unknown>;

  /** @param program Node, if it is the path of a script */
  constructor(program: string, args: readonly string[], { env = {}, isGroup = false }: Surroundings = {}) {
    const line = program.endsWith('.ts') ? [process.execPath, program, ...args] : [program, ...args];
    const [file = '', ...rest] = line;
    this.#child = spawn(file, rest, {
      cwd: PROJECT,
      detached: isGroup,
      stdio: isGroup ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, RINGFENCE_ADMIN_KEY: ADMIN_KEY, ...env },
    });
    this.#closed = once(this.#child, 'close');
    this.#closed.catch(() => undefined);
    this.#onData((data) => {
      this.output += data.toString();
    });
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** Resolves when it has printed this, and rejects when it ends before. */
  says(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.output.includes(text)) resolve();
      };
      this.#onData(look);
      look();
      this.#closed.then(() => reject(new Error(`ended with ${this.#child.exitCode}: ${this.output}`)), reject);
    });
  }

  /** Sends a signal; resolves with the exit status and how long that took, when it has ended. */
  async end(signal: NodeJS.Signals): Promise<{ readonly status: number | null; readonly milliseconds: number }> {
    const startedAt = Date.now();
    if (!this.#hasEnded) {
      const exit = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exit;
    }
    return { status: this.#child.exitCode, milliseconds: Date.now() - startedAt };
  }

  /** Ctrl-C: the terminal tells every process of the group. Resolves when the command has ended. */
  async interrupt(): Promise<void> {
    if (this.#hasEnded) return;
    const exit = once(this.#child, 'exit');
    if (this.isAlive()) process.kill(-this.pid, 'SIGINT');
    await exit;
  }

  /** Some process of its group is running, whoever its parent is by now. */
  isAlive(): boolean {
    try {
      return process.kill(-this.pid, 0);
    } catch {
      return false;
    }
  }

  /** As if this process were gone. */
  disconnect(): void {
    this.#child.disconnect();
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #onData(listener: (data: Buffer) => void): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', listener);
  }
}
