import { SELF } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { eventLoopTurn, Pacer } from '../../src/lib/cooperate.ts';

const PORTIONS = 400;

/** Work of half a second or so; returns in which portion of it a request that came in at its beginning was answered. */
async function answeredIn(turn: () => Promise<void>): Promise<number> {
  const pace = new Pacer(turn, 1);
  let portion = 0;
  let answered = Number.POSITIVE_INFINITY;
  const request = SELF.fetch('https://ringfence.example/healthz').then(async (response) => {
    await response.text();
    answered = Math.min(answered, portion);
  });
  for (; portion < PORTIONS; portion++) {
    busy();
    if (pace.count(1)) await pace.giveWay();
  }
  await request;
  return answered;
}

function busy(): void {
  let x = 0;
  for (let i = 0; i < 1_000_000; i++) x = (x * 31 + i) | 0;
  if (x === 1) throw new Error('not to be optimized away');
}

test('a request is answered between two portions of long work', async () => {
  await answeredIn(eventLoopTurn);
  expect(await answeredIn(eventLoopTurn)).toBeLessThan(PORTIONS / 4);
});

test('which a microtask does not do', async () => {
  expect(await answeredIn(async () => undefined)).toBeGreaterThanOrEqual(PORTIONS);
});
