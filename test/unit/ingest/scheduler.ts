import type { ObjectStore } from '../../../src/storage/store.ts';
import { wrapStore } from './stores.ts';

/** One task under the scheduler: it runs from one store call to the next, and no further until it is its turn. */
interface Task {
  readonly done: Promise<unknown>;
  finished: boolean;
  /** Lets the store call that the task waits at happen; null while the task runs between two calls. */
  proceed: (() => void) | null;
}

/** More steps than any schedule of the tests takes. */
const MAX_STEPS = 200;
/** Turns of the event loop that a task may take from one store call to the next; parsing a body takes a few. */
const MAX_TURNS = 1000;

/**
 * Runs tasks against one store in the order that `choices` says: its n-th entry picks which of the unfinished tasks
 * does its next store call at step n, 0 where there is no entry. Returns how many tasks there were to choose from at
 * each step.
 */
export async function runSchedule(
  store: ObjectStore,
  starts: readonly ((objects: ObjectStore) => Promise<unknown>)[],
  choices: readonly number[],
): Promise<number[]> {
  const tasks = starts.map((start) => startTask(store, start));
  const options: number[] = [];
  for (let step = 0; step < MAX_STEPS; step++) {
    for (const task of tasks) await settle(task);
    const ready = tasks.filter((task) => !task.finished);
    if (ready.length === 0) {
      await Promise.all(tasks.map((task) => task.done));
      return options;
    }
    options.push(ready.length);
    const chosen = ready[choices[step] ?? 0];
    const proceed = chosen?.proceed;
    if (chosen === undefined || !proceed) throw new Error(`no task ${choices[step]} at step ${step}`);
    chosen.proceed = null;
    proceed();
  }
  throw new Error(`a schedule took more than ${MAX_STEPS} steps`);
}

function startTask(store: ObjectStore, start: (objects: ObjectStore) => Promise<unknown>): Task {
  const gated = wrapStore(store, async (_, __, run) => {
    await new Promise<void>((resolve) => {
      task.proceed = resolve;
    });
    return run();
  });
  const task: Task = {
    finished: false,
    proceed: null,
    // Deferred, so that `task` exists when the first call comes.
    done: Promise.resolve()
      .then(() => start(gated))
      .finally(() => {
        task.finished = true;
      }),
  };
  return task;
}

/** Waits until the task stands at a store call or is finished. */
async function settle(task: Task): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (task.finished || task.proceed !== null) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error('a task neither calls the store nor finishes');
}

/**
 * Every schedule there is, one after the other: `run` is given choices and returns the number of options at each step.
 * Returns how many schedules were run.
 */
export async function everySchedule(run: (choices: readonly number[]) => Promise<number[]>): Promise<number> {
  let choices: number[] = [];
  for (let count = 1; ; count++) {
    const options = await run(choices);
    const taken = options.map((_, step) => choices[step] ?? 0);
    const step = options.findLastIndex((option, at) => (taken[at] ?? 0) + 1 < option);
    if (step < 0) return count;
    choices = [...taken.slice(0, step), (taken[step] ?? 0) + 1];
  }
}
