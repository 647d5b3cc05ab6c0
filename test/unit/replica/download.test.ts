import { expect, test } from 'vitest';
import { CONNECTIONS } from '../../../src/lib/concurrency.ts';
import { Origin } from '../../../src/replica/origin.ts';
import { download } from '../../../src/replica/sync.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';

const SLICES = Array.from({ length: 50 }, (_, i) => ({
  sha256: i.toString(16).padStart(64, '0'),
  path: `slices/${i.toString(16).padStart(64, '0')}`,
  bytes: 8,
  check: async () => undefined,
  open: async () => undefined,
}));

async function attempt(status: number): Promise<{ requests: number; result: string }> {
  let requests = 0;
  const origin = new Origin({
    url: 'https://origin.example/mounted/',
    key: 'key',
    sleep: async () => undefined,
    random: () => 0,
    fetch: async ({ url, redirect, headers }) => {
      requests += 1;
      expect(url).toMatch(/^https:\/\/origin\.example\/mounted\/v1\/feed\/slices\/[0-9a-f]{64}$/);
      expect([redirect, headers.get('authorization')]).toEqual(['manual', 'Bearer key']);
      return new Response('x', { status });
    },
  });
  const tally = { slicesDownloaded: 0, bytesDownloaded: 0, manifestBytes: 0 };
  const work = download({ origin, store: new MemoryObjectStore() }, SLICES, tally);
  const result = await work.catch((error: Error) => error.message);
  // Whatever went on unseen has had time to.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(tally.slicesDownloaded).toBe(0);
  return { requests, result };
}

test('ends with the first slice that is gone', async () => {
  expect(await attempt(404)).toEqual({ requests: CONNECTIONS, result: 'gone' });
});

test('ends with the first failure', async () => {
  const { requests, result } = await attempt(418);
  expect(requests).toBe(CONNECTIONS);
  expect(result).toContain('expected 200, found 418');
});
