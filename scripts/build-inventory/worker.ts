/** A worker thread: one task at a time, as worker-pool.ts sends them. */
import { parentPort } from 'node:worker_threads';
import { BuildError } from './journal.ts';
import { runTask, type Task, type TaskKind, type TaskKinds, type TaskProgress } from './tasks.ts';

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: TaskProgress }
  | { readonly kind: 'done'; readonly result: TaskKinds[TaskKind]['result'] }
  /** `code`: of a BuildError, which does not come through as one. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly code: BuildError['code'] | null };

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread only');
const send = (message: WorkerMessage) => port.postMessage(message);

port.on('message', async (task: Task) => {
  try {
    const result = await runTask(task, (progress) => send({ kind: 'progress', progress }));
    send({ kind: 'done', result });
  } catch (error) {
    send({ kind: 'failed', error, code: error instanceof BuildError ? error.code : null });
  }
});
