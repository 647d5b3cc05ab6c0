/** Sends one call: its request, repeated where that is safe and useful, within one deadline. */

import type { Operation } from '../../generated/operations.ts';
import { readAnswer } from './answer.ts';
import { RingfenceError } from './error.ts';

/** Like the platform's `fetch`, or that of a service binding. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface CallOptions {
  /** For the whole call with all its retries. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call. */
  readonly signal?: AbortSignal | undefined;
}

export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | null;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly clock: Clock;
}

export interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: NonNullable<RequestInit['body']>;
}

/** The first wait is at most this long, and each further one at most twice as long. */
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
const RETRIED_STATUSES: readonly (number | null)[] = [429, 503];

/**
 * @param isSafe whether the request can be repeated without being carried out twice
 * @throws RingfenceError
 */
export async function send(
  connection: Connection,
  operation: Operation,
  parts: Parts,
  isSafe: boolean,
  options: CallOptions = {},
): Promise<unknown> {
  const { clock, timeoutMs, retries } = connection;
  const url = connection.url + fillPath(operation.path, parts.path ?? {}) + queryText(parts.query ?? {});
  const headers = headersOf(connection.key, parts.headers ?? {});
  const deadline = startDeadline(options.timeoutMs ?? timeoutMs, options.signal, clock);
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        return await deadline.bound(attemptOnce(connection, operation, url, headers, parts.body, deadline));
      } catch (error) {
        const failure = asFailure(error);
        const waitMs = waitBefore(attempt, failure, clock);
        // If there is no time for another attempt, this failure says more than a timeout would.
        if (!isSafe || attempt >= retries || !isRetryable(failure) || waitMs >= deadline.leftMs()) throw failure;
        await pause(waitMs, deadline, clock);
      }
    }
  } finally {
    deadline.clear();
  }
}

async function attemptOnce(
  { fetch, clock }: Connection,
  { method, answers }: Operation,
  url: string,
  headers: Headers,
  body: Parts['body'],
  { signal }: Deadline,
): Promise<unknown> {
  // Not every fetch would notice that the caller has already given up.
  signal.throwIfAborted();
  // If a redirect were followed, number and key would go to an address that nobody configured.
  const init: RequestInit = { method, headers, signal, redirect: 'manual' };
  if (body !== undefined) init.body = body;
  // Node refuses a stream without this option, which is in no type yet.
  if (body instanceof ReadableStream) Object.assign(init, { duplex: 'half' });
  return readAnswer(await fetch(url, init), answers, clock.now());
}

/** Whether another attempt may succeed: the service said so, or nothing answered. */
function isRetryable({ code, status }: RingfenceError): boolean {
  return code === 'network' || RETRIED_STATUSES.includes(status);
}

/**
 * Milliseconds: what the service asks for, or full jitter, so that clients that failed together retry at different
 * times.
 */
function waitBefore(attempt: number, { retryAfterSeconds }: RingfenceError, clock: Clock): number {
  if (retryAfterSeconds !== null) return retryAfterSeconds * 1000;
  return clock.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
}

async function pause(ms: number, deadline: Deadline, clock: Clock): Promise<void> {
  let cancel = () => {};
  try {
    await deadline.bound(
      new Promise<void>((resolve) => {
        cancel = clock.after(ms, resolve);
      }),
    );
  } finally {
    cancel();
  }
}

/** A name such as ECONNREFUSED. */
const FAILURE_NAME = /^[A-Z][A-Z0-9_]{1,40}$/;

/** The platform's error is not passed on: its message may hold the URL, which may hold a number. */
function asFailure(error: unknown): RingfenceError {
  if (error instanceof RingfenceError) return error;
  const cause = error instanceof Error ? error.cause : null;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const name = FAILURE_NAME.test(code) ? ` (${code})` : '';
  return new RingfenceError('network', `expected an answer; none came${name}`);
}

function fillPath(pattern: string, values: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    // The dots would lead to another path.
    if (value === '' || value === '.' || value === '..') throw new TypeError(`expected ${name}: text`);
    return encodeURIComponent(value);
  });
}

