/** A service that answers what a test says, and a clock that the test moves. */
import type { Clock, Fetch } from '../../../../src/sdk/client/transport.ts';

export const KEY = 'rf_0a1b2c3d4e5f_secret-of-the-client-tests';
export const URL_OF_SERVICE = 'https://ringfence.example';

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | null;
  readonly redirect: string | undefined;
}

type Reply = Response | Error | 'never';

/** Replies in order, the last one again and again. */
export class FakeService {
  readonly sent: Sent[] = [];
  readonly #replies: Reply[];

  constructor(...replies: readonly Reply[]) {
    this.#replies = [...replies];
  }

  readonly fetch: Fetch = async (url, init) => {
    const body = init.body === undefined || init.body === null ? null : await new Response(init.body).text();
    const { method = '', redirect } = init;
    this.sent.push({ method, url, headers: new Headers(init.headers), body, redirect });
    const reply = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0];
    if (reply === 'never') return new Promise<Response>(() => undefined);
    if (reply === undefined || reply instanceof Error) throw reply ?? new Error('no reply');
    return reply.clone();
  };
}

const TURN_MS = 5;
/** More than any call of these tests waits. */
const MAX_TURNS = 20;

/** It stands still until a test moves it on; waits are written down. */
export class FakeClock implements Clock {
  nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly waited: number[] = [];
  readonly pending = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  chance = 0.5;

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, callback };
    this.pending.add(timer);
    return () => void this.pending.delete(timer);
  }

  /** Lets the earliest timer ring. */
  ring(): void {
    const [first] = [...this.pending].sort((a, b) => a.atMs - b.atMs);
    if (first === undefined) throw new Error('no timer is set');
    this.pending.delete(first);
    this.waited.push(first.atMs - this.nowMs);
    this.nowMs = first.atMs;
    first.callback();
  }

  /** Moves on whenever the work waits, until it ends. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const outcome = work.finally(() => {
      isOver = true;
    });
    outcome.catch(() => undefined);
    for (let turn = 0; turn < MAX_TURNS && !isOver; turn++) {
      // Whatever does not wait for the clock gets done first.
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
      if (!isOver && this.pending.size > 0) this.ring();
    }
    return outcome;
  }
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}

export function problem(code: string, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const body = { type: `urn:ringfence:problem:${code}`, title: 'A title', status, detail: `detail of ${code}` };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', ...headers },
  });
}
