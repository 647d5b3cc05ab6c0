import type { Clock } from './clock.ts';
import { RingfenceError } from './error.ts';

/** The end of a call: when its time is over, or its caller aborts it. */
export interface Deadline {
  /** Aborted at the end, so that the platform ends what is under way. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left. */
  leftMs(): number;
  /** The outcome of the work, or RingfenceError if the end comes first: not every fetch obeys a signal. */
  bound<T>(work: Promise<T>): Promise<T>;
  /** Clears the timer. */
  clear(): void;
}

/** The longest that a timer can be set for, in every runtime: 2^31 - 1 ms. */
const MAX_TIMEOUT_MS = 2_147_483_647;

export function checkTimeout(timeoutMs: number): void {
  if (timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw new TypeError(`timeoutMs: expected milliseconds from 1 to ${MAX_TIMEOUT_MS}`);
}

/** @throws TypeError if there is no such time */
export function startDeadline(timeoutMs: number, caller: AbortSignal | undefined, clock: Clock): Deadline {
  checkTimeout(timeoutMs);
  const controller = new AbortController();
  const endMs = clock.now() + timeoutMs;
  let reject: (error: RingfenceError) => void = () => undefined;
  const ended = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  // It may end while nothing is bound.
  ended.catch(() => undefined);
  const end = (error: RingfenceError) => {
    reject(error);
    controller.abort(error);
  };
  const onAbort = () => end(new RingfenceError('aborted', 'the caller ended the call'));
  const cancel = clock.after(timeoutMs, () => {
    end(new RingfenceError('timeout', `expected an answer within ${timeoutMs} ms`));
  });
  if (caller?.aborted) onAbort();
  caller?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    leftMs: () => endMs - clock.now(),
    bound: (work) => Promise.race([work, ended]),
    clear() {
      cancel();
      caller?.removeEventListener('abort', onAbort);
    },
  };
}
