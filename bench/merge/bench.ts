/**
 * merge: the fortnight into the inventory by ticks, in one and in two hundred, and as an upsert into SQLite.
 * Everything but the CPU seconds is exact: what was written, what came out, what a quiet minute costs.
 */
import { join } from 'node:path';
import { atLeast, atMost, type BenchResult, type BenchSize, type Row, round } from '../report.ts';
import { runApart } from '../support/apart.ts';
import { ensureInventory } from '../support/inventory.ts';
import type { MergeFigures } from './merge-fortnight.ts';
import type { UpsertFigures } from './upsert-sqlite.ts';

const MIB = 2 ** 20;
const MANY_TICKS = { full: 200, small: 40 };

export async function run(size: BenchSize): Promise<BenchResult> {
  const { folder, fortnightCsv, options } = await ensureInventory(size);
  const merge = async (share: number, mode: 'cpu' | 'heap' | 'fresh') => {
    const args = [
      '--expose-gc',
      join(import.meta.dirname, 'merge-fortnight.ts'),
      folder,
      fortnightCsv,
      `${share}`,
      mode,
    ];
    const { stdout, peakBytes } = await runApart(process.execPath, args);
    return { ...(JSON.parse(stdout) as MergeFigures), peakBytes };
  };
  const ticks = MANY_TICKS[size];
  const many = await merge(ticks, 'cpu');
  const one = await merge(1, 'cpu');
  const fresh = await merge(ticks, 'fresh');
  const watched = await merge(ticks, 'heap');
  const { stdout, peakBytes } = await runApart(process.execPath, [
    join(import.meta.dirname, 'upsert-sqlite.ts'),
    folder,
    fortnightCsv,
    `${ticks}`,
  ]);
  const sqlite: UpsertFigures = JSON.parse(stdout);

  const row = (
    name: string,
    figures: { cpuSeconds: number; peakBytes: number },
    written: number,
    runs: string,
  ): Row => ({
    merge: name,
    cpuSeconds: round(figures.cpuSeconds),
    rowsPerCpuSecond: Math.round(options.captured / figures.cpuSeconds),
    peakMiB: Math.round(figures.peakBytes / MIB),
    writtenMiB: Math.round(written / MIB),
    result: runs,
  });
  const ours = (figures: typeof many, how = '') =>
    row(`Ringfence, ${figures.ticks} ticks${how}`, figures, figures.writtenBytes, `runs of ${figures.runs.join(', ')}`);
  const rewritten = { cpuSeconds: many.cpuSeconds + many.rewriteCpuSeconds, peakBytes: many.peakBytes };
  const inventory = options.numbers + options.firstTime;
  const sound = [many, one, fresh, watched].filter(
    ({ numbers, newNumbers, sightings }) =>
      numbers === inventory && newNumbers === options.firstTime && sightings === options.captured,
  );
  return {
    name: 'merge',
    rows: [
      ours(many),
      ours(one),
      ours(fresh, ', each in a new isolate'),
      row(
        'and then all into one run',
        rewritten,
        0,
        `one run of ${many.numbers}, ${Math.round(watched.rewritePeakHeapBytes / MIB)} MiB of heap`,
      ),
      row(`SQLite upsert, ${ticks} transactions`, { ...sqlite, peakBytes }, sqlite.fileBytes, `${sqlite.numbers} rows`),
    ],
    bars: [
      ...(size === 'full'
        ? [
            atMost(`CPU seconds, in ${ticks} ticks`, round(many.cpuSeconds), 12),
            atMost(`CPU seconds, in ${ticks} ticks, each in a new isolate`, round(fresh.cpuSeconds), 20),
            atMost('CPU seconds, in one tick and what it leaves to do', round(one.cpuSeconds), 15),
            atMost('CPU seconds of the longest of them', round(many.maxTickCpuSeconds), 30),
            atMost('CPU seconds of the longest when all comes at once', round(one.maxTickCpuSeconds), 30),
          ]
        : []),
      atMost('MiB of heap beyond the store', round(watched.peakHeapBytes / MIB), 56),
      atMost('storage calls of one tick', Math.max(many.maxTickCalls, one.maxTickCalls), 10_000),
      atLeast('merges that lost nothing and counted the first-time numbers exactly, of 4', sound.length, 4),
      atMost(
        `different results in bytes, of one tick and ${ticks}`,
        new Set([many, one, fresh, watched].map((m) => m.sha256)).size,
        1,
      ),
      atLeast(
        'SQLite has the same numbers and sightings',
        Number(sqlite.numbers === inventory && sqlite.sightings === options.captured),
        1,
      ),
      atMost('storage writes of a quiet minute', Math.max(many.quietWrites, one.quietWrites), 10),
      atLeast(
        'quiet minutes that left the base as it was, of 2',
        Number(many.quietKeepsBase) + Number(one.quietKeepsBase),
        2,
      ),
    ],
  };
}
