import { describe, expect, test } from 'vitest';
import { CONNECTIONS, mapConcurrent } from '../../../src/lib/concurrency.ts';

const ITEMS = Array.from({ length: 50 }, (_, i) => i);

/** Calls that end when they are told to. */
function controlled() {
  const begun: number[] = [];
  const ended: number[] = [];
  const ends: (() => void)[] = [];
  const work = async (item: number, index: number) => {
    expect(index).toBe(item);
    begun.push(item);
    await new Promise<void>((resolve) => {
      ends[item] = resolve;
    });
    ended.push(item);
  };
  return { begun, ended, work, end: (item: number) => ends[item]?.() };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('calls side by side', () => {
  test('are as many as there may be, and begin in order', async () => {
    let underWay = 0;
    let most = 0;
    const order: number[] = [];
    const one = async (item: number) => {
      order.push(item);
      most = Math.max(most, ++underWay);
      await settled();
      underWay -= 1;
    };
    await mapConcurrent(ITEMS, one);
    expect({ most, order }).toEqual({ most: CONNECTIONS, order: ITEMS });
    most = 0;
    await mapConcurrent(new Set(ITEMS), one, 2);
    expect(most).toBe(2);
    await mapConcurrent([], one);
  });

  test('do not begin any more after a failure, and the failure waits for those under way', async () => {
    const { begun, ended, work, end } = controlled();
    let outcome: unknown;
    const all = mapConcurrent(ITEMS, async (item, index) => {
      if (item === CONNECTIONS) throw new Error('the seventh');
      await work(item, index);
      if (item === 1) throw new Error('a later one');
    }).catch((error: unknown) => {
      outcome = error;
    });
    end(0);
    await settled();
    expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
    expect(outcome).toBeUndefined();
    for (let item = 1; item < CONNECTIONS; item++) end(item);
    await all;
    expect(outcome).toEqual(new Error('the seventh'));
    expect([begun.length, ended.length]).toEqual([CONNECTIONS, CONNECTIONS]);
  });

  test('end with a failure of the items themselves, and with one that says nothing', async () => {
    function* items() {
      yield 1;
      throw new RangeError('no more');
    }
    await expect(mapConcurrent(items(), async () => undefined)).rejects.toThrow('no more');
    await expect(mapConcurrent([1], () => Promise.reject(undefined))).rejects.toBeUndefined();
  });
});
