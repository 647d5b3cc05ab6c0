/** One call: its request, sent again where that is safe and worth it, within one deadline. */
import { readAnswer } from './answer.ts';
import type { Clock } from './clock.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { RingfenceError } from './error.ts';
import type { Operation } from './operations.ts';

/** As the platform's own; a service binding's serves as well. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface CallOptions {
  /** For the whole call, all its retries included. */
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

/** The first wait is at most this long, each further one twice as long. */
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
        if (!isSafe || attempt >= retries || !isPassing(failure) || waitMs >= deadline.leftMs()) throw failure;
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
  // Not every fetch would notice that the caller has given up already.
  signal.throwIfAborted();
  // A redirect would take number and key to an address that nobody configured.
  const init: RequestInit = { method, headers, signal, redirect: 'manual' };
  if (body !== undefined) init.body = body;
  // Node refuses a stream without it; it is in no type yet.
  if (body instanceof ReadableStream) Object.assign(init, { duplex: 'half' });
  return readAnswer(await fetch(url, init), answers, clock.now());
}

/** Whether another attempt may succeed: the service said so, or nothing answered. */
function isPassing({ code, status }: RingfenceError): boolean {
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

/** Such as ECONNREFUSED. */
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
  // A space as %20: the service may take a + for a plus sign.
  return query.size === 0 ? '' : `?${String(query).replaceAll('+', '%20')}`;
}

function headersOf(key: string | null, values: Readonly<Record<string, string | undefined>>): Headers {
  const headers = new Headers({ accept: 'application/json' });
  if (key !== null) headers.set('authorization', `Bearer ${key}`);
  for (const [name, value] of Object.entries(values)) if (value !== undefined) headers.set(name, value);
  return headers;
}
