import { expect, test } from 'vitest';
import { result, run } from '../../bench/startup/bench.ts';

const runs = (...startedMs: number[]) => startedMs.map((ms) => ({ startedMs: ms, answeredMs: ms + 1 }));

test('the ratio is that of the medians: one round that the machine was busy in moves nothing', () => {
  const { rows, bars } = result({ edge: runs(9, 8, 90), empty: runs(6, 600, 5) }, 100, 8);
  expect(rows).toEqual([
    {
      ...{ worker: 'edge', 'KiB, gzip': 100, 'ms of CPU to start': 9, least: 8, most: 90 },
      'and to the first answer': 10,
    },
    {
      ...{ worker: 'empty Hono Worker', 'KiB, gzip': 8, 'ms of CPU to start': 6, least: 5, most: 600 },
      'and to the first answer': 7,
    },
  ]);
  expect(bars.map(({ value, limit, met }) => ({ value, limit, met }))).toEqual([
    { value: 1.5, limit: 6, met: true },
    { value: 100, limit: 110, met: true },
  ]);
});

test('where both are profiled too, the bar of 1.6 is held in that measure', () => {
  const profiled = (startedMs: number, ...all: number[]) =>
    all.map((profiledMs) => ({ startedMs, answeredMs: startedMs, profiledMs }));
  const { rows, bars } = result({ edge: profiled(18, 33, 30, 90), empty: profiled(5, 20, 19, 21) }, 100, 8);
  expect(rows.map((row) => row['ms as wrangler profiles it'])).toEqual([33, 20]);
  expect(bars[0]).toMatchObject({ value: 1.65, limit: 1.6, met: false });
  expect(bars[1]).toMatchObject({ value: 3.6, limit: 6, met: true });
});

test('starts both in workerd, and each answers; the edge is within its size', async () => {
  const { rows, bars } = await run('small');
  const [edge, empty] = rows.map((row) => Number(row['ms of CPU to start']));
  expect(empty).toBeGreaterThan(0);
  expect(edge).toBeGreaterThan(empty ?? Infinity);
  expect(bars[0]?.value).toBeCloseTo((edge ?? 0) / (empty ?? 1), 1);
  expect(bars[1]).toMatchObject({ what: 'KiB of the edge, gzip', met: true });
});
