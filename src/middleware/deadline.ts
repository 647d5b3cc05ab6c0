/** One deadline over several awaited steps. */

export interface Deadline {
  /** Aborted when the deadline passes, and by `end`. */
  readonly signal: AbortSignal;
  /**
   * The step's value, or 'timeout' if the deadline passes first or has passed already. A step that is late may settle
   * however it likes: a rejection then is no unhandled one.
   */
  race<T>(step: Promise<T>): Promise<T | 'timeout'>;
  /** To be called when all is done: clears the timer, and ends what a step has left open, such as an unread body. */
  end(): void;
}

export function startDeadline(milliseconds: number): Deadline {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => {
      // Resolved before the abort, so that a step which is rejected by it loses the race.
      resolve('timeout');
      controller.abort();
    }, milliseconds);
  });
  return {
    signal: controller.signal,
    race: (step) => Promise.race([step, passed]),
    end: () => {
      clearTimeout(timer);
      controller.abort();
    },
  };
}
