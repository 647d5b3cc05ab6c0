const PARENT_POLL_MS = 500;

/**
 * For a npm that is told to end: it stops the shell in which it runs a script, and that does not hand the signal on. On
 * Ctrl-C the terminal tells every process. Without npm there is nobody to watch.
 */
export function stopWithParent(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_POLL_MS).unref();
}
