/** Tasks that run in parallel, each from files to files, in a worker thread or in this one. */

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../src/lib/errors.ts';
import {
  type BlockCounts,
  type CountTask,
  countBlocks,
  type FoldedShare,
  type FoldTask,
  foldShare,
  ShareMemory,
  type SpilledActivity,
} from './fold.ts';
import { type ActivityTask, foldActivityPart, PiecesMemory } from './fold-activity.ts';
import { BuildError } from './journal.ts';
import { type ParseResult, type ParseTask, parseRange } from './parse.ts';

interface TaskKinds {
  readonly parse: { readonly task: ParseTask; readonly result: ParseResult };
  readonly count: { readonly task: CountTask; readonly result: BlockCounts };
  readonly fold: { readonly task: FoldTask; readonly result: FoldedShare };
  readonly activity: { readonly task: ActivityTask; readonly result: readonly SpilledActivity[] };
}

type TaskKind = keyof TaskKinds;
export type Task = TaskKinds[TaskKind]['task'];

/** Of a task under way: bytes of input read, and rows or numbers dealt with, since the last time. */
interface TaskProgress {
  readonly bytes: number;
  readonly rows: number;
}

type OnProgress = (progress: TaskProgress) => void;

/** Runs tasks, several at a time. Rejects as the task does. */
export interface TaskRunner {
  readonly threads: number;
  run<K extends TaskKind>(task: TaskKinds[K]['task'], onProgress: OnProgress): Promise<TaskKinds[K]['result']>;
  close(): Promise<void>;
}

/** What a thread keeps from one task to the next. */
export class ThreadMemory {
  readonly shares = new ShareMemory();
  readonly pieces = new PiecesMemory();
}

/** @param memory of the thread that it runs in */
export async function runTask(
  task: Task,
  onProgress: OnProgress,
  memory: ThreadMemory,
): Promise<TaskKinds[TaskKind]['result']> {
  switch (task.kind) {
    case 'parse':
      return parseRange(task, (bytes, rows) => onProgress({ bytes, rows }));
    case 'count':
      return countBlocks(task);
    case 'fold':
      return foldShare(task, (numbers) => onProgress({ bytes: 0, rows: numbers }), memory.shares);
    case 'activity':
      // All shares are folded.
      memory.shares.forget();
      return foldActivityPart(task, memory.pieces);
  }
}

const memoryHere = new ThreadMemory();

/** Runs tasks in this thread, one after the other. */
export const runHere: TaskRunner = {
  threads: 1,
  async run<K extends TaskKind>(task: TaskKinds[K]['task'], onProgress: OnProgress) {
    return (await runTask(task, onProgress, memoryHere)) as TaskKinds[K]['result'];
  },
  async close() {},
};

/** What a thread (worker.ts) tells of its task. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: TaskProgress }
  | { readonly kind: 'done'; readonly result: TaskKinds[TaskKind]['result'] }
  /** `code`: of a BuildError, which does not come through as one. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly code: BuildError['code'] | null };

interface Waiting {
  readonly task: Task;
  readonly onProgress: OnProgress;
  readonly resolve: (result: TaskKinds[TaskKind]['result']) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Of each thread's heap, what is new. Nearly all that a task makes is of no use a moment later, and there is more of it
 * in typed arrays, which are freed when what is new is looked through: with Node's default they pile up in between, to
 * some hundreds of MiB a thread.
 */
const YOUNG_MIB = 12;

/** Worker threads, one a core, each with one task at a time; the others wait in line. */
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
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
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