function queryText(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  // A space is written as %20, since the service may take a + for a plus sign.
  return query.size === 0 ? '' : `?${String(query).replaceAll('+', '%20')}`;
}

function headersOf(key: string | null, values: Readonly<Record<string, string | undefined>>): Headers {
  const headers = new Headers({ accept: 'application/json' });
  if (key !== null) headers.set('authorization', `Bearer ${key}`);
  for (const [name, value] of Object.entries(values)) if (value !== undefined) headers.set(name, value);
  return headers;
}

/** The end of a call: its time is over, or its caller aborts it. */
interface Deadline {
  /** Aborted at the end, so that the platform ends what is still running. */
  readonly signal: AbortSignal;
  /** Milliseconds left. */
  leftMs(): number;
  /** The outcome of the work, or RingfenceError if the end comes first, since not every fetch obeys a signal. */
  bound<T>(work: Promise<T>): Promise<T>;
  /** Clears the timer. */
  clear(): void;
}

/** The longest time that a timer can be set to, in every runtime: 2^31 - 1 ms. */
const MAX_TIMEOUT_MS = 2_147_483_647;

function checkTimeout(timeoutMs: number): void {
  if (timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return;
  throw new TypeError(`timeoutMs: expected milliseconds from 1 to ${MAX_TIMEOUT_MS}`);
}

/** @throws TypeError if a timer cannot be set to this time */
function startDeadline(timeoutMs: number, caller: AbortSignal | undefined, clock: Clock): Deadline {
  checkTimeout(timeoutMs);
  const controller = new AbortController();
  const endMs = clock.now() + timeoutMs;
  let reject: (error: RingfenceError) => void = () => undefined;
  const ended = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  // It may end while no work is bound to it.
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

/** Time and randomness, so that tests can replace them. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Calls back once. @returns a function that cancels it */
  after(ms: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

// The options are checked once, when the client is made. Messages quote nothing that was given, since it may be a key.

export interface ClientOptions {
  /** Address of the service, such as `https://ringfence.example.workers.dev`. */
  readonly url: string;
  /** An API key, `rf_…`. Only `health` needs none. */
  readonly key?: string | undefined;
  /**
   * Default: the platform's. In a Worker, a service binding saves a round trip: `(url, init) =>
   * env.RINGFENCE.fetch(url, init)`.
   */
  readonly fetch?: Fetch | undefined;
  /** Milliseconds for a call with all its retries. Default: 10,000; an upload has at least two minutes. */
  readonly timeoutMs?: number | undefined;
  /** How often a call that is safe to repeat is sent again, 0 to 10. Default: 2. */
  readonly retries?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_RETRIES = 2;
const MAX_RETRIES = 10;
/** Text that can stand in a header. `fetch` would quote what it refuses. */
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** @throws TypeError naming the option and what was expected of it */
export function connectionOf(options: ClientOptions, clock: Clock): Connection {
  const { url, key, fetch: chosen, timeoutMs = DEFAULT_TIMEOUT_MS, retries = DEFAULT_RETRIES } = options;
  checkTimeout(timeoutMs);
  if (!Number.isInteger(retries) || retries < 0 || retries > MAX_RETRIES) {
    throw new TypeError(`retries: expected an integer from 0 to ${MAX_RETRIES}`);
  }
  if (key !== undefined) checkHeaderText('key', key);
  return {
    url: baseUrl(url),
    key: key ?? null,
    // It is called as a plain function: browsers and Workers refuse a `fetch` that is called as a method of another
    // object.
    fetch: chosen ?? ((url, init) => fetch(url, init)),
    timeoutMs,
    retries,
    clock,
  };
}

export function checkHeaderText(name: string, value: string): void {
  if (!HEADER_TEXT.test(value)) throw new TypeError(`${name}: expected printable ASCII characters`);
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('url: expected an http(s) address without credentials, query and fragment');
  }
  return url.href.replace(/\/$/, '');
}
