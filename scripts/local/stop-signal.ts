/**
 * One signal for all reasons to stop: Ctrl-C, a `kill`, a closed terminal, and the end of whoever started this process.
 */
import { parentOf } from './processes.ts';

const PARENT_POLL_MS = 500;

/**
 * From now on these end nothing by themselves: they abort the signal that is returned. A second one, of somebody who
 * does not want to wait, ends the process; the servers that it started end with it (guard.ts).
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(1);
      stop();
    });
  }
  // Started by another Node that wants it to end with it, as the tests do.
  if (process.connected) {
    process.once('disconnect', stop);
    process.channel?.unref();
  }
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(stop);
  return controller.signal;
}

/**
 * For a npm that is told to end, or killed: it stops the shell in which it runs a script, and that does not hand the
 * signal on. A npm that is killed outright stops nothing, and the shell waits on: so whoever started the shell is
 * watched too, where the system tells (Linux). Without npm there is nobody to watch: a process may outlive the shell
 * that it was started from.
 */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const above = npmAbove(parent);
  const timer = setInterval(() => {
    // What cannot be told is no end: when the shell has ended, this process has another parent.
    if (process.ppid === parent && [above, null].includes(npmAbove(parent))) return;
    clearInterval(timer);
    stop();
  }, PARENT_POLL_MS).unref();
}

/**
 * Pid of the npm that started this shell: it passes the script with -c. Null if it is no such shell, since some give
 * way to what they run, and then it is npm itself, which may outlive whoever started it.
 */
function npmAbove(shell: number): number | null {
  const found = parentOf(shell);
  return found?.args[0] === '-c' ? found.pid : null;
}
