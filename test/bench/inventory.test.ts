/** The small forms of the benchmarks that work on the synthetic inventory: their counts, ratios and results are exact. */
import { expect, test } from 'vitest';
import { run as build } from '../../bench/build/bench.ts';
import { run as cold } from '../../bench/cold/bench.ts';
import { run as merge } from '../../bench/merge/bench.ts';
import type { Benchmark } from '../../bench/report.ts';

test.each<[string, Benchmark]>([
  ['build', build],
  ['merge', merge],
  ['cold', cold],
])(
  '%s meets its bars',
  async (name, run) => {
    const result = await run('small');
    expect(result.name).toBe(name);
    expect(result.rows.length).toBeGreaterThan(1);
    expect(result.bars.filter(({ met }) => !met)).toEqual([]);
  },
  240_000,
);
