/** Worker threads, one a core, each with one task at a time; the others wait in line. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../src/merge/context.ts';
import { BuildError } from './build-error.ts';
import type { OnProgress, Task, TaskKind, TaskKinds, TaskRunner } from './tasks.ts';
import type { WorkerMessage } from './worker.ts';

interface Waiting {
  readonly task: Task;
  readonly onProgress: OnProgress;
  readonly resolve: (result: TaskKinds[TaskKind]['result']) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerPool implements TaskRunner {
  readonly threads: number;
  readonly #idle: Worker[];
  readonly #busy = new Map<Worker, Waiting>();
  readonly #line: Waiting[] = [];

  constructor(threads: number) {
    this.threads = threads;
    this.#idle = Array.from({ length: threads }, () => this.#start());
  }

  run<K extends TaskKind>(task: TaskKinds[K]['task'], onProgress: OnProgress): Promise<TaskKinds[K]['result']> {
    return new Promise((resolve, reject) => {
      this.#line.push({ task, onProgress, resolve, reject });
      this.#next();
    });
  }

  /** Ends the threads, whatever they are doing. What they have written whole stays; the rest is done again. */
  async close(): Promise<void> {
    const workers = [...this.#idle, ...this.#busy.keys()];
    this.#idle.length = 0;
    this.#busy.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #start(): Worker {
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'));
    worker.on('message', (message: WorkerMessage) => this.#receive(worker, message));
    worker.on('error', (error) => this.#lose(worker, error));
    return worker;
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#line.length > 0) {
      const worker = this.#idle.pop();
      const waiting = this.#line.shift();
      if (worker === undefined || waiting === undefined) return;
      this.#busy.set(worker, waiting);
      worker.postMessage(waiting.task);
    }
  }

  #receive(worker: Worker, message: WorkerMessage): void {
    const waiting = this.#busy.get(worker);
    if (waiting === undefined) return;
    if (message.kind === 'progress') {
      waiting.onProgress(message.progress);
      return;
    }
    this.#busy.delete(worker);
    this.#idle.push(worker);
    if (message.kind === 'done') waiting.resolve(message.result);
    else waiting.reject(message.code === null ? message.error : rebuilt(message.error, message.code));
    this.#next();
  }

  /** The thread has ended: out of memory, most likely. */
  #lose(worker: Worker, error: unknown): void {
    const waiting = this.#busy.get(worker);
    this.#busy.delete(worker);
    waiting?.reject(error);
  }
}

function rebuilt(error: unknown, code: BuildError['code']): BuildError {
  const prefix = `${code}: `;
  const message = messageOf(error);
  return new BuildError(code, message.startsWith(prefix) ? message.slice(prefix.length) : message, { cause: error });
}
