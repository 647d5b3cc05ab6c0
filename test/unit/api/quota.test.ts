import { expect, it } from 'vitest';
import { type Limiter, RequestQuota, type RequestQuotaDeps } from '../../../src/api/quota.ts';

const START = 1_748_506_320_000;

function quotaWith(deps: Partial<RequestQuotaDeps> = {}): RequestQuota {
  return new RequestQuota({ now: () => START, random: () => 0, limiters: [], ...deps });
}

/** Counts as the platform does, of one location. */
class Location implements Limiter {
  readonly perMinute: number;
  readonly counts = new Map<string, number>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  async limit(key: string): Promise<{ success: boolean }> {
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return { success: count <= this.perMinute };
  }
}

/** Requests that get through when `requests` of them go to isolates by turns. */
async function accepted(isolates: readonly RequestQuota[], requests: number, perMinute: number): Promise<number> {
  let count = 0;
  for (let i = 0; i < requests; i++) {
    if ((await isolates[i % isolates.length]?.take('key', perMinute)) === 0) count += 1;
  }
  return count;
}

/** Numbers from 0 to below 1, spread evenly. */
function evenly(): () => number {
  let value = 0;
  return () => {
    value = (value + 0.618_033_988_75) % 1;
    return value;
  };
}

it('lets a quota through each minute and says how long to wait', async () => {
  let now = START;
  const quota = quotaWith({ now: () => now });
  expect([await quota.take('a', 2), await quota.take('a', 2), await quota.take('a', 2)]).toEqual([0, 0, 60]);
  expect(await quota.take('b', 1)).toBe(0);
  now += 59_100;
  expect(await quota.take('a', 2)).toBe(1);
  now += 900;
  expect(await quota.take('a', 2)).toBe(0);
});

it('holds a bounded number of counters', async () => {
  const quota = quotaWith({ now: () => 0 });
  for (let i = 0; i < 2000; i++) await quota.take(`key-${i}`, 1);
  expect(await quota.take('key-0', 1)).toBe(60);
  await quota.take('one more', 1);
  expect(await quota.take('key-0', 1)).toBe(0);
});

it('a quota that a limiter has holds for all isolates of a location together', async () => {
  const limiters = [new Location(10), new Location(100)];
  const isolates = Array.from({ length: 4 }, () => quotaWith({ limiters, random: evenly() }));
  expect(await accepted(isolates, 1000, 100)).toBe(100);
  expect(limiters[0]?.counts.size).toBe(0);
});

it('a quota between two limiters is reached by asking for a share of the requests', async () => {
  const limiters = [new Location(10), new Location(100), new Location(1000)];
  const isolates = Array.from({ length: 8 }, () => quotaWith({ limiters, random: evenly() }));
  const count = await accepted(isolates, 5000, 400);
  expect(count).toBeGreaterThan(380);
  expect(count).toBeLessThan(440);
  expect(limiters[1]?.counts.get('key')).toBeLessThan(200);
});

it('a quota below every limiter is that of each isolate', async () => {
  const limiters = [new Location(10)];
  expect(await accepted([quotaWith({ limiters })], 50, 3)).toBe(3);
  expect(await accepted([quotaWith({ limiters })], 50, 3)).toBe(3);
});

it('a limiter that does not answer refuses nobody', async () => {
  const limiter: Limiter = { perMinute: 10, limit: () => Promise.reject(new Error('no answer')) };
  expect(await accepted([quotaWith({ limiters: [limiter] })], 30, 20)).toBe(20);
});
