/** What is done in parallel, each task by itself from files to files: in a worker thread, or here. */
import { type BlockCounts, type CountTask, countBlocks } from './count-blocks.ts';
import { type FactsTask, foldFactsPart, type SpilledFacts } from './fold-facts.ts';
import { type FoldedShare, type FoldTask, foldShare } from './fold-share.ts';
import { type ParseResult, type ParseTask, parseRange } from './parse-range.ts';

export interface TaskKinds {
  readonly parse: { readonly task: ParseTask; readonly result: ParseResult };
  readonly count: { readonly task: CountTask; readonly result: BlockCounts };
  readonly fold: { readonly task: FoldTask; readonly result: FoldedShare };
  readonly facts: { readonly task: FactsTask; readonly result: readonly SpilledFacts[] };
}

export type TaskKind = keyof TaskKinds;
export type Task = TaskKinds[TaskKind]['task'];

/** Of a task under way: bytes of input read, and rows or numbers dealt with, since the last time. */
export interface TaskProgress {
  readonly bytes: number;
  readonly rows: number;
}

export type OnProgress = (progress: TaskProgress) => void;

/** Runs tasks, several at a time. Rejects as the task does. */
export interface TaskRunner {
  readonly threads: number;
  run<K extends TaskKind>(task: TaskKinds[K]['task'], onProgress: OnProgress): Promise<TaskKinds[K]['result']>;
  close(): Promise<void>;
}

export async function runTask(task: Task, onProgress: OnProgress): Promise<TaskKinds[TaskKind]['result']> {
  switch (task.kind) {
    case 'parse':
      return parseRange(task, (bytes, rows) => onProgress({ bytes, rows }));
    case 'count':
      return countBlocks(task);
    case 'fold':
      return foldShare(task, (numbers) => onProgress({ bytes: 0, rows: numbers }));
    case 'facts':
      return foldFactsPart(task);
  }
}

/** Runs tasks in this thread, one after the other. */
export const runHere: TaskRunner = {
  threads: 1,
  async run<K extends TaskKind>(task: TaskKinds[K]['task'], onProgress: OnProgress) {
    return (await runTask(task, onProgress)) as TaskKinds[K]['result'];
  },
  async close() {},
};
