import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { flood, sendOnSchedule } from '../../../../bench/http/open-loop.ts';

let server: Server | undefined;

afterEach(() => {
  server?.close();
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A server that does something with each request. @returns its address */
async function serving(answer: (socket: Socket, index: number) => void): Promise<string> {
  let requests = 0;
  const made = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      expect(bytes.toString()).toBe('ask');
      answer(socket, requests++);
    });
  });
  server = made;
  await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
  const address = made.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

const ASK = Buffer.from('ask');
const every10Ms = (count: number) => ({
  at: Float64Array.from({ length: count }, (_, i) => i * 10),
  request: () => ASK,
});

test('what stalls counts for every request that was due meanwhile, not for one alone', async () => {
  const waiting: Socket[] = [];
  let isStalled = true;
  const url = await serving((socket) => {
    if (!isStalled) socket.write(OK);
    else if (waiting.push(socket) === 1) {
      setTimeout(() => {
        isStalled = false;
        for (const each of waiting) each.write(OK);
      }, 300);
    }
  });
  // Two connections: what is due beyond them cannot even be sent, and is as late as if it had been.
  const { latencyMs, lateMs } = await sendOnSchedule(url, every10Ms(25), 2);
  for (let i = 0; i < 25; i++) expect(latencyMs[i]).toBeGreaterThanOrEqual(295 - i * 10);
  expect(lateMs[5]).toBeGreaterThanOrEqual(240);
});

test('a stall of the loop itself is told apart from a wait for the server', async () => {
  let isHeld = false;
  const url = await serving((socket, index) => {
    if (index !== 8) {
      socket.write(OK);
      return;
    }
    // The server shares the loop's thread: while it is busy, nothing can be sent.
    isHeld = true;
    for (const until = performance.now() + 60; performance.now() < until; );
    socket.write(OK);
  });
  const { stalls } = await sendOnSchedule(url, every10Ms(12), 2);
  expect(isHeld).toBe(true);
  expect(stalls.some(({ from, to }) => to - from >= 55 && from < 110)).toBe(true);

  const slow = await serving((socket) => setTimeout(() => socket.write(OK), 60));
  const waited = await sendOnSchedule(slow, every10Ms(3), 3);
  expect(waited.latencyMs.every((ms) => ms > 50)).toBe(true);
  expect(waited.stalls.every(({ from, to }) => to - from < 55)).toBe(true);
});

test('nothing is sent before it is due', async () => {
  const began = performance.now();
  const seen: number[] = [];
  const url = await serving((socket) => {
    seen.push(performance.now() - began);
    socket.write(OK);
  });
  await sendOnSchedule(url, every10Ms(10), 4);
  expect(seen).toHaveLength(10);
  seen.forEach((at, i) => {
    expect(at).toBeGreaterThanOrEqual(i * 10);
  });
});

test('an answer may come in pieces, or with a long body', async () => {
  const body = 'x'.repeat(300_000);
  const url = await serving((socket, index) => {
    if (index % 2 === 0) {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    socket.write(OK.slice(0, 20));
    setTimeout(() => {
      socket.write(OK.slice(20, -1));
      setTimeout(() => socket.write(OK.slice(-1)), 5);
    }, 5);
  });
  const { latencyMs } = await flood(url, [ASK], 20, 3);
  expect(latencyMs).toHaveLength(20);
  expect(latencyMs.every((ms) => ms > 0)).toBe(true);
});

test.each([
  ['refuses', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', /refused with status 503/],
  ['does not say how long its answer is', 'HTTP/1.1 200 OK\r\n\r\n', /without a content-length/],
  ['answers more than it said', `${OK}!`, /more than it said/],
])('a server that %s is not measured', async (_, answer, says) => {
  const url = await serving((socket, index) => socket.write(index === 3 ? answer : OK));
  await expect(flood(url, [ASK], 10, 2)).rejects.toThrow(says);
});

test('nor is one that closes a connection', async () => {
  const url = await serving((socket, index) => (index === 3 ? socket.destroy() : socket.write(OK)));
  await expect(flood(url, [ASK], 10, 2)).rejects.toThrow(/closed a connection|ECONNRESET/);
});

test('nor one that is not there', async () => {
  const url = await serving(() => undefined);
  await new Promise((done) => server?.close(done));
  await expect(flood(url, [ASK], 1, 1)).rejects.toThrow(/ECONNREFUSED/);
});
