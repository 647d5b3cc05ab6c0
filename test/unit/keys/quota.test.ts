import { expect, it } from 'vitest';
import { RequestQuota } from '../../../src/keys/quota.ts';

it('lets a quota through each minute and says how long to wait', () => {
  let now = 1_748_506_320_000;
  const quota = new RequestQuota(() => now);
  expect([quota.take('a', 2), quota.take('a', 2), quota.take('a', 2)]).toEqual([0, 0, 60]);
  expect(quota.take('b', 1)).toBe(0);
  now += 59_100;
  expect(quota.take('a', 2)).toBe(1);
  now += 900;
  expect(quota.take('a', 2)).toBe(0);
});

it('holds a bounded number of counters', () => {
  const quota = new RequestQuota(() => 0);
  for (let i = 0; i < 2000; i++) quota.take(`key-${i}`, 1);
  expect(quota.take('key-0', 1)).toBe(60);
  quota.take('one more', 1);
  expect(quota.take('key-0', 1)).toBe(0);
});
