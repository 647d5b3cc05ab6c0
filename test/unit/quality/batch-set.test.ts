import { describe, expect, test } from 'vitest';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { batchesOfSet, batchSetOf, foldPages, PAGE_BATCHES, takeFromBatchSet } from '../../../src/quality/batch-set.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';

/** Two pages, and a few in the ledger itself. */
async function paged() {
  const objects = new MemoryObjectStore();
  const batches = Array.from({ length: PAGE_BATCHES * 2 + 5 }, (_, i) => ({ id: `b${i}`, rows: i + 1 }));
  let pages = 0;
  return { objects, batches, set: await foldPages(objects, batchSetOf(batches), () => `page-${++pages}`, UNPACED) };
}

describe('a batch taken from a set', () => {
  test.each([0, PAGE_BATCHES + 7, PAGE_BATCHES * 2 + 2])('number %i is gone, and no other', async (i) => {
    const { objects, batches, set } = await paged();
    const result = await takeFromBatchSet(objects, set, `b${i}`, UNPACED);
    expect(result?.taken).toEqual([{ id: `b${i}`, rows: i + 1 }]);
    const rest = result === null ? [] : await batchesOfSet(objects, result.rest, UNPACED);
    const expected = batches.filter(({ id }) => id !== `b${i}`);
    expect(rest.toSorted((a, b) => a.rows - b.rows)).toEqual(expected);
    expect(result?.rest.detections).toBe(expected.reduce((sum, { rows }) => sum + rows, 0));
  });

  test('that is not in it: nothing changes', async () => {
    const { objects, set } = await paged();
    expect(await takeFromBatchSet(objects, set, 'elsewhere', UNPACED)).toBeNull();
  });
});
