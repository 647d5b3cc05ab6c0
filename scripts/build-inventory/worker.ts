/** A worker thread: it does one task at a time, as the pool (tasks.ts) sends them. */
import { parentPort } from 'node:worker_threads';
import { BuildError } from './journal.ts';
import { runTask, type Task, ThreadMemory, type WorkerMessage } from './tasks.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread only');
const memory = new ThreadMemory();
const send = (message: WorkerMessage) => port.postMessage(message);

port.on('message', async (task: Task) => {
  try {
    const result = await runTask(task, (progress) => send({ kind: 'progress', progress }), memory);
    send({ kind: 'done', result });
  } catch (error) {
    send({ kind: 'failed', error, code: error instanceof BuildError ? error.code : null });
  }
});
