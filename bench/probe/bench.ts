/**
 * `npm run bench -- probe`: how long it takes to tell whether a number is listed, and in how many bytes, against a
 * sorted Float64Array, SQLite, LMDB and a roaring bitmap on the same numbers. What can run in workerd is compared
 * there, in one isolate; SQLite and LMDB are native, and compared in Node beside the array and Ringfence.
 */

import { atMost, type Bar, type Benchmark, type BenchSize, median, type Row, round } from '../report.ts';
import { ensureInventory, openStores } from '../support/inventory.ts';
import { type Comparison, type Course, compare, type Effort, medianRatio } from './compare.ts';
import { WORKLOADS } from './workload.ts';

/** The bars. Those at full size are goals; the small ones tell a regression: what was measured, and a margin on top. */
interface Limits {
  readonly bitsPerNumber: number;
  readonly megabytes: number;
  /** Time of Ringfence for the mix, as a share of the contender's. */
  readonly ratios: Readonly<Record<'Float64Array' | 'roaring' | 'SQLite' | 'LMDB', number>>;
}

const LIMITS: Record<BenchSize, Limits> = {
  full: { bitsPerNumber: 11.5, megabytes: 30, ratios: { Float64Array: 0.5, roaring: 1, SQLite: 1, LMDB: 1 } },
  small: { bitsPerNumber: 14.6, megabytes: 0.37, ratios: { Float64Array: 2, roaring: 4, SQLite: 0.7, LMDB: 0.7 } },
};

const EFFORT: Record<BenchSize, Effort> = {
  full: { probes: 1_000_000, rounds: 7, repeats: 1, counted: 100_000 },
  small: { probes: 100_000, rounds: 5, repeats: 4, counted: 20_000 },
};

export const run: Benchmark = async (size) => {
  const { folder } = await ensureInventory(size);
  const stores = openStores(folder);
  const comparison = await compare(stores, EFFORT[size]);
  const bars = barsOf(comparison, LIMITS[size]);
  return { name: 'probe', rows: rowsOf(comparison), bars: size === 'full' ? [...bars, scoreBar(comparison)] : bars };
};

export function rowsOf(comparison: Comparison): Row[] {
  const courses = [
    ['workerd', comparison.workerd],
    ['Node', comparison.node],
  ] as const;
  const timed = courses.flatMap(([where, course]) =>
    [...course.mix.keys()].map((name) => ({
      contender: name,
      'measured in': where,
      ...Object.fromEntries(
        WORKLOADS.map((workload) => [`${workload}, ns`, Math.round(median(timesOf(course, workload, name)))]),
      ),
      'Ringfence / it, mix': round(medianRatio(course.mix.get('Ringfence'), course.mix.get(name))),
      'bits a number': round(((comparison.bytes.get(name) ?? Number.NaN) * 8) / comparison.numbers),
      MB: round((comparison.bytes.get(name) ?? Number.NaN) / 1e6),
    })),
  );
  const untimed = Object.fromEntries(WORKLOADS.map((workload) => [`${workload}, ns`, '']));
  const bounds = comparison.bounds.map(({ model, bitsPerNumber }) => ({
    contender: `least, ${model}`,
    'measured in': 'theory',
    ...untimed,
    'Ringfence / it, mix': '',
    'bits a number': round(bitsPerNumber),
    MB: round((bitsPerNumber * comparison.numbers) / 8e6),
  }));
  return [...timed, ...bounds];
}

/** A time, not a ratio, so it is held only at full size, where the columns do not fit a processor's cache. */
function scoreBar({ neighbourhood }: Comparison): Bar {
  const slowest = Math.max(...Object.values(neighbourhood));
  return atMost('neighbourhood score, us a lookup, of the slowest workload (Node)', round(slowest), 3);
}

function timesOf(course: Course, workload: (typeof WORKLOADS)[number], name: string): readonly number[] {
  return course[workload].get(name)?.nanoseconds ?? [];
}

export function barsOf({ numbers, bytes, wrong, workerd, node }: Comparison, limits: Limits): Bar[] {
  const own = bytes.get('Ringfence') ?? Number.NaN;
  const ratio = (course: Course, where: string, name: keyof Limits['ratios']) =>
    atMost(
      `mix: time of Ringfence / ${name} (${where})`,
      round(medianRatio(course.mix.get('Ringfence'), course.mix.get(name))),
      limits.ratios[name],
    );
  return [
    ratio(workerd, 'workerd', 'Float64Array'),
    ratio(workerd, 'workerd', 'roaring'),
    ratio(node, 'Node', 'SQLite'),
    ratio(node, 'Node', 'LMDB'),
    atMost(`bits a number, of ${numbers.toLocaleString('en-US')}`, round((own * 8) / numbers), limits.bitsPerNumber),
    atMost('MB of numbers columns in the isolate', round(own / 1e6), limits.megabytes),
    atMost('wrong answers, ranks and counts', wrong, 0),
  ];
}
