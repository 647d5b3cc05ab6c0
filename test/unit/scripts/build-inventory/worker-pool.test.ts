import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { WorkerPool } from '../../../../scripts/build-inventory/tasks.ts';
import { mapConcurrent } from '../../../../src/lib/concurrency.ts';
import { compactedBytes, newWorld } from '../../../support/world.ts';
import { Bench, csvOf, someRows } from './support.ts';

const bench = new Bench();

describe('worker threads', () => {
  test('build the same as this thread', async () => {
    const path = bench.file('a.csv', csvOf(someRows(500, 31)));
    const [here, there] = [newWorld(), newWorld()];
    await bench.build(here, bench.request([path]));
    const pool = new WorkerPool(2);
    try {
      await bench.build(there, bench.request([path]), pool);
    } finally {
      await pool.close();
    }
    expect(await compactedBytes(there.objects)).toEqual(await compactedBytes(here.objects));
    const keys = async (world: typeof here) =>
      (await world.objects.memory.list('batches/')).objects.map(({ key }) => key);
    expect(await keys(there)).toEqual(await keys(here));
  });

  test('hand on what a task fails with', async () => {
    const pool = new WorkerPool(1);
    try {
      const batch = { name: 'none.batch', rows: 1, bytes: 1, circumstances: 1, sha256: '' };
      const task = { kind: 'count', folder: join(bench.folder, 'none'), batches: [batch], from: 0, to: 1 } as const;
      await expect(pool.run<'count'>(task, () => {})).rejects.toThrow('ENOENT');
      const cut = { ...batch, name: 'cut.batch' };
      bench.file('cut.batch', 'x');
      const broken = { ...task, folder: bench.folder, batches: [cut] };
      await expect(pool.run<'count'>(broken, () => {})).rejects.toMatchObject({
        name: 'BuildError',
        code: 'damaged-work',
      });
    } finally {
      await pool.close();
    }
  });
});

describe('in parallel', () => {
  test('no more than the width at once, in order, and nothing new after a failure', async () => {
    let running = 0;
    let most = 0;
    const begun: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      running += 1;
      most = Math.max(most, running);
      await new Promise((done) => setTimeout(done, 1));
      running -= 1;
      if (item === 4) throw new Error('item 4');
    };
    await expect(mapConcurrent([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], work, 3)).rejects.toThrow('item 4');
    expect(most).toBe(3);
    expect(running).toBe(0);
    expect(begun.length).toBeLessThan(9);
    expect(begun).toEqual(begun.toSorted((a, b) => a - b));
  });
});
