import { expect, test } from 'vitest';
import { type UploadInit, upload } from '../../../../scripts/import/upload.ts';
import { testIo } from './support.ts';

const TARGET = { url: 'http://server.example', key: 'rf_1' };
const RECEIPT = { batch: 'b', accepted: 1, rejected: 0, errors: [] };

function answer(status: number, body: unknown = {}, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

/** Gives the answers in turn, the last one for ever. */
function server(...answers: (Response | Error)[]) {
  const requests: [string, UploadInit][] = [];
  const io = testIo({
    fetch: async (url, init) => {
      requests.push([url, init]);
      const next = answers[Math.min(requests.length, answers.length) - 1];
      if (next instanceof Response) return next.clone();
      throw next;
    },
  });
  return { io, requests };
}

function networkError(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

function send(io: ReturnType<typeof testIo>, expectServer = false) {
  return upload(new Uint8Array([1]), { idempotencyKey: 'k', gzip: true, expectServer }, TARGET, io);
}

test('sends key, type and encoding, and reads the receipt', async () => {
  const { io, requests } = server(answer(202, RECEIPT));
  expect(await send(io)).toEqual({ ...RECEIPT, replayed: false });
  const [url, init] = requests[0] ?? [];
  expect(url).toBe('http://server.example/v1/detections');
  expect(init?.headers).toEqual({
    authorization: 'Bearer rf_1',
    'content-type': 'application/x-ndjson',
    'content-encoding': 'gzip',
    'idempotency-key': 'k',
  });
  const again = server(answer(202, RECEIPT, { 'Idempotent-Replayed': 'true' }));
  expect(await send(again.io)).toEqual({ ...RECEIPT, replayed: true });
});

test.each([429, 500, 503, 408])('%s is tried again, with more and more patience', async (status) => {
  const { io, requests } = server(answer(status), answer(status), networkError('ECONNRESET'), answer(202, RECEIPT));
  await send(io);
  expect(requests).toHaveLength(4);
  expect(io.waits.map(Math.round)).toEqual([500, 999, 1998]);
});

test('Retry-After is waited for, in seconds or as a date, up to two minutes', async () => {
  const date = new Date(Date.UTC(2025, 5, 1, 12, 0, 30)).toUTCString();
  const answers = ['7', date, '3600', 'soon'].map((value) => answer(429, {}, { 'retry-after': value }));
  const { io } = server(...answers, answer(202, RECEIPT));
  await send(io);
  expect(io.waits.map(Math.round)).toEqual([7000, 30_000, 120_000, 3996]);
});

test('gives up after eight attempts', async () => {
  const { io, requests } = server(answer(503, { detail: 'the storage did not answer' }));
  await expect(send(io)).rejects.toThrow(
    'gave up after 8 attempts: the server answers 503: the storage did not answer',
  );
  expect(requests).toHaveLength(8);
  expect(io.waits).toHaveLength(7);
});

test.each([
  [200, 'Is http://server.example the URL of Ringfence?'],
  [401, 'give another with --key or RINGFENCE_KEY'],
  [403, 'lacks the scope "ingest"'],
  [404, 'There is no Ringfence at http://server.example: check --url.'],
  [413, '--batch-size'],
  [400, 'the server answers 400: because'],
  [409, 'the server answers 409: because'],
])('%s is not tried again', async (status, message) => {
  const { io, requests } = server(answer(status, { detail: 'because' }));
  await expect(send(io)).rejects.toThrow(message);
  expect(requests).toHaveLength(1);
});

test('nobody there: at once if that is the first question, patiently later', async () => {
  const first = server(networkError('ECONNREFUSED'));
  await expect(send(first.io, true)).rejects.toThrow('Start it with `npm start`, or give another --url.');
  expect(first.requests).toHaveLength(1);
  const later = server(networkError('ECONNREFUSED'), answer(202, RECEIPT));
  await send(later.io);
  expect(later.requests).toHaveLength(2);
});

test('202 from something else', async () => {
  const { io } = server(answer(202, { ok: true }));
  await expect(send(io)).rejects.toThrow('202 without a receipt');
});

test('no message holds the key', async () => {
  for (const status of [401, 403, 503]) {
    const { io } = server(answer(status));
    await expect(send(io)).rejects.not.toThrow('rf_1');
    expect(io.written.join()).not.toContain('rf_1');
  }
});
