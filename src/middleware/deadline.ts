/** One deadline over several awaited steps. */

/**
 * The step's value, or the value for being late if the deadline passes first or has passed already. A late step may
 * still settle in any way: its rejection is handled.
 */
export type Race<Late> = <T>(step: Promise<T>) => Promise<T | Late>;

/**
 * @param late the value of a step that the deadline has cut off
 * @param work its signal is aborted when the deadline passes, and when the work is done: that closes what a step has
 *   left
 *   open, such as an unread body
 */
export async function withDeadline<Late, T>(
  milliseconds: number,
  late: Late,
  work: (race: Race<Late>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<Late>((resolve) => {
    timer = setTimeout(() => {
      // Resolved before the abort, so that a step which is rejected by it loses the race.
      resolve(late);
      controller.abort();
    }, milliseconds);
  });
  try {
    return await work((step) => Promise.race([step, passed]), controller.signal);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}
