import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createCheck } from '../../../../src/sdk/middleware/check.ts';
import { withRingfence } from '../../../../src/sdk/middleware/fetch.ts';
import { MAX_READ_MS } from '../../../../src/sdk/middleware/guard.ts';
import type { Check, Fetch } from '../../../../src/sdk/middleware/types.ts';
import { CLEAR, FakeSource, KEY, NUMBER, never, SUSPECT, signup } from './support.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** What it resolved to, with the milliseconds it took; never more than a minute. */
async function timed<T>(promise: Promise<T>): Promise<[T, number]> {
  const before = Date.now();
  let after = Number.NaN;
  void promise.then(() => {
    after = Date.now();
  });
  for (let i = 0; i < 60_000 && Number.isNaN(after); i++) await vi.advanceTimersByTimeAsync(1);
  return [await promise, after - before];
}

it('a source that never answers costs timeoutMs, to the millisecond', async () => {
  const check = createCheck({ from: new FakeSource(never), timeoutMs: 250 });
  const [result, took] = await timed(check({ number: NUMBER }));
  expect(result).toMatchObject({ error: 'timeout', outcome: 'allow', pass: true });
  expect(took).toBe(250);
});

it('500 ms if nothing is said', async () => {
  const [, took] = await timed(createCheck({ from: new FakeSource(never) })({ number: NUMBER }));
  expect(took).toBe(500);
});

it('an answer just in time counts, and leaves no timer', async () => {
  const from = new FakeSource(() => after(249, { ok: true, answer: CLEAR }));
  const [result, took] = await timed(createCheck({ from, timeoutMs: 250 })({ number: NUMBER }));
  expect(result.error).toBeNull();
  expect(took).toBe(249);
});

it('lookup and Turnstile share the one deadline; what the lookup said is kept', async () => {
  const from = new FakeSource(() => after(200, { ok: true, answer: SUSPECT }));
  const signals: (AbortSignal | null | undefined)[] = [];
  const fetch: Fetch = (_url, { signal }) => {
    signals.push(signal);
    return never();
  };
  const check = createCheck({ from, timeoutMs: 250, onError: 'block', turnstile: { secret: 'widget', fetch } });
  const [result, took] = await timed(check({ number: NUMBER, turnstileToken: 'token' }));
  expect(result).toMatchObject({ outcome: 'block', error: 'timeout', answer: SUSPECT });
  expect(took).toBe(250);
  expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
});

it('a request that is late is ended', async () => {
  let ended: boolean | undefined;
  const fetch: Fetch = (_url, { signal }) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        ended = true;
        reject(new Error('aborted'));
      });
    });
  const check = createCheck({ from: { url: 'https://ringfence.example', key: KEY, fetch }, timeoutMs: 250 });
  const [result] = await timed(check({ number: NUMBER }));
  expect(result.error).toBe('timeout');
  expect(ended).toBe(true);
});

it('a client that sends its body slowly does not eat up the time of the lookup', async () => {
  const from = new FakeSource(() => after(200, { ok: true, answer: { ...CLEAR, action: 'block' } }));
  const options = { from, timeoutMs: 250, number: () => after(5000, NUMBER) };
  const [response, took] = await timed(withRingfence(options, () => new Response('route'))(signup()));
  expect(response.status).toBe(403);
  expect(took).toBe(5200);
});

it('a number that never comes ends at MAX_READ_MS and follows onBadNumber', async () => {
  const checks: Check[] = [];
  const from = new FakeSource(CLEAR);
  const handler = withRingfence(
    { from, number: never, onBadNumber: 'block', onResult: (_request, check) => checks.push(check) },
    () => new Response('route'),
  );
  const [response, took] = await timed(handler(signup()));
  expect(response.status).toBe(403);
  expect(took).toBe(MAX_READ_MS);
  expect(checks).toMatchObject([{ error: 'unreadable', outcome: 'block' }]);
  expect(from.asked).toEqual([]);
});

function after<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise((done) => setTimeout(() => done(value), milliseconds));
}
